"""A chart shows the numbers of its table and no other; a hidden group has words and no position."""

import json
import re
from typing import Any

from hub.release.charts import Course, DotRow, Mark, course_chart, dot_chart, dot_row, draw, gap_chart
from hub.release.gaps import GapPoint, ReleasedRate, gap_point, pace
from hub.release.slices import HIDDEN_REASON, PublishedCell


def exact(rate: int) -> ReleasedRate:
    return ReleasedRate(200, rate, None, None)


def values_of(spec: dict[str, Any], mark: str, field: str) -> list[Any]:
    layers = [layer for panel in spec.get("vconcat", [spec]) for layer in panel["layer"]]
    return [row[field] for layer in layers if layer["mark"]["type"] == mark for row in layer["data"]["values"]]


def points(*gaps: tuple[int, int]) -> list[GapPoint]:
    return [gap_point(year, exact(70), group=exact(70 - gap)) for year, gap in gaps]


def test_the_gap_chart_draws_the_points_and_two_roads_to_the_target_year() -> None:
    found = points((2023, 35), (2026, 26))

    spec = gap_chart(found, pace(found, target_year=2028, pace_years=3), target_year=2028)

    layers = {json.dumps(layer["mark"].get("strokeDash")): layer["data"]["values"] for layer in spec["layer"]}
    assert layers["[7, 4]"] == [{"year": 2026, "gap": 26}, {"year": 2028, "gap": 0}]
    assert layers["[2, 3]"] == [{"year": 2026, "gap": 26}, {"year": 2028, "gap": 20.0}]
    assert [row["gap"] for row in spec["layer"][-1]["data"]["values"]] == [35, 26]


def test_a_gap_that_closes_early_is_drawn_to_the_day_on_which_it_closes() -> None:
    found = points((2024, 30), (2026, 10))

    spec = gap_chart(found, pace(found, target_year=2028, pace_years=3), target_year=2028)

    roads = [layer["data"]["values"][-1] for layer in spec["layer"] if layer["mark"].get("strokeDash") == [2, 3]]
    assert roads == [{"year": 2027.0, "gap": 0}]


def test_a_year_of_which_a_narrow_range_is_told_is_a_bar_and_a_wide_one_is_left_to_the_table() -> None:
    narrow = gap_point(2023, exact(70), group=ReleasedRate(30, None, 30, 40))
    wide = gap_point(2024, exact(70), group=ReleasedRate(30, None, 0, 100))
    found = [narrow, wide, *points((2026, 26))]

    spec = gap_chart(found, pace(found, target_year=2028, pace_years=3), target_year=2028)

    bars = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"].get("clip")]
    assert bars == [[{"year": 2023, "low": 30.0, "high": 40.0}]]


def test_no_road_is_drawn_beyond_the_target_year_or_from_nothing() -> None:
    late = points((2026, 9), (2028, 4))
    hidden = [gap_point(2026, exact(70), group=ReleasedRate(None, None, None, None))]

    specs = [gap_chart(one, pace(one, target_year=2028, pace_years=3), target_year=2028) for one in (late, hidden)]

    assert not [layer for spec in specs for layer in spec["layer"] if layer["mark"].get("strokeDash")]


def test_a_hidden_group_keeps_its_row_with_words_and_without_a_position() -> None:
    rows = [
        DotRow("race", "Large", 50, 40.0, 60.0, "50 %, n 100"),
        DotRow("race", "Coded", None, 80, 100, "80 % or more, n 14"),
        DotRow("race", "Small", None, None, None, HIDDEN_REASON),
    ]

    spec = dot_chart(rows)

    layers = spec["vconcat"][0]["layer"]
    hidden = [layer for layer in layers if {"group": "Small", "label": HIDDEN_REASON} in layer["data"]["values"]]
    assert len(hidden) == 2
    assert all("field" not in layer["encoding"]["x"] for layer in hidden)
    assert not [row for layer in layers for row in layer["data"]["values"] if row["group"] == "Small" and "rate" in row]
    assert HIDDEN_REASON in draw(spec)


def test_a_drawing_takes_the_size_of_its_container_and_is_unseen_by_a_reader_of_the_screen() -> None:
    svg = draw(dot_chart([DotRow("race", "Large", 50, 40.0, 60.0, "50 %, n 100")]))

    opening = svg[: svg.index(">")]
    assert 'aria-hidden="true"' in opening
    assert "viewBox" in opening
    assert "width=" not in opening


def cell(*, levels: dict[str, str], known: int | None, rate: int | None, low: int | None, status: str) -> PublishedCell:
    high = None if low is None else 100
    reason = HIDDEN_REASON if status == "C" else ""
    return PublishedCell(
        "reading", 2026, "final", 0, "race", levels, None, known, None, rate, low, high, None, None, status, reason, "1"
    )


def test_a_cell_becomes_a_row_with_its_interval_its_range_or_words() -> None:
    white, black = {"race": "white"}, {"race": "black", "economic-status": "disadvantaged"}

    rows = [
        dot_row(cell(levels=white, known=100, rate=50, low=None, status="F"), split="race"),
        dot_row(cell(levels=white, known=14, rate=None, low=80, status="F"), split="race"),
        dot_row(cell(levels=black, known=None, rate=None, low=None, status="C"), split="race"),
        dot_row(cell(levels={}, known=14, rate=None, low=0, status="F"), split="race"),
    ]

    assert rows == [
        DotRow("race", "White", 50, 40.4, 59.6, "50 %, n 100"),
        DotRow("race", "White", None, 80, 100, "80 % or more, n 14"),
        DotRow("race", "Black or African American, Socioeconomically disadvantaged", None, None, None, HIDDEN_REASON),
        DotRow("race", "All", None, None, None, HIDDEN_REASON),
    ]


def test_a_course_breaks_where_a_year_is_hidden_and_names_that_year() -> None:
    hidden = Mark(2024, None, None, None, HIDDEN_REASON)
    course = Course("Small", (Mark(2023, 50, None, None, "50 %"), hidden, Mark(2025, None, 80, 100, "80 % or more")))

    spec = course_chart([course, Course("Large", (Mark(2023, 61, None, None, "61 %"),))])

    panel = spec["concat"][0]
    assert panel["title"]["subtitle"] == f"2024: {HIDDEN_REASON}"
    others, ranges, line, *_ = [layer["data"]["values"] for layer in panel["layer"]]
    assert others == [{"year": 2023, "rate": 61, "group": "Large"}]
    assert ranges == [{"year": 2025, "low": 80, "high": 100}]
    assert [row["rate"] for row in line] == [50, None, None]
    assert HIDDEN_REASON in draw(spec)


def test_a_chart_is_drawn_to_the_same_text_each_time_and_two_charts_share_no_name() -> None:
    wide = gap_point(2024, exact(70), group=ReleasedRate(200, None, 40, 60))
    found = [[*points((2023, gap), (2026, 26)), wide] for gap in (35, 31)]
    specs = [gap_chart(one, pace(one, target_year=2028, pace_years=3), target_year=2028) for one in found]

    first, again, other = draw(specs[0]), draw(specs[0]), draw(specs[1])

    names = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (first, other)]
    assert first == again
    assert names[0] and names[1] and not names[0] & names[1]
