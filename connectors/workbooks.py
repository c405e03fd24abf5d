"""The first worksheet of an XLSX workbook as lines of cells: what a steward sees, after its limits were checked.

`encoder_page/src/sheets.js` reads a workbook the same way; a test holds the two to one result.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.bundles.archive import archive_bundle
from connectors.decoding import refuse
from connectors.errors import FileRefusedError
from connectors.lines import KeptLines

CELLS_MAX = 24_000_000
_WIDTH_SAMPLE, _WIDTH_MAX = 2_000, 1_000
_MACROS = "xl/vbaproject.bin"
_NO_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?:\s[^<>]*)?/>)\s*"
    rb"(?:<(?:\w+:)?v\s*(?:/>|></(?:\w+:)?v>))?\s*</(?:\w+:)?c>"
)
_PIECE_BYTES, _OVERLAP_BYTES = 1024 * 1024, 512


def workbook_lines(content: bytes, name: str) -> KeptLines:
    """The rows that hold anything, all of one width; raises FileRefusedError FIL-012, FIL-013, FIL-021 or FIL-022."""
    if archive_bundle(content, name) is not None:
        raise refuse("FIL-012", name)
    rows = _filled(content, name)
    if not rows:
        raise refuse("FIL-001", name)
    width = min(max(len(line.cells) for line in rows[:_WIDTH_SAMPLE]), _WIDTH_MAX)
    return KeptLines.of((line.number, [*line.cells, *[""] * (width - len(line.cells))]) for line in rows)


def _filled(content: bytes, name: str) -> KeptLines:
    """The rows without the empty cells at their ends."""
    import openpyxl  # an optional part of the edge, and slow to import: only a workbook pays for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that no row depends on
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if any(member.casefold() == _MACROS for member in archive.namelist()):
                    raise refuse("FIL-021", name)
                book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
                sheet = book.worksheets[0]
                if _lacks_values(archive, sheet._worksheet_path):
                    raise refuse("FIL-022", name)
            sheet.reset_dimensions()  # what a sheet says of its size is not always so
            rows = _filled_rows(sheet.iter_rows(min_row=1, values_only=True))
            kept = KeptLines.of((number, cells) for number, cells in enumerate(rows, start=1) if cells)
            book.close()
        except FileRefusedError:
            raise
        except Exception:  # a foreign parser on a foreign file: whatever it raises means not readable
            raise refuse("FIL-013", name) from None
    return kept


def _lacks_values(archive: zipfile.ZipFile, member: str) -> bool:
    """Whether a formula of the sheet has no value beside it: no spreadsheet program has computed it."""
    with archive.open(member) as stream:
        end = b""
        while piece := stream.read(_PIECE_BYTES):
            if _NO_VALUE.search(end + piece):
                return True
            end = (end + piece)[-_OVERLAP_BYTES:]
    return False


def _filled_rows(rows: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    """Rows without the empty cells at their ends; ValueError when a sheet has more cells than a source file can."""
    seen = 0
    for row in rows:
        seen += len(row) + 1
        if seen > CELLS_MAX:
            raise ValueError
        texts = [_cell_text(value) for value in row[:_WIDTH_MAX]]
        while texts and not texts[-1]:
            texts.pop()
        yield texts


def _cell_text(value: Any) -> str:
    """What the steward sees in the cell, dates as year-month-day and whole numbers without a point."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
