"""The state's public figures at the hub: files in, figures kept with source and year, shown beside ours.

They are public and of no person of ours; they stand beside the road and are never joined to a record.
"""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Invalid
from hub.outcomes.tables import StateFigureRow, StateFileRow
from policies.state_figures.layouts import layouts
from policies.state_figures.reading import StateFigure, StateFile, StateFileError, read_state_rows
from policies.state_figures.targets import source_of

DELIMITERS = ("\t", "^", ",", "|", ";")
CELL_CHARACTERS_MAX = 10_000
UNPACKED_BYTES_MAX = 512 * 2**20


@dataclass(frozen=True)
class SourcedFigure:
    """A figure of the state with the file's title and publisher."""

    figure: StateFigure
    source: str


def read_state_file(path: Path) -> StateFile:
    """What a public file of the state tells; raises Invalid with the reason when it cannot be read."""
    try:
        content = path.read_bytes()
        if not content.startswith(b"PK\x03\x04"):
            return read_state_rows(_text_rows(content))
        return _read_workbook(content)
    except OSError:
        raise _refused(path, "state-file-unreadable", "it cannot be opened", "Give a file that exists.") from None
    except csv.Error:
        raise _refused(path, "state-file-unreadable", "its lines cannot be split", "Fetch the file again.") from None
    except StateFileError as error:
        raise _refused(path, error.code, error.reason, error.next_step) from None


def import_state_file(session: Session, path: Path, *, audit: AuditTrail) -> StateFile:
    """Keep the figures of a file, with their event; the same measures, years and places told before are replaced."""
    read = read_state_file(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if session.get(StateFileRow, sha256) is None:
        row = StateFileRow(
            sha256=sha256, layout=read.layout, years=list(read.years), source=read.source, imported_at=audit.clock()
        )
        session.add(row)
        session.flush()
    measures = list(layouts().layouts[read.layout].measures)
    session.execute(
        delete(StateFigureRow).where(StateFigureRow.measure.in_(measures), StateFigureRow.year.in_(read.years))
    )
    session.add_all(_row(figure, sha256) for figure in read.figures)
    append(
        session,
        audit,
        EventType.STATE_FIGURES_IMPORTED,
        resource=f"state-file:{read.layout}",
        counts={"figures": len(read.figures), "hidden": sum(figure.hidden for figure in read.figures)},
        versions={"file": sha256, "years": ",".join(str(year) for year in read.years)},
    )
    return read


def state_figures(session: Session, measure: str) -> tuple[SourcedFigure, ...]:
    """Every figure of a measure that the state told, in order of year, place and group."""
    rows = session.scalars(
        select(StateFigureRow)
        .where(StateFigureRow.measure == measure)
        .order_by(StateFigureRow.year, StateFigureRow.place, StateFigureRow.dimension, StateFigureRow.level)
    )
    return tuple(SourcedFigure(_figure(row), source_of(row.measure)) for row in rows)


def all_state_figures(session: Session) -> tuple[StateFigure, ...]:
    """Every figure, for calibration."""
    return tuple(sorted(_figure(row) for row in session.scalars(select(StateFigureRow))))


def _row(figure: StateFigure, file: str) -> StateFigureRow:
    return StateFigureRow(
        measure=figure.measure,
        year=figure.year,
        place=figure.place,
        dimension=figure.dimension,
        level=figure.level,
        n=figure.n,
        k=figure.k,
        rate=figure.rate,
        hidden=figure.hidden,
        file=file,
    )


def _figure(row: StateFigureRow) -> StateFigure:
    return StateFigure(
        row.measure, row.year, row.place, row.dimension, row.level, row.n, row.k, row.rate, hidden=row.hidden
    )


def _text_rows(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # names of places alone are not ASCII, and are not read
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    return csv.reader(io.StringIO(text, newline=None), delimiter=max(DELIMITERS, key=first.count))


def _read_workbook(content: bytes) -> StateFile:
    """The first worksheet with a known header."""
    refusal = StateFileError("state-file-unreadable", "it is no workbook", "Unpack the file, or save it as CSV.")
    for rows in _worksheets(content):
        try:
            return read_state_rows(rows)
        except StateFileError as error:
            refusal = error
    raise refusal


def _worksheets(content: bytes) -> Iterator[Sequence[list[str]]]:
    try:
        import openpyxl  # slow, and only a workbook needs it
    except ImportError:
        raise StateFileError(
            "state-file-workbook", "workbooks are not read here", "Save the sheet as CSV, or install the edge's parts."
        ) from None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > UNPACKED_BYTES_MAX:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that no row depends on
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheets = [[[_cell(value) for value in row] for row in one.iter_rows(values_only=True)] for one in book]
            book.close()
    except Exception:  # a foreign parser on a foreign file: whatever it raises means that it is no workbook
        return
    yield from sheets


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _refused(path: Path, code: str, reason: str, next_step: str) -> Invalid:
    return Invalid(f"{path.name} is not imported: {reason}.", code=code, next_step=next_step)
