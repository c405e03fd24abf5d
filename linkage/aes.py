"""AES-256 on many single blocks at once: the keyed function under tokens, tags, filters and row ids.

Every block is its own input, so this is ECB used as a pseudo-random permutation, never as a mode
for a message (FIPS 197; PRP/PRF switching lemma, Bellare and Rogaway 2006).
"""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray


def encrypt_blocks(blocks: NDArray[np.uint8], *, key: bytes) -> NDArray[np.uint8]:
    """(n, 16) bytes enciphered block by block under a 32-byte key."""
    encryptor = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 - single blocks, see the module docstring
    content = encryptor.update(np.ascontiguousarray(blocks).tobytes()) + encryptor.finalize()
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, 16)


def decrypt_blocks(blocks: NDArray[np.uint8], *, key: bytes) -> NDArray[np.uint8]:
    """The inverse of `encrypt_blocks`."""
    decryptor = Cipher(AES(key), ECB()).decryptor()  # noqa: S305 - single blocks, see the module docstring
    content = decryptor.update(np.ascontiguousarray(blocks).tobytes()) + decryptor.finalize()
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, 16)
