"""The report card: one static page of a release for everybody, made of its public tables and nothing else.

Self-contained (no script, no request), printable, each chart beside a table of the same numbers, each hidden number
marked with words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby
from math import ceil, floor

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.orm import Session

from hub.outcomes.state import state_figures
from hub.release.answers import citation
from hub.release.charts import DotRow, Spec, dot_chart, dot_row, draw, gap_chart
from hub.release.gaps import GapPoint, Pace
from hub.release.notes import coverage_note
from hub.release.questions import GapSeries, gap_series
from hub.release.service import Release
from hub.release.slices import HIDDEN_REASON, PublishedCell, Slice, read_slice
from hub.release.state_lines import StateLine, state_lines
from hub.release.words import dimension_title, indicator_title, level_label, range_words, rate_words
from policies.catalogue_files import Catalogue
from policies.disclosure.types import TOTAL
from policies.indicator_files import Indicator, indicators
from policies.indicator_sets import Contribution, indicator_sets

# The splits that StriveTogether names: race, gender, economic status.
SPLITS = ("economic-status", "race", "gender")


@dataclass(frozen=True)
class GapView:
    """One gap as it is shown: a sentence, a chart, a table of the same numbers."""

    title: str
    sentence: str
    pace: Pace
    chart: Markup | None
    reference: str
    group: str
    rows: tuple[tuple[int, str, str, str], ...]


@dataclass(frozen=True)
class GroupRow:
    """One group of the latest year."""

    split: str
    group: str
    rate: str
    counted: str
    hidden: bool


@dataclass(frozen=True)
class Milestone:
    """One outcome on the card."""

    number: int
    id: str
    title: str
    words: Indicator | None
    year: int | None
    rate: str
    counted: str
    trend: Markup | None
    gaps: tuple[GapView, ...]
    splits: tuple[tuple[str, tuple[GroupRow, ...]], ...]
    group_chart: Markup | None
    hidden: str
    coverage: str
    citation: str
    state: tuple[StateLine, ...]
    provisional: bool


@dataclass(frozen=True)
class Contributor:
    """One contributing indicator: its latest rate, its course, and the milestone that it leads to."""

    id: str
    title: str
    toward: str
    better: str
    definition: str
    year: int | None
    rate: str
    trend: Markup | None
    provisional: bool


@dataclass(frozen=True)
class ReportCard:
    """The whole card; `made_up` says that the hub holds a demonstration's people only."""

    release: Release
    made_up: bool
    target_year: int
    milestones: tuple[Milestone, ...]
    contributors: tuple[Contributor, ...]

    @property
    def provisional(self) -> bool:
        """Whether a figure of the card is provisional."""
        return any(one.provisional for one in self.milestones) or any(one.provisional for one in self.contributors)


def report_card(session: Session, release: Release, *, catalogue: Catalogue, made_up: bool = False) -> ReportCard:
    """The card of a release, from its public tables."""
    milestones = tuple(
        _milestone(session, release, number=number, indicator=indicator, catalogue=catalogue)
        for number, indicator in enumerate(indicator_sets().core, start=1)
    )
    contributors = tuple(_contributor(session, release, one) for one in indicator_sets().contributing)
    return ReportCard(release, made_up, catalogue.target_year, milestones, contributors)


def render(card: ReportCard) -> str:
    """The card as one HTML file."""
    style = resources.files("hub.release").joinpath("templates", "report_card.css").read_text("utf-8")
    return _environment().get_template("report_card.html").render(card=card, style=Markup(style))  # noqa: S704


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hub.release"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _milestone(session: Session, release: Release, *, number: int, indicator: str, catalogue: Catalogue) -> Milestone:
    totals = read_slice(session, release.id, wanted=Slice(indicator, "total")).cells
    latest = max(totals, key=lambda cell: cell.cohort_year, default=None)
    cells = () if latest is None else _latest_groups(session, release, indicator=indicator, year=latest.cohort_year)
    gaps = tuple(
        gap_series(session, release.id, indicator=indicator, pair=pair, catalogue=catalogue)
        for pair in catalogue.gaps
        if catalogue.table(indicator, name=pair.table) is not None
    )
    groups = tuple(_group_row(cell) for cell in cells)
    return Milestone(
        number=number,
        id=indicator,
        title=indicator_title(indicator),
        words=indicators().get(indicator),
        year=None if latest is None else latest.cohort_year,
        rate="not yet observed" if latest is None else rate_words(latest),
        counted="" if latest is None or latest.known is None else f"{latest.known:,} counted",
        trend=_trend(totals),
        gaps=tuple(_gap_view(series, target_year=catalogue.target_year) for series in gaps),
        splits=tuple((name, tuple(rows)) for name, rows in groupby(groups, key=lambda row: row.split)),
        group_chart=_drawn(dot_chart([dot_row(cell, split=next(iter(cell.levels))) for cell in cells]))
        if cells
        else None,
        hidden=_hidden_words(groups),
        coverage=coverage_note(() if latest is None else (latest,)),
        citation=citation(indicator, release=release),
        state=state_lines(totals, state_figures(session, indicator)),
        provisional=latest is not None and latest.provisional,
    )


def _contributor(session: Session, release: Release, one: Contribution) -> Contributor:
    totals = read_slice(session, release.id, wanted=Slice(one.indicator, "total")).cells
    latest = max(totals, key=lambda cell: cell.cohort_year, default=None)
    words = indicators()[one.indicator]
    return Contributor(
        id=one.indicator,
        title=words.title,
        toward=indicator_title(one.toward),
        better=words.better,
        definition=words.definition,
        year=None if latest is None else latest.cohort_year,
        rate="not yet observed" if latest is None else rate_words(latest),
        trend=_trend(totals),
        provisional=latest is not None and latest.provisional,
    )


def _latest_groups(session: Session, release: Release, *, indicator: str, year: int) -> tuple[PublishedCell, ...]:
    return tuple(
        cell
        for split in SPLITS
        for cell in read_slice(
            session, release.id, wanted=Slice(indicator, split, first_year=year, last_year=year)
        ).cells
        if cell.levels[split] != TOTAL
    )


def _gap_view(series: GapSeries, *, target_year: int) -> GapView:
    pair = series.pair
    drawable = any(point.gap is not None for point in series.points)
    return GapView(
        title=pair.title,
        sentence=gap_sentence(series, target_year=target_year),
        pace=series.pace,
        chart=_drawn(gap_chart(series.points, series.pace, target_year=target_year)) if drawable else None,
        reference=level_label(pair.dimension, pair.reference),
        group=level_label(pair.dimension, pair.group),
        rows=tuple(_gap_row(point) for point in series.points),
    )


def _gap_row(point: GapPoint) -> tuple[int, str, str, str]:
    reference = range_words(point.reference.rate, point.reference.low, high=point.reference.high)
    group = range_words(point.group.rate, point.group.low, high=point.group.high)
    return point.cohort_year, reference, group, gap_words(point)


def gap_words(point: GapPoint) -> str:
    """A gap as words: points, a range, or hidden."""
    if point.gap is not None:
        return f"{point.gap}".replace("-", "−")
    if point.low is None or point.high is None:
        return HIDDEN_REASON
    return f"{floor(point.low)} to {ceil(point.high)}".replace("-", "−")


def gap_sentence(series: GapSeries, *, target_year: int) -> str:
    """What the chart finds, in a sentence; it is also the chart's text alternative."""
    made = series.pace
    if made.latest_gap is None:
        return "The gap cannot be told: at least one of the two rates is hidden or given as a range in every year."
    latest = next(point for point in series.points if point.cohort_year == made.latest_year)
    first = f"{_latest_words(latest)}{_range_words(latest)}."
    if made.standing == "closed":
        return first
    needed = "" if made.needed is None else f" To close by {target_year} it must narrow {-made.needed:g} points a year;"
    if made.made is None:
        return f"{first}{needed} the pace made cannot be told yet."
    verb = "narrowed" if made.made < 0 else "widened" if made.made > 0 else "did not change"
    by = "" if made.made == 0 else f" {abs(made.made):g} a year"
    return f"{first}{needed} from {made.since_year} to {made.latest_year} it {verb}{by}: {made.standing}."


def _latest_words(point: GapPoint) -> str:
    gap = point.gap or 0
    if gap > 0:
        return f"In {point.cohort_year} the gap was {_points(gap)}"
    if gap == 0:
        return f"In {point.cohort_year} the two rates were the same"
    return f"In {point.cohort_year} there was no gap: the group’s rate was {_points(-gap)} above"


def _range_words(point: GapPoint) -> str:
    if point.low is None or point.high is None:
        return ""
    return f" (chance alone leaves it between {floor(point.low)} and {ceil(point.high)})".replace("-", "−")


def _points(number: int) -> str:
    return "1 point" if number == 1 else f"{number} points"


def _group_row(cell: PublishedCell) -> GroupRow:
    split, level = next(iter(cell.levels.items()))
    words = rate_words(cell)
    counted = HIDDEN_REASON if cell.known is None else f"{cell.known:,}"
    return GroupRow(dimension_title(split), level_label(split, level), words, counted, words == HIDDEN_REASON)


def _dot_rows(cells: Sequence[PublishedCell]) -> list[DotRow]:
    return [dot_row(cell, split=next(iter(cell.levels))) for cell in cells]


def _hidden_words(groups: Sequence[GroupRow]) -> str:
    hidden = [row.group for row in groups if row.hidden]
    if not hidden:
        return "Nothing had to be hidden in these groups."
    return (
        f"Hidden to protect students: {', '.join(hidden)}. Groups of ten or fewer are never shown, and others are "
        "hidden with them where a hidden number could be worked out from what is shown."
    )


def _trend(totals: Sequence[PublishedCell]) -> Markup | None:
    """A small line of the rate of all; a year that is hidden or a range leaves a break."""
    points = [(cell.cohort_year, cell.rate) for cell in totals]
    shown = [(year, rate) for year, rate in points if rate is not None]
    if len(shown) < 2:
        return None
    first, last = points[0][0], points[-1][0]
    places = [(4 + 92 * (year - first) / (last - first), 26 - 0.22 * rate) for year, rate in shown]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    return Markup(  # noqa: S704 (numbers only)
        f'<svg viewBox="0 0 100 30" class="trend" role="img" aria-label="From {shown[0][1]} % in {shown[0][0]} '
        f'to {shown[-1][1]} % in {shown[-1][0]}">'
        f'<polyline points="{line}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="3"/></svg>'
    )


def _drawn(spec: Spec) -> Markup:
    return Markup(draw(spec))  # noqa: S704 (drawn by us; labels are escaped by the drawing)
