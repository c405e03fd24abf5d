"""Counts of patterns and the shares they teach: the arithmetic of expectation maximisation, at the hub.

Fellegi and Sunter (1969); Winkler (1988) for EM under conditional independence. Pairs are counted by signature and
pattern, so that a round of EM works on some thousand combinations and not on millions of pairs. Start values carry
weight as pseudo-pairs (a Dirichlet prior), so that few pairs do not teach nonsense.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]

_SMALLEST = 1e-12


@dataclass(frozen=True)
class Pseudo:
    """How many pairs the start values count for, in matches and in others.

    `discount` is taken from the count of every outcome in matches, so that a few odd pairs do not teach that their
    oddity is common (absolute discounting: Ney, Essen and Kneser 1994). `chances` says how far the number of other
    people in a signature is held to what independent parts would give (the shape of a gamma prior).
    """

    matches: float = 50.0
    others: float = 200.0
    codes: float = 5.0
    discount: float = 1.0
    chances: float = 0.3


USUAL_PSEUDO = Pseudo()
NO_PSEUDO = Pseudo(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Combinations:
    """Distinct (signature, pattern) with the outcome of every field, (n, fields); `pairs` counts the pairs of each."""

    signature: NDArray[np.int64]
    outcomes: NDArray[np.int64]
    pairs: Table


@dataclass(frozen=True)
class Weighing:
    """By field: which row of its tables each combination uses, and which outcomes say nothing."""

    classes: tuple[NDArray[np.int64], ...]
    neutral: tuple[NDArray[np.bool_], ...]


def shares_of(counts: Table) -> Table:
    """Counts as shares of the last axis; shares of nothing are 0."""
    total = counts.sum(axis=-1, keepdims=True)
    shares: Table = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    return shares


def learnt_shares(outcomes: NDArray[np.int64], counts: Table, *, start: Table, pseudo: Pseudo) -> Table:
    """Shares of the outcomes among matches, drawn towards the start."""
    seen = np.bincount(outcomes, weights=counts, minlength=len(start))
    learnt = np.maximum(seen - pseudo.discount, 0.0) + pseudo.matches * start
    return shares_of(learnt) if learnt.any() else start


def log_ratios(combinations: Combinations, *, m: Sequence[Table], u: Sequence[Table], weighing: Weighing) -> Table:
    """The natural logarithm of m/u over all fields of every combination; neutral outcomes weigh nothing."""
    total = np.zeros(len(combinations.signature))
    for field, (of_matches, of_others) in enumerate(zip(m, u, strict=True)):
        ratio = np.log(np.maximum(of_matches, _SMALLEST)) - np.log(np.maximum(of_others, _SMALLEST))
        ratio[:, weighing.neutral[field]] = 0.0
        total += ratio[weighing.classes[field], combinations.outcomes[:, field]]
    return total


def other_shares(
    combinations: Combinations, others: Table, *, weighing: Weighing, start: Sequence[Table], pseudo: Pseudo
) -> tuple[Table, ...]:
    """By field, (classes, outcomes): shares among pairs of other people, of whom each combination holds `others`."""
    tables = []
    for field, usual in enumerate(start):
        size = usual.shape[1]
        places = weighing.classes[field] * size + combinations.outcomes[:, field]
        counts = np.bincount(places, weights=others, minlength=usual.size).reshape(usual.shape)
        counts[:, weighing.neutral[field]] = 0.0
        tables.append(shares_of(counts + pseudo.others * usual))
    return tuple(tables)


def seen_outcomes(
    combinations: Combinations, *, weighing: Weighing, sizes: Sequence[int]
) -> tuple[NDArray[np.bool_], ...]:
    """By field, (classes, outcomes): which outcomes occur in a class."""
    seen = []
    for field, size in enumerate(sizes):
        classes = weighing.classes[field]
        occurs = np.zeros((int(classes.max(initial=0)) + 1, size), dtype=np.bool_)
        occurs[classes, combinations.outcomes[:, field]] = True
        occurs[:, weighing.neutral[field]] = False
        seen.append(occurs)
    return tuple(seen)
