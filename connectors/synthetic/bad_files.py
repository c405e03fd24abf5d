"""Three deliberately bad deliveries, as stewards really make them: a look-alike format, spoiled dates, a cut roster."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from connectors.synthetic.forms import forms
from connectors.synthetic.organisations import CHILDRENS_CENTER
from connectors.synthetic.people import Span

LOOKS_LIKE_ONEROSTER = "novato"
CUT_SHORT = ("larkspur-corte-madera", "novato")  # the first of them that has files
CHILDREN = 24
_SDS_TITLES = (
    "SourcedId,orgSourcedIds,username,givenName,familyName,middleName,password,activeDirectoryMatchId,email,phone,sms,"
    "role,grade"
)
_STATE_NUMBER, _LOCAL_NUMBER = 7, 8  # places in SENR


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
        code="FIL-005",
        cause="A Microsoft School Data Sync export was dropped into the inbox; it is no layout that the edge reads.",
    )


def _dragged(bad: Path, providers: Path, year: int, rng: np.random.Generator) -> dict[str, Any]:
    """Birth dates spoiled in a spreadsheet: day 0 of 1900, the last days of 1899, the number behind a date."""
    own = bad / "dragged-birth-dates"
    own.mkdir(parents=True)
    form = forms()["CDD801A"]
    name = form.name.format(year=year)
    titles = form.titles.split(",")
    rows = [_child(number, year) for number in range(1, CHILDREN + 1)]
    lines = [",".join(row.get(title, "") for title in titles) for row in rows]
    (own / name).write_text("\n".join([form.titles, *lines, ""]), "utf-8")
    return _said(
        "dragged-birth-dates",
        CHILDRENS_CENTER,
        "preschool",
        year,
        [name],
        expect="refused",
        code="FIL-010",
        cause="The birth dates of three rows in four were spoiled in a spreadsheet.",
    )


def _child(number: int, year: int) -> dict[str, str]:
    spoiled = ("01/00/1900", "12/30/1899", "44197", f"03/{number:02d}/{year - 4}")
    return {
        "Report Month": f"05/{year}",
        "Vendor Number": "A214 01",
        "FICN": f"F9{number:05d}",
        "Child ID": f"PK9{number:05d}",
        "Child Last Name": f"Testsurname{number}",
        "Child First Name": f"Testgiven{number}",
        "Child Birth Date": spoiled[number % 4],
        "Child Sex": "F" if number % 2 else "M",
        "Program Code": "CSPP",
        "Start Date": f"09/01/{year - 1}",
    }


def _cut_short(bad: Path, providers: Path, year: int, rng: np.random.Generator) -> dict[str, Any]:
    """A district's last year sent again with a third of its students gone from every file."""
    own = bad / "third-gone"
    own.mkdir(parents=True)
    district = next(name for name in CUT_SHORT if (providers / name / "inbox" / str(year)).is_dir())
    inbox = providers / district / "inbox" / str(year)
    names = sorted(path.name for path in inbox.iterdir())
    roster = next(name for name in names if name.startswith("SENR"))
    gone = _a_third(_numbers((inbox / roster).read_bytes()), rng)
    for name in names:
        lines = (inbox / name).read_bytes().splitlines()
        kept = [line for line in lines if not gone & set(_cells(line))]
        (own / name).write_bytes(b"\r\n".join([*kept, b""]))
    return _said(
        "third-gone",
        district,
        "k12",
        year,
        names,
        expect="held",
        code="HOLD-001",
        cause="The roster was sent again with a third of last time's students missing.",
    )


def _cells(line: bytes) -> list[bytes]:
    """The cells of a line of a state file, as exported or as an office keeps it."""
    return line.replace(b'"', b"").replace(b",", b"^").split(b"^")


def _numbers(content: bytes) -> list[tuple[bytes, bytes]]:
    """State and local number of each line of an enrollment file."""
    rows = [_cells(line) for line in content.splitlines() if line]
    return sorted({(row[_STATE_NUMBER], row[_LOCAL_NUMBER]) for row in rows})


def _a_third(pupils: list[tuple[bytes, bytes]], rng: np.random.Generator) -> set[bytes]:
    """The numbers of a third of the pupils."""
    chosen = rng.permutation(len(pupils))[: len(pupils) // 3].tolist()
    return {number for i in chosen for number in pupils[i] if number}


def _said(
    name: str, provider: str, kind: str, year: int, files: list[str], *, expect: str, code: str, cause: str
) -> dict[str, Any]:
    return {"name": name, "provider": provider, "kind": kind, "school_year": year, "files": files, "expect": expect,
            "code": code, "cause": cause}  # fmt: skip
