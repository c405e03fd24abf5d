"""The prior solved from the data, and posteriors that know of rivals: at the hub, in the resolver.

The expected number of matches of two providers is solved so that posteriors add up to it. A record has
at most one partner at another provider, so the candidates of one record at one provider share its
chance. A rival so likely by itself that a second number of the same child explains it better takes little
of it: with o the odds of the pair, r those of its rivals and d the share of students who have a second
number, posterior = (o + d o r) / (1 + o + r + d o r), the sum over one, the other, both or neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.em import Table
from linkage.match.evidence import Evidence

_PSEUDO_MATCHES = 3.0
"""Two providers with few pairs lean on the prior of all providers together with the weight of so many matches."""
_SECOND_NUMBERS = 0.01
"""Assumed share of students who have two numbers at one provider; local systems aim at none."""
_ROUNDS = 60
_TOLERANCE = 1e-7
_HEAVIEST = 60.0


@dataclass(frozen=True)
class Solved:
    """Posterior of every pair; by pair of providers (`block`, numbered in order) the prior and expected matches."""

    posterior: Table
    block: NDArray[np.int64]
    providers: NDArray[np.int64]
    prior: Table
    expected: Table


@dataclass(frozen=True)
class ProviderPairs:
    """Pairs of providers (as places in their order) between whom a link may be, and their pairs of records."""

    places: NDArray[np.int64]
    possible: Table


def solve_posteriors(
    evidence: Evidence,
    *,
    provider: NDArray[np.int32],
    pairs: ProviderPairs | None = None,
    maximum_rounds: int = _ROUNDS,
) -> Solved:
    """Posteriors under a prior for each pair of providers (by default, of two different ones), itself drawn towards
    the prior of all."""
    of_providers = pairs or pairs_across(provider)
    blocks, possible = of_providers.places, of_providers.possible
    names = np.unique(provider)
    of_left = np.searchsorted(names, provider[evidence.left])
    of_right = np.searchsorted(names, provider[evidence.right])
    block = np.searchsorted(blocks[:, 0] * len(names) + blocks[:, 1], of_left * len(names) + of_right)
    likelihood = np.where(evidence.vetoed, 0.0, np.exp2(np.minimum(evidence.weight, _HEAVIEST)))
    rivals = (
        _rivals(evidence.left, of_right, likelihood) + _rivals(evidence.right, of_left, likelihood) - 2 * likelihood
    )
    prior = np.full(len(blocks), 0.5 / max(1.0, float(np.sqrt(possible.sum()))))
    posterior = np.zeros(len(block))
    expected = np.zeros(len(blocks))
    for _ in range(maximum_rounds):
        odds, others = prior[block] * likelihood, prior[block] * np.maximum(rivals, 0.0)
        both = odds * (1.0 + _SECOND_NUMBERS * others)
        posterior = both / (1.0 + others + both)
        expected = np.bincount(block, weights=posterior, minlength=len(blocks)).astype(np.float64)
        overall = max(1.0, float(expected.sum())) / max(1.0, float(possible.sum()))
        renewed = (expected + _PSEUDO_MATCHES) / (possible + _PSEUDO_MATCHES / overall)
        moved = float(np.abs(renewed / prior - 1.0).max(initial=0.0))
        prior = renewed
        if moved < _TOLERANCE:
            break
    return Solved(
        posterior=posterior, block=block, providers=names[blocks].astype(np.int64), prior=prior, expected=expected
    )


def pairs_across(provider: NDArray[np.int32]) -> ProviderPairs:
    """Every pair of two different providers."""
    _, sizes = np.unique(provider, return_counts=True)
    first, second = np.triu_indices(len(sizes), k=1)
    return ProviderPairs(np.stack([first, second], axis=1), sizes[first].astype(np.float64) * sizes[second])


def pairs_everywhere(provider: NDArray[np.int32]) -> ProviderPairs:
    """Every pair of providers, each with itself among them."""
    _, counts = np.unique(provider, return_counts=True)
    sizes = counts.astype(np.float64)
    first, second = np.triu_indices(len(sizes), k=0)
    possible = np.where(first == second, sizes[first] * (sizes[first] - 1) / 2, sizes[first] * sizes[second])
    return ProviderPairs(np.stack([first, second], axis=1), possible)


def _rivals(record: NDArray[np.int64], other_provider: NDArray[np.int64], likelihood: Table) -> Table:
    """For every pair, the summed likelihood of all candidates of its record at the other side's provider."""
    keys = record * (int(other_provider.max(initial=0)) + 1) + other_provider
    _, group = np.unique(keys, return_inverse=True)
    sums: Table = np.bincount(group, weights=likelihood).astype(np.float64)[group] if len(group) else np.zeros(0)
    return sums
