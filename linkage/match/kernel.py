"""The compiled comparison of view rows: at the hub, in the matcher. Imported only when rows are compared.

Rows come with an order in which rows of one token lie together. Pairs are formed inside a token across
providers only. Every number of a pattern is defined in `patterns`.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from linkage.match.patterns import (
    DAY_SIZE,
    NAMES_CROSSED,
    SURNAME_SIZE,
    TAG_SIZE,
)
from linkage.rows import (
    FLAG_GIVEN_ABSENT,
    FLAG_SURNAME_ABSENT,
    KNOWN_VARIANTS,
    VARIANT_GIVEN,
    VARIANT_SURNAME,
    VARIANT_SURNAME_PART,
)

_DERIVED_SURNAME = VARIANT_SURNAME_PART | VARIANT_SURNAME

# Where the parts of a row begin, in 32-bit words of `rows.VIEW_ROW`; view, variant and flags share one word.
FLAGS_WORD, VARIANT_SHIFT, FLAGS_SHIFT = 4, 8, 16
TOKEN_WORD, TOKEN_WORDS = 5, 4
GIVEN_WORD, SURNAME_WORD, FILTER_WORDS = 9, 17, 8
TAGS_WORD = 25


def popcount(word: Any) -> int:
    """The number of bits set in a 64-bit word; compiled to one instruction."""
    return int(word).bit_count()


@intrinsic
def _population(context: Any, word: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        function = builder.module.declare_intrinsic("llvm.ctpop", [ir.IntType(64)])
        return builder.call(function, arguments)

    return types.int64(types.uint64), generate


@overload(popcount)
def _compiled_popcount(word: Any) -> Any:
    def count(word: Any) -> Any:
        return _population(np.uint64(word))  # type: ignore[call-arg]  # numba passes the context itself

    return count


@numba.njit(cache=True, nogil=True)
def common_bits(words: NDArray[np.uint32], i: int, j: int, at: int, other: int) -> int:
    """Bits that the filter of row i that begins at word `at` shares with that of row j at word `other`."""
    count = 0
    for pair in range(0, FILTER_WORDS, 2):
        low = np.uint64(words[i, at + pair] & words[j, other + pair])
        high = np.uint64(words[i, at + pair + 1] & words[j, other + pair + 1])
        count += popcount(low | (high << np.uint64(32)))
    return count


@numba.njit(cache=True, nogil=True)
def level_of(common: int, cuts: NDArray[np.int64]) -> int:
    """How many of the cuts the number of common bits reaches."""
    level = 0
    for cut in cuts:
        if common >= cut:
            level += 1
    return level


@numba.njit(cache=True, nogil=True)
def names_outcome(words: NDArray[np.uint32], cuts: NDArray[np.int64], i: int, j: int) -> int:
    """The joint outcome of given and surname; swapped names are taken crossed where that is clearly better."""
    flags = np.int64(words[i, FLAGS_WORD] | words[j, FLAGS_WORD])
    either, absent = flags >> VARIANT_SHIFT, flags >> FLAGS_SHIFT
    top = len(cuts)
    given = common_bits(words, i, j, GIVEN_WORD, GIVEN_WORD)
    surname = common_bits(words, i, j, SURNAME_WORD, SURNAME_WORD)
    derived = either & KNOWN_VARIANTS
    if absent == 0 and given < cuts[top - 2] and surname < cuts[top - 2]:
        one = common_bits(words, i, j, GIVEN_WORD, SURNAME_WORD)
        crossed = min(one, common_bits(words, i, j, SURNAME_WORD, GIVEN_WORD))
        if crossed >= cuts[top - 3] and crossed > max(given, surname):
            return NAMES_CROSSED + (1 if derived or crossed < cuts[top - 1] else 0)
    given_level = level_of(given, cuts)
    surname_level = level_of(surname, cuts)
    if absent & FLAG_GIVEN_ABSENT:
        given_level = top + 2
    elif given_level == top and derived & VARIANT_GIVEN:
        given_level = top + 1
    if absent & FLAG_SURNAME_ABSENT:
        surname_level = top + 3
    elif surname_level == top:
        for row in (i, j):
            if (np.int64(words[row, FLAGS_WORD]) >> VARIANT_SHIFT) & _DERIVED_SURNAME:
                surname_level += 1
    return given_level * SURNAME_SIZE + surname_level


@numba.njit(cache=True, nogil=True)
def tag_of(words: NDArray[np.uint32], row: int, field: int) -> int:
    """A row's tag of a field (`rows.TAG_NAMES`)."""
    return int((np.int64(words[row, TAGS_WORD + field // 2]) >> (16 * (field % 2))) & 0xFFFF)


@numba.njit(cache=True, nogil=True)
def tag_outcome(words: NDArray[np.uint32], i: int, j: int, field: int) -> int:
    """0 differs, 1 agrees, 2 absent on either side."""
    one, other = tag_of(words, i, field), tag_of(words, j, field)
    if one == 0 or other == 0:
        return 2
    return 1 if one == other else 0


@numba.njit(cache=True, nogil=True)
def date_outcome(words: NDArray[np.uint32], i: int, j: int) -> int:
    """Year, and month with day: neither, one of the two, both, both swapped, absent."""
    month = tag_outcome(words, i, j, 1)
    day = tag_outcome(words, i, j, 2)
    if month == 2 or day == 2:
        both = 4
    elif month == 1 and day == 1:
        both = 2
    elif tag_of(words, i, 1) == tag_of(words, j, 2) and tag_of(words, i, 2) == tag_of(words, j, 1):
        both = 3
    else:
        both = month + day
    return tag_outcome(words, i, j, 0) * DAY_SIZE + both


@numba.njit(cache=True, nogil=True)
def same_token(words: NDArray[np.uint32], i: int, j: int) -> bool:
    """Whether two rows carry one token."""
    differs = np.uint32(0)
    for word in range(TOKEN_WORD, TOKEN_WORD + TOKEN_WORDS):
        differs |= words[i, word] ^ words[j, word]
    return bool(differs == 0)


@numba.njit(cache=True, nogil=True)
def compare_rows(
    first: int,
    last: int,
    order: NDArray[np.int64],
    ends: NDArray[np.int64],
    words: NDArray[np.uint32],
    provider: NDArray[np.int32],
    cuts: NDArray[np.int64],
    kept: NDArray[np.bool_],
    dropped: NDArray[np.int64],
    same_provider: NDArray[np.int64],
    pairs: NDArray[np.int64],
    patterns: NDArray[np.int32],
) -> int:
    """Compares rows at places first..last of the order with those after them up to `ends`; fills pairs (of places) and
    patterns, counts what it drops. `words`: rows as 32-bit words."""
    found = 0
    for place in range(first, last):
        i = order[place]
        for other in range(place + 1, ends[place]):
            j = order[other]
            if not same_token(words, i, j):
                continue
            apart = provider[i] != provider[j]
            variant = (words[i, FLAGS_WORD] | words[j, FLAGS_WORD]) >> np.uint32(VARIANT_SHIFT)
            if not apart and variant & np.uint32(KNOWN_VARIANTS):
                continue
            pattern = names_outcome(words, cuts, i, j)
            pattern = pattern * (3 * DAY_SIZE) + date_outcome(words, i, j)
            for field in range(3, 7):
                pattern = pattern * TAG_SIZE + tag_outcome(words, i, j, field)
            if not apart:
                same_provider[pattern] += 1
            elif kept[pattern]:
                pairs[found, 0] = place
                pairs[found, 1] = other
                patterns[found] = pattern
                found += 1
            else:
                dropped[pattern] += 1
    return found
