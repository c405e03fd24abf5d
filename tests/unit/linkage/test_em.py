"""Expectation maximisation, held to recordlinkage on the same vectors, and the model it teaches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import recordlinkage

from linkage.match.em import Mixture, PseudoPairs, estimate, posteriors
from linkage.match.expectations import expected_tables, neutral_outcomes
from linkage.match.metrics import Evaluation, evaluate
from linkage.match.model import ViewCounts, learnt_model, own_fields, start_model, weights_of
from linkage.match.patterns import AGREES, FIELDS, PATTERNS, SIZES, outcomes_of, twin_patterns
from linkage.schema import current_schema

SCHEMA = current_schema()


def _binary_vectors() -> np.ndarray:
    rng = np.random.default_rng(11)
    match = rng.random(4000) < 0.2
    agree_in_matches, agree_in_others = np.array([0.95, 0.9, 0.96, 0.97]), np.array([0.05, 0.04, 0.1, 0.2])
    return (rng.random((4000, 4)) < np.where(match[:, None], agree_in_matches, agree_in_others)).astype(np.int64)


def test_estimates_equal_those_of_recordlinkage_on_the_same_binary_vectors() -> None:
    vectors = _binary_vectors()
    frame = pd.DataFrame(vectors, columns=list("abcd"))
    frame.index = pd.MultiIndex.from_arrays([np.arange(4000), np.arange(4000)])
    oracle = recordlinkage.ECMClassifier(init="jaro", max_iter=5000, atol=1e-13)
    oracle.fit(frame)
    start = Mixture(proportion=0.1, m=(np.array([0.1, 0.9]),) * 4, u=(np.array([0.9, 0.1]),) * 4)

    mixture = estimate(
        vectors, np.ones(4000), start=start, neutral=[np.zeros(2, dtype=bool)] * 4, tolerance=1e-13, maximum_rounds=5000
    )

    assert mixture.proportion == pytest.approx(oracle.p, abs=1e-6)
    for field, name in enumerate("abcd"):
        assert mixture.m[field][1] == pytest.approx(oracle.m_probs[name][1], abs=1e-6)
        assert mixture.u[field][1] == pytest.approx(oracle.u_probs[name][1], abs=1e-6)


def test_counts_of_patterns_teach_what_the_pairs_one_by_one_teach() -> None:
    vectors = _binary_vectors()
    distinct, counts = np.unique(vectors, axis=0, return_counts=True)
    start = Mixture(proportion=0.1, m=(np.array([0.1, 0.9]),) * 4, u=(np.array([0.9, 0.1]),) * 4)
    neutral = [np.zeros(2, dtype=bool)] * 4

    one_by_one = estimate(vectors, np.ones(len(vectors)), start=start, neutral=neutral, maximum_rounds=30)
    counted = estimate(distinct, counts.astype(float), start=start, neutral=neutral, maximum_rounds=30)

    assert np.allclose(np.stack(one_by_one.m), np.stack(counted.m), atol=1e-12)


def test_neutral_outcomes_change_no_posterior() -> None:
    neutral = [np.array([False, False, True])]
    mixture = Mixture(proportion=0.3, m=(np.array([0.1, 0.9, 0.0]),), u=(np.array([0.9, 0.1, 0.0]),))

    chances = posteriors(np.array([[2], [1]]), mixture=mixture, neutral=neutral)

    assert chances[0] == pytest.approx(0.3)
    assert chances[1] > 0.3


def test_a_field_never_seen_keeps_its_start() -> None:
    start = Mixture(proportion=0.3, m=(np.array([0.1, 0.9, 0.0]),), u=(np.array([0.9, 0.1, 0.0]),))

    mixture = estimate(
        np.array([[2]]), np.array([5.0]), start=start, neutral=[np.array([False, False, True])], maximum_rounds=1
    )

    assert mixture.m[0].tolist() == start.m[0].tolist()


def test_pseudo_pairs_hold_the_estimate_near_its_start() -> None:
    start = Mixture(proportion=0.3, m=(np.array([0.1, 0.9]),), u=(np.array([0.9, 0.1]),))
    seen = {
        "outcomes": np.array([[0]]),
        "counts": np.array([10.0]),
        "start": start,
        "neutral": [np.zeros(2, dtype=bool)],
    }

    free = estimate(seen["outcomes"], seen["counts"], start=start, neutral=seen["neutral"])
    held = estimate(
        seen["outcomes"], seen["counts"], start=start, neutral=seen["neutral"], pseudo=PseudoPairs(1e6, 1e6)
    )

    once = estimate(seen["outcomes"], seen["counts"], start=start, neutral=seen["neutral"], maximum_rounds=1)

    assert once.proportion < start.proportion
    assert free.u[0][0] == pytest.approx(1.0)
    assert held.u[0][0] == pytest.approx(0.9, abs=1e-3)


def test_impossible_patterns_have_no_chance_to_match() -> None:
    mixture = Mixture(proportion=0.5, m=(np.array([0.0, 1.0]),), u=(np.array([0.0, 1.0]),))

    assert posteriors(np.array([[0]]), mixture=mixture, neutral=[np.zeros(2, dtype=bool)]).tolist() == [0.0]


def test_expected_tables_are_shares_that_leave_out_what_is_neutral() -> None:
    for kind in ("m", "u"):
        for table, neutral, size in zip(expected_tables(kind), neutral_outcomes(), SIZES, strict=True):
            assert len(table) == size
            assert table.sum() == pytest.approx(1.0)
            assert table[neutral].sum() == 0.0


def test_agreement_weighs_for_and_disagreement_against() -> None:
    weights = weights_of(start_model())
    exact, different = 4 * 8 + 4, 0

    best = np.ravel_multi_index((exact, 7, 1, 1, 1, 1), SIZES)
    worst = np.ravel_multi_index((different, 0, 0, 0, 0, 0), SIZES)

    assert weights[best] > 40 > -20 > weights[worst]


def test_a_views_own_fields_are_not_learnt_from_it() -> None:
    assert {view.name: set(own_fields(view)) for view in SCHEMA.views} == {
        "dob": {"date"},
        "names": {"names"},
        "ssid": {"ssid"},
        "place": {"postcode", "names"},
        "guardian": {"date"},
    }


def test_pairs_inside_providers_show_how_common_twins_are() -> None:
    others, twins = np.zeros(PATTERNS), np.zeros(PATTERNS)
    twin = int(np.flatnonzero(twin_patterns())[0])
    pairs = np.zeros(PATTERNS)
    pairs[twin] = 5.0
    others[np.ravel_multi_index((0, 7, 1, 0, 2, 2), SIZES)] = 10_000
    twins[:] = others
    twins[twin] = 500

    few = weights_of(learnt_model([ViewCounts("dob", pairs, others)], schema=SCHEMA))
    many = weights_of(learnt_model([ViewCounts("dob", pairs, twins)], schema=SCHEMA))

    assert few[twin] - many[twin] > 5


def test_a_view_without_pairs_teaches_nothing() -> None:
    empty = np.zeros(PATTERNS)

    model = learnt_model([ViewCounts("names", empty, empty)], schema=SCHEMA)

    assert [table.tolist() for table in model.m] == [table.tolist() for table in expected_tables("m")]
    assert model.twins is None


def test_every_pattern_has_an_outcome_of_every_field() -> None:
    outcomes = outcomes_of(np.arange(PATTERNS))

    assert outcomes.shape == (PATTERNS, len(FIELDS))
    assert (outcomes.max(axis=0) + 1).tolist() == list(SIZES)
    assert AGREES == 1


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
