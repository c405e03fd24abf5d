"""When a submission waits for a person."""

import pytest

from policies.holds import (
    HOLDS,
    ROWS_REJECTED,
    STUDENTS_GONE,
    counted_changes,
    gone_share,
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


def test_changes_are_counts_by_table_of_either_time():
    told = counted_changes(
        references(1, 2, 3), references(2, 3, 4, 5), rows_before={"enrollment": 3}, rows_now={"attendance": 4}
    )

    assert told == {
        "students": [3, 4], "gone": 1, "new": 2, "rows": {"attendance": [0, 4], "enrollment": [3, 0]},
    }  # fmt: skip
