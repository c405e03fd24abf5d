"""Verifying records that the hub asks about: the list joined with local numbers here at the edge, answers sent back.

The hub knows records by references alone. Here each is turned into the local number that the office knows, by making
the reference of every local number of the inbox anew. The file that comes out holds local numbers: it stays here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.errors import WorkspaceError
from connectors.keystore import ReferenceKey
from connectors.push import Hub
from connectors.references import record_reference
from connectors.workspace import write_whole
from policies.submission import canonical_json

COLUMNS = ("line", "local_id", "field", "look_at", "answer")
ANSWERS = {"right": "right", "corrected": "corrected"}
LOOK_AT: Mapping[str, str] = {
    "names": "given name and surname, as on the papers",
    "date": "birth date: year, month and day",
    "sex": "sex or gender as recorded",
    "ssid": "state student number (SSID)",
}
NOT_HERE = "not in the inbox"


@dataclass(frozen=True)
class Listed:
    """What was fetched: lines, and how many of them are not among the files of the inbox."""

    lines: int
    unknown: int


def fetch_list(hub: Hub, *, local_ids: Iterable[str], key: ReferenceKey, out: Path) -> Listed:
    """Write the lines still open as a CSV file to fill in; an answer column of each field awaits right or corrected."""
    answer = hub.ask("GET", "/v1/linkage/reviews")
    known = {record_reference(key, local_id).hex(): local_id for local_id in local_ids}
    open_lines = [line for line in answer["lines"] if line["state"] == "open"]
    rows = [
        (str(line["item"]), known.get(str(line["reference"]), NOT_HERE), str(field), LOOK_AT.get(str(field), ""), "")
        for line in open_lines
        for field in line["fields"]
    ]
    write_whole(out, _as_csv([COLUMNS, *rows]))
    return Listed(len(open_lines), sum(str(line["reference"]) not in known for line in open_lines))


def send_answers(hub: Hub, file: Path) -> int:
    """Send the lines of which every field has an answer; how many the hub took. Raises WorkspaceError."""
    answers = read_answers(file)
    if not answers:
        raise WorkspaceError(
            "EDGE-031", "No line of the file is answered.", "Write right or corrected into the column answer."
        )
    body: Any = {"answers": [{"item": item, "answers": given} for item, given in answers.items()]}
    return int(hub.ask("POST", "/v1/linkage/reviews/answers", canonical_json(body))["taken"])


def read_answers(file: Path) -> dict[str, dict[str, str]]:
    """By line its answers, of lines that are answered whole; raises WorkspaceError naming the row, never the value."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise WorkspaceError("EDGE-030", "The list cannot be read.", "Run `promise-edge review` again.") from None
    found: dict[str, dict[str, str]] = {}
    unfinished: set[str] = set()
    for number, row in enumerate(rows, start=2):
        line, field, answer = (str(row.get(name) or "").strip() for name in ("line", "field", "answer"))
        if not line or not field:
            raise WorkspaceError("EDGE-030", f"Row {number} of the list is not whole.", "Restore its first columns.")
        if not answer:
            unfinished.add(line)
        elif answer.lower() in ANSWERS:
            found.setdefault(line, {})[field] = ANSWERS[answer.lower()]
        else:
            raise WorkspaceError(
                "EDGE-032", f"Row {number} has another answer than those known.", "Write right or corrected."
            )
    return {line: given for line, given in found.items() if line not in unfinished}


def _as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(",".join(_cell(value) for value in row) + "\r\n" for row in rows).encode()


def _cell(value: str) -> str:
    """A cell that a spreadsheet does not take for a formula (OWASP, CSV injection)."""
    safe = f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    quoted = safe.replace('"', '""')
    return f'"{quoted}"' if any(sign in quoted for sign in ',"\r\n') else quoted
