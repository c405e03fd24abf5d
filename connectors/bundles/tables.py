"""Tables of a bundle by title, and one composed grid of them: what the composers of rosters and Ed-Fi share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.bundles.archive import Bundle
from connectors.errors import FileRefusedError
from connectors.grids import Grid, grid_of_bytes
from connectors.lines import KeptLines, Line


def squeezed(title: str) -> str:
    """A title without case, spaces and punctuation, which is how titles are compared."""
    return "".join(sign for sign in title.casefold() if sign.isalnum())


@dataclass(frozen=True, repr=False)
class Row:
    """One row of a table: its line number and its cells by squeezed title. Its repr shows no cell."""

    number: int
    cells: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Row({self.number})"

    def get(self, *titles: str) -> str:
        """The first cell of these titles that is not blank."""
        return next((cell for title in titles if (cell := self.cells.get(title, ""))), "")


@dataclass(frozen=True, repr=False)
class Table:
    """The rows of one file, and what was noticed while reading it. Its repr shows no cell."""

    titles: frozenset[str]
    rows: Sequence[Row]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Table({len(self.titles)} titles, {len(self.rows)} rows)"


NONE = Table(frozenset(), (), ())


def table(bundle: Bundle, name: str) -> Table:
    """One file of the bundle; an absent or empty one has no rows."""
    if name not in bundle.files:
        return NONE
    try:
        grid = grid_of_bytes(bundle.read(name), f"{bundle.name}/{name}", delimiter=",")
    except FileRefusedError as refusal:
        if refusal.code == "FIL-001":
            return NONE
        raise
    titles = [squeezed(cell) for cell in grid.lines[0].cells]
    return Table(frozenset(titles) - {""}, tuple(_rows(titles, grid.lines[1:])), grid.notes)


def _rows(titles: Sequence[str], lines: Sequence[Line]) -> Iterator[Row]:
    for line in lines:
        cells: dict[str, str] = {}
        for title, cell in zip(titles, line.cells, strict=False):
            cells.setdefault(title, cell)
        yield Row(line.number, cells)


def composed(
    name: str,
    titles: Sequence[str],
    rows: Sequence[tuple[int, Sequence[str]]],
    *,
    said: str,
    notes: Sequence[str] = (),
    remarks: Sequence[tuple[str, int, str]] = (),
) -> Grid:
    """A grid of our own titles, as if the bundle had been one file."""
    lines = KeptLines.of([(1, list(titles)), *rows])
    return Grid(name, "composed", lines, tuple(dict.fromkeys(notes)), said, tuple(remarks))
