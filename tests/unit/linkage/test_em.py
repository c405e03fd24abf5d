"""What pairs teach, held to recordlinkage on the same vectors; and the measures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import recordlinkage

from linkage.match.em import (
    NO_PSEUDO,
    Combinations,
)
from linkage.match.learning import Weighed, learn_weights
from linkage.match.metrics import Evaluation, evaluate
from linkage.match.patterns import (
    DAY_AGREES,
    DAY_SIZE,
    LEVEL_TOP,
    SURNAME_SIZE,
)
from linkage.match.rivals import Candidates
from linkage.match.signatures import signatures_of
from linkage.schema import current_schema

SCHEMA = current_schema()
NUMBER = {view.name: view.number for view in SCHEMA.views}
EXACT_NAMES = LEVEL_TOP * SURNAME_SIZE + LEVEL_TOP
SAME_DATE = DAY_SIZE + DAY_AGREES


def _binary_vectors() -> np.ndarray:
    rng = np.random.default_rng(11)
    match = rng.random(4000) < 0.2
    agree_in_matches, agree_in_others = np.array([0.95, 0.9, 0.96, 0.97]), np.array([0.05, 0.04, 0.1, 0.2])
    return (rng.random((4000, 4)) < np.where(match[:, None], agree_in_matches, agree_in_others)).astype(np.int64)


def _lone_pairs(combination: np.ndarray) -> Candidates:
    """Pairs of which no two share a record, between two providers."""
    count = len(combination)
    return Candidates(
        combination=combination,
        gain=np.zeros(count),
        left_end=np.arange(count),
        right_end=count + np.arange(count),
        block=np.zeros(count, dtype=np.int64),
        vetoed=np.zeros(count, dtype=bool),
        ends=2 * count,
        mixed=False,
        records_left=np.array([float(count)]),
        records_right=np.array([float(count)]),
        possible=np.array([float(count) ** 2]),
    )


def _taught_by(vectors: np.ndarray) -> Weighed:
    """Pairs that one view found, with the same names and date, so that the four tags alone tell."""
    constant = np.full(len(vectors), EXACT_NAMES), np.full(len(vectors), SAME_DATE)
    outcomes = np.column_stack([*constant, vectors])
    distinct, combination, counts = np.unique(outcomes, axis=0, return_inverse=True, return_counts=True)
    signatures = signatures_of(np.array([1 << NUMBER["dob"]]), views=["dob"], schema=SCHEMA)
    none = Combinations(np.empty(0, dtype=np.int64), np.empty((0, 6), dtype=np.int64), np.empty(0))
    return learn_weights(
        _lone_pairs(combination.reshape(-1)),
        combinations=Combinations(np.zeros(len(distinct), dtype=np.int64), distinct, counts.astype(float)),
        dropped=none,
        inside=none,
        signatures=signatures,
        chances=np.array([3000.0 / len(vectors) ** 2]),
        pseudo=NO_PSEUDO,
        maximum_rounds=5000,
        tolerance=1e-14,
    )


def test_estimates_equal_those_of_recordlinkage_on_the_same_binary_vectors() -> None:
    vectors = _binary_vectors()
    frame = pd.DataFrame(vectors, columns=list("abcd"))
    frame.index = pd.MultiIndex.from_arrays([np.arange(4000), np.arange(4000)])
    oracle = recordlinkage.ECMClassifier(init="jaro", max_iter=500, atol=None)  # all rounds: it would stop at 1e-5
    oracle.fit(frame)

    weighed = _taught_by(vectors)

    assert weighed.matched.sum() / 4000 == pytest.approx(oracle.p, abs=1e-6)
    for tag, name in enumerate("abcd"):
        assert weighed.matches.tags[tag][1] == pytest.approx(oracle.m_probs[name][1], abs=1e-6)
    m = np.array([[oracle.m_probs[name][outcome] for outcome in (0, 1)] for name in "abcd"])
    u = np.array([[oracle.u_probs[name][outcome] for outcome in (0, 1)] for name in "abcd"])
    distinct = np.unique(vectors, axis=0)
    ratios = np.prod(m[np.arange(4), distinct] / u[np.arange(4), distinct], axis=1)
    expected = oracle.p * ratios / (oracle.p * ratios + 1 - oracle.p)
    odds = np.exp(weighed.log_odds)
    assert odds / (1 + odds) == pytest.approx(expected, abs=1e-6)


def test_measures_equal_those_of_recordlinkage() -> None:
    truth = {(side, bytes([n])): f"t{n}" for side in (1, 2) for n in range(6)}
    found = {(1, bytes([n])): f"t{n}" for n in range(6)} | {
        (2, bytes([n])): f"t{n if n < 4 else 9 - n}" for n in range(6)
    }
    true_links = pd.MultiIndex.from_tuples([(n, n) for n in range(6)])
    found_links = pd.MultiIndex.from_tuples([(n, n if n < 4 else 9 - n) for n in range(6)])

    measured = evaluate(found, truth=truth)

    assert measured.precision == pytest.approx(recordlinkage.precision(true_links, found_links), abs=1e-6)
    assert measured.recall == pytest.approx(recordlinkage.recall(true_links, found_links), abs=1e-6)
    assert measured.f1 == pytest.approx(recordlinkage.fscore(true_links, found_links), abs=1e-6)


def test_only_pairs_across_providers_count() -> None:
    truth = {(1, b"a"): "t", (1, b"b"): "t", (2, b"c"): "t"}
    persons = {(1, b"a"): "p", (1, b"b"): "q", (2, b"c"): "p", (3, b"unknown"): "p"}

    measured = evaluate(persons, truth=truth, groups={(1, b"a"): "one", (2, b"c"): "one", (3, b"unknown"): "one"})

    assert (measured.true_pairs, measured.found_pairs, measured.correct_pairs) == (2, 1, 1)
    assert measured.by_group == {"one": Evaluation(1, 1, 1)}


def test_shares_of_nothing_are_whole() -> None:
    nothing = evaluate({}, truth={})

    assert (nothing.precision, nothing.recall, nothing.f1) == (1.0, 1.0, 1.0)
    assert Evaluation(true_pairs=1, found_pairs=1, correct_pairs=0).f1 == 0.0
