"""Rows that a system hands over as JSON, laid into the inbox as a mapped file with its entry of a source map.

inbox/YEAR/service.KIND.TABLE.csv    the rows; the titles are the names of elements
service.yaml                         what these files mean; made here, in the form of sources.yaml
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.batches import last_day, read_reports
from connectors.errors import MappingError
from connectors.reports import FileReport
from connectors.source_map import MappedFile, SourceMap, check_entry
from connectors.workspace import SERVICE_MAP_FILE, Workspace, write_whole

_ELEMENT = re.compile(r"[a-z][a-z0-9_]{0,40}(\.[a-z][a-z0-9_]{0,40})?", re.ASCII)
ROWS_MAX = 1_000_000


def lay_in(
    workspace: Workspace, rows: Any, *, kind: str, table: str, school_year: int, today: dt.date
) -> Sequence[FileReport]:
    """The rows in the inbox in place of those of the table before; what was found in them. Refused rows are not kept.

    Raises MappingError for rows that are no rows, and for names that are no elements.
    """
    names, text = _as_csv(rows)
    entry = MappedFile(
        pattern=f"service.{kind}.{table}.csv", layout="mapped", kind=kind, table=table,
        titles={name: name for name in names},
    )  # fmt: skip
    check_entry(entry)
    folder = workspace.inbox / str(school_year)
    folder.mkdir(parents=True, exist_ok=True)
    trial = folder / f".service.{kind}.{table}.csv"
    write_whole(trial, text.encode())
    own = SourceMap(files=(entry.model_copy(update={"pattern": trial.name}),))
    latest = last_day(school_year, today)
    reports = read_reports([trial], source_map=own, school_year=school_year, latest=latest)
    if any(report.refusal is not None for report in reports):
        trial.unlink()
        return reports
    _keep(workspace, entry)
    trial.replace(folder / entry.pattern)
    return reports


def _keep(workspace: Workspace, entry: MappedFile) -> None:
    """The entry beside those of the other tables; written before its file, which nobody could read without it."""
    others = [one for one in workspace.service_map().files if one.pattern != entry.pattern]
    written = {"version": "1", "files": [_plain(one) for one in (*others, entry)]}
    # JSON is YAML: no writer of YAML may change what a name means.
    write_whole(workspace.inbox.parent / SERVICE_MAP_FILE, json.dumps(written, indent=1).encode())


def _plain(entry: MappedFile) -> dict[str, Any]:
    return {
        "pattern": entry.pattern,
        "layout": entry.layout,
        "kind": entry.kind,
        "table": entry.table,
        "titles": dict(entry.titles),
    }


def _as_csv(rows: Any) -> tuple[list[str], str]:
    """The names of all elements, and the rows as text; raises MappingError MAP-007 with the row, never the value."""
    if not isinstance(rows, list) or not rows or len(rows) > ROWS_MAX:
        raise MappingError("MAP-007", "There are no rows.", "Send {rows: [{element: value}]}.")
    names: dict[str, None] = {}
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping) or not all(_ELEMENT.fullmatch(str(name)) for name in row):
            raise MappingError("MAP-007", f"Row {number} is no row of elements.", "Send {element: value}.")
        names |= dict.fromkeys(row)
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(names)
    table.writerows([_cell(row.get(name), number) for name in names] for number, row in enumerate(rows, start=1))
    return list(names), written.getvalue()


def _cell(value: Any, number: int) -> str:
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not (text.isprintable() or text == ""):
        raise MappingError("MAP-007", f"Row {number} holds what is no text or number.", "Send text, number or null.")
    return text
