"""No value of a record appears in what the edge says, whatever the file holds."""

import datetime as dt
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.batches import read_reports
from connectors.reports import as_json, as_lines
from connectors.source_map import EMPTY, MappedFile, SourceMap
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)
MARK = "zqxwolk"
SOUND = {
    "senr": made.lines(*(made.senr(f9=f"L{n}") for n in range(8))),
    "sinf": made.lines(*(made.sinf(f10=f"L{n}") for n in range(8))),
    "sela": made.lines(*(made.sela(f12=f"L{n}") for n in range(8))),
    "sprg": made.lines(*(made.sprg(f8=f"L{n}") for n in range(8))),
    "stas": made.lines(*(made.stas(f8=f"L{n}") for n in range(8))),
    "toms": made.toms_file(*[made.toms()] * 8),
    "ksep": made.lines(made.KSEP_TITLES, *[made.KSEP_ROW] * 8),
    "cdd801a": made.lines(made.ROSTER_TITLES, *[made.child()] * 8),
    "nsc": made.lines(made.DETAIL_TITLES, *[made.detail()] * 4, *[made.degree()] * 4),
    "map": made.lines(made.MAP_TITLES, *["a1b2,L1,N,20260820"] * 8),
    "roster": made.lines(made.PARTNER_TITLES, *[made.PARTNER_ROW] * 8),
    "wages": made.lines(made.WAGE_TITLES, *["2020,6,F,999,U,20,15,12"] * 8),
}


def told(folder, content, source_map=EMPTY):
    path = folder / "file.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    reports = read_reports([path], source_map=source_map, school_year=None, latest=LATEST)
    (report,) = reports
    assert report.rows == report.rejected + (report.rows - report.rejected)
    if report.reading is not None:
        assert report.reading.rows == report.reading.accepted + report.reading.rejected
        assert len(report.reading.readings) == report.reading.accepted
    else:
        assert report.refusal is not None
        assert report.rows == report.rejected
    return json.dumps(as_json(reports)) + "\n".join(as_lines(reports)) + repr(reports)


@pytest.mark.parametrize("name", SOUND)
def test_a_marked_word_in_any_cell_is_never_said(name, tmp_path):
    delimiter = "^" if "^" in SOUND[name] else ","
    first, *rest = SOUND[name].splitlines()
    has_titles = "RecordType" in first or delimiter == ","
    width = len(first.split(delimiter))

    for place in range(width):
        spoiled = []
        for row in rest if has_titles else [first, *rest]:
            cells = row.split(delimiter)
            cells[place] = f"{MARK} {cells[place]}"
            spoiled.append(delimiter.join(cells))
        said = told(tmp_path, made.lines(*([first] if has_titles else []), *spoiled))

        assert MARK not in said.lower()
        assert not any(word.lower() in said.lower() for word in made.MARKED)


def test_a_marked_word_where_titles_belong_is_never_said(tmp_path):
    assert MARK not in told(tmp_path, f"{MARK},{MARK}2\n{MARK},3\n").lower()


def test_a_mapped_file_says_its_titles_and_nothing_else(tmp_path):
    titles = {"Who": "local_id", "Name": "surname", "Born": "birth_date", "Began": "start_date", "What": "programme"}
    source_map = SourceMap(files=(MappedFile(pattern="*", kind="programme", table="programme", titles=titles),))

    said = told(tmp_path, "Who,Name,Born,Began,What\n" + f"{MARK},{MARK},{MARK},{MARK},{MARK}\n" * 3, source_map)

    assert MARK not in said.lower()
    assert "Born" in said


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(tmp_path, content):
    told(tmp_path, content)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SOUND)), st.integers(0, 2**32))
def test_any_spoiled_file_is_read_or_refused(tmp_path, name, seed):
    told(tmp_path, spoiled(SOUND[name].encode(), random.Random(seed)))


def spoiled(content, chance):
    """A few cuts, doublings, swaps and strange bytes anywhere in a sound file."""
    strange = (
        b"\x00",
        b"\xff",
        b'"',
        b"^",
        b",",
        b"\r",
        b"\n",
        b"\x1a",
        "ñ".encode(),
        b"=1+1",
        b"-",
        b"9" * 40,
        b"PK\x03\x04",
    )
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        match chance.randrange(4):
            case 0:
                content = content[:at] + chance.choice(strange) + content[at:]
            case 1:
                content = content[:at] + content[at + chance.randint(1, 30) :]
            case 2:
                content = content[at:] + content[:at]
            case _:
                content = content[:at] + content[max(0, at - 60) : at] + content[at:]
    return content
