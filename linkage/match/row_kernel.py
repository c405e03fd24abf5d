"""Compiled passes over whole columns of view rows: at the hub, in the matcher. Imported only when rows are compared.

A row is seen as thirty 32-bit words (`rows.VIEW_ROW` is packed, so nothing in it lies on eight bytes).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

SEALED_ID_WORDS = 4
ROW_WORDS = 30


@numba.njit(cache=True, nogil=True)
def hash_rows(words: NDArray[np.uint32], multipliers: NDArray[np.uint64], hashed: NDArray[np.uint64]) -> None:
    """Fills in a hash of every row without its sealed id: 64-bit pieces times odd numbers, added up."""
    for i in range(len(words)):
        total = np.uint64(0)
        for piece in range(len(multipliers)):
            low = np.uint64(words[i, SEALED_ID_WORDS + 2 * piece])
            high = np.uint64(words[i, SEALED_ID_WORDS + 2 * piece + 1])
            total += (low | (high << np.uint64(32))) * multipliers[piece]
        hashed[i] = total


@numba.njit(cache=True, nogil=True)
def equal_rows(words: NDArray[np.uint32], one: int, other: int) -> bool:
    """Whether two rows are equal but for their sealed ids."""
    differs = np.uint32(0)
    for word in range(SEALED_ID_WORDS, ROW_WORDS):
        differs |= words[one, word] ^ words[other, word]
    return bool(differs == 0)


@numba.njit(cache=True, nogil=True)
def first_equal_rows(
    words: NDArray[np.uint32],
    provider: NDArray[np.int32],
    hashed: NDArray[np.uint64],
    order: NDArray[np.int64],
    first: NDArray[np.int64],
) -> None:
    """Fills in the first row of the provider that is equal to each row; `order` sorts hashes, ties by row."""
    begin = 0
    for place in range(len(order)):
        row = order[place]
        if hashed[row] != hashed[order[begin]]:
            begin = place
        first[row] = row
        for earlier in range(begin, place):
            head = first[order[earlier]]
            if head == order[earlier] and provider[head] == provider[row] and equal_rows(words, head, row):
                first[row] = head
                break


@numba.njit(cache=True, nogil=True)
def block_ends(tokens: NDArray[np.uint64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
    """Fills in where the run of equal tokens that each place belongs to begins and ends."""
    begin = 0
    for place in range(len(tokens)):
        if tokens[place] != tokens[begin]:
            ends[begin:place] = place
            begin = place
        starts[place] = begin
    ends[begin:] = len(tokens)
