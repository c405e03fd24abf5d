"""Charts as Vega-Lite specifications, drawn to SVG on the server: no script, no request, a table beside each.

Pure but for the drawing itself. What a chart shows is in its specification's `data`; a test holds that it is the
table's numbers and that a hidden group has no position in it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from math import ceil, floor
from typing import Any

import vl_convert

from hub.languages import ENGLISH, Language
from hub.release.gaps import GapPoint, Pace, rate_interval
from hub.release.slices import HIDDEN_REASON, PublishedCell
from hub.release.words import EVERYBODY, level_label, rate_untold, rate_words

Spec = dict[str, Any]

# Okabe and Ito, Color Universal Design (2008); all three keep 3:1 against white.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#00795C"
INK, GREY, FAINT = "#1b1b1b", "#5c6370", "#dfe3e8"
# Below this part of the latest gap the ends of the two roads lie too close for two labels.
LABELS_APART = 0.2
# A range of a gap wider than this says next to nothing and is left to the table.
WIDEST_RANGE = 60
DRAWINGS_KEPT = 200
"""Of a release the same charts are asked for again and again; to draw ten small ones takes a third of a second."""
CLIP = re.compile(r"\bclip\d+\b")
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"

# The drawing's own English labels are left out: the text alternative beside it says what it shows.
CONFIG: Spec = {
    "aria": False,
    "font": FONT,
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "domainColor": GREY,
        "gridColor": FAINT,
        "labelColor": INK,
        "labelFontSize": 12,
        "tickColor": GREY,
        "titleColor": GREY,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
}


@dataclass(frozen=True)
class DotRow:
    """One group of a dot plot. Hidden: no number at all. Coded: low and high without rate."""

    split: str
    group: str
    rate: int | None
    low: float | None
    high: float | None
    label: str


@dataclass(frozen=True)
class Mark:
    """One year of a group: its rate, or the ends of its range, or no number; `words` as the table says it."""

    year: int
    rate: int | None
    low: int | None
    high: int | None
    words: str

    @property
    def untold(self) -> bool:
        """Whether there is no number, and the words are the reason why."""
        return self.rate is None and self.low is None


@dataclass(frozen=True)
class Course:
    """One group over the years."""

    group: str
    marks: tuple[Mark, ...]


def draw(spec: Spec) -> str:
    """The SVG of a specification, sized by its container; the same specification gives the same text."""
    return _drawn(json.dumps(spec))


@lru_cache(maxsize=DRAWINGS_KEPT)
def _drawn(spec: str) -> str:
    svg = _named_by_content(vl_convert.vegalite_to_svg(spec, vl_version="6.4"))
    opening = re.search(r"<svg\b[^>]*>", svg)
    if opening is None:
        return svg
    scaled = re.sub(r'\s(?:width|height|style)="[^"]*"', "", opening.group(0))
    return svg[opening.start() :].replace(opening.group(0), scaled.replace("<svg", '<svg aria-hidden="true"', 1), 1)


def _named_by_content(svg: str) -> str:
    """The drawing with its clips named by what it shows: the drawing tool numbers them on from chart to chart."""
    mark = sha256(CLIP.sub("clip", svg).encode()).hexdigest()[:12]
    numbers = {name: place for place, name in enumerate(dict.fromkeys(CLIP.findall(svg)))}
    return CLIP.sub(lambda found: f"clip-{mark}-{numbers[found[0]]}", svg)


def gap_chart(points: Sequence[GapPoint], pace: Pace, *, target_year: int, language: Language = ENGLISH) -> Spec:
    """The gap to the target year: points with their 95 % band, bars where only a range is told, the two roads ahead."""
    shown = [{"year": p.cohort_year, "gap": p.gap, "low": p.low, "high": p.high} for p in points if p.gap is not None]
    ranges = [
        {"year": p.cohort_year, "low": p.low, "high": p.high}
        for p in points
        if p.gap is None and p.low is not None and p.high is not None and p.high - p.low <= WIDEST_RANGE
    ]
    years = [p.cohort_year for p in points] + [target_year]
    x = {
        "field": "year",
        "type": "quantitative",
        "axis": {"format": "d", "values": list(range(min(years), target_year + 1)), "title": None, "grid": False},
        "scale": {"domain": [min(years) - 0.3, target_year + 0.1], "nice": False},
    }
    y = {
        "field": "gap",
        "type": "quantitative",
        "title": language.say("points"),
        "scale": {"domain": _gap_domain(points)},
    }
    layers: list[Spec] = [
        {
            "data": {"values": shown},
            "mark": {"type": "area", "color": BLUE, "opacity": 0.14},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": {"values": ranges},
            "mark": {"type": "rule", "color": BLUE, "opacity": 0.3, "strokeWidth": 5, "clip": True},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {"data": {"values": [{"gap": 0}]}, "mark": {"type": "rule", "color": GREY}, "encoding": {"y": y}},
        *_roads(pace, x=x, y=y, target_year=target_year, language=language),
        _margin(x=x, y=y, target_year=target_year, language=language),
        {
            "data": {"values": shown},
            "mark": {"type": "line", "color": BLUE, "strokeWidth": 2.5, "point": {"color": BLUE, "size": 55}},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": shown},
            "mark": {"type": "text", "dy": -12, "color": INK, "fontSize": 12, "fontWeight": "bold"},
            "encoding": {"x": x, "y": y, "text": {"field": "gap"}},
        },
    ]
    return {"width": 360, "height": 190, "config": CONFIG, "layer": layers}


def _roads(pace: Pace, *, x: Spec, y: Spec, target_year: int, language: Language) -> list[Spec]:
    if pace.latest_year is None or pace.latest_gap is None or pace.latest_year >= target_year:
        return []
    start: Spec = {"year": pace.latest_year, "gap": pace.latest_gap}
    needed, made = {"year": target_year, "gap": 0}, _end_at_pace(pace, target_year=target_year)
    together = made is not None and pace.needed is not None and made["gap"] < LABELS_APART * pace.latest_gap
    layers: list[Spec] = []
    if made is not None:
        layers += _road(
            [start, made], GREY, dash=[2, 3], words="" if together else language.say("at this pace"), x=x, y=y
        )
    if pace.needed is not None:
        layers += _road([start, needed], VERMILLION, dash=[7, 4], words=language.say("needed"), x=x, y=y)
    return layers


def _end_at_pace(pace: Pace, *, target_year: int) -> Spec | None:
    """Where the pace made leads: to a gap in the target year, or to the day on which it is closed."""
    if pace.made is None or pace.latest_gap is None or pace.latest_year is None:
        return None
    ahead = pace.latest_gap + pace.made * (target_year - pace.latest_year)
    if pace.latest_gap > 0 > ahead:
        return {"year": pace.latest_year - pace.latest_gap / pace.made, "gap": 0}
    return {"year": target_year, "gap": ahead}


def _road(ends: list[Spec], colour: str, *, dash: list[int], words: str, x: Spec, y: Spec) -> list[Spec]:
    return [
        {
            "data": {"values": ends},
            "mark": {"type": "line", "color": colour, "strokeDash": dash, "strokeWidth": 2},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": [{**ends[-1], "words": words}]},
            "mark": {"type": "text", "align": "left", "dx": 7, "dy": -5, "color": colour, "fontSize": 12},
            "encoding": {"x": x, "y": y, "text": {"field": "words"}},
        },
    ]


def _margin(*, x: Spec, y: Spec, target_year: int, language: Language) -> Spec:
    """The longest label, unseen, so that all gap charts come out at one scale."""
    return {
        "data": {"values": [{"year": target_year, "gap": 0, "words": language.say("at this pace")}]},
        "mark": {"type": "text", "align": "left", "dx": 7, "opacity": 0, "fontSize": 12},
        "encoding": {"x": x, "y": y, "text": {"field": "words"}},
    }


def _gap_domain(points: Sequence[GapPoint]) -> list[float]:
    tops = [p.high for p in points if p.gap is not None and p.high is not None]
    feet = [p.low for p in points if p.gap is not None and p.low is not None]
    top = max([10.0, *tops, *(float(p.gap) for p in points if p.gap is not None)])
    foot = min([0.0, *feet])
    return [5 * floor(foot / 5), 5 * ceil((top + 2) / 5)]


def dot_chart(rows: Sequence[DotRow], language: Language = ENGLISH) -> Spec:
    """Groups with their intervals, one panel a split; a hidden group keeps its row and gets words, no position."""
    splits = list(dict.fromkeys(row.split for row in rows))
    said = language.say("per cent")
    return {
        "config": CONFIG,
        "spacing": 14,
        "vconcat": [
            _dot_panel([row for row in rows if row.split == split], title=said if split == splits[-1] else None)
            for split in splits
        ],
    }


def _dot_panel(rows: Sequence[DotRow], *, title: str | None) -> Spec:
    order = [row.group for row in rows]
    y = {
        "field": "group",
        "type": "nominal",
        "sort": order,
        "title": None,
        "axis": {
            "labelLimit": 255,
            "minExtent": 255,
            "labelFontSize": 13,
            "ticks": False,
            "domain": False,
            "grid": True,
        },
        "scale": {"domain": order},
    }
    x = {
        "field": "rate",
        "type": "quantitative",
        "scale": {"domain": [0, 100]},
        "axis": {
            "values": [0, 20, 40, 60, 80, 100],
            **({"title": title} if title else {"title": None, "labels": False, "ticks": False}),
        },
    }
    exact = [_dot(row) for row in rows if row.rate is not None]
    coded = [_dot(row) for row in rows if row.rate is None and row.low is not None]
    hidden = [{"group": row.group, "label": row.label} for row in rows if row.rate is None and row.low is None]
    words = {"type": "text", "align": "left", "fontSize": 12, "color": GREY}
    return {
        "width": 300,
        "height": {"step": 24},
        "layer": [
            {
                "data": {"values": exact},
                "mark": {"type": "rule", "strokeWidth": 2, "color": BLUE, "opacity": 0.45},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {
                "data": {"values": coded},
                "mark": {"type": "bar", "height": 7, "color": BLUE, "opacity": 0.35},
                "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {
                "data": {"values": exact},
                "mark": {"type": "point", "filled": True, "size": 80, "color": BLUE, "opacity": 1},
                "encoding": {"y": y, "x": x},
            },
            {
                "data": {"values": exact + coded},
                "mark": {**words, "dx": 312},
                "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "label"}},
            },
            {
                "data": {"values": hidden},
                "mark": {
                    "type": "point",
                    "shape": "square",
                    "size": 60,
                    "color": GREY,
                    "strokeWidth": 1.5,
                    "opacity": 1,
                },
                "encoding": {"y": y, "x": {"value": 10}},
            },
            {
                "data": {"values": hidden},
                "mark": {**words, "dx": 20, "fontStyle": "italic"},
                "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "label"}},
            },
        ],
    }


def dot_row(cell: PublishedCell, *, split: str, language: Language = ENGLISH) -> DotRow:
    """A cell as a row of a dot plot; a hidden one has words and no position."""
    named = [level_label(name, level, language) for name, level in cell.levels.items()]
    group = ", ".join(named) or language.say(EVERYBODY)
    words = rate_words(cell, language)
    if rate_untold(cell):
        return DotRow(split, group, None, None, None, words)
    low, high = cell.rate_low, cell.rate_high
    bounds = (low, high) if cell.rate is None or not cell.known else rate_interval(cell.rate, cell.known)
    counted = "" if cell.known is None else f", n {language.number(cell.known)}"
    return DotRow(split, group, cell.rate, bounds[0], bounds[1], f"{words}{counted}")


def _dot(row: DotRow) -> Mapping[str, Any]:
    return {"group": row.group, "rate": row.rate, "low": row.low, "high": row.high, "label": row.label}


def course_chart(courses: Sequence[Course], language: Language = ENGLISH) -> Spec:
    """Small panels, one a group on the same scales, the others in grey; a hidden year breaks the line and is named."""
    years = sorted({mark.year for one in courses for mark in one.marks})
    return {
        "config": CONFIG,
        "columns": 2,
        "spacing": {"row": 22, "column": 30},
        "concat": [_course_panel(one, courses, years=years, language=language) for one in courses],
    }


def _course_panel(course: Course, courses: Sequence[Course], *, years: Sequence[int], language: Language) -> Spec:
    hidden = [str(mark.year) for mark in course.marks if mark.untold]
    x = {
        "field": "year",
        "type": "quantitative",
        "axis": {"format": "d", "values": list(years), "title": None, "grid": False},
        "scale": {"domain": [years[0] - 0.3, years[-1] + 0.6], "nice": False},
    }
    axis = {"values": [0, 50, 100], "title": None, "domain": False}
    y = {"field": "rate", "type": "quantitative", "scale": {"domain": [0, 100]}, "axis": axis}
    others = [
        {"year": mark.year, "rate": mark.rate, "group": one.group}
        for one in courses
        for mark in one.marks
        if one is not course
    ]
    own = [{"year": mark.year, "rate": mark.rate} for mark in course.marks]
    exact = [row for row in own if row["rate"] is not None]
    ranges = [
        {"year": mark.year, "low": mark.low, "high": mark.high}
        for mark in course.marks
        if mark.rate is None and mark.low is not None
    ]
    told = f"{', '.join(hidden)}: {language.say(HIDDEN_REASON)}" if hidden else ""
    return {
        "title": {"text": course.group, "subtitle": told, "anchor": "start", "fontSize": 13, "subtitleFontSize": 11},
        "width": 250,
        "height": 90,
        "layer": [
            {
                "data": {"values": others},
                "mark": {"type": "line", "color": "#b8bec7", "strokeWidth": 1},
                "encoding": {"x": x, "y": y, "detail": {"field": "group"}},
            },
            {
                "data": {"values": ranges},
                "mark": {"type": "rule", "color": BLUE, "opacity": 0.35, "strokeWidth": 6},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": own},
                "mark": {"type": "line", "color": BLUE, "strokeWidth": 2.5},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": exact},
                "mark": {"type": "point", "filled": True, "size": 45, "color": BLUE, "opacity": 1},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": exact},
                "mark": {"type": "text", "dy": -10, "color": INK, "fontSize": 11},
                "encoding": {"x": x, "y": y, "text": {"field": "rate"}},
            },
        ],
    }
