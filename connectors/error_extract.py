"""Writes what is wrong row by row, to open beside the source file: line, code, column, cause and fix; never a value.

At the edge only. Titles come from the steward's own file, so that a spreadsheet must not take one for a formula.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from connectors.reports import EFFECTS, FileReport

TITLES = ("Line", "Code", "Column", "Effect", "What is wrong", "What to do", "Example")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def extract(report: FileReport) -> str:
    """The findings of one file as CSV, in order of line; what concerns the whole file stands first as line 0."""
    rows = sorted(
        (line, rule.code, cause.column, EFFECTS[rule.severity], rule.cause, rule.fix, rule.example)
        for cause in report.causes
        for rule in [cause.rule]
        for line in cause.first_rows
    )
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\r\n")
    table.writerow(TITLES)
    if report.refusal is not None:
        table.writerow([0, report.refusal.code, "", EFFECTS["refuse"], as_text(report.refusal.sentence), "", ""])
    table.writerows([line, *(as_text(cell) for cell in cells)] for line, *cells in rows)
    return written.getvalue()


def write_extract(report: FileReport, folder: Path) -> Path:
    """The extract in the folder, named after its file, with the mark by which spreadsheets know UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.name.replace('/', '_')}.errors.csv"
    path.write_text(extract(report), encoding="utf-8-sig", newline="")
    return path


def as_text(cell: str) -> str:
    """The cell as text that no spreadsheet computes (CWE-1236)."""
    return f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell
