"""A source file as lines of cells with the line numbers a steward sees: after decoding, before recognition.

Delimited text and the first worksheet of an XLSX workbook become the same thing, so that readers need not care.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.bundles.archive import archive_bundle
from connectors.decoding import decode, is_workbook, read_bytes, refuse
from connectors.lines import KeptLines, Line

DELIMITERS = ("^", ",", "\t", ";", "|")
CELL_CHARACTERS_MAX = 100_000
LINES_IN_A_CELL_MAX = 20
_CELLS_MAX = 24_000_000
_WIDTH_SAMPLE, _WIDTH_MAX = 2_000, 1_000
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
        return _workbook_grid(content, name)
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


def _workbook_grid(content: bytes, name: str) -> Grid:
    rows = _workbook_rows(content, name)
    if not rows:
        raise refuse("FIL-001", name)
    width = min(max(len(line.cells) for line in rows[:_WIDTH_SAMPLE]), _WIDTH_MAX)
    padded = ((line.number, [*line.cells, *[""] * (width - len(line.cells))]) for line in rows)
    return Grid(name, "worksheet", KeptLines.of(padded), ())


def _workbook_rows(content: bytes, name: str) -> KeptLines:
    """The rows of the first worksheet that hold anything, without the empty cells at their ends."""
    if archive_bundle(content, name) is not None:
        raise refuse("FIL-012", name)
    import openpyxl  # an optional part of the edge, and slow to import: only a workbook pays for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that no row depends on
        try:
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            rows = _filled_rows(book.worksheets[0].iter_rows(values_only=True, max_col=_WIDTH_MAX))
            kept = KeptLines.of((number, cells) for number, cells in enumerate(rows, start=1) if cells)
            book.close()
        except Exception:  # a foreign parser on a foreign file: whatever it raises means not readable
            raise refuse("FIL-013", name) from None
    return kept


def _filled_rows(rows: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    """Rows without the empty cells at their ends; ValueError when a sheet has more cells than a source file can."""
    seen = 0
    for row in rows:
        seen += len(row) + 1
        if seen > _CELLS_MAX:
            raise ValueError
        texts = _texts(row)
        while texts and not texts[-1]:
            texts.pop()
        yield texts


def _texts(row: Iterable[Any]) -> list[str]:
    return [_cell_text(value) for value in row]


def _check_archive(content: bytes, name: str) -> None:
    if archive_bundle(content, name) is not None:
        raise refuse("FIL-012", name)


def _cell_text(value: Any) -> str:
    """What the steward sees in the cell, dates as year-month-day and whole numbers without a point."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
