"""What an outsider could collect, in one file: every cell ever published, for anybody who wants to attack it.

`cells.csv` has one row a cell, `hierarchies.json` says which levels add up to which, `links.json` which indicators
count the same persons. In `cells.csv`, `n` is the denominator (persons whose outcome is known) and `k` the numerator,
as in the state's files; `persons` counts unknown outcomes too, where that is told.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from hub.audit import service as audit_log
from hub.audit.events import AuditTrail, EventType
from hub.errors import StoreError
from hub.release.draft import status_reason
from hub.release.requests.service import catalogue_to_ask
from hub.release.service import PUBLISHED, REPLACED, released_cell
from hub.release.tables import ReleaseBlockRow, ReleasedBlockRow, ReleasedCellRow, ReleaseRow
from policies.catalogue_files import Catalogue
from policies.disclosure.types import TOTAL, ReleasedCell

FIRST_COLUMNS = ("indicator", "cohort_year", "vintage", "table")
LAST_COLUMNS = {
    "n": "known",
    "k": "k",
    "rate": "rate",
    "rate_low": "rate_low",
    "rate_high": "rate_high",
    "status": "status",
}
"""Column of the file: field of a released cell."""

FURTHER_COLUMNS = {"persons": "n", "coverage_low": "coverage_low", "coverage_high": "coverage_high"}
RECIPIENT = "recipient_class"
REASON = "status_reason"
PARTNER = "partner"
"""Who may read a table that the catalogue no longer holds: never more than partners under a licence."""


@dataclass(frozen=True)
class Export:
    """Three files as text."""

    cells: str
    hierarchies: str
    links: str


def export_published(session: Session, *, catalogue: Catalogue, audit: AuditTrail) -> Export:
    """Every cell of every release that is or was public, with its event."""
    catalogue = catalogue_to_ask(session, catalogue)
    published = select(ReleaseRow.id).where(ReleaseRow.state.in_([PUBLISHED, REPLACED]))
    shown = select(ReleaseBlockRow.indicator, ReleaseBlockRow.cohort_year, ReleaseBlockRow.vintage).where(
        ReleaseBlockRow.release.in_(published)
    )
    keys = {tuple(row) for row in session.execute(shown)}
    in_order = select(ReleasedCellRow).order_by(
        ReleasedCellRow.indicator, ReleasedCellRow.cohort_year, ReleasedCellRow.vintage, ReleasedCellRow.ordinal
    )
    cells = [
        released_cell(row) for row in session.scalars(in_order) if (row.indicator, row.cohort_year, row.vintage) in keys
    ]
    blocks = [row for row in session.scalars(_blocks()) if (row.indicator, row.cohort_year, row.vintage) in keys]
    equations = [json.loads(row.equations) for row in blocks]
    audit_log.append(
        session, audit, EventType.RELEASE_EXPORTED, resource="releases/published", counts={"cells": len(cells)}
    )
    links = [
        {"indicator": row.indicator, "cohort_year": row.cohort_year, **_shared(equation)}
        for row, equation in zip(blocks, equations, strict=True)
    ]
    return Export(cells_csv(cells, catalogue=catalogue), hierarchies_json(equations), links_json(links))


def cells_csv(cells: Iterable[ReleasedCell], *, catalogue: Catalogue) -> str:
    """One row a cell: of each dimension its level, `Total` where summed, also where the table is not split by it."""
    rows = list(cells)
    dimensions = sorted({name for cell in rows for name, _ in cell.levels})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*FIRST_COLUMNS, *dimensions, *LAST_COLUMNS, RECIPIENT, *FURTHER_COLUMNS, REASON])
    for cell in rows:
        levels = dict(cell.levels)
        writer.writerow(
            [cell.indicator, cell.cohort_year, cell.vintage, cell.table]
            + [levels.get(name, TOTAL) for name in dimensions]
            + [_field(cell, name) for name in LAST_COLUMNS.values()]
            + [_recipients(cell, catalogue), *(_field(cell, name) for name in FURTHER_COLUMNS.values())]
            + [status_reason(cell)]
        )
    return out.getvalue()


def _field(cell: ReleasedCell, name: str) -> object:
    value = getattr(cell, name)
    return "" if value is None else value


def _recipients(cell: ReleasedCell, catalogue: Catalogue) -> str:
    table = catalogue.table(cell.indicator, name=cell.table)
    return PARTNER if table is None else table.audience


def links_json(links: Iterable[Mapping[str, object]]) -> str:
    """Of each indicator and cohort year, which population it counts and whose numerator it is about."""
    seen = {json.dumps(link, sort_keys=True): link for link in links}
    return json.dumps([seen[key] for key in sorted(seen)], sort_keys=True, indent=1) + "\n"


def _blocks() -> Select[ReleasedBlockRow]:
    return select(ReleasedBlockRow).order_by(
        ReleasedBlockRow.indicator, ReleasedBlockRow.cohort_year, ReleasedBlockRow.vintage
    )


def _shared(equation: Mapping[str, object]) -> dict[str, object]:
    return {name: equation.get(name, "") for name in ("population", "part_of")}


def hierarchies_json(equations: Iterable[Mapping[str, object]]) -> str:
    """Each dimension's levels with their parents, up to `Total`.

    Raises StoreError when a level has two parents: releases of two hierarchies cannot be checked together.
    """
    parents: dict[str, dict[str, str]] = {}
    for equation in equations:
        for dimension in _dimensions(equation):
            below = parents.setdefault(str(dimension["name"]), {})
            for level, parent in _parents(dimension).items():
                if below.setdefault(level, parent) != parent:
                    raise StoreError(f"A level of {dimension['name']} has two parents.", code="hierarchy-differs")
    return json.dumps(parents, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def _dimensions(equation: Mapping[str, object]) -> list[dict[str, object]]:
    found = equation["dimensions"]
    return found if isinstance(found, list) else []


def _parents(dimension: Mapping[str, object]) -> dict[str, str]:
    levels, parents = dimension["levels"], dimension["parents"]
    known = {str(child): str(parent) for child, parent in parents.items()} if isinstance(parents, dict) else {}
    leaves = {str(level): known.get(str(level), "Total") for level in levels} if isinstance(levels, list) else {}
    return {**{parent: "Total" for parent in known.values() if parent not in known}, **known, **leaves}
