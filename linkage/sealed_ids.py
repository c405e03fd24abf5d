"""Row ids that only the resolver can open: sealed at the edge, opened at the hub.

A sealed id is one AES-256 block over (record number, nonce), each a 64-bit little-endian number,
under the submission key. The nonces of a submission are distinct, so two sealed ids of one record
look unrelated (LINKAGE scheme: nothing ties the rows of a record together).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linkage.aes import decrypt_blocks, encrypt_blocks


def seal_records(records: NDArray[np.uint64], *, nonces: NDArray[np.uint64], key: bytes) -> NDArray[np.uint8]:
    """(n, 16) bytes: one sealed id for each record number and nonce."""
    plain = np.empty((len(records), 2), dtype="<u8")
    plain[:, 0] = records
    plain[:, 1] = nonces
    return encrypt_blocks(plain.view(np.uint8), key=key)


def open_records(sealed: NDArray[np.uint8], *, key: bytes) -> NDArray[np.uint64]:
    """The record numbers behind (n, 16) bytes of sealed ids."""
    plain = decrypt_blocks(sealed, key=key).view("<u8")
    return np.ascontiguousarray(plain[:, 0]).astype(np.uint64)
