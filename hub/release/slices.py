"""Slices of a release: the only numbers that an answer, page, download or report card may show.

Reads released cells and nothing else; there is no way from here to persons, snapshots or facts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Select, and_, select, tuple_
from sqlalchemy.orm import Session

from hub.languages import message
from hub.release.tables import ReleaseBlockRow, ReleasedBlockRow, ReleasedCellRow
from policies.disclosure.types import CONFIDENTIAL

# One reason for everybody outside the compliance office: which kind of protection it was would itself tell.
HIDDEN_REASON = message("hidden to protect students")
RANGE_REASON = "given as a range to protect students"
PROVISIONAL_REASON = "provisional: count rounded to ten, rate given as a range"
PROVISIONAL_ROOM = 5
"""A provisional count rounded to ten may stand for one so much smaller."""

PROVISIONAL = "provisional"
"""How the vintage of a provisional figure begins (policies.disclosure.provisional, which is too heavy to load here)."""


@dataclass(frozen=True)
class PublishedCell:
    """One released cell as it may be read; hidden numbers are None and the status is `C`."""

    indicator: str
    cohort_year: int
    vintage: str
    ordinal: int
    table: str
    levels: Mapping[str, str]
    n: int | None
    known: int | None
    k: int | None
    rate: int | None
    rate_low: int | None
    rate_high: int | None
    coverage_low: int | None
    coverage_high: int | None
    status: str
    status_reason: str
    definition_version: str

    @property
    def hidden(self) -> bool:
        """Whether the whole cell is withheld."""
        return self.status == CONFIDENTIAL

    @property
    def provisional(self) -> bool:
        """Whether the figure is provisional: its count rounded to ten, its rate in a band."""
        return self.vintage.startswith(PROVISIONAL)

    def row(self, release: str) -> dict[str, str | int | None]:
        """The row of an answer, its dimensions first."""
        return {
            "indicator": self.indicator,
            "cohort_year": self.cohort_year,
            **self.levels,
            "n": self.n,
            "known": self.known,
            "k": self.k,
            "rate": self.rate,
            "rate_low": self.rate_low,
            "rate_high": self.rate_high,
            "coverage_low": self.coverage_low,
            "coverage_high": self.coverage_high,
            "status": self.status,
            "status_reason": self.status_reason,
            "release": release,
            "vintage": self.vintage,
            "definition_version": self.definition_version,
        }


@dataclass(frozen=True)
class Cursor:
    """The place after which the next page begins."""

    cohort_year: int
    vintage: str
    ordinal: int


@dataclass(frozen=True)
class Slice:
    """What is wanted of a release: one declared table of one indicator, years and levels, a page of it."""

    indicator: str
    table: str
    first_year: int | None = None
    last_year: int | None = None
    levels: Mapping[str, str] | None = None
    after: Cursor | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Page:
    """Cells in the order of the ledger, and where the next page begins if there is more."""

    cells: tuple[PublishedCell, ...]
    next_cursor: Cursor | None


def read_slice(session: Session, release: str, *, wanted: Slice) -> Page:
    """The cells of a release that a slice names."""
    found = [
        _cell(row, version) for row, version in session.execute(_statement(release, wanted)) if _matches(row, wanted)
    ]
    if wanted.limit is None or len(found) <= wanted.limit:
        return Page(tuple(found), None)
    last = found[wanted.limit - 1]
    return Page(tuple(found[: wanted.limit]), Cursor(last.cohort_year, last.vintage, last.ordinal))


def cohort_years(session: Session, release: str) -> Mapping[str, tuple[int, ...]]:
    """The cohort years that a release shows, by indicator."""
    rows = session.execute(
        select(ReleaseBlockRow.indicator, ReleaseBlockRow.cohort_year)
        .where(ReleaseBlockRow.release == release)
        .distinct()
        .order_by(ReleaseBlockRow.indicator, ReleaseBlockRow.cohort_year)
    )
    years: dict[str, list[int]] = {}
    for indicator, year in rows:
        years.setdefault(indicator, []).append(year)
    return {indicator: tuple(found) for indicator, found in years.items()}


def hide_below(cells: Sequence[PublishedCell], *, min_n: int, numerator_min: int) -> tuple[PublishedCell, ...]:
    """The same cells with those withheld whole that a licence holds too small; a licence can only hide."""
    return tuple(_hidden(cell) if _too_small(cell, min_n, numerator_min=numerator_min) else cell for cell in cells)


def _too_small(cell: PublishedCell, min_n: int, *, numerator_min: int) -> bool:
    room = PROVISIONAL_ROOM if cell.provisional else 0
    return (cell.known is not None and cell.known - room < min_n) or (cell.k is not None and cell.k < numerator_min)


def _hidden(cell: PublishedCell) -> PublishedCell:
    return replace(
        cell,
        n=None,
        known=None,
        k=None,
        rate=None,
        rate_low=None,
        rate_high=None,
        coverage_low=None,
        coverage_high=None,
        status=CONFIDENTIAL,
        status_reason=HIDDEN_REASON,
    )


def _statement(release: str, wanted: Slice) -> Select[ReleasedCellRow, str]:
    same_block = and_(
        ReleaseBlockRow.release == release,
        ReleaseBlockRow.indicator == ReleasedCellRow.indicator,
        ReleaseBlockRow.cohort_year == ReleasedCellRow.cohort_year,
        ReleaseBlockRow.vintage == ReleasedCellRow.vintage,
    )
    block = and_(
        ReleasedBlockRow.indicator == ReleasedCellRow.indicator,
        ReleasedBlockRow.cohort_year == ReleasedCellRow.cohort_year,
        ReleasedBlockRow.vintage == ReleasedCellRow.vintage,
    )
    place = tuple_(ReleasedCellRow.cohort_year, ReleasedCellRow.vintage, ReleasedCellRow.ordinal)
    statement = (
        select(ReleasedCellRow, ReleasedBlockRow.definition_version)
        .join(ReleaseBlockRow, same_block)
        .join(ReleasedBlockRow, block)
        .where(ReleasedCellRow.indicator == wanted.indicator, ReleasedCellRow.table_name == wanted.table)
        .order_by(ReleasedCellRow.cohort_year, ReleasedCellRow.vintage, ReleasedCellRow.ordinal)
    )
    if wanted.first_year is not None:
        statement = statement.where(ReleasedCellRow.cohort_year >= wanted.first_year)
    if wanted.last_year is not None:
        statement = statement.where(ReleasedCellRow.cohort_year <= wanted.last_year)
    if wanted.after is not None:
        after = wanted.after
        statement = statement.where(place > tuple_(after.cohort_year, after.vintage, after.ordinal))
    return statement


def _matches(row: ReleasedCellRow, wanted: Slice) -> bool:
    if not wanted.levels:
        return True
    levels = json.loads(row.levels)
    return all(levels.get(dimension) == level for dimension, level in wanted.levels.items())


def _cell(row: ReleasedCellRow, definition_version: str) -> PublishedCell:
    """The cell of a row; of a withheld one no number is read, whatever stands there."""
    cell = PublishedCell(
        indicator=row.indicator,
        cohort_year=row.cohort_year,
        vintage=row.vintage,
        ordinal=row.ordinal,
        table=row.table_name,
        levels=json.loads(row.levels),
        n=row.n,
        known=row.known,
        k=row.k,
        rate=row.rate,
        rate_low=row.rate_low,
        rate_high=row.rate_high,
        coverage_low=row.coverage_low,
        coverage_high=row.coverage_high,
        status=row.status,
        status_reason=row.status_reason,
        definition_version=definition_version,
    )
    return replace(_hidden(cell), status_reason=row.status_reason) if cell.hidden else cell
