"""Reads one source file: recognise, parse, check every row; rows in are rows accepted and rows rejected.

The result holds clear identity and stays in memory at the edge; its repr shows counts only.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from connectors.decoding import refuse
from connectors.findings import Finding, Findings
from connectors.grids import Grid, Line, read_grid
from connectors.layout_files import Column
from connectors.recognition import Recognised, recognise
from connectors.rows import RowReading
from connectors.source_map import EMPTY, SourceMap
from connectors.values import Parsed, Parser, Value
from policies.rules.rulebook import REJECTED_SHARE_MAX, leaves_row, rejects_row

FEW_ROWS = 5
_YEARS = re.compile(r"(\d{4})\D?(?:(\d{4})|(\d{2}))", re.ASCII)


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
    """The rows of one file; raises FileRefusedError. Rows of another school year than the one named are rejected.

    latest is the last day that a birth date may have.
    """
    entry = source_map.entry_for(path.name)
    grid = read_grid(path, delimiter=entry.delimiter if entry else None)
    layout = recognise(grid, source_map)
    findings = Findings(Finding(code, 0) for code in grid.notes)
    rows = grid.lines[layout.first_row :]
    year = school_year or _common_year(layout, rows)
    parsed = _RowParser(layout, year=year, latest=latest)
    readings = [(line.number, reading) for line in rows if (reading := parsed.read(line, findings)) is not None]
    rejected = len(rows) - len(readings)
    _check_whole(grid, parsed, rows=len(rows), rejected=rejected, findings=findings)
    return FileReading(
        path.name, layout.layout, layout.said, layout.kind, year, len(rows), rejected, findings, readings
    )


def _check_whole(grid: Grid, parsed: _RowParser, *, rows: int, rejected: int, findings: Findings) -> None:
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


_Cell = tuple[int, str, Column, Parser, dict[str, Parsed]]
"""Place, title, column, its parser, and what the parser made of the cells seen so far: most cells come again."""


class _RowParser:
    """Parses the lines of one file; counts those that are of another year or say that a record is gone."""

    def __init__(self, layout: Recognised, *, year: int | None, latest: dt.date) -> None:
        entry = layout.entry
        formats = entry.date_format if entry else ()
        codes = entry.codes if entry else {}
        self._layout = layout
        self._year = year
        self._cells: tuple[_Cell, ...] = tuple(
            (place, title, column, _parser(column.parser(latest=latest, formats=formats), codes.get(column.name)), {})
            for place, column, title in layout.places
        )
        self._missing = frozenset(entry.missing) if entry else frozenset()
        self._constants = _constants(layout)
        self.other_years = 0
        self.left_out = 0

    def read(self, line: Line, findings: Findings) -> RowReading | None:
        """The row understood, or None when it is rejected; what was found is added to findings."""
        if not _fits(line, self._layout):
            findings.add(Finding("ROW-001", line.number))
            return None
        values, found = self._values(line)
        reading = None if any(rejects_row(finding.code) for finding in found) else self._layout.read(values)
        if reading is not None and reading.codes:
            found.extend(Finding(code, line.number) for code in reading.codes)
        if "year" in values:
            found.extend(self._year_finding(str(values["year"]), line))
        return self._kept(reading, found, findings) if found else reading

    def _kept(self, reading: RowReading | None, found: Sequence[Finding], findings: Findings) -> RowReading | None:
        for finding in found:
            findings.add(finding)
        left_out = any(leaves_row(finding.code) for finding in found)
        self.left_out += left_out
        return None if left_out or any(rejects_row(finding.code) for finding in found) else reading

    def _values(self, line: Line) -> tuple[dict[str, Value], list[Finding]]:
        values: dict[str, Value] = dict(self._constants)
        found: list[Finding] = []
        cells = line.cells
        for place, title, column, parse, seen in self._cells:
            cell = cells[place] if place < len(cells) else ""
            if not cell or cell in self._missing:
                if column.blank_code is not None:
                    found.append(Finding(column.blank_code, line.number, title))
                continue
            known = seen.get(cell)
            if known is None:
                known = seen[cell] = parse(cell)
            value, code = known
            if value is not None:
                values[column.name] = value
            if code is not None:
                found.append(Finding(code if value is not None else column.code_of(code), line.number, title))
        return values, found

    def _year_finding(self, text: str, line: Line) -> Iterator[Finding]:
        year = school_year_of(text)
        if year is not None and self._year is not None and year != self._year:
            self.other_years += 1
            yield Finding("ROW-003", line.number)


@lru_cache(maxsize=256)
def school_year_of(text: str) -> int | None:
    """The ending year of a school year as files write it (2025-2026, 2025-26, 20252026), or None."""
    match = _YEARS.fullmatch(text)
    if match is None:
        return None
    ending = int(match[2]) if match[2] else int(match[1][:2] + match[3])
    return ending if ending == int(match[1]) + 1 else None


def _common_year(layout: Recognised, rows: Sequence[Line]) -> int | None:
    place = next((place for place, column, _ in layout.places if column.name == "year"), None)
    if place is None:
        return None
    years = Counter(school_year_of(line.cells[place]) for line in rows if place < len(line.cells))
    years.pop(None, None)
    return years.most_common(1)[0][0] if years else None


def _fits(line: Line, layout: Recognised) -> bool:
    """Whether a row has the file's number of fields; cells under no title must be empty."""
    return layout.width <= len(line.cells) <= layout.width_most and not any(line.cells[layout.width :])


def _parser(parse: Parser, codes: object) -> Parser:
    """The column's parser behind the provider's own code list."""
    if not isinstance(codes, dict):
        return parse
    renamed = {str(cell).casefold(): str(code) for cell, code in codes.items()}
    return _renaming(parse, renamed.get)


def _renaming(parse: Parser, renamed: Callable[[str], str | None]) -> Parser:
    return lambda cell: parse(renamed(cell.casefold()) or cell)


def _constants(layout: Recognised) -> dict[str, Value]:
    """What holds for every row: defaults of absent or blank columns, and the constants of sources.yaml."""
    constants: dict[str, Value] = {}
    for column in (*layout.absent, *(column for _, column, _ in layout.places)):
        if column.default is not None:
            constants[column.name] = column.default
    if layout.entry is not None:
        constants.update(layout.entry.constants)
    return constants
