"""Finds dates that a spreadsheet advanced when a cell was dragged: row after row one day later. Beside row parsing.

Each such date is sound by itself, so that only its neighbours tell; the Clearinghouse names it as a usual slip.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from connectors.lines import Line
from connectors.recognition import Recognised
from connectors.values import Parser

RUN_MIN = 12
"""So many days one after another, in so many rows one after another, do not come by chance (our own choice)."""
_TYPES = ("date", "birth_date")


def dragged_rows(rows: Sequence[Line], layout: Recognised, *, latest: dt.date) -> Iterator[tuple[int, str]]:
    """Line and title of every cell that stands in a run of dates that rise by a day from row to row."""
    formats = layout.entry.date_format if layout.entry else ()
    runs = [
        _Run(place, title, column.parser(latest=latest, formats=formats))
        for place, column, title in layout.places
        if column.type in _TYPES
    ]
    for line in rows if runs else ():
        for run in runs:
            yield from run.next(line)
    for run in runs:
        yield from run.end()


class _Run:
    """The run of rising days in one column that the last row belongs to."""

    def __init__(self, place: int, title: str, parse: Parser) -> None:
        self._place, self._title, self._parse = place, title, parse
        self._cell = ""
        self._day: int | None = None
        self._lines: list[int] = []

    def next(self, line: Line) -> Iterator[tuple[int, str]]:
        cell = line.cells[self._place] if self._place < len(line.cells) else ""
        if cell == self._cell and not self._lines:
            return
        day = self._ordinal(cell)
        if day is not None and self._day is not None and day == self._day + 1:
            self._lines.append(line.number)
        else:
            yield from self.end()
        self._cell, self._day = cell, day

    def end(self) -> Iterator[tuple[int, str]]:
        """The cells of the run that is over, if it is long enough."""
        if len(self._lines) >= RUN_MIN:
            yield from ((number, self._title) for number in self._lines)
        self._lines = []

    def _ordinal(self, cell: str) -> int | None:
        value = self._parse(cell)[0] if cell else None
        return dt.date.fromisoformat(str(value)).toordinal() if value is not None else None
