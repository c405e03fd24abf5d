"""An extract of the audit log as a PDF for a file: its question, its checkpoint, how to verify it, and its events.

Set by Typst as accessible PDF/UA-1, like the report card. What is printed is read from the selection with proofs that
is attached to the PDF, so that the two cannot differ and the attachment proves the print.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib import resources
from typing import Any

from hub.release.printed_card import STANDARD
from policies.translog.merkle import leaf_hash

ATTACHED = "access-log.json"
PRINTED_ROWS_MAX = 2_000
"""Events on one PDF: it is set in about a second."""
LEAF_LETTERS = 16
LONG_WORD = re.compile(r"\S{20,}")
BREAK_AFTER = 8
BREAK = "\u200b"
UNPRINTABLE = re.compile(r"[^\u0020-\u007e\u00a0-\u024f\u2010-\u2026\u200b]")
"""What the font of the print may lack: said by its number."""
HEAD = ("No.", "When (UTC)", "Who", "Event, way", "To what", "Under", "Decision", "Counts", "Leaf hash begins")

STEPS = (
    f"Save the attached file {ATTACHED} from this PDF: your reader lists it under attachments.",
    "Take the copy of hub.json that your office has: it holds the log’s key. The hub gives it once, at the beginning.",
    f"Run: promise-hub audit verify {ATTACHED} --key hub.json. It needs no hub; exit 0 says that each event stands.",
    "Add --checkpoint witness/last.note to hold it against what your own agent cosigned: a log signed anew is found.",
    "That each event is true does not say that none was left out: for that take the whole log (audit export).",
)


@dataclass(frozen=True)
class Extract:
    """What a PDF is made of: a selection with proofs, the question that found it, and who asked when."""

    selection: bytes
    question: str
    answering: int
    asked_by: str
    asked_at: datetime
    made_up: bool


def printed_log(extract: Extract) -> bytes:
    """The PDF of an extract, with the selection attached."""
    import typst

    content: bytes = typst.compile(
        resources.files("hub.web").joinpath("templates", "printed_log.typ").read_bytes(),
        sys_inputs={"told": json.dumps(_told(extract), ensure_ascii=False), "proofs": extract.selection.decode()},
        ignore_system_fonts=True,
        pdf_standards=[STANDARD],
        timestamp=extract.asked_at.replace(microsecond=0),
    )
    return content


def _told(extract: Extract) -> dict[str, Any]:
    value = json.loads(extract.selection)
    events, note = value["events"], str(value["checkpoint"])
    size = note.split("\n")[1]
    return {
        "title": f"Audit log, extract of {extract.asked_at:%Y-%m-%d}, checkpoint {size}",
        "author": "Marin Promise Partnership",
        "description": "Events of the audit log with the checkpoint that they stand under, and how to verify them",
        "heading": "Audit log: an extract",
        "foot": f"Audit log, extract of {extract.asked_at:%Y-%m-%d %H:%M} UTC, checkpoint {size}",
        "attached": ATTACHED,
        "attachment": "These events with the proof of each, to be verified without the hub",
        "notes": ["Demonstration. Every person behind these events is made up."] if extract.made_up else [],
        "facts": list(_facts(extract, events)),
        "checkpoint": {
            "title": "The checkpoint that all of it stands under",
            "words": "Origin, size of the log, root of its tree, then the signatures of the log and of its witnesses:",
            "lines": [_fitting(line) for line in note.rstrip("\n").split("\n")],
        },
        "verify": {"title": "How to verify it", "steps": list(STEPS)},
        "events": {
            "title": "Events",
            "caption": "Oldest first. Whole detail, salt and path of each event stand in the attached file.",
            "head": list(HEAD),
            "rows": [_row(event) for event in events],
        },
    }


def _facts(extract: Extract, events: list[Any]) -> Iterator[tuple[str, str]]:
    yield "Question", _fitting(extract.question.strip() or "none: all that the asker may read")
    yield "Asked by", f"{_fitting(extract.asked_by)}, {extract.asked_at:%Y-%m-%d %H:%M} UTC"
    yield "Events", f"{len(events):,} printed of {extract.answering:,} that answer{_left_out(extract, len(events))}"
    yield "Attached file", _fitting(f"{ATTACHED}, SHA-256 {sha256(extract.selection).hexdigest()}")


def _left_out(extract: Extract, printed: int) -> str:
    if printed == extract.answering:
        return ""
    return f"; the newest {PRINTED_ROWS_MAX:,} are taken, and of these what no checkpoint covers yet is left out"


def _row(event: Any) -> list[str]:
    detail, entry = event["detail"], str(event["entry"])
    when = entry.split("\n")[2]
    counts = ", ".join(f"{name} {number}" for name, number in sorted(detail["counts"].items()))
    cells = (
        str(event["sequence"]),
        when.replace("T", " ")[:19],
        _joined(detail["actor"], detail["organisation"]),
        _joined(detail["event"], detail["method"]),
        str(detail["resource"]),
        _joined(detail["agreement"], detail["purpose"]),
        _joined(detail["decision"], detail["rule"], detail["outcome"]),
        counts,
        leaf_hash(entry.encode()).hex()[:LEAF_LETTERS],
    )
    return [_fitting(cell) for cell in cells]


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _fitting(text: str) -> str:
    """Text that breaks within long words, and whose every character the print has."""
    broken = LONG_WORD.sub(lambda word: _broken(word[0]), text)
    return UNPRINTABLE.sub(lambda found: f"U+{ord(found[0]):04X}", broken)


def _broken(word: str) -> str:
    return BREAK.join(word[at : at + BREAK_AFTER] for at in range(0, len(word), BREAK_AFTER))
