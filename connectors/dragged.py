"""Finds dates that a spreadsheet advanced when a cell was dragged: row after row one day later. Beside row parsing.

Each such date is sound by itself, so that only its neighbours tell; the Clearinghouse names it as a usual slip.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from connectors.recognition import Recognised
from connectors.values import Parser

RUN_MIN = 12
"""So many days one after another, in so many rows one after another, do not come by chance (our own choice)."""
_TYPES = ("date", "birth_date")
_NO_DAY = 0


class DateColumns:
    """The dates of a file's rows, seen in order; which of them stand in a run that rises by a day from row to row."""

    def __init__(self, layout: Recognised, *, latest: dt.date) -> None:
        formats = layout.entry.date_format if layout.entry else ()
        self._columns: list[tuple[int, str, _Days, list[int]]] = [
            (place, title, _Days(column.parser(latest=latest, formats=formats)), [])
            for place, column, title in layout.places
            if column.type in _TYPES
        ]

    def see(self, cells: Sequence[str]) -> None:
        """Keeps the days of the next row."""
        for place, _, days, seen in self._columns:
            seen.append(days[cells[place]] if place < len(cells) else _NO_DAY)

    def dragged(self) -> Iterator[tuple[int, str]]:
        """The row, counted from 0, and the column's title of every cell in such a run but the first of each."""
        for _, title, _, seen in self._columns:
            for row in _risen(seen):
                yield row, title


class _Days(dict[str, int]):
    """The day that a cell holds, as a number; worked out once for each cell that differs, since most come again."""

    def __init__(self, parse: Parser) -> None:
        self._parse = parse

    def __missing__(self, cell: str) -> int:
        value = self._parse(cell)[0] if cell else None
        self[cell] = _NO_DAY if value is None else dt.date.fromisoformat(str(value)).toordinal()
        return self[cell]


def _risen(days: Sequence[int]) -> Iterator[int]:
    """The places of days that follow the one before, where RUN_MIN of them do so without a gap."""
    begun, before = 1, _NO_DAY
    for at, day in enumerate((*days, _NO_DAY)):
        if _NO_DAY in (day, before) or day != before + 1:
            if at - begun >= RUN_MIN:
                yield from range(begun, at)
            begun = at + 1
        before = day
