"""Says in plain words what was read and found, and writes the same as JSON: for stewards, at the edge only.

Findings are grouped by cause; the first are those whose repair frees the most rows. No value of a record is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import FileRefusedError
from connectors.findings import Cause
from connectors.reading import FileReading

ROWS_NAMED = 8
TOP_CAUSES = 5
EFFECTS = {
    "refuse": "file refused",
    "reject": "row rejected",
    "leave": "row left out",
    "drop": "cell left out",
    "note": "used; have a look",
}


@dataclass(frozen=True)
class FileReport:
    """One file's outcome: a reading, or the refusal."""

    name: str
    reading: FileReading | None
    refusal: FileRefusedError | None
    rejected_later: int = 0

    @property
    def rows(self) -> int:
        if self.refusal is not None:
            return self.refusal.rows
        return self.reading.rows if self.reading else 0

    @property
    def rejected(self) -> int:
        """All rows of a refused file."""
        return self.reading.rejected + self.rejected_later if self.reading else self.rows

    @property
    def causes(self) -> tuple[Cause, ...]:
        read = self.reading or self.refusal
        return read.findings.causes() if read is not None and read.findings is not None else ()


def top_causes(report: FileReport) -> tuple[int, int]:
    """How many messages there are, and how many of them the most frequent causes explain."""
    rows = sorted((cause.rows for cause in report.causes), reverse=True)
    return sum(rows), sum(rows[:TOP_CAUSES])


def as_json(reports: Sequence[FileReport]) -> dict[str, Any]:
    """The summary file: layout, rows, accepted, rejected and findings by cause of every file."""
    return {"files": [_file_json(report) for report in reports]}


def _file_json(report: FileReport) -> dict[str, Any]:
    reading = report.reading
    return {
        "file": report.name,
        "layout": reading.layout if reading else None,
        "said": reading.said if reading else None,
        "school_year": reading.school_year if reading else None,
        "rows": report.rows,
        "accepted": report.rows - report.rejected,
        "rejected": report.rejected,
        "refused": _refusal_json(report.refusal) if report.refusal else None,
        "messages": top_causes(report)[0],
        "messages_of_top_causes": top_causes(report)[1],
        "findings": [_cause_json(cause) for cause in report.causes],
    }


def _refusal_json(refusal: FileRefusedError) -> dict[str, str]:
    return {"code": refusal.code, "sentence": refusal.sentence, "next_step": refusal.next_step}


def _cause_json(cause: Cause) -> dict[str, Any]:
    rule = cause.rule
    words: Mapping[str, Any] = {
        "code": rule.code,
        "severity": rule.severity,
        "cause": rule.cause,
        "fix": rule.fix,
        "example": rule.example,
        "page": f"docs/sources/rules.md#{rule.code.lower()}",
    }
    return {**words, "column": cause.column, "rows": cause.rows, "first_rows": list(cause.first_rows[:ROWS_NAMED])}


def as_lines(reports: Sequence[FileReport]) -> Iterator[str]:
    """The same for a person to read."""
    for report in reports:
        yield from _file_lines(report)


def _file_lines(report: FileReport) -> Iterator[str]:
    if report.refusal is not None:
        yield f"REFUSED  {report.refusal.sentence}"
        yield f"         {report.refusal.code}. {report.refusal.next_step}"
    if report.reading is not None:
        accepted = report.rows - report.rejected
        yield f"{report.name}: {report.reading.said}"
        yield f"         {report.rows:,} rows: {accepted:,} accepted, {report.rejected:,} rejected"
    if report.causes:
        messages, explained = top_causes(report)
        few = min(TOP_CAUSES, len(report.causes))
        explain = "cause explains" if few == 1 else "causes explain"
        yield f"         {few} {explain} {explained:,} of {messages:,} messages"
    for cause in report.causes:
        yield from _cause_lines(cause)


def _cause_lines(cause: Cause) -> Iterator[str]:
    where = f", column {cause.column}" if cause.column else ""
    rows = ", ".join(str(row) for row in cause.first_rows[:ROWS_NAMED] if row)
    more = ", ..." if cause.rows > ROWS_NAMED else ""
    lines = f" (lines {rows}{more})" if rows else ""
    yield f"  {cause.rule.code}  {cause.rule.cause}{where}: {cause.rows:,}, {EFFECTS[cause.rule.severity]}{lines}"
    yield f"           {cause.rule.fix}."
