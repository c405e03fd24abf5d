"""The sentence beside a gap: what it was, what it needs, what was made, and when that cannot be told."""

import pytest

from hub.release.gaps import GapPoint, ReleasedRate, gap_point, pace
from hub.release.questions import GapSeries
from hub.release.sentences import gap_sentence, gap_words
from hub.release.summary import gap_line
from policies.catalogue_files import GapPair

PAIR = GapPair("size", "by size", "size", "size", "large", "small")
HIDDEN = ReleasedRate(None, None, None, None)


def series(*gaps: tuple[int, int | None]) -> GapSeries:
    points = tuple(_point(year, gap) for year, gap in gaps)
    return GapSeries("third-grade-reading", PAIR, points, pace(points, target_year=2028, pace_years=3))


def _point(year: int, gap: int | None) -> GapPoint:
    reference = ReleasedRate(400, 70, None, None)
    group = HIDDEN if gap is None else ReleasedRate(400, 70 - gap, None, None)
    return gap_point(year, reference, group=group)


@pytest.mark.parametrize(
    ("gaps", "sentence"),
    [
        (
            [(2023, 26), (2026, 20)],
            "In 2026 the gap was 20 points (chance alone leaves it between 13 and 27). To close by 2028 it must narrow "
            "10 points a year; from 2023 to 2026 it narrowed 2 a year: not on pace.",
        ),
        (
            [(2023, 20), (2026, 20)],
            "In 2026 the gap was 20 points (chance alone leaves it between 13 and 27). To close by 2028 it must narrow "
            "10 points a year; from 2023 to 2026 it did not change: not on pace.",
        ),
        (
            [(2026, 20)],
            "In 2026 the gap was 20 points (chance alone leaves it between 13 and 27). To close by 2028 it must narrow "
            "10 points a year; the pace made cannot be told yet.",
        ),
        (
            [(2023, 14), (2026, -1)],
            "In 2026 there was no gap: the group’s rate was 1 point above (chance alone leaves it between −8 and 6).",
        ),
        ([(2026, 0)], "In 2026 the two rates were the same (chance alone leaves it between −7 and 7)."),
        (
            [(2026, None)],
            "The gap cannot be told: at least one of the two rates is hidden or given as a range in every year.",
        ),
    ],
)
def test_the_sentence_says_what_the_chart_finds(gaps: list[tuple[int, int | None]], sentence: str) -> None:
    assert gap_sentence(series(*gaps), target_year=2028) == sentence


@pytest.mark.parametrize(
    ("gaps", "line"),
    [
        (
            [(2023, 26), (2026, 20)],
            "third grade reading, gap by size: 20 points in 2026; needs -10 a year for 2028; "
            "made -2 a year since 2023: not on pace",
        ),
        (
            [(2026, -1)],
            "third grade reading, gap by size: -1 point in 2026; needs nothing more for 2028; "
            "made not known yet: closed",
        ),
        ([(2026, None)], "third grade reading, gap by size: cannot be told from what may be shown"),
    ],
)
def test_the_line_of_a_command_says_the_same_in_short(gaps: list[tuple[int, int | None]], line: str) -> None:
    assert gap_line(series(*gaps), target_year=2028) == line


def test_a_gap_in_a_table_is_points_a_range_or_words() -> None:
    coded = gap_point(2026, ReleasedRate(15, None, 20, 40), group=ReleasedRate(400, 50, None, None))

    found = [gap_words(_point(2026, -3)), gap_words(coded), gap_words(_point(2026, None))]

    assert found == ["−3", "−30 to −10", "hidden to protect students"]
