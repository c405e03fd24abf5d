"""The answer of the explorer in words: charts, rows, notes, gaps, the state's figure, citation, the same query.

Every number here stands in the answer of the API to the same question.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from markupsafe import Markup

from hub.languages import ENGLISH, Language
from hub.release.answers import citation
from hub.release.asking import Question
from hub.release.charts import Course, Mark, course_chart, draw
from hub.release.pictures import chart_words, latest_chart
from hub.release.questions import Observations
from hub.release.slices import PublishedCell
from hub.release.state_lines import StateLine
from hub.release.words import (
    EVERYBODY,
    coverage_words,
    dimension_title,
    indicator_title,
    level_label,
    rate_untold,
    rate_words,
)
from policies.disclosure.types import TOTAL
from policies.indicator_files import Indicator, indicators

COURSES_MAX = 12
"""More groups than this are no longer told apart in small panels."""


@dataclass(frozen=True)
class TableRow:
    """One row of the answer in words; `hidden` marks a row without numbers."""

    year: int
    levels: tuple[str, ...]
    rate: str
    counted: str
    coverage: str
    hidden: bool
    untold: bool


@dataclass(frozen=True)
class Beside:
    """What stands beside the rows: sentences on gaps, and the state's figures."""

    gaps: tuple[str, ...] = ()
    state: tuple[StateLine, ...] = ()


@dataclass(frozen=True)
class View:
    """An answer as it is shown."""

    indicator: str
    title: str
    words: Indicator | None
    splits: tuple[str, ...]
    rows: tuple[TableRow, ...]
    chart: Markup | None
    chart_words: str
    courses: Markup | None
    courses_words: str
    beside: Beside
    notes: tuple[str, ...]
    citation: str
    query: str
    address: str
    python: str
    r: str


def view_of(
    found: Observations,
    question: Question,
    *,
    licence: Sequence[tuple[str, str]],
    address: str,
    beside: Beside,
    language: Language = ENGLISH,
) -> View:
    """The answer in words, with a chart of the newest year and one of the years where they are small enough to read."""
    query = [*_query(question, found), *licence]
    link = urlencode([pair for pair in query if pair[1]])
    drawn = replace(found, cells=tuple(_apart(cell, question) for cell in found.cells))
    chart, courses = latest_chart(drawn, language), _courses(drawn.cells, language)
    cited = citation(question.indicator, release=found.release, language=language)
    return View(
        indicator=question.indicator,
        title=_title(found, question, language),
        words=indicators().get(question.indicator),
        splits=tuple(dimension_title(name, language) for name in found.table.dimensions),
        rows=tuple(_row(cell, found.table.dimensions, language=language) for cell in found.cells),
        chart=None if chart is None else _drawn(draw(chart)),
        chart_words=chart_words(drawn, language),
        courses=_drawn(draw(course_chart(courses, language))) if courses else None,
        courses_words=_courses_words(courses),
        beside=beside,
        notes=found.notes,
        citation=f"{cited} {address}/v1/observations?{link}",
        query=f"/v1/observations?{link}",
        address=f"{address}/v1/observations?{link}",
        python=_python_lines(query, address=address, signed=bool(licence)),
        r=_r_lines(f"{address}/v1/observations?{link}&format=csv", cited=cited, signed=bool(licence)),
    )


def totals_of(found: Observations) -> tuple[PublishedCell, ...]:
    """The rows of everybody, one a year."""
    return tuple(cell for cell in found.cells if all(level == TOTAL for level in cell.levels.values()))


def _query(question: Question, found: Observations) -> list[tuple[str, str]]:
    """The question as the API takes it, with the release named, so that it finds the same numbers for ever."""
    years = sorted({cell.cohort_year for cell in found.cells})
    bounds = (question.first_year or min(years, default=None), question.last_year or max(years, default=None))
    return [
        ("indicator", question.indicator),
        ("by", ",".join(found.table.dimensions)),
        ("cohort", "" if None in bounds else f"{bounds[0]}..{bounds[1]}"),
        *(("level", f"{name}:{level}") for name, level in question.levels.items()),
        ("release", found.release.id),
    ]


def _title(found: Observations, question: Question, language: Language) -> str:
    apart = [name for name in found.table.dimensions if name not in question.levels]
    split = ", ".join(dimension_title(name, language).lower() for name in apart) or language.say("all")
    only = ", ".join(level_label(name, level, language) for name, level in question.levels.items())
    title = f"{indicator_title(question.indicator, language)}, {split}"
    return language.say("{title}; only: {only}", title=title, only=only) if only else title


def _apart(cell: PublishedCell, question: Question) -> PublishedCell:
    """The cell without the dimension of which one level is asked, which the title names."""
    left = {name: level for name, level in cell.levels.items() if name not in question.levels}
    return replace(cell, levels=left)


def _row(cell: PublishedCell, dimensions: Sequence[str], *, language: Language) -> TableRow:
    return TableRow(
        year=cell.cohort_year,
        levels=tuple(level_label(name, cell.levels[name], language) for name in dimensions),
        rate=rate_words(cell, language),
        counted="" if cell.known is None else language.number(cell.known),
        coverage=coverage_words(cell.coverage_low, cell.coverage_high, language=language),
        hidden=cell.hidden,
        untold=rate_untold(cell),
    )


def _courses(cells: Sequence[PublishedCell], language: Language) -> tuple[Course, ...]:
    """Each group over the years; none where there is one year, or too many groups to tell apart."""
    years = sorted({cell.cohort_year for cell in cells})
    groups: dict[str, list[Mark]] = {}
    for cell in cells:
        named = [level_label(split, level, language) for split, level in cell.levels.items()]
        groups.setdefault(", ".join(named) or language.say(EVERYBODY), []).append(_mark(cell, language))
    if len(years) < 2 or len(groups) > COURSES_MAX:
        return ()
    return tuple(Course(name, tuple(marks)) for name, marks in groups.items())


def _mark(cell: PublishedCell, language: Language) -> Mark:
    words = rate_words(cell, language)
    if rate_untold(cell):
        return Mark(cell.cohort_year, None, None, None, words)
    return Mark(cell.cohort_year, cell.rate, cell.rate_low, cell.rate_high, words)


def _courses_words(courses: Sequence[Course]) -> str:
    told = (f"{one.group}: " + ", ".join(f"{mark.year} {mark.words}" for mark in one.marks) for one in courses)
    return "; ".join(told) + "."


def _python_lines(query: Sequence[tuple[str, str]], *, address: str, signed: bool) -> str:
    named = ", ".join(f'{name}="{value}"' for name, value in query if value)
    token = ', token=os.environ["PROMISE_HUB_TOKEN"]' if signed else ""
    first = "import os\n\n" if signed else ""
    return (
        f"{first}from hub.client import Client\n\n"
        f'with Client("{address}"{token}) as hub:\n    answer = hub.observations({named})\n'
        "frame = answer.frame()  # needs pandas; answer.rows does not\nprint(answer.citation)"
    )


def _r_lines(url: str, *, cited: str, signed: bool) -> str:
    token = '  req_auth_bearer_token(Sys.getenv("PROMISE_HUB_TOKEN")) |>\n' if signed else ""
    read = "  req_perform() |> resp_body_string() |> I() |> readr::read_csv()"
    return f'# {cited}\nlibrary(httr2)\nrequest("{url}") |>\n{token}{read}'


def _drawn(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 (drawn by us; labels are escaped by the drawing)
