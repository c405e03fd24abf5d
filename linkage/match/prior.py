"""Posteriors of all pairs, by pair of providers: at the hub, in the resolver.

A record has at most one partner at another provider, so that the candidates of one record at one provider share its
chance (`competition`). Where more records have a partner, two free records are likelier partners: each pair of
providers has a factor, solved so that posteriors add up to the matches it expects, and drawn towards all providers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.em import Table
from linkage.match.evidence import Evidence
from linkage.match.provider_pairs import ProviderPairs, candidates, pairs_across
from linkage.match.rivals import SECOND_NUMBERS, Rivalry, factors_of, second_numbers

_ROUNDS = 60
_TOLERANCE = 1e-7
_SWEEPS = 3


@dataclass(frozen=True)
class Solved:
    """Posterior of every pair; by pair of providers (`block`, numbered in order) the prior and expected matches."""

    posterior: Table
    block: NDArray[np.int64]
    providers: NDArray[np.int64]
    prior: Table
    expected: Table


def solve_posteriors(
    evidence: Evidence,
    *,
    provider: NDArray[np.int32],
    pairs: ProviderPairs | None = None,
    maximum_rounds: int = _ROUNDS,
) -> Solved:
    """Posteriors under a prior for each pair of providers (by default, of two different ones)."""
    of_providers = pairs or pairs_across(provider)
    rivals = candidates(
        evidence.left,
        evidence.right,
        combination=np.zeros(len(evidence.left), dtype=np.int64),
        gain=evidence.weight * np.log(2.0),
        vetoed=evidence.vetoed,
        provider=provider,
        pairs=of_providers,
    )
    rivalry = Rivalry(rivals)
    log_odds, alike = np.array([evidence.base * np.log(2.0)]), np.zeros(1, dtype=np.int64)
    factor, second = np.ones(len(of_providers.possible)), SECOND_NUMBERS
    before = np.zeros(len(factor))
    for rounds in range(1, maximum_rounds + 1):
        counts = rivalry.count(log_odds, factor, signature=alike, second=second, sweeps=_SWEEPS, every=rounds == 1)
        moved = float(np.abs(counts.expected - before).sum())
        before = counts.expected
        factor, second = factors_of(before, pairs=rivals), second_numbers(before, pairs=rivals)
        if moved <= _TOLERANCE * float(before.sum()):
            break
    posterior = rivalry.posteriors(log_odds, factor, second=second, sweeps=_SWEEPS)
    return Solved(
        posterior=posterior,
        block=rivals.block,
        providers=np.unique(provider)[of_providers.places].astype(np.int64),
        prior=factor * 2.0**evidence.base,
        expected=np.bincount(rivals.block, weights=posterior, minlength=len(factor)).astype(np.float64),
    )
