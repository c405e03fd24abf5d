"""Files that are laid into a watched folder: found, waited for until they stop growing, taken in or put aside.

drop/            files and folders of sets; drop/YEAR/ where the file does not tell its school year
inbox/YEAR/      where what can be read is moved
aside/STAMP/     what cannot be read, with what was found; never a value
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.batches import last_day, read_reports
from connectors.error_extract import write_extract
from connectors.reports import FileReport, as_lines
from connectors.workspace import Workspace, write_whole

DROP_FOLDER, ASIDE_FOLDER = "drop", "aside"
_YEAR = re.compile(r"[12]\d{3}", re.ASCII)
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
_BLOCK_BYTES = 1 << 20

Shape = tuple[int, int, int]
"""How many files, how many bytes and when the last was written: as long as it changes, something is still arriving."""


@dataclass(frozen=True, order=True)
class Arrival:
    """Something laid into the drop folder, and the school year where its folder names one."""

    path: Path
    year: int | None = None


@dataclass(frozen=True)
class Received:
    """What became of an arrival: `taken`, `same` as what lies in the inbox, or put `aside` with its code."""

    name: str
    became: str
    year: int | None = None
    code: str = ""
    where: Path | None = None

    def __str__(self) -> str:
        if self.became == "taken":
            return f"{self.name}: taken in for {self.year}"
        if self.became == "same":
            return f"{self.name}: the same lies in the inbox of {self.year} already; nothing to send"
        return f"{self.name}: put aside ({self.code})\n  next: read {self.where}, mend the file and lay it in again"


def drop_folder(workspace: Workspace) -> Path:
    return workspace.folder / DROP_FOLDER


def survey(drop: Path) -> dict[Arrival, Shape]:
    """What lies in the drop folder now; hidden files, links and those that a program is still writing are left out."""
    found = {}
    for path in _entries(drop):
        if path.is_dir() and _YEAR.fullmatch(path.name):
            found.update({Arrival(one, int(path.name)): _shape(one) for one in _entries(path)})
        else:
            found[Arrival(path)] = _shape(path)
    return found


def settled(before: Mapping[Arrival, Shape], now: Mapping[Arrival, Shape]) -> list[Arrival]:
    """What did not change between two looks, in order of name."""
    return sorted(arrival for arrival, shape in now.items() if before.get(arrival) == shape)


def receive(arrival: Arrival, workspace: Workspace, *, now: dt.datetime) -> Received:
    """Reads an arrival and moves it: into the inbox of its year, or aside with what was found."""
    reports = read_reports(
        [arrival.path],
        source_map=workspace.source_map(),
        school_year=arrival.year,
        latest=last_day(arrival.year, now.date()),
    )
    name = arrival.path.name
    refused = next((report.refusal for report in reports if report.refusal is not None), None)
    if refused is not None:
        return Received(name, "aside", code=refused.code, where=_put_aside(arrival, workspace, reports, now=now))
    year = arrival.year or _year_of(reports)
    if year is None:
        where = _put_aside(arrival, workspace, reports, now=now, note=_no_year(workspace))
        return Received(name, "aside", code="EDGE-044", where=where)
    inbox = workspace.inbox / str(year)
    inbox.mkdir(parents=True, exist_ok=True)
    content = digest_of(arrival.path)
    if any(digest_of(path) == content for path in _entries(inbox)):
        _remove(arrival.path)
        return Received(name, "same", year)
    _move(arrival.path, inbox / name)
    return Received(name, "taken", year)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, or of a folder's files with their names."""
    whole = hashlib.sha256()
    for file in _files(path):
        with file.open("rb") as stream:
            own = hashlib.sha256()
            while block := stream.read(_BLOCK_BYTES):
                own.update(block)
        inside = str(file.relative_to(path)) if file != path else ""
        whole.update(f"{inside}\0{own.hexdigest()}\n".encode())
    return whole.hexdigest()


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not is_unfinished(path.name) and not path.is_symlink())


def is_unfinished(name: str) -> bool:
    """Whether a program that is still writing would give a file this name."""
    return name.startswith((".", "~")) or name.casefold().endswith(_UNFINISHED)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def _shape(path: Path) -> Shape:
    """The shape of a file or folder; one that goes away meanwhile is never the same twice."""
    try:
        told = [file.stat() for file in _files(path)]
    except OSError:
        return (-1, 0, 0)
    return (len(told), sum(one.st_size for one in told), max((one.st_mtime_ns for one in told), default=0))


def _year_of(reports: Sequence[FileReport]) -> int | None:
    """The one school year that all parts tell; None where they tell none or several."""
    years = {report.reading.school_year for report in reports if report.reading is not None}
    return years.pop() if len(years) == 1 else None


def _no_year(workspace: Workspace) -> str:
    return f"EDGE-044  The file does not tell its school year.\n  next: lay it into {drop_folder(workspace)}/YEAR"


def _put_aside(
    arrival: Arrival, workspace: Workspace, reports: Sequence[FileReport], *, now: dt.datetime, note: str = ""
) -> Path:
    """The file with what was found beside it; the path of the findings."""
    folder = _new_folder(workspace.folder / ASIDE_FOLDER, f"{now:%Y%m%d-%H%M%S}")
    for report in reports:
        if report.causes or report.refusal is not None:
            write_extract(report, folder)
    found = folder / "findings.txt"
    write_whole(found, ("\n".join([*as_lines(reports), *([note] if note else [])]) + "\n").encode())
    _move(arrival.path, folder / arrival.path.name)
    return found


def _new_folder(parent: Path, name: str) -> Path:
    parent.mkdir(exist_ok=True, mode=0o700)
    for folder in _numbered(parent / name):
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        break
    return folder


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    number = 1
    while True:
        number += 1
        yield path.with_name(f"{path.name}-{number}")


def _move(source: Path, target: Path) -> None:
    """The target is the whole source or what it was: across file systems by way of a hidden copy."""
    waiting = target.with_name(f".{target.name}.part")
    _remove(waiting)
    shutil.move(source, waiting)
    if target.is_dir():
        _remove(target)
    waiting.replace(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
