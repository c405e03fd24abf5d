"""What an outsider could collect, in one file: every cell ever published, for anybody who wants to attack it.

`cells.csv` has one row a cell, `hierarchies.json` says which levels add up to which.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit import service as audit_log
from hub.audit.events import AuditTrail, EventType
from hub.errors import StoreError
from hub.release.service import PUBLISHED, REPLACED, released_cell
from hub.release.tables import ReleaseBlockRow, ReleasedBlockRow, ReleasedCellRow, ReleaseRow
from policies.disclosure.types import ReleasedCell

FIRST_COLUMNS = ("indicator", "cohort_year", "vintage", "table")
LAST_COLUMNS = (
    "n",
    "known",
    "k",
    "rate",
    "rate_low",
    "rate_high",
    "coverage_low",
    "coverage_high",
    "status",
)


@dataclass(frozen=True)
class Export:
    """Two files as text."""

    cells: str
    hierarchies: str


def export_published(session: Session, *, audit: AuditTrail) -> Export:
    """Every cell of every release that is or was public, with its event."""
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
    equations = [json.loads(text) for text in session.scalars(select(ReleasedBlockRow.equations))]
    audit_log.append(
        session, audit, EventType.RELEASE_EXPORTED, resource="releases/published", counts={"cells": len(cells)}
    )
    return Export(cells_csv(cells), hierarchies_json(equations))


def cells_csv(cells: Iterable[ReleasedCell]) -> str:
    """One row a cell: a dimension's level, `Total` where summed, empty where the table has it not."""
    rows = list(cells)
    dimensions = sorted({name for cell in rows for name, _ in cell.levels})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*FIRST_COLUMNS, *dimensions, *LAST_COLUMNS])
    for cell in rows:
        levels = dict(cell.levels)
        writer.writerow(
            [cell.indicator, cell.cohort_year, cell.vintage, cell.table]
            + [levels.get(name, "") for name in dimensions]
            + ["" if (value := getattr(cell, column)) is None else value for column in LAST_COLUMNS]
        )
    return out.getvalue()


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
