"""When an outcome was maintained or improved, when a gap narrowed, and when neither can be told."""

import pytest

from policies.evidence import Ends, evidence_rules, judge_gap, judge_outcome, judge_stage


def exact(number):
    return Ends(number, number)


@pytest.mark.parametrize(
    ("before", "after", "better", "verdict"),
    [
        (exact(50), exact(51), "higher", "improved"),
        (exact(50), exact(50), "higher", "maintained"),
        (exact(50), exact(49), "higher", "declined"),
        (exact(20), exact(19), "lower", "improved"),
        (exact(20), exact(21), "lower", "declined"),
        (Ends(70, 80), Ends(80, 90), "higher", "maintained or improved"),
        (Ends(70, 80), Ends(81, 90), "higher", "improved"),
        (Ends(90, 100), Ends(90, 100), "higher", "cannot be told"),
        (Ends(70, 80), Ends(60, 69), "higher", "declined"),
        (Ends(70, 80), Ends(75, 85), "higher", "cannot be told"),
        (None, exact(50), "higher", "cannot be told"),
        (exact(50), None, "higher", "cannot be told"),
    ],
)
def test_an_outcome_is_judged_by_what_is_told_of_two_years(before, after, better, verdict):
    assert judge_outcome(before, after, better=better) == verdict


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (exact(20), exact(19), "narrowed"),
        (exact(20), exact(-1), "narrowed"),
        (exact(20), exact(20), "unchanged"),
        (exact(20), exact(21), "widened"),
        (exact(-3), exact(4), "widened"),
        (exact(-3), exact(0), "still closed"),
        (Ends(10, 20), Ends(5, 9), "narrowed"),
        (Ends(10, 20), Ends(15, 30), "cannot be told"),
        (Ends(-5, 20), exact(-6), "cannot be told"),
        (None, exact(1), "cannot be told"),
        (exact(1), None, "cannot be told"),
    ],
)
def test_a_gap_is_judged_by_what_is_told_of_two_years(before, after, verdict):
    assert judge_gap(before, after) == verdict


@pytest.mark.parametrize(
    ("needed", "found", "verdict"),
    [
        (2, [True, True, False, None], "reached"),
        (2, [True, None, False], "cannot be told"),
        (2, [True, False, False], "not reached"),
        (2, [], "not reached"),
    ],
)
def test_what_cannot_be_told_leaves_a_stage_open_only_while_it_could_decide(needed, found, verdict):
    assert judge_stage(needed, found) == verdict


def test_the_stages_are_those_of_the_theory_of_action():
    assert [(one.id, one.outcomes, one.gaps) for one in evidence_rules().stages] == [
        ("proof-point", 4, 2),
        ("systems-transformation", 4, 4),
    ]
