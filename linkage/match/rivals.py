"""Pairs of records that compete for a partner: at the hub, in the resolver.

Holds the candidate pairs with the state of their rivalry (`competition`), and counts what they are expected to be.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.em import Table
from linkage.match.signatures import Flags

SECOND_NUMBERS = 0.01
"""Assumed share of students who have two numbers at one provider; local systems aim at none."""
_MOST_LOG_ODDS = 25.0
_NO_CHANCE = 1e-3
_SMALLEST = 1e-9
_LEAST_FREE = 0.01
"""At least this share of a provider's records is taken to have no partner at another, however many have."""
_PSEUDO_MATCHES = 3.0
"""Two providers with few pairs lean on all providers together with the weight of so many matches."""


@dataclass(frozen=True)
class Candidates:
    """Distinct pairs of records: which combination each is, what rarity tells of it (natural logarithm), its two ends
    (a record at one provider of its partners), its pair of providers, and whether a veto forbids it. `ends`
    counts the ends; `mixed`: whether one may be left in a pair and right in another.

    By pair of providers, `records_left`, `records_right` and how many pairs of records are `possible`.
    """

    combination: NDArray[np.int64]
    gain: Table
    left_end: NDArray[np.int64]
    right_end: NDArray[np.int64]
    block: NDArray[np.int64]
    vetoed: Flags
    ends: int
    mixed: bool
    records_left: Table
    records_right: Table
    possible: Table

    def only(self, places: NDArray[np.int64]) -> Candidates:
        """Some of the pairs."""
        names = ("combination", "gain", "left_end", "right_end", "block", "vetoed")
        return replace(self, **{name: getattr(self, name)[places] for name in names})


@dataclass(frozen=True)
class Counts:
    """Matches by combination and (`expected`) by pair of providers; by signature pairs of other people, all (`apart`)
    and as far as both were free to meet (`met`)."""

    matched: Table
    apart: Table
    met: Table
    expected: Table

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


class Rivalry:
    """Pairs and how free their records are; pairs without a chance rest from one full count to the next."""

    def __init__(self, pairs: Candidates) -> None:
        self.pairs = pairs
        self.free = (np.ones(len(pairs.gain)), np.ones(len(pairs.gain)))
        self.awake, self.places, self.free_awake = pairs, np.arange(len(pairs.gain)), self.free
        self.resting: Counts | None = None

    def count(
        self, log_odds: Table, factor: Table, *, signature: NDArray[np.int64], second: float, sweeps: int, every: bool
    ) -> Counts:
        """What pairs are expected to be, given the odds of each combination; `every` wakes those that rest.

        Args:
            factor: by pair of providers, what to multiply odds by.
            signature: of every combination.
            second: the share of a partner's odds that stands for a second number of the same child.
        """
        if every or self.resting is None:
            return self._count_all(log_odds, factor, signature=signature, second=second, sweeps=sweeps)
        odds = settled(self.awake, log_odds, factor, free=self.free_awake, second=second, sweeps=sweeps)
        counts = _counted(self.awake, odds, self.free_awake, factor=factor, signature=signature)
        return counts.plus(self.resting)

    def _count_all(
        self, log_odds: Table, factor: Table, *, signature: NDArray[np.int64], second: float, sweeps: int
    ) -> Counts:
        self._wake()
        left, right = self.free
        odds = settled(self.pairs, log_odds, factor, free=self.free, second=second, sweeps=sweeps)
        counts = _counted(self.pairs, odds, self.free, factor=factor, signature=signature)
        hopeless = odds * left * right < _NO_CHANCE
        rest, self.places = np.flatnonzero(hopeless), np.flatnonzero(~hopeless)
        of_rest = (left[rest], right[rest])
        self.resting = _counted(self.pairs.only(rest), odds[rest], of_rest, factor=factor, signature=signature)
        self.awake, self.free_awake = self.pairs.only(self.places), (left[self.places], right[self.places])
        return counts

    def _wake(self) -> None:
        self.free[0][self.places], self.free[1][self.places] = self.free_awake

    def posteriors(self, log_odds: Table, factor: Table, *, second: float, sweeps: int) -> Table:
        """The chance of every pair that it is a match."""
        self._wake()
        odds = settled(self.pairs, log_odds, factor, free=self.free, second=second, sweeps=sweeps)
        odds *= self.free[0] * self.free[1]
        chances: Table = odds / (1.0 + odds)
        return chances


def settled(
    pairs: Candidates,
    log_odds: Table,
    factor: Table,
    *,
    free: tuple[Table, Table],
    second: float,
    sweeps: int,
) -> Table:
    """The odds of every pair, were its records free; `free` (of its left and right record) is renewed in place."""
    from linkage.match.competition import settle_rivals, weigh_pairs

    odds = np.empty(len(pairs.gain))
    weigh_pairs(
        log_odds, np.log(factor), pairs.combination, pairs.gain, pairs.block, pairs.vetoed, _MOST_LOG_ODDS, odds
    )
    sums = np.empty(max(1, pairs.ends))
    settle_rivals(odds, pairs.left_end, pairs.right_end, pairs.mixed, second, sweeps, free[0], free[1], sums)
    return odds


def free_pairs(expected: Table, *, pairs: Candidates) -> Table:
    """By pair of providers, the pairs of records that have no partner there, given the matches expected."""
    left = np.maximum(pairs.records_left - expected, _LEAST_FREE * pairs.records_left)
    right = np.maximum(pairs.records_right - expected, _LEAST_FREE * pairs.records_right)
    free: Table = np.minimum(left * right, pairs.possible)
    return free


def second_numbers(expected: Table, *, pairs: Candidates) -> float:
    """The share of a free partner's odds that stands for a second number: the odds that any such record has it."""
    return SECOND_NUMBERS * float(free_pairs(expected, pairs=pairs).sum()) / max(1.0, float(pairs.possible.sum()))


def base_odds(expected: Table, *, pairs: Candidates) -> float:
    """log2 of the odds that two free records match of which nothing else is known."""
    free = float(free_pairs(expected, pairs=pairs).sum())
    return float(np.log2(max(_SMALLEST, float(expected.sum())) / max(1.0, free)))


def factors_of(expected: Table, *, pairs: Candidates) -> Table:
    """By pair of providers, how much likelier two free records match there than anywhere."""
    free = free_pairs(expected, pairs=pairs)
    overall = max(_SMALLEST, float(expected.sum())) / max(1.0, float(free.sum()))
    factors: Table = (expected + _PSEUDO_MATCHES) / (free * overall + _PSEUDO_MATCHES)
    return factors


def _counted(
    pairs: Candidates, odds: Table, free: tuple[Table, Table], *, factor: Table, signature: NDArray[np.int64]
) -> Counts:
    from linkage.match.competition import count_pairs

    signatures = int(signature.max(initial=-1)) + 1
    counts = Counts(np.zeros(len(signature)), np.zeros(signatures), np.zeros(signatures), np.zeros(len(factor)))
    count_pairs(
        odds, free[0], free[1], pairs.combination, pairs.gain, signature, pairs.block, factor,
        counts.matched, counts.apart, counts.met, counts.expected
    )  # fmt: skip
    return counts
