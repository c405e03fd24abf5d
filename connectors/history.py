"""Compares a file with the one of the year before: a count that jumps says more than a thousand sound rows.

Counts by layout, kept by the steward in a file at the edge (`history.json`); they never leave.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import WorkspaceError
from connectors.findings import Finding
from connectors.reading import FileReading
from connectors.reports import FileReport

Counts = Mapping[str, int]
ROWS_CHANGE_MAX = 0.20
"""Above this change of rows a file is noted; districts in the state's public files rarely move by a tenth a year (our
own choice)."""
SHARE_CHANGE_MAX = 0.10
"""Above this change of a group's part of the rows, in hundredths of all, the column is noted (our own choice)."""
COUNT_MIN = 50
"""Files and tables with fewer rows than this jump by chance."""
_GROUPS = {
    "demographics": ("gender", "race_ethnicity", "english_learner_status"),
    "enrollment": ("grade", "enrollment_status", "exit_reason"),
    "program": ("program_code",),
    "assessment": ("subject", "grade_assessed", "valid"),
    "college_search": ("result",),
    "preschool": ("funding",),
}
_ROWS = "rows"


@dataclass(frozen=True)
class Comparison:
    """One thing that moved: which, from what to what."""

    what: str
    before: int
    now: int

    def __str__(self) -> str:
        return f"{self.what}: {self.before:,} -> {self.now:,}"


class History:
    """Counts of earlier files by layout and school year; read, compared with, added to and written."""

    def __init__(self, counts: Mapping[str, Counts]) -> None:
        self._counts = {key: dict(value) for key, value in counts.items()}

    def compared(self, file: FileReading) -> list[Comparison]:
        """What moved since the year before, or since the same year's last file where there is no year before.

        The findings PLA-001 and PLA-002 are added to the file's own.
        """
        if file.school_year is None:
            return []
        before = self._counts.get(_key(file, file.school_year - 1)) or self._counts.get(_key(file, file.school_year))
        if not before:
            return []
        moved = list(_moved(before, counts_of(file)))
        for one in moved:
            code = "PLA-001" if one.what == _ROWS else "PLA-002"
            file.findings.add(Finding(code, 0, "" if one.what == _ROWS else one.what.partition("=")[0]))
        return moved

    def add(self, file: FileReading) -> None:
        """Remembers this file's counts for the next time."""
        if file.school_year is not None:
            self._counts[_key(file, file.school_year)] = counts_of(file)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self._counts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_history(path: Path) -> History:
    """The history of a file; an absent file is an empty one; raises WorkspaceError EDGE-013."""
    if not path.exists():
        return History({})
    try:
        read = json.loads(path.read_text("utf-8"))
        return History({str(key): {str(name): int(count) for name, count in of.items()} for key, of in read.items()})
    except (OSError, ValueError, AttributeError, TypeError):
        raise WorkspaceError("EDGE-013", "The history cannot be read.", "Name another file, or remove it.") from None


def compare_all(reports: list[FileReport], path: Path) -> list[str]:
    """Compares every file that was read with the history, and writes the history with them; what moved, in words."""
    history = read_history(path)
    told = []
    for report in reports:
        if report.reading is not None:
            told += [f"{report.name}: {one}" for one in history.compared(report.reading)]
    for report in reports:
        if report.reading is not None:
            history.add(report.reading)
    history.write(path)
    return told


def counts_of(file: FileReading) -> dict[str, int]:
    """Rows, and rows by group of each element by which the hub disaggregates or judges."""
    counts: Counter[str] = Counter({_ROWS: file.accepted})
    for _, reading in file.readings:
        for table, elements in reading.facts:
            for element in _GROUPS.get(table, ()):
                counts[f"{table}.{element}={elements.get(element, '')}"] += 1
    return dict(sorted(counts.items()))


def _key(file: FileReading, year: int) -> str:
    return f"{file.layout} {year}"


def _moved(before: Counts, now: Counts) -> Iterator[Comparison]:
    rows_before, rows_now = before.get(_ROWS, 0), now.get(_ROWS, 0)
    if max(rows_before, rows_now) < COUNT_MIN:
        return
    if abs(rows_now - rows_before) > ROWS_CHANGE_MAX * max(rows_before, 1):
        yield Comparison(_ROWS, rows_before, rows_now)
    for group in sorted({*before, *now} - {_ROWS}):
        share_before = before.get(group, 0) / max(rows_before, 1)
        share_now = now.get(group, 0) / max(rows_now, 1)
        if abs(share_now - share_before) > SHARE_CHANGE_MAX:
            yield Comparison(group, before.get(group, 0), now.get(group, 0))
