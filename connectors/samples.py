"""Makes a sample file of any layout from the layout itself: to hold beside an export of one's own.

Every person in a sample is made up; the words are no names. Beside the road: only people and tests read a sample.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.bundles.archive import Bundle
from connectors.layout_files import Column, Layout, layouts
from policies.dictionary import dictionary

ROWS = 8
_GIVEN = ("Qzaxiwol", "Zzyqlmor", "Vrixquen", "Tqualdep", "Oxzimbar", "Qwendrix", "Jzorplim", "Kvexatul")
_SURNAMES = ("Vwolkatrix", "Xuqqobren", "Zhaqwemil", "Quvextor", "Pzilqram", "Wqorvexil", "Ylqzander", "Fxqumbel")
SETS = frozenset({"oneroster", "school-data-sync", "edfi-enrollment", "edfi-assessments", "edfi-attendance"})
"""Layouts that are composed of a set of files: their samples are sets."""
_WORDS: Mapping[str, Sequence[str]] = {
    "record_type": ("01", "02"), "transaction": ("A",), "year": ("2025-2026",), "school_year": ("2026",),
    "effective_date": ("2025-08-20",), "start_date": ("2025-08-20",), "exit_date": ("",), "end_date": ("",),
    "exit_reason": ("",), "completion_status": ("",), "assessed_on": ("2025-08-25",), "suffix": ("",),
    "alias_given": ("",), "alias_surname": ("",), "race": ("700", "500", "200"), "race_1": ("700", "600"),
    "race_2": ("",), "race_3": ("",), "race_4": ("",), "race_5": ("",), "hispanic": ("N", "Y"),
    "days_expected": ("180",), "days_attended": ("171", "168.5"), "days_absent": ("9", "3.5"),
    "total_score": ("51", "43"),
    "score_status": ("V",), "attemptedness": ("Y",), "include": ("Y",), "achievement_level": ("3", "2", "4"),
    "subtype": ("SUM", "SUM", "IAB"), "subject": ("ELA", "MATH"), "term": ("Fall 2025",), "band": ("Ready to Go",),
    "college": ("001178-00", "001156-00"), "begin_date": ("2025-08-25",), "award_date": ("2026-05-20",),
    "graduated": ("N",), "record_found": ("Y",), "degree_title": ("",), "searched_on": ("2026-08-20",),
    "programme": ("after-school", "college-access"), "program_code": ("CSPP",), "site": ("Site A", "Site B"),
    "cohort_category": ("HSDiplomaGraduate",), "checkpoint": ("Fall",), "report_month": ("05/2026",),
    "performance_level": ("3",), "instrument_version": ("1",), "completion_year": ("2020",), "years_after": ("6",),
    "persons": ("40",), "matchable": ("31",), "employed": ("28",), "wage_key": ("900-00-0001",), "employer": ("E1",),
    "quarter": ("2025Q2",), "wages": ("7800",), "residence": ("",), "enrollment_status": ("10",), "middle": ("",),
    "blocked": ("N", "Y"), "guardian_given": ("Hzelquot",), "uc_csu_met": ("",), "icode": ("C{n:05}",),
    "number": ("C{n:05}",), "family_case": ("F{n:05}",), "return_field": ("r{n:07}",), "parent_education": ("14", "11"),
}  # fmt: skip
_TYPES: Mapping[str, Sequence[str]] = {
    "local_id": ("{n:06}",), "ssid": ("10000{n:05}",), "school": ("6111111",), "postcode": ("94901", "94947"),
    "gender": ("F", "M"), "grade": ("05", "04"), "flag": ("Y", "N"), "race_flag": ("N",), "college_type": ("2-year",),
    "text": ("text",), "date": ("2025-08-20",), "races": ("700",), "decimal": ("1",), "integer": ("1",),
}  # fmt: skip
_COLLEGE_LOADS = {"studenttracker-detail": "F", "college-enrollment": "H"}
_OLD_ENOUGH = {"clearinghouse": 2007, "college": 2005, "programme": 2009, "preschool": 2021, "k12": 2015}


def sample(layout: Layout, *, rows: int = ROWS) -> str:
    """The text of a sample file with this many made-up people; layouts of sets have none (`sample_set`)."""
    delimiter = layout.delimiters[0]
    table = [_row(layout, number) for number in range(1, rows + 1)]
    if layout.header:
        table.insert(0, [column.titles[0] for column in layout.columns])
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\r\n").writerows(table)
    return written.getvalue()


def file_name(layout: Layout) -> str:
    """What a sample of this layout is called."""
    return f"{layout.id}.{'txt' if layout.delimiters[0] in ('^', chr(9)) else 'csv'}"


def _row(layout: Layout, number: int) -> list[str]:
    if layout.header:
        return [_cell(layout, column, number) for column in layout.columns]
    variant = layout.variants[0].columns if layout.variants else ()
    columns = {column.at: column for column in (*layout.columns, *variant)}
    width = layout.widths[1] if layout.widths else max(at for at in columns if at is not None)
    return [_cell(layout, columns[at], number) if at in columns else "" for at in range(1, width + 1)]


def _cell(layout: Layout, column: Column, number: int) -> str:
    if column.name == "record_type" and layout.record_type is not None:
        return layout.record_type
    if column.name == "enrollment_status" and layout.id in _COLLEGE_LOADS:
        return _COLLEGE_LOADS[layout.id]
    if column.name == "program_code" and layout.id == "calpads-sprg":
        return "181"
    if column.type == "birth_date":
        return _dated(layout, f"{_OLD_ENOUGH[layout.kind]}-03-{number % 28 + 1:02}")
    if column.name in ("given", "surname", "guardian_surname"):
        return (_GIVEN if column.name == "given" else _SURNAMES)[number % len(_GIVEN)]
    choices = _choices(column)
    word = choices[number % len(choices)].format(n=number)
    return _dated(layout, word) if column.type == "date" and word else word


def _choices(column: Column) -> Sequence[str]:
    """What may stand in a column: by its name, else by its type, else the codes of its list."""
    options = column.options or {}
    if column.name in _WORDS:
        return _WORDS[column.name]
    if column.type in _TYPES:
        return _TYPES[column.type]
    if options.get("codes"):
        return [str(code) for code in options["codes"]][:3]
    if options.get("element"):
        table, _, element = str(options["element"]).partition(".")
        return sorted(dictionary().tables[table].elements[element].codes)[:3]
    return ("",)


def _dated(layout: Layout, day: str) -> str:
    """The day as files of this layout write it: CCYYMMDD without titles, year-month-day with them."""
    return day if layout.header else day.replace("-", "")


def write_samples(folder: Path) -> None:
    """A sample of every layout of one file, into the folder."""
    for layout in layouts().values():
        if layout.id not in SETS:
            (folder / file_name(layout)).write_text(sample(layout), encoding="utf-8", newline="")
    for name, files in sample_sets().items():
        (folder / name).mkdir(exist_ok=True)
        for member, text in files.items():
            (folder / name / member).write_text(text, encoding="utf-8", newline="")


def bundle_of(name: str) -> Bundle:
    """A sample set in memory."""
    return Bundle(name, {member: text.encode for member, text in sample_sets()[name].items()})


def sample_sets() -> Mapping[str, Mapping[str, str]]:
    """The sets by name: files of each by name."""
    from connectors.sample_sets import edfi_json, edfi_xml, oneroster_11, oneroster_12, school_data_sync

    people = [(number, _GIVEN[number % 8], _SURNAMES[number % 8]) for number in range(1, ROWS + 1)]
    return {
        "oneroster-1.1": oneroster_11(people),
        "oneroster-1.2": oneroster_12(people),
        "school-data-sync-2.1": school_data_sync(people),
        "edfi-api": edfi_json(people),
        "edfi-xml": edfi_xml(people),
    }


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
