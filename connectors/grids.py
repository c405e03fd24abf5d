"""A source file as lines of cells with the line numbers a steward sees: after decoding, before recognition.

Delimited text and the first worksheet of an XLSX workbook become the same thing, so that readers need not care.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.decoding import decode, is_workbook, read_bytes, refuse
from connectors.lines import KeptLines, Line
from connectors.workbooks import workbook_lines

DELIMITERS = ("^", ",", "\t", ";", "|")
CELL_CHARACTERS_MAX = 100_000
LINES_IN_A_CELL_MAX = 20
_SPACES = tuple(sign for code in range(0x3001) if (sign := chr(code)).isspace() and sign != "\n")


@dataclass(frozen=True, repr=False)
class Grid:
    """All records of one file that are not blank. Its repr shows no cell."""

    name: str
    delimiter: str
    lines: Sequence[Line]
    notes: tuple[str, ...]
    said: str = ""
    """What a composed grid says of itself."""
    remarks: tuple[tuple[str, int, str], ...] = ()
    """Code, line and column of what was noticed before rows were looked at."""

    def __repr__(self) -> str:
        return f"Grid({self.name!r}, lines={len(self.lines)})"


def read_grid(path: Path, *, delimiter: str | None = None) -> Grid:
    """The lines of a text file or workbook; raises FileRefusedError with a rule of family FIL."""
    return grid_of_bytes(read_bytes(path), path.name, delimiter=delimiter)


def grid_of_bytes(content: bytes, name: str, *, delimiter: str | None = None) -> Grid:
    """The same for bytes in hand, as from an archive."""
    if not content.strip():
        raise refuse("FIL-001", name)
    if is_workbook(content):
        return Grid(name, "worksheet", workbook_lines(content, name), ())
    source = decode(content, name)
    found = delimiter or _delimiter_of(source.text)
    lines, notes = _text_lines(source.text, found, name)
    if not lines:
        raise refuse("FIL-001", name)
    return Grid(name, found, lines, source.notes + notes)


def fixed_grid(content: bytes, name: str, positions: Mapping[str, tuple[int, int]]) -> Grid:
    """The lines of a file of fixed width by the positions its provider states; the titles are those of the positions.

    A line that ends before the last column begins has fewer cells than the others, which is found later.
    """
    source = decode(content, name)
    whole = source.text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [
        (number, [line[first - 1 : last].strip() for first, last in positions.values() if first <= len(line)])
        for number, line in enumerate(whole.split("\n"), start=1)
        if line.strip(" \x1a")
    ]
    if not lines:
        raise refuse("FIL-001", name)
    return Grid(name, "positions", KeptLines.of([(0, list(positions)), *lines]), source.notes)


def _delimiter_of(text: str) -> str:
    """The sign that cuts the first line that is not blank into the most cells, quoted parts left out."""
    first = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    bare = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _text_lines(text: str, delimiter: str, name: str) -> tuple[KeptLines, tuple[str, ...]]:
    lines = _quoted_lines(text, delimiter, name) if '"' in text else None
    if lines is not None:
        return lines, ()
    return _plain_lines(text, delimiter), ("FIL-014",) if '"' in text else ()


def _plain_lines(text: str, delimiter: str) -> KeptLines:
    whole = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    trim = _has_margins(whole, delimiter)
    filled = [(number, line) for number, line in enumerate(whole.split("\n"), start=1) if line and not line.isspace()]
    return KeptLines([number for number, _ in filled], [line for _, line in filled], sign=delimiter, trim=trim)


def _has_margins(text: str, delimiter: str) -> bool:
    """Whether white space stands at the edge of any cell: hardly ever, and to trim millions of cells takes long."""
    return any(
        text.startswith(space)
        or text.endswith(space)
        or any(edge in text for edge in (space + delimiter, delimiter + space, space + "\n", "\n" + space))
        for space in _SPACES
        if space != delimiter and space in text
    )


def _quoted_lines(text: str, delimiter: str, name: str) -> KeptLines | None:
    """The records by the quoting rules of RFC 4180, or None when a quotation mark is never closed."""
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    try:
        return KeptLines.of(_quoted_rows(text, delimiter))
    except (csv.Error, OverflowError):
        return None


def _quoted_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each record; OverflowError when a quotation mark holds more lines than a cell can."""
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    before = 0
    for cells in reader:
        if reader.line_num - before > LINES_IN_A_CELL_MAX:
            raise OverflowError
        if any(cells) and any(cell.strip() for cell in cells):
            yield before + 1, [cell.strip() for cell in cells]
        before = reader.line_num
