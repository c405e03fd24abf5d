"""The gap and its pace, from released rates alone."""

import pytest

from hub.release.gaps import GapPoint, Pace, ReleasedRate, gap_point, pace, rate_interval

HIDDEN = ReleasedRate(None, None, None, None)


def exact(rate: int, known: int = 200) -> ReleasedRate:
    return ReleasedRate(known, rate, None, None)


def points(*gaps: tuple[int, int | None]) -> list[GapPoint]:
    return [
        GapPoint(year, HIDDEN, HIDDEN, gap, None, None)
        if gap is None
        else gap_point(year, exact(70), group=exact(70 - gap))
        for year, gap in gaps
    ]


def test_a_gap_of_two_exact_rates_has_a_value_and_a_newcombe_interval() -> None:
    point = gap_point(2026, exact(70, 100), group=exact(50, 80))

    # Newcombe's method 10 for 70/100 and 40/80, computed by hand.
    assert (point.gap, point.low, point.high) == (20, 5.6, 33.4)


def test_a_coded_rate_leaves_a_range_and_no_value() -> None:
    point = gap_point(2026, ReleasedRate(15, None, 80, 100), group=exact(50))

    assert (point.gap, point.low, point.high) == (None, 30, 50)


def test_a_hidden_rate_leaves_nothing() -> None:
    point = gap_point(2026, exact(70), group=HIDDEN)

    assert (point.gap, point.low, point.high) == (None, None, None)


def test_a_rate_told_from_nothing_to_everything_leaves_the_gap_hidden() -> None:
    nothing = ReleasedRate(40, None, 0, 100)

    points = (gap_point(2026, nothing, group=nothing), gap_point(2026, exact(70), group=nothing))

    assert [(point.gap, point.low, point.high) for point in points] == [(None, None, None)] * 2


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([], Pace(None, None, None, None, None, "cannot be told")),
        ([(2026, None)], Pace(None, None, None, None, None, "cannot be told")),
        ([(2026, 20)], Pace(2026, 20, None, None, -10.0, "cannot be told")),
        ([(2023, 26), (2026, 20)], Pace(2026, 20, 2023, -2.0, -10.0, "not on pace")),
        ([(2019, 60), (2023, 26), (2026, 20)], Pace(2026, 20, 2023, -2.0, -10.0, "not on pace")),
        ([(2023, 50), (2026, 20)], Pace(2026, 20, 2023, -10.0, -10.0, "on pace")),
        ([(2022, 28), (2024, 30), (2026, 20)], Pace(2026, 20, 2024, -5.0, -10.0, "not on pace")),
        ([(2021, 45), (2025, 1), (2026, 20)], Pace(2026, 20, 2021, -5.0, -10.0, "not on pace")),
        ([(2020, 50), (2025, 40), (2026, 20)], Pace(2026, 20, None, None, -10.0, "cannot be told")),
        ([(2024, 10), (2026, 0)], Pace(2026, 0, 2024, -5.0, None, "closed")),
        ([(2026, 14), (2028, 4)], Pace(2028, 4, 2026, -5.0, None, "not on pace")),
    ],
)
def test_the_pace_needed_stands_beside_the_pace_made(gaps: list[tuple[int, int | None]], expected: Pace) -> None:
    found = pace(points(*gaps), target_year=2028, pace_years=3)

    assert found == expected


def test_the_interval_of_a_rate_is_wider_for_fewer_students() -> None:
    few, many = rate_interval(50, 20), rate_interval(50, 2000)

    assert few[0] < many[0] < 50 < many[1] < few[1]
