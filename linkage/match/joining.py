"""The compiled joining of records into persons: at the hub, in the resolver. Imported only when persons are made.

Pairs in falling weight join two persons unless two of their records belong to one provider, are a vetoed
pair, or tell an impossible history. Never bare connected components.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_HIGHEST_GRADE = 12
_LOWEST_GRADE = -2


@numba.njit(cache=True, nogil=True)
def impossible_together(one: NDArray[np.int64], other: NDArray[np.int64], limits: NDArray[np.int64]) -> bool:
    """Whether two spans (school year, grade, start, end, full time) cannot be one child's; limits as in `spans`."""
    if one[4] and other[4] and one[0] == other[0] and min(one[3], other[3]) - max(one[2], other[2]) + 1 > limits[0]:
        return True
    known = min(one[1], other[1]) >= _LOWEST_GRADE and max(one[1], other[1]) <= _HIGHEST_GRADE
    ahead = (other[1] - one[1]) - (other[0] - one[0])
    if other[0] < one[0]:
        ahead = -ahead
    if not known:
        return False
    if one[0] == other[0]:
        return bool(abs(ahead) > limits[1])
    return bool(ahead > limits[1] or -ahead > limits[2])


@numba.njit(cache=True, nogil=True)
def is_vetoed(vetoes: NDArray[np.int64], key: int) -> bool:
    """Whether a sorted list of pair keys holds the key."""
    place = np.searchsorted(vetoes, key)
    return bool(place < len(vetoes) and vetoes[place] == key)


@numba.njit(cache=True, nogil=True)
def may_join(
    a: int,
    b: int,
    following: NDArray[np.int64],
    provider: NDArray[np.int32],
    spans: NDArray[np.int64],
    starts: NDArray[np.int64],
    vetoes: NDArray[np.int64],
    limits: NDArray[np.int64],
) -> bool:
    """Whether the persons that begin with records a and b may be one."""
    records = len(provider)
    one = a
    while one >= 0:
        other = b
        while other >= 0:
            if provider[one] == provider[other]:
                return False
            if is_vetoed(vetoes, min(one, other) * records + max(one, other)):
                return False
            for i in range(starts[one], starts[one + 1]):
                for j in range(starts[other], starts[other + 1]):
                    if impossible_together(spans[i], spans[j], limits):
                        return False
            other = following[other]
        one = following[one]
    return True


@numba.njit(cache=True, nogil=True)
def join_records(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    provider: NDArray[np.int32],
    spans: NDArray[np.int64],
    starts: NDArray[np.int64],
    vetoes: NDArray[np.int64],
    limits: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The first record of the person of every record, after joining pairs in the order given."""
    records = len(provider)
    head = np.arange(records)
    last = np.arange(records)
    following = np.full(records, -1)
    for pair in range(len(left)):
        a, b = min(head[left[pair]], head[right[pair]]), max(head[left[pair]], head[right[pair]])
        if a == b or not may_join(a, b, following, provider, spans, starts, vetoes, limits):
            continue
        following[last[a]] = b
        last[a] = last[b]
        member = b
        while member >= 0:
            head[member] = a
            member = following[member]
    return head
