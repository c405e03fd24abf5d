"""One partner at most: the chances of pairs that share a record, passed along by messages. At the hub, in the resolver.

A record has at most one partner at another provider, so the chance of a pair depends on its rivals, and theirs on
their rivals. The sum over all ways to pair records is approximated by belief propagation on the graph of pairs, which
is exact where the graph has no cycles (Zdeborova and Mezard 2006, "The number of matchings in random graphs").
Imported only when records are weighed.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True)
def settle_rivals(
    odds: NDArray[np.float64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    mixed: bool,
    second: float,
    sweeps: int,
    from_left: NDArray[np.float64],
    from_right: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Renews in place, for every pair, how free each of its two ends is of the end's other pairs (1 free, 0 taken).

    `left`, `right`: numbers of a pair's ends, a record at one provider of its partners; `mixed`: whether
    an end may be the left one of a pair and the right one of another; `second`: the share of a
    partner's odds that stands for a second number of the same child.
    """
    for _ in range(sweeps):
        for ends, others, free, of_others in (
            (left, right, from_left, from_right),
            (right, left, from_right, from_left),
        ):
            sums[:] = 0.0
            for i in range(len(odds)):
                sums[ends[i]] += odds[i] * of_others[i]
            if mixed:
                for i in range(len(odds)):
                    sums[others[i]] += odds[i] * free[i]
            for i in range(len(odds)):
                rivals = max(0.0, sums[ends[i]] - odds[i] * of_others[i])
                free[i] = (1.0 + second * rivals) / (1.0 + rivals)


@numba.njit(cache=True, nogil=True)
def weigh_pairs(
    log_odds: NDArray[np.float64],
    log_factor: NDArray[np.float64],
    combination: NDArray[np.int64],
    gain: NDArray[np.float64],
    block: NDArray[np.int64],
    vetoed: NDArray[np.bool_],
    most: float,
    odds: NDArray[np.float64],
) -> None:
    """Fills in the odds of every pair, were its two records free; 0 for vetoed pairs."""
    for i in range(len(odds)):
        odds[i] = 0.0
        if not vetoed[i]:
            odds[i] = np.exp(min(most, log_odds[combination[i]] + gain[i] + log_factor[block[i]]))


@numba.njit(cache=True, nogil=True)
def count_pairs(
    odds: NDArray[np.float64],
    from_left: NDArray[np.float64],
    from_right: NDArray[np.float64],
    combination: NDArray[np.int64],
    gain: NDArray[np.float64],
    signature: NDArray[np.int64],
    block: NDArray[np.int64],
    factor: NDArray[np.float64],
    matched: NDArray[np.float64],
    apart: NDArray[np.float64],
    met: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> None:
    """Adds up matches by combination (`matched`) and by pair of providers (`expected`), and by signature pairs of other
    people: all (`apart`), and (`met`) as far as both were free to be partners, each for what its rarity and its pair of
    providers make of it. `signature`: of each combination."""
    for i in range(len(odds)):
        free = from_left[i] * from_right[i]
        chance = odds[i] * free / (1.0 + odds[i] * free)
        matched[combination[i]] += chance
        expected[block[i]] += chance
        apart[signature[combination[i]]] += 1.0 - chance
        met[signature[combination[i]]] += (1.0 - chance) * free * factor[block[i]] * np.exp(gain[i])
