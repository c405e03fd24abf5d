"""Three deliberately bad files, as stewards really make them: a look-alike format, a dragged column, a roster cut short."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from connectors.synthetic.organisations import HEAD_START
from connectors.synthetic.people import Span

LOOKS_LIKE_ONEROSTER = "novato"
CUT_SHORT = "larkspur-corte-madera"
_SDS_TITLES = "SourcedId,orgSourcedIds,username,givenName,familyName,middleName,password,activeDirectoryMatchId,email,phone,sms,role,grade"
# Positions in the state's files: local student id in SENR, SINF, SELA, SPRG, STAS.
_LOCAL_ID = {"SENR": 8, "SINF": 9, "SELA": 11, "SPRG": 7, "STAS": 7}


def write_bad_files(folder: Path, *, span: Span, rng: np.random.Generator) -> Sequence[Mapping[str, Any]]:
    """Writes each bad file with its `bad.json`; returns what they say."""
    makers: tuple[Callable[[Path, Path, int, np.random.Generator], dict[str, Any]], ...] = (
        _look_alike,
        _dragged,
        _cut_short,
    )
    found = []
    for make in makers:
        found.append(make(folder / "bad", folder / "providers", span.last, rng))
        path = folder / "bad" / found[-1]["name"] / "bad.json"
        path.write_text(json.dumps(found[-1], indent=1, sort_keys=True) + "\n", "utf-8")
    return found


def _look_alike(bad: Path, providers: Path, year: int, rng: np.random.Generator) -> dict[str, Any]:
    """A Microsoft School Data Sync export, which looks like OneRoster and is not."""
    own = bad / "sds-users"
    own.mkdir(parents=True)
    rows = [f"{i},org-1,student{i},Testgiven{i},Testsurname{i},,,,,,,student,{i % 12 + 1:02d}" for i in range(1, 41)]
    (own / "users.csv").write_text("\n".join([_SDS_TITLES, *rows, ""]), "utf-8")
    return _said(
        "sds-users",
        LOOKS_LIKE_ONEROSTER,
        "k12",
        year,
        ["users.csv"],
        expect="refused",
        code="layout",
        cause="A Microsoft School Data Sync export was dropped into the inbox; it is no layout that the edge reads.",
    )


def _dragged(bad: Path, providers: Path, year: int, rng: np.random.Generator) -> dict[str, Any]:
    """Birth dates spoiled in a spreadsheet: the year 1899, a first date dragged down, a form that no date has."""
    own = bad / "dragged-birth-dates"
    own.mkdir(parents=True)
    name = f"head_start_roster_{year}.csv"
    source = providers / HEAD_START / "inbox" / str(year) / name
    lines = source.read_text("utf-8").splitlines()
    column = lines[0].split(",").index("DOB")
    spoiled = [lines[0]]
    for number, line in enumerate(lines[1:]):
        fields = line.split(",")
        fields[column] = ("01/00/1900", "12/30/1899", "44197", fields[column])[number % 4]
        spoiled.append(",".join(fields))
    (own / name).write_text("\n".join([*spoiled, ""]), "utf-8")
    return _said(
        "dragged-birth-dates",
        HEAD_START,
        "preschool",
        year,
        [name],
        expect="refused-or-held",
        code="birth-date",
        cause="The birth dates of three rows in four were spoiled in a spreadsheet.",
    )


def _cut_short(bad: Path, providers: Path, year: int, rng: np.random.Generator) -> dict[str, Any]:
    """A district's last year sent again with a third of its students gone."""
    own = bad / "third-gone"
    own.mkdir(parents=True)
    inbox = providers / CUT_SHORT / "inbox" / str(year)
    names = sorted(path.name for path in inbox.iterdir())
    gone: set[str] = set()
    for name in sorted(names, key=lambda n: not n.startswith("SENR")):
        kind = name[:4]
        if kind not in _LOCAL_ID:
            shutil.copyfile(inbox / name, own / name)
            continue
        lines = (inbox / name).read_bytes().split(b"\r\n")
        place = _LOCAL_ID[kind]
        if kind == "SENR":
            everyone = sorted({line.split(b"^")[place].decode() for line in lines if line})
            gone = set(np.array(everyone, dtype=object)[rng.permutation(len(everyone))[: len(everyone) // 3]].tolist())
        kept = [line for line in lines if not line or line.split(b"^")[place].decode() not in gone]
        (own / name).write_bytes(b"\r\n".join(kept))
    return _said(
        "third-gone",
        CUT_SHORT,
        "k12",
        year,
        names,
        expect="held",
        code="students-gone",
        cause="The roster was sent again with a third of last time's students missing.",
    )


def _said(
    name: str, provider: str, kind: str, year: int, files: list[str], *, expect: str, code: str, cause: str
) -> dict[str, Any]:
    return {"name": name, "provider": provider, "kind": kind, "school_year": year, "files": files, "expect": expect,
            "code": code, "cause": cause}  # fmt: skip
