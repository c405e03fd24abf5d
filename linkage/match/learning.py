"""What every pair of records weighs, learnt from the pairs of all views together: at the hub, in the resolver.

A round of expectation maximisation weighs every pair by its signature and pattern, lets the pairs of a record compete
(a record has at most one partner at another provider), and counts anew. Other people are counted among pairs whose
records are both free, since a record with a sure partner tells nothing about chance meetings: where nearly every
record has a partner, a lone candidate needs little evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage.match.em import (
    USUAL_PSEUDO,
    Combinations,
    Pseudo,
    Table,
    Weighing,
    log_ratios,
    other_shares,
    seen_outcomes,
    shares_of,
)
from linkage.match.expectations import neutral_outcomes, others_tables
from linkage.match.model import Matches, expected_matches, learnt_matches, match_tables
from linkage.match.patterns import SIZES
from linkage.match.rivals import SECOND_NUMBERS, Candidates, Counts, Rivalry, base_odds, factors_of, second_numbers
from linkage.match.signatures import Flags, Signatures

_ROUNDS = 41
_TOLERANCE = 1e-5
_ROUNDS_TO_NEXT_COUNT = 20
"""Pairs without a chance are weighed anew only in every twentieth round."""
_SWEEPS = 1
_CERTAIN_SHARE = 0.0001
"""Other people in a signature are at least so many for each of its matches."""
_SMALLEST = 1e-9


@dataclass(frozen=True)
class Weighed:
    """By combination the natural logarithm of the odds of a pair whose records are both free, and `base`, log2 of these
    odds for two records of which nothing is known; what matches look like; by combination how many matches; and after
    how many rounds."""

    log_odds: Table
    base: float
    matches: Matches
    matched: Table
    rounds: int


@dataclass(frozen=True)
class _Knowledge:
    """By signature how many matches (`matched`) and how many chance meetings (`met`); shares of outcomes in either."""

    matched: Table
    met: Table
    matches: Matches
    u: tuple[Table, ...]


@dataclass(frozen=True)
class _Setting:
    """What stays the same from round to round. `dropped`: pairs only counted, all of other people."""

    combinations: Combinations
    dropped: Combinations
    inside: Combinations
    every: Combinations
    signatures: Signatures
    weighing: Weighing
    seen: tuple[Flags, ...]
    start_u: tuple[Table, ...]
    start_met: Table
    start_matched: Table
    pseudo: Pseudo


def learn_weights(
    pairs: Candidates,
    *,
    combinations: Combinations,
    dropped: Combinations,
    inside: Combinations,
    signatures: Signatures,
    chances: Table,
    pseudo: Pseudo = USUAL_PSEUDO,
    maximum_rounds: int = _ROUNDS,
    tolerance: float = _TOLERANCE,
) -> Weighed:
    """What each combination weighs.

    Args:
        chances: by signature the share of pairs of other people that carry it, were its parts independent.
    """
    setting = _setting(
        combinations, dropped, inside=inside, signatures=signatures, chances=chances, pairs=pairs, pseudo=pseudo
    )
    knowledge = _Knowledge(setting.start_matched, setting.start_met, expected_matches(), setting.start_u)
    rivalry = Rivalry(pairs)
    factor, second = np.ones(len(pairs.possible)), SECOND_NUMBERS
    before, rounds = np.zeros(len(combinations.pairs)), 0
    for rounds in range(1, maximum_rounds + 1):
        log_odds, every = _log_odds(knowledge, setting), rounds % _ROUNDS_TO_NEXT_COUNT == 1
        counts = rivalry.count(
            log_odds,
            factor,
            signature=combinations.signature,
            second=second,
            sweeps=_SWEEPS,
            every=every,
        )
        moved = float(np.abs(counts.matched - before).sum())
        if every and moved <= tolerance * float(counts.matched.sum()):
            break
        before, factor = counts.matched, factors_of(counts.expected, pairs=pairs)
        second = second_numbers(counts.expected, pairs=pairs)
        knowledge = _learnt(knowledge, counts, setting)
    return Weighed(
        _log_odds(knowledge, setting), base_odds(counts.expected, pairs=pairs), knowledge.matches, before, rounds
    )


def _setting(
    combinations: Combinations,
    dropped: Combinations,
    *,
    inside: Combinations,
    signatures: Signatures,
    chances: Table,
    pairs: Candidates,
    pseudo: Pseudo,
) -> _Setting:
    every = Combinations(
        np.concatenate([combinations.signature, dropped.signature, inside.signature]),
        np.concatenate([combinations.outcomes, dropped.outcomes, inside.outcomes]),
        np.concatenate([combinations.pairs, dropped.pairs, inside.pairs]),
    )
    seen = seen_outcomes(every, weighing=_weighing(every, signatures), sizes=SIZES)
    found = np.bincount(combinations.signature, weights=combinations.pairs, minlength=len(chances))
    found += np.bincount(dropped.signature, weights=dropped.pairs, minlength=len(chances))
    met = np.minimum(float(pairs.possible.sum()) * chances, 0.99 * found)
    return _Setting(
        combinations=combinations,
        dropped=dropped,
        inside=inside,
        every=every,
        signatures=signatures,
        weighing=_weighing(combinations, signatures),
        seen=seen,
        start_u=tuple(shares_of(usual * occurs) for usual, occurs in zip(others_tables(), seen, strict=True)),
        start_met=met,
        start_matched=np.maximum(found - met, 0.01 * found),
        pseudo=pseudo,
    )


def _weighing(combinations: Combinations, signatures: Signatures) -> Weighing:
    return Weighing(tuple(of_field[combinations.signature] for of_field in signatures.classes), neutral_outcomes())


def _log_odds(knowledge: _Knowledge, setting: _Setting) -> Table:
    m = match_tables(knowledge.matches, signatures=setting.signatures, seen=setting.seen)
    ratios = log_ratios(setting.combinations, m=m, u=knowledge.u, weighing=setting.weighing)
    of_signature = np.log(np.maximum(knowledge.matched, _SMALLEST)) - np.log(np.maximum(knowledge.met, _SMALLEST))
    odds: Table = ratios + of_signature[setting.combinations.signature]
    return odds


def _learnt(before: _Knowledge, counts: Counts, setting: _Setting) -> _Knowledge:
    signatures, pseudo = setting.signatures, setting.pseudo
    others = np.concatenate([setting.combinations.pairs - counts.matched, setting.dropped.pairs, setting.inside.pairs])
    matched = np.bincount(
        setting.combinations.signature, weights=counts.matched, minlength=len(signatures.codes)
    ).astype(np.float64)
    dropped = np.bincount(setting.dropped.signature, weights=setting.dropped.pairs, minlength=len(matched))
    met = counts.met + dropped * float(counts.met.sum()) / max(1.0, float(counts.apart.sum()))
    expected = setting.start_met + _CERTAIN_SHARE * setting.start_matched + _SMALLEST
    return _Knowledge(
        matched=matched,
        met=(pseudo.chances + met) / (pseudo.chances / expected + 1.0),
        matches=learnt_matches(
            setting.combinations, counts.matched, signatures=signatures, before=before.matches, pseudo=pseudo
        ),
        u=other_shares(
            setting.every,
            others,
            weighing=_weighing(setting.every, signatures),
            start=setting.start_u,
            pseudo=pseudo,
        ),
    )
