"""The compiled comparison of view rows: at the hub, in the matcher. Imported only when rows are compared.

Rows come sorted so that rows of one token lie together and, among them, rows of one provider. Pairs are
formed inside a token across providers only. Every number of a pattern is defined in `patterns`.
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
    VARIANT_GIVEN,
    VARIANT_SURNAME,
    VARIANT_SURNAME_PART,
)

_DERIVED_SURNAME = VARIANT_SURNAME_PART | VARIANT_SURNAME


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
def common_bits(left: NDArray[np.uint64], right: NDArray[np.uint64], i: int, j: int, at: int, other: int) -> int:
    """Bits that four words of row i from `at` share with four words of row j from `other`."""
    return (
        popcount(left[i, at] & right[j, other])
        + popcount(left[i, at + 1] & right[j, other + 1])
        + popcount(left[i, at + 2] & right[j, other + 2])
        + popcount(left[i, at + 3] & right[j, other + 3])
    )


@numba.njit(cache=True, nogil=True)
def level_of(common: int, cuts: NDArray[np.int64]) -> int:
    """How many of the cuts the number of common bits reaches."""
    level = 0
    for cut in cuts:
        if common >= cut:
            level += 1
    return level


@numba.njit(cache=True, nogil=True)
def names_outcome(
    names: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    variant: NDArray[np.uint8],
    cuts: NDArray[np.int64],
    i: int,
    j: int,
) -> int:
    """The joint outcome of given and surname; swapped names are taken crossed where that is clearly better."""
    either = variant[i] | variant[j]
    absent = flags[i] | flags[j]
    top = len(cuts)
    given = common_bits(names, names, i, j, 0, 0)
    surname = common_bits(names, names, i, j, 4, 4)
    if absent == 0 and given < cuts[top - 2] and surname < cuts[top - 2]:
        crossed = min(common_bits(names, names, i, j, 0, 4), common_bits(names, names, i, j, 4, 0))
        if crossed >= cuts[top - 3] and crossed > max(given, surname):
            return NAMES_CROSSED + (1 if either or crossed < cuts[top - 1] else 0)
    given_level = level_of(given, cuts)
    surname_level = level_of(surname, cuts)
    if absent & FLAG_GIVEN_ABSENT:
        given_level = top + 2
    elif given_level == top and either & VARIANT_GIVEN:
        given_level = top + 1
    if absent & FLAG_SURNAME_ABSENT:
        surname_level = top + 3
    elif surname_level == top:
        surname_level += min(variant[i] & _DERIVED_SURNAME, 1) + min(variant[j] & _DERIVED_SURNAME, 1)
    return given_level * SURNAME_SIZE + surname_level


@numba.njit(cache=True, nogil=True)
def tag_outcome(tags: NDArray[np.uint16], i: int, j: int, field: int) -> int:
    """0 differs, 1 agrees, 2 absent on either side."""
    if tags[i, field] == 0 or tags[j, field] == 0:
        return 2
    return 1 if tags[i, field] == tags[j, field] else 0


@numba.njit(cache=True, nogil=True)
def date_outcome(tags: NDArray[np.uint16], i: int, j: int) -> int:
    """Year, and month with day: neither, one of the two, both, both swapped, absent."""
    month = tag_outcome(tags, i, j, 1)
    day = tag_outcome(tags, i, j, 2)
    if month == 2 or day == 2:
        both = 4
    elif month == 1 and day == 1:
        both = 2
    elif tags[i, 1] == tags[j, 2] and tags[i, 2] == tags[j, 1]:
        both = 3
    else:
        both = month + day
    return tag_outcome(tags, i, j, 0) * DAY_SIZE + both


@numba.njit(cache=True, nogil=True)
def compare_rows(
    first: int,
    last: int,
    ends: NDArray[np.int64],
    tokens: NDArray[np.uint64],
    provider: NDArray[np.int32],
    names: NDArray[np.uint64],
    tags: NDArray[np.uint16],
    flags: NDArray[np.uint8],
    variant: NDArray[np.uint8],
    cuts: NDArray[np.int64],
    kept: NDArray[np.bool_],
    dropped: NDArray[np.int64],
    same_provider: NDArray[np.int64],
    pairs: NDArray[np.int64],
    patterns: NDArray[np.int32],
) -> int:
    """Compares rows first..last with those after them up to `ends`; fills pairs and patterns, counts what it drops."""
    found = 0
    for i in range(first, last):
        for j in range(i + 1, ends[i]):
            if tokens[i, 0] != tokens[j, 0] or tokens[i, 1] != tokens[j, 1]:
                continue
            apart = provider[i] != provider[j]
            if not apart and (variant[i] or variant[j]):
                continue
            pattern = names_outcome(names, flags, variant, cuts, i, j)
            pattern = pattern * (3 * DAY_SIZE) + date_outcome(tags, i, j)
            for field in range(3, 7):
                pattern = pattern * TAG_SIZE + tag_outcome(tags, i, j, field)
            if not apart:
                same_provider[pattern] += 1
            elif kept[pattern]:
                pairs[found, 0] = i
                pairs[found, 1] = j
                patterns[found] = pattern
                found += 1
            else:
                dropped[pattern] += 1
    return found
