"""Finds what lies in an inbox, of which kind and school year, and reads it. One batch becomes one submission."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.collection import collection_paused
from connectors.errors import FileRefusedError
from connectors.grids import Grid
from connectors.reading import FileReading, grids_of, read_rows
from connectors.reports import FileReport
from connectors.source_map import SourceMap
from policies.dictionary import KINDS


@dataclass(frozen=True)
class Batch:
    """The files of one kind and school year, read."""

    kind: str
    school_year: int
    readings: Sequence[FileReading]


def read_reports(
    paths: Sequence[Path], *, source_map: SourceMap, school_year: int | None, latest: dt.date
) -> list[FileReport]:
    """Every file read or refused by itself, in order; one refused file does not stop the others."""
    with collection_paused():
        return [
            report
            for path in paths
            for report in _reports(path, source_map=source_map, school_year=school_year, latest=latest)
        ]


def _reports(path: Path, *, source_map: SourceMap, school_year: int | None, latest: dt.date) -> Iterator[FileReport]:
    """The report of each part of a file, folder or archive: mostly one."""
    try:
        grids = list(grids_of(path, source_map))
    except FileRefusedError as refusal:
        yield FileReport(path.name, None, refusal)
        return
    grids.reverse()
    while grids:
        grid = grids.pop()  # so that each part's cells are free before the next is read
        yield _report(grid, source_map=source_map, school_year=school_year, latest=latest)


def _report(grid: Grid, *, source_map: SourceMap, school_year: int | None, latest: dt.date) -> FileReport:
    try:
        reading = read_rows(grid, source_map=source_map, school_year=school_year, latest=latest)
    except FileRefusedError as refusal:
        return FileReport(grid.name, None, refusal)
    return FileReport(grid.name, reading, None)


def inbox_years(inbox: Path) -> list[int]:
    """The school years that have a folder in the inbox."""
    return sorted(int(entry.name) for entry in inbox.glob("[12][0-9][0-9][0-9]") if entry.is_dir())


def inbox_files(inbox: Path, school_year: int) -> list[Path]:
    """The source files, archives and folders of a school year, in order of name; hidden ones are left alone."""
    folder = inbox / str(school_year)
    return sorted(path for path in folder.glob("*") if not path.name.startswith("."))


def batches(reports: Sequence[FileReport], *, school_year: int) -> list[Batch]:
    """The readable files by kind, in the order of the road; a report and its request map are one batch."""
    readings = [report.reading for report in reports if report.reading is not None]
    found = []
    for kind in KINDS:
        of_kind = [reading for reading in readings if reading.kind == kind]
        if of_kind:
            found.append(Batch(kind, school_year, of_kind))
    return found


def last_day(school_year: int | None, today: dt.date) -> dt.date:
    """The last day a birth date may have: the end of the school year, never after today."""
    return min(today, dt.date(school_year, 6, 30)) if school_year else today
