"""What a submission changes against the last one of its kind and year: who is gone, new or told differently.

Kept and told at the edge only, by the steward's own local numbers; the hub sees how many, and holds what is too many
(policies.holds). She reads it before she sends.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.assembly import Assembly
from connectors.error_extract import as_text
from connectors.workspace import LAST_FOLDER, write_whole
from linkage.schema import MINIMUM_RECORDS
from policies.holds import GONE_SHARE_MAX, GONE_UNSEEN, STUDENTS_GONE

Digests = Mapping[str, str]
"""A short digest of all facts of each student, by local number."""
DIGEST_BYTES = 8


@dataclass(frozen=True, repr=False)
class Changes:
    """Local numbers that are gone, new or told differently. Its repr shows counts only.

    `untold` says that the last one told nothing of anybody and was padded: then any change looks to the hub as if
    students might be missing.
    """

    gone: tuple[str, ...]
    new: tuple[str, ...]
    changed: tuple[str, ...]
    before: int
    untold: bool = False

    @property
    def hold(self) -> str:
        """The code for which the hub will hold it: for students who are gone or may be; empty where it will not."""
        # A roster in which anybody changed is padded by other made-up people: all the last ones are gone too.
        padding = MINIMUM_RECORDS - self.before if self.untold and (self.gone or self.new) else 0
        if not self.before or (len(self.gone) + padding) / (self.before + padding) <= GONE_SHARE_MAX:
            return ""
        return GONE_UNSEEN if self.untold else STUDENTS_GONE

    def __repr__(self) -> str:
        return f"Changes(gone={len(self.gone)}, new={len(self.new)}, changed={len(self.changed)})"

    def __str__(self) -> str:
        share = len(self.gone) / max(self.before, 1)
        counts = f"{len(self.gone):,} gone ({share:.1%}), {len(self.new):,} new, {len(self.changed):,} changed"
        return f"against the last one that the hub accepted: {counts}, of {self.before:,} students"

    def text(self) -> str:
        """The list as CSV, to look at before sending."""
        written = io.StringIO()
        table = csv.writer(written, lineterminator="\r\n")
        table.writerow(["Local Student ID", "Change"])
        for word, numbers in (("gone", self.gone), ("new", self.new), ("changed", self.changed)):
            table.writerows([as_text(number), word] for number in numbers)
        return written.getvalue()

    def keep(self, workspace: Path, *, kind: str, school_year: int) -> Path:
        """Writes the list into the workspace, where the hub's page of a held submission says that it lies."""
        path = workspace / f"changes-{kind}-{school_year}.csv"
        path.write_text(self.text(), encoding="utf-8-sig", newline="")
        return path


@dataclass
class Watch:
    """Sees a submission being prepared, compares it with the last accepted one, and remembers it."""

    workspace: Path
    receipts: Path
    changes: Changes | None = None

    def see(self, assembly: Assembly, submission: str, reference_of: Callable[[str], bytes]) -> None:
        now = digests(assembly, reference_of)
        kind, year = assembly.kind, assembly.school_year
        before = last_accepted(self.workspace, self.receipts, kind=kind, school_year=year)
        remember(self.workspace, submission, kind=kind, school_year=year, now=now)
        self.changes = changes(before, now) if before is not None else None


def digests(assembly: Assembly, reference_of: Callable[[str], bytes]) -> dict[str, str]:
    """The digest of what each student of the assembly would send."""
    told: dict[str, list[str]] = defaultdict(list)
    for fact in assembly.facts:
        told[fact.reference or ""].append(str(dict(sorted(fact.told().items()))))
    return {local_id: _digest(told[reference_of(local_id).hex()]) for local_id in assembly.local_ids}


def changes(before: Digests, now: Digests) -> Changes:
    """What is different between two submissions."""
    return Changes(
        tuple(sorted(set(before) - set(now))),
        tuple(sorted(set(now) - set(before))),
        tuple(sorted(number for number in now if number in before and now[number] != before[number])),
        len(before),
        untold=0 < len(before) < MINIMUM_RECORDS and set(before.values()) == {_digest([])},
    )


def remember(workspace: Path, submission: str, *, kind: str, school_year: int, now: Digests) -> None:
    """Keeps the digests of a prepared submission; older ones of its kind and year that were accepted stay too."""
    folder = workspace / LAST_FOLDER
    folder.mkdir(exist_ok=True, mode=0o700)
    content = {"kind": kind, "school_year": school_year, "digests": now}
    write_whole(folder / f"{submission}.json", json.dumps(content, sort_keys=True).encode())


def last_accepted(workspace: Path, receipts: Path, *, kind: str, school_year: int) -> Digests | None:
    """The digests of the newest submission of this kind and year that the hub accepted; None where there is none."""
    for path in sorted(
        (workspace / LAST_FOLDER).glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True
    ):
        try:
            kept = json.loads(path.read_text("utf-8"))
            state = json.loads((receipts / path.name).read_text("utf-8")).get("state")
        except (OSError, ValueError):
            continue
        if state == "accepted" and (kept["kind"], kept["school_year"]) == (kind, school_year):
            return {str(number): str(digest) for number, digest in kept["digests"].items()}
    return None


def _digest(facts: list[str]) -> str:
    return hashlib.blake2b("\n".join(sorted(facts)).encode(), digest_size=DIGEST_BYTES).hexdigest()
