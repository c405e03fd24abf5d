"""When a submission waits for a person."""

import pytest

from policies.holds import (
    GONE_UNSEEN,
    HOLDS,
    ROWS_REJECTED,
    STUDENTS_GONE,
    compared,
    counted_changes,
    gone_share,
    hides_students,
    hold_reasons,
    rejected_share,
)


def references(*numbers):
    return frozenset(number.to_bytes(16, "big") for number in numbers)


@pytest.mark.parametrize(
    ("previous", "present", "share"),
    [((), (), 0.0), ((), (1, 2), 0.0), ((1, 2, 3, 4), (1, 2, 3, 5), 0.25), ((1, 2), (), 1.0)],
)
def test_the_share_of_students_gone_is_of_last_time(previous, present, share):
    assert gone_share(references(*previous), references(*present)) == share


@pytest.mark.parametrize(
    ("findings", "rows", "share"),
    [({}, 10, 0.0), ({"ROW-001": 5}, 15, 0.25), ({"ROW-005": 5}, 15, 0.0), ({"NEW-999": 5}, 15, 0.0)],
)
def test_only_findings_that_reject_rows_count(findings, rows, share):
    assert rejected_share(findings, rows=rows) == share


@pytest.mark.parametrize(
    ("gone", "rejected", "codes"),
    [
        (0.10, 0.10, ()),
        (0.11, 0.0, (STUDENTS_GONE,)),
        (0.0, 0.11, (ROWS_REJECTED,)),
        (1.0, 1.0, (STUDENTS_GONE, ROWS_REJECTED)),
    ],
)
def test_a_tenth_is_allowed_and_more_is_held(gone, rejected, codes):
    assert hold_reasons(gone=gone, rejected=rejected) == codes
    assert set(codes) <= set(HOLDS)


@pytest.mark.parametrize(("gone", "codes"), [(0.10, ()), (0.11, (GONE_UNSEEN,)), (1.0, (GONE_UNSEEN,))])
def test_where_padding_hides_who_is_gone_it_is_held_for_that(gone, codes):
    assert hold_reasons(gone=gone, rejected=0.0, unseen=True) == codes
    assert set(codes) <= set(HOLDS)


@pytest.mark.parametrize(
    ("named", "told", "padded", "by"),
    [
        ((1, 2, 3, 9), (1, 2), False, (1, 2, 3, 9)),
        ((1, 2, 3, 9), (1, 2), True, (1, 2)),
        ((1, 2, 3, 9), (), True, (1, 2, 3, 9)),
        ((1, 2, 3, 4, 9), (1, 2), True, (1, 2, 3, 4, 9)),  # no roster is padded beyond four: the claim is not believed
    ],
)
def test_a_padded_roster_is_compared_by_whom_something_is_told_of(named, told, padded, by):
    assert compared(references(*named), references(*told), padded=padded, least=4) == references(*by)


@pytest.mark.parametrize(
    ("padded", "told", "people", "hides"),
    [(True, False, 4, True), (True, False, 5, False), (True, True, 4, False), (False, False, 4, False)],
)
def test_only_a_small_padded_roster_of_rows_alone_hides_who_is_gone(padded, told, people, hides):
    assert hides_students(references(*range(people)), padded=padded, told=told, least=4) is hides


def test_changes_are_counts_by_table_of_either_time():
    told = counted_changes(
        references(1, 2, 3), references(2, 3, 4, 5), rows_before={"enrollment": 3}, rows_now={"attendance": 4}
    )

    assert told == {
        "students": [3, 4], "gone": 1, "new": 2, "rows": {"attendance": [0, 4], "enrollment": [3, 0]},
    }  # fmt: skip
