"""Parses the lines of one file into row readings: cells first, then the connector's own function; after recognition.

Most rows of a file differ only in whom they name. What a connector states of a row beside identity is worked out once
for equal cells and shared by all rows that hold them; nothing is kept longer than the file.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from connectors.findings import Finding, Findings
from connectors.layout_files import IDENTITY_STANDS, Column
from connectors.lines import Line
from connectors.recognition import Recognised
from connectors.rows import PersonPart, RowReading
from connectors.values import Parsed, Parser, Value
from policies.rules.rulebook import leaves_row, rejects_row

IDENTITY = frozenset(
    {"local_id", "ssid", "return_field", "given", "middle", "surname", "suffix", "alias_given", "alias_surname"}
    | {"birth_date", "postcode", "sourced_id", "edfi_id"}
)
"""Columns that only say whom a row names; what a row states does not depend on them."""
_YEARS = re.compile(r"(\d{4})\D?(?:(\d{4})|(\d{2}))", re.ASCII)

_Cell = tuple[int, str, Column, Parser, dict[str, Parsed]]
"""Place, title, column, its parser, and what the parser made of the cells seen so far: most cells come again."""
_Found = tuple[int, str, str]
"""Place, code and title of what was found in a cell."""


@dataclass(frozen=True, repr=False)
class _Statement:
    """What rows with equal cells beside identity have in common."""

    found: tuple[_Found, ...]
    cells_reject: bool
    reading: RowReading | None
    other_year: bool


class RowParser:
    """Parses the lines of one file; counts those that are of another year or say that a record is gone."""

    def __init__(self, layout: Recognised, *, year: int | None, latest: dt.date) -> None:
        entry = layout.entry
        formats = entry.date_format if entry else ()
        codes = entry.codes if entry else {}
        cells: list[_Cell] = [
            (place, title, column, _parser(column.parser(latest=latest, formats=formats), codes.get(column.name)), {})
            for place, column, title in layout.places
        ]
        self._layout = layout
        self._year = year
        self._shares = entry is None and layout.read in IDENTITY_STANDS
        self._naming = tuple(cell for cell in cells if self._shares and cell[2].name in IDENTITY)
        self._stating = tuple(cell for cell in cells if not (self._shares and cell[2].name in IDENTITY))
        self._stated_cells = itemgetter(*(cell[0] for cell in self._stating)) if self._stating else _nothing
        self._width = 1 + max((place for place, _, _ in layout.places), default=-1)
        self._missing = frozenset(entry.missing) if entry else frozenset()
        self._constants = _constants(layout)
        self._statements: dict[tuple[object, tuple[str, ...]], _Statement] = {}
        self.other_years = 0
        self.left_out = 0

    def read(self, line: Line, findings: Findings) -> RowReading | None:
        """The row understood, or None when it is rejected; what was found is added to findings."""
        cells = line.cells
        if not self._fits(cells):
            findings.add(Finding("ROW-001", line.number))
            return None
        if len(cells) < self._width:
            cells = [*cells, *[""] * (self._width - len(cells))]
        named: dict[str, Value] = {}
        found = self._parse(self._naming, cells, named)
        statement = self._statement(cells, named)
        if found or statement.found or statement.other_year or statement.reading is None or statement.reading.codes:
            return self._judged(line, named, found, statement, findings=findings)
        return _naming(statement.reading, named) if self._shares else statement.reading

    def _fits(self, cells: Sequence[str]) -> bool:
        """Whether a row has the file's number of fields; cells under no title must be empty."""
        width = self._layout.width
        count = len(cells)
        return width <= count <= self._layout.width_most and (count == width or not any(cells[width:]))

    def _parse(self, of: tuple[_Cell, ...], cells: Sequence[str], values: dict[str, Value]) -> list[_Found]:
        """Adds the parsed values of these columns; what was found in their cells."""
        found: list[_Found] = []
        for place, title, column, parse, seen in of:
            cell = cells[place]
            if not cell or cell in self._missing:
                if column.blank_code is not None:
                    found.append((place, column.blank_code, title))
                continue
            known = seen.get(cell)
            if known is None:
                known = seen[cell] = parse(cell)
            value, code = known
            if value is not None:
                values[column.name] = value
            if code is not None:
                found.append((place, code if value is not None else column.code_of(code), title))
        return found

    def _statement(self, cells: Sequence[str], named: dict[str, Value]) -> _Statement:
        """What the cells beside identity state; facts and codes may depend on which names are there, not on them."""
        if not self._shares:
            return self._stated(cells, named)
        key = self._stated_cells(cells), tuple(named)
        known = self._statements.get(key)
        if known is None:
            known = self._statements[key] = self._stated(cells, named)
        return known

    def _stated(self, cells: Sequence[str], named: dict[str, Value]) -> _Statement:
        values: dict[str, Value] = {**self._constants, **named}
        found = self._parse(self._stating, cells, values)
        rejects = any(rejects_row(code) for _, code, _ in found)
        year = school_year_of(str(values["year"])) if "year" in values else None
        other = year is not None and self._year is not None and year != self._year
        return _Statement(tuple(found), rejects, None if rejects else self._layout.read(values), other)

    def _judged(
        self,
        line: Line,
        named: dict[str, Value],
        found: list[_Found],
        statement: _Statement,
        *,
        findings: Findings,
    ) -> RowReading | None:
        """A row in which something was found: kept, rejected or left out by what its codes cost."""
        reading = statement.reading
        if any(rejects_row(code) for _, code, _ in found):
            reading = None
        codes = [(code, title) for _, code, title in sorted([*found, *statement.found], key=itemgetter(0))]
        codes += [(code, "") for code in reading.codes] if reading is not None else []
        codes += [("ROW-003", "")] if statement.other_year else []
        self.other_years += statement.other_year
        for code, title in codes:
            findings.add(Finding(code, line.number, title))
        left_out = any(leaves_row(code) for code, _ in codes)
        self.left_out += left_out
        if reading is None or left_out or any(rejects_row(code) for code, _ in codes):
            return None
        return _naming(reading, named) if self._shares else reading


def _naming(reading: RowReading, named: dict[str, Value]) -> RowReading:
    """The same statement of the student whom this row names."""
    person = reading.person
    return RowReading(
        None if reading.local_id is None else str(named["local_id"]),
        None if reading.ssid is None else str(named["ssid"]),
        None if reading.return_field is None else str(named["return_field"]),
        None if person is None else _person(person, named),
        reading.facts,
        reading.codes,
        reading.as_of,
        reading.named_by,
    )


def _person(like: PersonPart, named: dict[str, Value]) -> PersonPart:
    told: dict[str, Any] = {**named, "sex": like.sex, "guardian": like.guardian, "as_of": like.as_of}
    for name in _NO_PART_OF_A_PERSON:
        told.pop(name, None)
    return PersonPart(**told)


_NO_PART_OF_A_PERSON = ("local_id", "return_field", "sourced_id", "edfi_id")


def _nothing(cells: Sequence[str]) -> object:
    return ()


@lru_cache(maxsize=256)
def school_year_of(text: str) -> int | None:
    """The ending year of a school year as files write it (2025-2026, 2025-26, 20252026), or None."""
    match = _YEARS.fullmatch(text)
    if match is None:
        return None
    ending = int(match[2]) if match[2] else int(match[1][:2] + match[3])
    return ending if ending == int(match[1]) + 1 else None


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
