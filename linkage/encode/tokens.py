"""View tokens: the keyed form of what a view blocks on, for many rows at once. At the edge only.

    token = AES(key, AES(key, name || name) xor (value || 0))

AES-256 under the view's token key; a name is the first 8 bytes of SHA-256 of a spelling or a phonetic code, the two in
ascending order, zeros where the view takes none; the value is the same of the other parts joined by unit separators.
A CBC-MAC over two blocks, a pseudo-random function for messages of fixed length (Bellare, Kilian and Rogaway 2000).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linkage.aes import encrypt_blocks

PART_SEPARATOR = "\x1f"
NO_NAME = 0

Digests = NDArray[np.uint64]


def digests(texts: Sequence[str]) -> Digests:
    """The first 8 bytes of SHA-256 of each text, as big-endian numbers."""
    content = b"".join([hashlib.sha256(text.encode()).digest()[:8] for text in texts])
    return np.frombuffer(content, dtype=">u8").astype(np.uint64)


def name_digests(texts: Sequence[str]) -> Digests:
    """The digests of spellings or codes; NO_NAME for an empty one."""
    return np.where([text == "" for text in texts], np.uint64(NO_NAME), digests(texts))


def tokens(values: Digests, *, names: Digests, key: bytes) -> NDArray[np.uint8]:
    """(n, 16) tokens of n values, each with its (n, 2) ascending names."""
    linked = encrypt_blocks(names.astype(">u8").view(np.uint8), key=key).copy()
    linked.view(">u8")[:, 0] ^= values
    return encrypt_blocks(linked, key=key)
