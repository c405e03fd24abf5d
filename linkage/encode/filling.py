"""The inner loops of the filters, compiled: at the edge only. The definition is in `filters`."""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

POSITIONS_PER_BLOCK = 16


@numba.njit(cache=True, nogil=True)
def write_gram_inputs(
    inputs: NDArray[np.uint32],
    starts: NDArray[np.int64],
    blocks: NDArray[np.int64],
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    codes: NDArray[np.uint32],
    tokens: NDArray[np.uint32],
) -> None:
    """Writes the PRF input of each name, bigram and block: 12 token bytes, 3 bigram bytes, the block's number."""
    for name in range(len(starts)):
        row = starts[name]
        for gram in range(counts[name]):
            code = codes[offsets[name] + gram]
            for block in range(blocks[name]):
                for place in range(3):
                    inputs[row, place] = tokens[name, place]
                inputs[row, 3] = code | (np.uint32(block) << np.uint32(24))
                row += 1


@numba.njit(cache=True, nogil=True)
def fill_filters(
    filters: NDArray[np.uint64],
    positions: NDArray[np.uint8],
    starts: NDArray[np.int64],
    blocks: NDArray[np.int64],
    counts: NDArray[np.int64],
    weight: int,
) -> NDArray[np.int64]:
    """Sets bits round by round, one position of each bigram a round, until full; gives the weights reached."""
    reached = np.zeros(len(starts), dtype=np.int64)
    for name in range(len(starts)):
        full = 0
        for turn in range(blocks[name] * POSITIONS_PER_BLOCK):
            row = starts[name] + turn // POSITIONS_PER_BLOCK
            for _ in range(counts[name]):
                position = positions[row, turn % POSITIONS_PER_BLOCK]
                row += blocks[name]
                bit = np.uint64(1) << np.uint64(position & 63)
                if not filters[name, position >> 6] & bit:
                    filters[name, position >> 6] |= bit
                    full += 1
                    if full == weight:
                        break
            if full == weight:
                break
        reached[name] = full
    return reached
