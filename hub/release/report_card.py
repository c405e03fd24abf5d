"""The report card: one static page of a release for everybody, made of its public tables and nothing else.

Self-contained (no script, no request), printable, each chart beside a table of the same numbers, each hidden number
marked with words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.orm import Session

from hub.languages import ENGLISH, Language, message
from hub.outcomes.state import state_figures
from hub.release.answers import citation
from hub.release.charts import Spec, dot_chart, dot_row, draw, gap_chart
from hub.release.gaps import GapPoint, Pace
from hub.release.notes import coverage_note
from hub.release.questions import GapSeries, gap_series
from hub.release.sentences import gap_sentence, gap_words
from hub.release.service import Release
from hub.release.slices import HIDDEN_REASON, PublishedCell, Slice, read_slice
from hub.release.state_lines import StateLine, state_lines
from hub.release.words import (
    dimension_title,
    indicator_title,
    level_label,
    range_untold,
    range_words,
    rate_untold,
    rate_words,
)
from policies.catalogue_files import Catalogue
from policies.disclosure.types import TOTAL
from policies.indicator_files import Indicator, indicators
from policies.indicator_sets import Contribution, indicator_sets

# The splits that StriveTogether names: race, gender, economic status; and where a student goes to school.
SPLITS = ("economic-status", "race", "gender", "district")

READINGS = (
    (
        message("A gap describes what systems provide, not children."),
        message(
            "It is the difference between two groups’ rates, in points. Ask what the schools, programmes and policies "
            "behind a number gave to whom."
        ),
    ),
    (
        message("Pace."),
        message(
            "“Needed” is the change a year that would close the gap by {year}; “made” is the change a year over about "
            "the last three years. A minus narrows the gap."
        ),
    ),
    (
        message("Hidden numbers."),
        message(
            "Groups of ten or fewer students are hidden, and others with them where a hidden number could be worked "
            "out. They keep their row and say so in words. Very high and very low rates are given as a range. All "
            "numbers ever released are checked together."
        ),
    ),
    (
        message("Unknown is not “no”."),
        message(
            "A student whose outcome no record tells is left out of the rate and is never counted as not having "
            "reached it."
        ),
    ),
)
"""How to read the card: a heading and what it says."""


@dataclass(frozen=True)
class Words:
    """What a place of a table says; `untold` where it is the reason why a number is hidden."""

    words: str
    untold: bool


@dataclass(frozen=True)
class GapView:
    """One gap as it is shown: a sentence, a chart, a table of the same numbers."""

    title: str
    sentence: str
    pace: Pace
    spec: Spec | None
    reference: str
    group: str
    rows: tuple[tuple[int, tuple[Words, ...]], ...]

    @property
    def chart(self) -> Markup | None:
        """The chart as it is drawn; None where there is nothing to draw."""
        return None if self.spec is None else _drawn(self.spec)


@dataclass(frozen=True)
class GroupRow:
    """One group of the latest year."""

    split: str
    dimension: str
    level: str
    group: str
    rate: str
    counted: str
    hidden: bool
    uncounted: bool


@dataclass(frozen=True)
class Milestone:
    """One outcome on the card."""

    number: int
    id: str
    title: str
    words: Indicator | None
    year: int | None
    rate: str
    rate_untold: bool
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
    rate_untold: bool
    trend: Markup | None
    provisional: bool


@dataclass(frozen=True)
class ReportCard:
    """The whole card; `made_up` says that the hub holds a demonstration's people only."""

    release: Release
    language: Language
    made_up: bool
    target_year: int
    milestones: tuple[Milestone, ...]
    contributors: tuple[Contributor, ...]

    @property
    def provisional(self) -> bool:
        """Whether a figure of the card is provisional."""
        return any(one.provisional for one in self.milestones) or any(one.provisional for one in self.contributors)


@dataclass(frozen=True)
class Way:
    """A link from the card: to its PDF, to itself in the other language."""

    path: str
    words: str
    language: str


def report_card(
    session: Session, release: Release, *, catalogue: Catalogue, made_up: bool = False, language: Language = ENGLISH
) -> ReportCard:
    """The card of a release, from its public tables."""
    milestones = tuple(
        _milestone(session, release, number=number, indicator=indicator, catalogue=catalogue, language=language)
        for number, indicator in enumerate(indicator_sets().core, start=1)
    )
    contributors = tuple(
        _contributor(session, release, one, language=language) for one in indicator_sets().contributing
    )
    return ReportCard(release, language, made_up, catalogue.target_year, milestones, contributors)


def render(card: ReportCard, *, ways: Sequence[Way] = ()) -> str:
    """The card as one HTML file; `ways` lead on from it where a hub serves it."""
    style = resources.files("hub.release").joinpath("templates", "report_card.css").read_text("utf-8")
    template = _environment().get_template("report_card.html")
    return template.render(card=card, say=card.language.say, readings=READINGS, ways=ways, style=Markup(style))  # noqa: S704


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hub.release"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _milestone(
    session: Session, release: Release, *, number: int, indicator: str, catalogue: Catalogue, language: Language
) -> Milestone:
    totals = read_slice(session, release.id, wanted=Slice(indicator, "total")).cells
    latest = max(totals, key=lambda cell: cell.cohort_year, default=None)
    cells = () if latest is None else _latest_groups(session, release, indicator=indicator, year=latest.cohort_year)
    gaps = tuple(
        gap_series(session, release.id, indicator=indicator, pair=pair, catalogue=catalogue)
        for pair in catalogue.gaps
        if catalogue.table(indicator, name=pair.table) is not None
    )
    groups = tuple(_group_row(cell, language) for cell in cells)
    return Milestone(
        number=number,
        id=indicator,
        title=indicator_title(indicator, language),
        words=indicators().get(indicator),
        year=None if latest is None else latest.cohort_year,
        rate=_latest_rate(latest, language),
        rate_untold=latest is not None and rate_untold(latest),
        counted=""
        if latest is None or latest.known is None
        else language.say("{number} counted", number=language.number(latest.known)),
        trend=_trend(totals, language),
        gaps=tuple(_gap_view(series, target_year=catalogue.target_year, language=language) for series in gaps),
        splits=tuple((name, tuple(rows)) for name, rows in groupby(groups, key=lambda row: row.split)),
        group_chart=_drawn(_groups_chart(cells, language)) if cells else None,
        hidden=_hidden_words(groups, language),
        coverage=coverage_note(() if latest is None else (latest,), language),
        citation=citation(indicator, release=release, language=language),
        state=state_lines(totals, state_figures(session, indicator), language=language),
        provisional=latest is not None and latest.provisional,
    )


def _latest_rate(latest: PublishedCell | None, language: Language) -> str:
    return language.say("not yet observed") if latest is None else rate_words(latest, language)


def _groups_chart(cells: Sequence[PublishedCell], language: Language) -> Spec:
    return dot_chart([dot_row(cell, split=next(iter(cell.levels)), language=language) for cell in cells], language)


def _contributor(session: Session, release: Release, one: Contribution, *, language: Language) -> Contributor:
    totals = read_slice(session, release.id, wanted=Slice(one.indicator, "total")).cells
    latest = max(totals, key=lambda cell: cell.cohort_year, default=None)
    words = indicators()[one.indicator]
    return Contributor(
        id=one.indicator,
        title=language.say(words.title),
        toward=indicator_title(one.toward, language),
        better=language.say(words.better),
        definition=language.say(words.definition),
        year=None if latest is None else latest.cohort_year,
        rate=_latest_rate(latest, language),
        rate_untold=latest is not None and rate_untold(latest),
        trend=_trend(totals, language),
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


def _gap_view(series: GapSeries, *, target_year: int, language: Language) -> GapView:
    pair = series.pair
    drawable = any(point.gap is not None for point in series.points)
    chart = gap_chart(series.points, series.pace, target_year=target_year, language=language)
    return GapView(
        title=language.say(pair.title),
        sentence=gap_sentence(series, target_year=target_year, language=language),
        pace=series.pace,
        spec=chart if drawable else None,
        reference=level_label(pair.dimension, pair.reference, language),
        group=level_label(pair.dimension, pair.group, language),
        rows=tuple((point.cohort_year, _gap_row(point, language)) for point in series.points),
    )


def _gap_row(point: GapPoint, language: Language) -> tuple[Words, ...]:
    rates = (
        Words(
            range_words(one.rate, one.low, high=one.high, language=language),
            range_untold(one.rate, one.low, high=one.high),
        )
        for one in (point.reference, point.group)
    )
    return (*rates, Words(gap_words(point, language), point.gap is None and point.low is None))


def _group_row(cell: PublishedCell, language: Language) -> GroupRow:
    split, level = next(iter(cell.levels.items()))
    return GroupRow(
        split=dimension_title(split, language),
        dimension=split,
        level=level,
        group=level_label(split, level, language),
        rate=rate_words(cell, language),
        counted=language.say(HIDDEN_REASON) if cell.known is None else language.number(cell.known),
        hidden=rate_untold(cell),
        uncounted=cell.known is None,
    )


def _hidden_words(groups: Sequence[GroupRow], language: Language) -> str:
    hidden = [row.group for row in groups if row.hidden]
    if not hidden:
        return language.say("Nothing had to be hidden in these groups.")
    return language.say(
        "Hidden to protect students: {groups}. Groups of ten or fewer are never shown, and others are "
        "hidden with them where a hidden number could be worked out from what is shown.",
        groups=", ".join(hidden),
    )


def _trend(totals: Sequence[PublishedCell], language: Language) -> Markup | None:
    """A small line of the rate of all; a year that is hidden or a range leaves a break."""
    points = [(cell.cohort_year, cell.rate) for cell in totals]
    shown = [(year, rate) for year, rate in points if rate is not None]
    if len(shown) < 2:
        return None
    first, last = points[0][0], points[-1][0]
    places = [(4 + 92 * (year - first) / (last - first), 26 - 0.22 * rate) for year, rate in shown]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    words = language.say(
        "From {first} % in {since} to {last} % in {until}",
        first=shown[0][1],
        since=shown[0][0],
        last=shown[-1][1],
        until=shown[-1][0],
    )
    return Markup('<svg viewBox="0 0 100 30" class="trend" role="img" aria-label="{}">{}</svg>').format(
        words,
        Markup('<polyline points="{}"/><circle cx="{:.1f}" cy="{:.1f}" r="3"/>').format(line, x, y),
    )


def _drawn(spec: Spec) -> Markup:
    return Markup(draw(spec))  # noqa: S704 (drawn by us; labels are escaped by the drawing)
