"""Looks at files together before anything is prepared: what belongs to nobody, stands twice or contradicts itself.

`check` does what `prepare` will do, short of encoding: files of one kind are put together, and the findings of that are
added to the files they stand in. Nothing is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from connectors.assembly import assemble
from connectors.collection import collection_paused
from connectors.errors import FileRefusedError
from connectors.reading import FileReading
from connectors.reports import FileReport
from policies.dictionary import KINDS

_ROSTERLESS = frozenset({"clearinghouse", "employment"})


def joined(reports: Sequence[FileReport], *, school_year: int | None = None) -> tuple[list[FileReport], list[str]]:
    """The reports with what putting the files together finds, and for each kind that was not, why not."""
    later: dict[str, int] = {}
    told: list[str] = []
    for kind in KINDS:
        files = [report.reading for report in reports if report.reading is not None and report.reading.kind == kind]
        why_not = _why_not(files, kind, school_year=school_year)
        if why_not:
            told.append(f"{kind}: {why_not}")
        elif files:
            later.update(_rejected_later(files, kind, told, school_year=school_year))
    return [replace(report, rejected_later=later.get(report.name, 0)) for report in reports], told


def _why_not(files: Sequence[FileReading], kind: str, *, school_year: int | None) -> str:
    """Why files are looked at one by one only; empty when they can be put together, or when there are none."""
    years = {file.school_year for file in files if file.school_year is not None}
    if len(years) > 1 and school_year is None:
        return "files of several school years are not joined; name one with --year"
    makes_roster = any(reading.named_by == "itself" for file in files for _, reading in file.readings)
    if files and kind not in _ROSTERLESS and not makes_roster:
        return "not joined, because no file here says who the students are"
    return ""


def _rejected_later(
    files: Sequence[FileReading], kind: str, told: list[str], *, school_year: int | None
) -> dict[str, int]:
    year = school_year or next((file.school_year for file in files if file.school_year), None)
    try:
        with collection_paused():
            assembly = assemble(
                files, provider="check", kind=kind, school_year=year or _NO_YEAR, reference_of=_throwaway_reference
            )
    except FileRefusedError as refusal:
        told.append(f"{kind}: not joined, because {refusal.sentence} {refusal.next_step}")
        return {}
    return dict(assembly.rejected_later)


_NO_YEAR = 2000


def _throwaway_reference(local_id: str) -> bytes:
    """Stands in for a record reference, which needs a key; it is never kept."""
    return hashlib.sha256(local_id.encode("utf-8", "surrogatepass")).digest()[:16]
