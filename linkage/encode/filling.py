"""The inner loops of the filters, compiled: at the edge only. The definition is in `filters`."""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

WORDS_PER_BLOCK = 8


@numba.njit(cache=True, nogil=True)
def write_gram_inputs(
    inputs: NDArray[np.uint8],
    starts: NDArray[np.int64],
    blocks: NDArray[np.int64],
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    codes: NDArray[np.uint32],
    tokens: NDArray[np.uint8],
) -> None:
    """Writes the PRF input of each name, bigram and block: 12 token bytes, 3 bigram bytes, the block's number."""
    for name in range(len(starts)):
        row = starts[name]
        for gram in range(counts[name]):
            code = codes[offsets[name] + gram]
            for block in range(blocks[name]):
                for place in range(12):
                    inputs[row, place] = tokens[name, place]
                inputs[row, 12] = code & 255
                inputs[row, 13] = (code >> 8) & 255
                inputs[row, 14] = (code >> 16) & 255
                inputs[row, 15] = block
                row += 1


@numba.njit(cache=True, nogil=True)
def fill_filters(
    filters: NDArray[np.uint64],
    words: NDArray[np.uint8],
    starts: NDArray[np.int64],
    blocks: NDArray[np.int64],
    counts: NDArray[np.int64],
    weight: int,
) -> NDArray[np.int64]:
    """Sets bits round by round, one word of each bigram a round, until full; gives the weights reached."""
    reached = np.zeros(len(starts), dtype=np.int64)
    taken = np.zeros(256, dtype=np.bool_)
    for name in range(len(starts)):
        taken[:] = False
        full = 0
        for turn in range(blocks[name] * WORDS_PER_BLOCK):
            for gram in range(counts[name]):
                if full == weight:
                    break
                row = starts[name] + gram * blocks[name] + turn // WORDS_PER_BLOCK
                position = words[row, 2 * (turn % WORDS_PER_BLOCK)]
                if not taken[position]:
                    taken[position] = True
                    full += 1
                    filters[name, position // 64] |= np.uint64(1) << np.uint64(position % 64)
        reached[name] = full
    return reached
