"""The page reads a mapped file as `promise-edge check` and `prepare` do: same findings, words, people, spans, facts."""

import datetime as dt
import hashlib
import hmac
import json

import pytest

from connectors.assembly import assemble
from connectors.batches import last_day, read_reports
from connectors.joining import joined
from connectors.reports import as_json
from connectors.source_map import read_source_map
from policies.submission import canonical_json
from tests.unit.encoder_page.page_runner import needs_node, run_page

ENTRY = {
    "pattern": "*",
    "layout": "mapped",
    "kind": "preschool",
    "table": "preschool",
    "constants": {"funding": "HEAD-START"},
    "titles": {
        "Child No": "local_id", "First": "given", "Middle": "middle", "Last": "surname", "Also": "alias_surname",
        "DOB": "birth_date", "Sex": "gender", "Race": "race_ethnicity", "Home language": "english_learner_status",
        "ZIP": "postcode", "State no": "ssid", "Mother first": "guardian_given", "Mother last": "guardian_surname",
        "Center": "site", "Began": "start_date", "Left": "end_date", "Days": "attendance.days_expected",
        "Present": "attendance.days_attended",
    },
    "codes": {"english_learner_status": {"English": "EO", "Other": "EL"}},
    "missing": ["N/A"],
}  # fmt: skip
TITLES = ",".join(ENTRY["titles"])
GOOD = [
    "1,Quzam,Zora,Xelor,,2021-02-03,F,White,English,94901,,Vexa,Xelor,North,2025-08-20,,180,171.5",
    "2,Zoë,,van der Zumi,Quza,2/5/2021,girl,Hispanic,Other,9490,1234567890,,,North,08/21/2025,6/1/2026,180,170",
    '3,"Bob",,"Xelor, Zumi",,20210701,m,Two or More,English,94903-1234,,,,South,2025-08-20,2025-12-19,,',
    "4,Wei Min,,Huang,,2021-13-40,X,Filipino,N/A,94901,,,,South,2025-08-20,,1,2",
    "5,Иqра,,Ñuzé,,2020-11-30,F,,English,94901,9876543210,,,North,2025-08-25,,900,170",
    "6,Qizzy,,Xelor,,12/30/1899,F,999,English,94901,,,,North,2025-08-20,,180,180",
]
FILES = {
    "good": [TITLES, *GOOD[:3], *[f"{n}" + GOOD[0][1:] for n in range(20, 40)]],
    "every slip of a cell": [TITLES, *GOOD, *[f"{n}" + GOOD[1][1:] for n in range(20, 40)]],
    "twice, two dates, one state number": [
        TITLES, *GOOD[:3], GOOD[0], GOOD[0].replace("2021-02-03", "2021-02-04"), GOOD[1].replace("2,", "77,", 1),
    ],
    "wrong widths and blank lines": [TITLES, "", GOOD[0], "   ", GOOD[1] + ",x", GOOD[2] + ",", "1,2,3", *GOOD[:2] * 3],
    "a lone quotation mark": [TITLES, *[f"{n}" + GOOD[0][1:].replace("Quzam", '"Quzam') for n in range(30)]],
    "dates dragged": [TITLES, *[f"{n}" + GOOD[0][1:].replace("-02-03", f"-02-{n:02d}") for n in range(1, 28)]],
    "shifted rows": [
        TITLES, *[f"{n}" + GOOD[0][1:] for n in range(40)],
        "99,Zora,Xelor,,2021-02-03,F,White,English,94901,,Vexa,Xelor,North,2025-08-20,,180,171.5,",
    ],
    "most rows rejected": [TITLES, *[f"{n}" + GOOD[5][1:] for n in range(10)], GOOD[0]],
    "few rows": [TITLES, GOOD[0]],
    "titles only": [TITLES],
    "a title missing": [TITLES.replace("DOB", "Birth"), *GOOD],
    "semicolons and spaces": [line.replace(",", " ; ") for line in (TITLES, *GOOD[:2], *GOOD[3:5])],
    "a state number alone": [TITLES, *GOOD[:2], GOOD[4], ",,,,,,,,,,1234567890,,,North,2025-09-01,,,"],
}  # fmt: skip


def read_by_program(tmp_path, content, name):
    """The same that the page's reading gives, from the program's own parts."""
    path, year = tmp_path / name, 2026
    path.write_bytes(content)
    (tmp_path / "sources.yaml").write_text(json.dumps({"version": 1, "files": [ENTRY]}), "utf-8")
    source_map = read_source_map(tmp_path / "sources.yaml")
    latest = last_day(year, dt.date(2026, 11, 22))
    reports, _ = joined(read_reports([path], source_map=source_map, school_year=year, latest=latest), school_year=year)
    told = {"summary": as_json(reports)}
    if reports[0].reading is None:
        return told
    (report,) = read_reports([path], source_map=source_map, school_year=year, latest=latest)
    made = assemble(
        [report.reading], provider="p", kind="preschool", school_year=year,
        reference_of=lambda local_id: hmac.digest(bytes([7] * 32), local_id.encode(), hashlib.sha256)[:16],
    )  # fmt: skip
    spans = [
        {
            "record": one.local_record, "reference": one.reference.hex(), "school_year": one.school_year,
            "grade": one.grade, "full_time": one.full_time, "start": one.start_month, "end": one.end_month,
        }
        for one in made.spans
    ]  # fmt: skip
    names = ("given", "middle", "surname", "suffix", "birth_date", "sex", "postcode", "ssid")
    many = ("alias_given", "alias_surname", "guardian")
    people = [
        {"record": one.local_record, **{name: getattr(one, name) for name in names},
         **{name: list(getattr(one, name)) for name in many}}
        for one in made.people
    ]  # fmt: skip
    facts = [row.told() for row in made.facts]
    lines = [canonical_json(row).decode() for row in facts]
    findings = dict(report.reading.findings.by_code())
    return {
        **told, "people": people, "spans": spans, "facts": facts, "lines": lines, "findings": findings
    }  # fmt: skip


NAMES = [(name, encoding) for name in FILES for encoding in ("utf-8", "utf-8-sig", "utf-16")]


@pytest.fixture(scope="module")
def of_page():
    """What the page makes of every file in every encoding."""
    how = {"entry": ENTRY, "schoolYear": 2026, "latest": "2026-06-30"}
    contents = [list("\r\n".join(FILES[name]).encode(encoding)) for name, encoding in NAMES]
    return dict(zip(NAMES, run_page("reading.js", "readAll", contents, "roster 2026.csv", how), strict=True))


@needs_node
@pytest.mark.doors
@pytest.mark.parametrize(("name", "encoding"), NAMES)
def test_a_file_is_read_alike(tmp_path, of_page, name, encoding):
    content = "\r\n".join(FILES[name]).encode(encoding)

    assert of_page[name, encoding] == read_by_program(tmp_path, content, "roster 2026.csv")
