"""Reads one source file: recognise, parse, check every row; rows in are rows accepted and rows rejected.

The result holds clear identity and stays in memory at the edge; its repr shows counts only.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.decoding import refuse
from connectors.dragged import DateColumns
from connectors.findings import Finding, Findings
from connectors.grids import Grid
from connectors.lines import Line
from connectors.opening import open_source
from connectors.recognition import Recognised, recognise
from connectors.row_parsing import RowParser, school_year_of
from connectors.rows import RowReading
from connectors.source_map import EMPTY, SourceMap
from policies.rules.rulebook import REJECTED_SHARE_MAX

FEW_ROWS = 5
YEAR_SAMPLE_ROWS = 500
"""So many rows are enough to say a file's year aloud; whose rows count is found out from all of them."""
SHIFTED_CELLS_MIN, SHIFTED_CELLS_SURE = 3, 4
"""A row is shifted from four cells of its own that do not fit, or three that are over a quarter (our own choice)."""
COLUMN_AT_FAULT = 5
"""A column at fault in more than a fifth of the rows is at fault itself (our own choice)."""
_YEAR_IN_NAME = re.compile(r"(?<!\d)(20[0-4]\d)(?!\d)", re.ASCII)


@dataclass(frozen=True, repr=False)
class FileReading:
    """One file read: what it is, its rows in and out, what was found, and the rows that may be used."""

    name: str
    layout: str
    said: str
    kind: str
    school_year: int | None
    rows: int
    rejected: int
    findings: Findings
    readings: Sequence[tuple[int, RowReading]]

    @property
    def accepted(self) -> int:
        return self.rows - self.rejected

    def __repr__(self) -> str:
        return f"FileReading({self.name!r}, rows={self.rows}, rejected={self.rejected})"


def read_file(
    path: Path, *, source_map: SourceMap = EMPTY, school_year: int | None = None, latest: dt.date
) -> FileReading:
    """The rows of one file of one part; raises FileRefusedError. For sets of several parts: read_source.

    Rows of another school year than the one named are rejected. latest is the last day that a birth date may have.
    """
    (grid,) = grids_of(path, source_map)
    return read_rows(grid, source_map=source_map, school_year=school_year, latest=latest)


def grids_of(path: Path, source_map: SourceMap = EMPTY) -> Sequence[Grid]:
    """The parts of a file, folder or archive; raises FileRefusedError."""
    entry = source_map.entry_for(path.name)
    if entry is None:
        return open_source(path)
    return open_source(path, delimiter=entry.delimiter, positions=entry.positions)


def read_rows(
    grid: Grid, *, source_map: SourceMap = EMPTY, school_year: int | None = None, latest: dt.date
) -> FileReading:
    """The rows of one part, each accepted or rejected; raises FileRefusedError."""
    layout = recognise(grid, source_map)
    findings = Findings(Finding(code, 0) for code in grid.notes)
    for code, number, title in grid.remarks:
        findings.add(Finding(code, number, title))
    rows = grid.lines[layout.first_row :]
    year = school_year or _common_year(layout, rows)
    parsed = RowParser(layout, year=year, latest=latest)
    dates = DateColumns(layout, latest=latest)
    readings: list[tuple[int, RowReading]] = []
    for line in rows:  # once: a line is cut into cells anew each time it is looked at
        dates.see(line.cells)
        reading = parsed.read(line, findings)
        if reading is not None:
            readings.append((line.number, reading))
    for place, title in dates.dragged():
        findings.add(Finding("DAT-006", rows[place].number, title))
    readings = _without_shifted(readings, rows, layout, findings)
    rejected = len(rows) - len(readings)
    _check_whole(grid, parsed, rows=len(rows), rejected=rejected, findings=findings)
    said = layout.said(_common_year(layout, rows[:YEAR_SAMPLE_ROWS]) or year_of_name(grid.name))
    return FileReading(grid.name, layout.layout, said, layout.kind, year, len(rows), rejected, findings, readings)


def _without_shifted(
    readings: list[tuple[int, RowReading]], rows: Sequence[Line], layout: Recognised, findings: Findings
) -> list[tuple[int, RowReading]]:
    """The readings without rows that are shifted: what is wrong in their cells is one finding, ROW-008.

    Faults of a column that stand in more than a fifth of the rows are the column's, not the row's.
    """
    common_in = len(rows) // COLUMN_AT_FAULT
    wrong = {row: count for row, count in findings.of_rows(common_in=common_in).items() if count >= SHIFTED_CELLS_MIN}
    if not wrong:
        return readings
    used = [place for place, *_ in layout.places]
    shifted = frozenset(
        line.number
        for line in rows
        if line.number in wrong
        and (
            wrong[line.number] >= SHIFTED_CELLS_SURE
            or 4 * wrong[line.number] > sum(1 for place in used if place < len(line.cells) and line.cells[place])
        )
    )
    findings.fold(shifted, "ROW-008", common_in=common_in)
    return [reading for reading in readings if reading[0] not in shifted]


def year_of_name(name: str) -> int | None:
    """The one year that a file's name holds, as the state's file names do; None when it holds none or several."""
    years = set(_YEAR_IN_NAME.findall(name))
    return int(years.pop()) if len(years) == 1 else None


def _check_whole(grid: Grid, parsed: RowParser, *, rows: int, rejected: int, findings: Findings) -> None:
    if rows and parsed.other_years == rows:
        raise refuse("FIL-016", grid.name)
    faulty = rejected - parsed.left_out
    if rows > FEW_ROWS and faulty > rows * REJECTED_SHARE_MAX:
        worst = next(cause for cause in findings.causes() if cause.rule.severity == "reject")
        place = f" in column {worst.column}" if worst.column else ""
        told = f"{faulty} of {rows}; most of all {worst.rule.code}{place}: {worst.rule.cause}"
        refusal = refuse("FIL-010", grid.name, told)
        refusal.findings, refusal.rows = findings, rows
        raise refusal
    if rows <= FEW_ROWS:
        findings.add(Finding("FIL-015", 0))


def _common_year(layout: Recognised, rows: Sequence[Line]) -> int | None:
    place = next((place for place, column, _ in layout.places if column.name == "year"), None)
    if place is None:
        return None
    years = Counter(school_year_of(line.cells[place]) for line in rows if place < len(line.cells))
    years.pop(None, None)
    return years.most_common(1)[0][0] if years else None
