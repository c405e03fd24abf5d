"""The explorer: one question as a plain GET form, its answer as chart, table, notes, citation and the same query."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from hub.release.answers import citation
from hub.release.asking import Asker
from hub.release.charts import dot_chart, dot_row, draw
from hub.release.questions import Observations
from hub.release.slices import PublishedCell
from hub.release.words import dimension_title, indicator_title, level_label, rate_words
from policies.agreements import Agreement, in_force
from policies.catalogue_files import Catalogue, CatalogueTable
from policies.disclosure.types import TOTAL
from policies.principal import Role

CHART_ROWS_MAX = 40


@dataclass(frozen=True)
class Choice:
    """One option of a select."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True)
class Form:
    """The form as it stands: what may be chosen, and what is."""

    indicators: tuple[Choice, ...]
    splits: tuple[Choice, ...]
    licences: tuple[Choice, ...]
    first_year: str
    last_year: str


@dataclass(frozen=True)
class TableRow:
    """One row of the answer in words; `hidden` marks a row without numbers."""

    year: int
    levels: tuple[str, ...]
    rate: str
    counted: str
    coverage: str
    hidden: bool


@dataclass(frozen=True)
class View:
    """An answer as it is shown."""

    title: str
    splits: tuple[str, ...]
    rows: tuple[TableRow, ...]
    chart: Markup | None
    chart_words: str
    notes: tuple[str, ...]
    citation: str
    query: str
    python: str
    r: str


def form_for(asker: Asker, *, catalogue: Catalogue, indicator: str, by: str, years: tuple[str, str]) -> Form:
    """The choices that this asker has; linked splits stand there for partners only."""
    tables = [table for table in catalogue.tables.get(indicator, ()) if may_choose(asker, table)]
    purposes = purposes_of(asker)
    chosen = f"{asker.agreement}/{asker.purpose}"
    return Form(
        indicators=tuple(Choice(name, indicator_title(name), name == indicator) for name in catalogue.indicators),
        splits=tuple(Choice(",".join(t.dimensions), t.title, ",".join(t.dimensions) == by) for t in tables),
        licences=tuple(Choice(value, words, value == chosen) for value, words in purposes),
        first_year=years[0],
        last_year=years[1],
    )


def may_choose(asker: Asker, table: CatalogueTable) -> bool:
    """Whether a split is offered; whether it is answered is decided on the agreement."""
    return table.audience == "public" or bool(licences_of(asker))


def licences_of(asker: Asker) -> Sequence[Agreement]:
    """The licences in force of the asker's organisation."""
    if Role.PARTNER not in asker.principal.roles:
        return ()
    return [
        agreement
        for agreement in in_force(asker.agreements, asker.day)
        if agreement.tier == "DUL" and asker.principal.organisation in agreement.licensees()
    ]


def purposes_of(asker: Asker) -> list[tuple[str, str]]:
    """Each licence with each of its purposes: the value of the form and its words."""
    return [
        (f"{licence.id}/{purpose.id}", f"{licence.id}: {purpose.text}")
        for licence in licences_of(asker)
        for purpose in licence.purposes
    ]


def first_licence(asker: Asker) -> str:
    """What the form begins with: the first licence and purpose, or none."""
    return next((value for value, _ in purposes_of(asker)), "")


def view_of(found: Observations, *, indicator: str, query: Sequence[tuple[str, str]], address: str) -> View:
    """The answer in words, with a chart of the latest year where it is small enough to read."""
    rows = tuple(_row(cell, found.table.dimensions) for cell in found.cells)
    chart, words = _chart(found)
    link = urlencode([pair for pair in query if pair[1]])
    url = f"{address}/v1/observations?{link}"
    return View(
        title=f"{indicator_title(indicator)}, {found.table.title.lower()}",
        splits=tuple(dimension_title(name) for name in found.table.dimensions),
        rows=rows,
        chart=chart,
        chart_words=words,
        notes=found.notes,
        citation=f"{citation(indicator, release=found.release)} {url}",
        query=f"/v1/observations?{link}",
        python=_python_lines(query, address),
        r=f'readr::read_csv("{url}&format=csv")',
    )


def _row(cell: PublishedCell, dimensions: Sequence[str]) -> TableRow:
    coverage = "" if cell.coverage_low is None else f"{cell.coverage_low} to {cell.coverage_high} %"
    return TableRow(
        year=cell.cohort_year,
        levels=tuple(level_label(name, cell.levels[name]) for name in dimensions),
        rate=rate_words(cell),
        counted="" if cell.known is None else f"{cell.known:,}",
        coverage="all" if (cell.coverage_low, cell.coverage_high) == (100, 100) else coverage,
        hidden=cell.hidden,
    )


def _chart(found: Observations) -> tuple[Markup | None, str]:
    latest = max((cell.cohort_year for cell in found.cells), default=None)
    cells = [cell for cell in found.cells if cell.cohort_year == latest and not _summed(cell)]
    if not cells or len(cells) > CHART_ROWS_MAX:
        return None, ""
    rows = [dot_row(cell, split="") for cell in cells]
    told = "; ".join(f"{row.group} {row.label}" for row in rows)
    return Markup(draw(dot_chart(rows))), f"Rates in {latest}: {told}."  # noqa: S704 (drawn by us)


def _summed(cell: PublishedCell) -> bool:
    return TOTAL in cell.levels.values()


def _python_lines(query: Sequence[tuple[str, str]], address: str) -> str:
    named = ", ".join(f'{name}="{value}"' for name, value in query if value)
    return f'from hub.client import Client\nClient("{address}", token="...").observations({named})'
