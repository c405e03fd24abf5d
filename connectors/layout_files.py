"""The layouts of source files, read from `connectors/layouts/*.yaml`: which columns, of which type, with which rules.

A layout chooses nothing by itself; `connectors.recognition` finds the one that fits a file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from connectors import values as cells
from connectors.readers import (
    calpads,
    cers,
    clearinghouse,
    college,
    edfi,
    employment,
    oneroster,
    preschool,
    programme,
    readiness,
    reports,
    toms,
)
from connectors.rows import RowReader
from connectors.values import Parser
from policies.dictionary import dictionary
from policies.rules.rulebook import rejecting_twin
from policies.yaml_text import read_yaml

BLANK_CODES = {
    "name": "IDN-003",
    "birth_date": "IDN-004",
    "local_id": "IDN-001",
    "ssid": "IDN-007",
    "date": "DAT-056",
    "decimal": "NUM-053",
    "integer": "NUM-053",
}
"""The code of a blank cell by column type; all other types are codes."""
BLANK_CODE_OF_CODES = "COD-052"

READERS: Mapping[str, RowReader] = {
    "calpads.enrollment": calpads.enrollment,
    "calpads.information": calpads.information,
    "calpads.language": calpads.language,
    "calpads.program": calpads.program,
    "calpads.absence": calpads.absence,
    "reports.absences": reports.absences,
    "reports.profile": reports.profile,
    "reports.cohort": reports.cohort,
    "toms.score": toms.score,
    "toms.proficiency": toms.proficiency,
    "cers.score": cers.score,
    "oneroster.student": oneroster.student,
    "edfi.enrollment": edfi.enrollment,
    "edfi.assessment": edfi.assessment,
    "edfi.attendance": edfi.attendance,
    "readiness.readiness": readiness.readiness,
    "preschool.child": preschool.child,
    "preschool.head_start_child": preschool.head_start_child,
    "preschool.observed_child": preschool.observed_child,
    "college.student": college.student,
    "college.term": college.term,
    "college.award": college.award,
    "clearinghouse.request": clearinghouse.request,
    "clearinghouse.detail": clearinghouse.detail,
    "employment.aggregate": employment.aggregate,
    "employment.wage": employment.wage,
    "programme.participant": programme.participant,
}
"""Every connector function by the name that layouts call it."""
IDENTITY_STANDS: frozenset[RowReader] = frozenset(
    {calpads.enrollment, calpads.information, calpads.language, calpads.program, calpads.absence, toms.score}
    | {readiness.readiness, clearinghouse.request, toms.proficiency, cers.score}
    | {reports.absences, reports.profile, reports.cohort, oneroster.student, college.student, college.term}
    | {college.award, edfi.enrollment, edfi.assessment, edfi.attendance}
)
"""Connectors that take identity over as it stands: facts and codes depend at most on which parts of it are there."""


@dataclass(frozen=True)
class Column:
    """One column that is used: where it stands, its type, and what a blank or a bad cell means."""

    name: str
    type: str
    at: int | None = None
    titles: tuple[str, ...] = ()
    blank_code: str | None = None
    bad: str = "drop"
    default: str | None = None
    options: Mapping[str, Any] | None = None

    def parser(self, *, latest: dt.date, formats: tuple[str, ...] = ()) -> Parser:
        """The parser of this column's cells; latest is the last plausible day."""
        return _parser(self.type, self.options or {}, latest=latest, formats=formats)

    def code_of(self, fault: str) -> str:
        """The code to report for a fault of a cell of this column."""
        if self.bad == "reject":
            return rejecting_twin(fault)
        return "COD-004" if self.bad == "note" and fault == "COD-001" else fault


@dataclass(frozen=True)
class Variant:
    """A place where years of one layout differ: chosen by what stands in the evidence columns or by the width."""

    name: str
    columns: tuple[Column, ...]
    evidence: Mapping[int, str]
    widths: tuple[int, int] | None


@dataclass(frozen=True)
class Layout:
    """One layout of source files."""

    id: str
    name: str
    page: str
    read: RowReader
    kind: str
    header: bool
    delimiters: tuple[str, ...]
    record_type: str | None
    ods_extra: int
    widths: tuple[int, int] | None
    columns: tuple[Column, ...]
    variants: tuple[Variant, ...]
    required: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...]


@cache
def layouts() -> Mapping[str, Layout]:
    """Every layout by its id."""
    folder = resources.files("connectors").joinpath("layouts")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name)
    read = [read_yaml(entry.read_text("utf-8")) for entry in files]
    return {layout["id"]: _layout(layout) for layout in read if "id" in layout}


def column(name: str, of: Mapping[str, Any]) -> Column:
    """A column of its YAML form."""
    blank = of.get("blank", "ok")
    return Column(
        name=name,
        type=of["type"],
        at=of.get("at"),
        titles=tuple(of.get("titles", ())),
        blank_code=_blank_code(of["type"], blank),
        bad=of.get("bad", "drop"),
        default=of.get("default"),
        options=of,
    )


def _blank_code(column_type: str, blank: str) -> str | None:
    if blank == "ok":
        return None
    code = BLANK_CODES.get(column_type, BLANK_CODE_OF_CODES)
    return rejecting_twin(code) if blank == "reject" else code


def _layout(read: Mapping[str, Any]) -> Layout:
    return Layout(
        id=read["id"],
        name=read["name"],
        page=read["page"],
        read=READERS[f"{read['connector']}.{read['read']}"],
        kind=read["kind"],
        header=read["header"],
        delimiters=tuple(read["delimiters"]),
        record_type=read.get("record_type"),
        ods_extra=read.get("ods_extra", 0),
        widths=_pair(read.get("widths")),
        columns=tuple(column(name, of) for name, of in read["columns"].items()),
        variants=tuple(_variant(variant) for variant in read.get("variants", ())),
        required=tuple(read.get("required", ())),
        one_of=tuple(tuple(names) for names in read.get("one_of", ())),
    )


def _variant(read: Mapping[str, Any]) -> Variant:
    columns = tuple(column(name, of) for name, of in read["columns"].items())
    return Variant(read["name"], columns, read.get("evidence", {}), _pair(read.get("widths")))


def _pair(widths: Sequence[int] | None) -> tuple[int, int] | None:
    return (widths[0], widths[1]) if widths else None


def _parser(column_type: str, options: Mapping[str, Any], *, latest: dt.date, formats: tuple[str, ...]) -> Parser:
    plain = _PLAIN.get(column_type)
    if plain is not None:
        return plain
    if column_type in ("date", "birth_date"):
        return cells.date_parser(formats, birth=column_type == "birth_date", latest=latest)
    if column_type in ("decimal", "integer"):
        limits = options.get("minimum"), options.get("maximum")
        return cells.number_parser(minimum=limits[0], maximum=limits[1], whole=column_type == "integer")
    if column_type == "race_flag":
        return cells.race_flag_parser(str(options["race"]))
    return cells.code_parser(
        codes=frozenset(options.get("codes", ())) | _element_codes(options.get("element")),
        pattern=options.get("pattern"),
        width=options.get("width", 0),
        aliases=options.get("aliases"),
    )


def _element_codes(element: str | None) -> frozenset[str]:
    if element is None:
        return frozenset()
    table, _, name = element.partition(".")
    return dictionary().tables[table].elements[name].codes


_PLAIN: Mapping[str, Parser] = {
    "text": cells.text,
    "name": cells.text,
    "local_id": cells.local_id,
    "ssid": cells.ssid,
    "postcode": cells.postcode,
    "school": cells.school,
    "gender": cells.gender,
    "flag": cells.flag,
    "grade": cells.grade,
    "race": cells.race,
    "races": cells.races,
    "term": cells.term,
    "college_type": cells.college_type,
}
