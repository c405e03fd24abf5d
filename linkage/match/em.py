"""Expectation maximisation of a Fellegi-Sunter mixture over counts of patterns: at the hub, in the resolver.

Fellegi and Sunter (1969); Winkler (1988) for EM under conditional independence. Outcomes marked neutral
(a value absent on either side) say nothing and are left out of every sum. Start values may carry weight
as pseudo-pairs (a Dirichlet prior), so that a view with few pairs does not learn nonsense; with no such
weight the result is that of `recordlinkage.ECMClassifier`, which the tests hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """Share of matches among the pairs, and for every field the chance of each outcome in matches and non-matches."""

    proportion: float
    m: tuple[Table, ...]
    u: tuple[Table, ...]


@dataclass(frozen=True)
class PseudoPairs:
    """How many pairs the start values count for; none by default.

    `discount` is taken from the count of every outcome in matches, so that a few odd pairs do not teach that
    their oddity is common among matches (absolute discounting: Ney, Essen and Kneser 1994).
    """

    matches: float = 0.0
    others: float = 0.0
    discount: float = 0.0


def estimate(
    outcomes: NDArray[np.int64],
    counts: Table,
    *,
    start: Mixture,
    neutral: Sequence[NDArray[np.bool_]],
    pseudo: PseudoPairs = PseudoPairs(),
    tolerance: float = 1e-9,
    maximum_rounds: int = 500,
) -> Mixture:
    """The mixture that fits (n, fields) outcomes with their counts; ends when no parameter moves by the tolerance."""
    mixture = start
    for _ in range(maximum_rounds):
        matched = counts * posteriors(outcomes, mixture=mixture, neutral=neutral)
        renewed = Mixture(
            proportion=float((matched.sum() + pseudo.matches * start.proportion) / (counts.sum() + pseudo.matches)),
            m=_shares(
                outcomes, matched, start=start.m, neutral=neutral, strength=pseudo.matches, discount=pseudo.discount
            ),
            u=_shares(outcomes, counts - matched, start=start.u, neutral=neutral, strength=pseudo.others),
        )
        moved = _moved(mixture, renewed)
        mixture = renewed
        if moved < tolerance:
            break
    return mixture


def posteriors(outcomes: NDArray[np.int64], *, mixture: Mixture, neutral: Sequence[NDArray[np.bool_]]) -> Table:
    """The chance that a pair of each pattern is a match."""
    matched = np.full(len(outcomes), mixture.proportion)
    other = np.full(len(outcomes), 1.0 - mixture.proportion)
    for field, says_nothing in enumerate(neutral):
        matched *= np.where(says_nothing, 1.0, mixture.m[field])[outcomes[:, field]]
        other *= np.where(says_nothing, 1.0, mixture.u[field])[outcomes[:, field]]
    total = matched + other
    chance: Table = np.divide(matched, total, out=np.zeros_like(total), where=total > 0)
    return chance


def _shares(
    outcomes: NDArray[np.int64],
    pairs: Table,
    *,
    start: tuple[Table, ...],
    neutral: Sequence[NDArray[np.bool_]],
    strength: float,
    discount: float = 0.0,
) -> tuple[Table, ...]:
    tables = []
    for field, says_nothing in enumerate(neutral):
        seen = np.bincount(outcomes[:, field], weights=pairs, minlength=len(says_nothing))
        sums = np.maximum(seen - discount, 0.0) + strength * start[field]
        sums[says_nothing] = 0.0
        total = sums.sum()
        tables.append(sums / total if total > 0 else start[field])
    return tuple(tables)


def _moved(before: Mixture, after: Mixture) -> float:
    pairs = zip((*before.m, *before.u), (*after.m, *after.u), strict=True)
    largest = max(float(np.abs(one - other).max()) for one, other in pairs)
    return max(largest, abs(before.proportion - after.proportion))
