"""Files of one provider put together: whose rows they are, what merges, what belongs to nobody."""

import datetime as dt
import pickle

import pytest

from connectors.assembly import assemble
from connectors.errors import FileRefusedError
from connectors.reading import read_file
from connectors.source_map import MappedFile, SourceMap
from linkage.encode.person import SpanFacts
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)


def reference(local_id):
    return local_id.encode().ljust(16, b"\0")


def put_together(folder, kind="k12", **files):
    readings = []
    for name, content in files.items():
        path = folder / f"{name}.txt"
        path.write_text(content, encoding="utf-8", newline="")
        readings.append(read_file(path, latest=LATEST))
    return readings, assemble(readings, provider="novato", kind=kind, school_year=2026, reference_of=reference)


def stated(assembly, table):
    return [
        {name: value for name, value in row.told().items() if name != "t"}
        for row in assembly.facts
        if row.table == table
    ]


def test_all_files_of_a_student_become_one_person_and_one_row_of_demographics(tmp_path):
    _, whole = put_together(
        tmp_path,
        senr=made.lines(made.senr()),
        sinf=made.lines(made.sinf(f15="Zzyqlmor")),
        sela=made.lines(made.sela()),
        sprg=made.lines(made.sprg()),
        stas=made.lines(made.stas()),
        toms=made.toms_file(made.toms()),
        ksep=made.lines(made.KSEP_TITLES, made.KSEP_ROW),
    )

    (person,) = whole.people
    assert (person.given, person.surname, person.alias_given) == (made.GIVEN, made.SURNAME, ("Zzyqlmor",))
    assert (person.birth_date, person.sex, person.postcode, person.ssid) == ("2015-03-04", "F", "94945", "1234567890")
    r = reference("L1").hex()
    assert stated(whole, "demographics") == [
        {"r": r, "gender": "F", "race_ethnicity": "700", "parent_education": "14", "english_learner_status": "EL"}
    ]
    assert {row.table for row in whole.facts} == {
        "enrollment",
        "demographics",
        "program",
        "attendance",
        "assessment",
        "readiness",
    }
    assert whole.rejected_later == {}


def test_an_enrollment_becomes_a_span_within_the_school_year(tmp_path):
    moved = made.senr(f5="6222222", f22="20260302", f23="20")
    _, whole = put_together(tmp_path, senr=made.lines(made.senr(f22="20190820", exit_date="20260227"), moved))

    common = {"reference": reference("L1"), "school_year": 2026, "grade": 5}
    assert whole.spans == [
        SpanFacts(0, full_time=False, start_month=314, end_month=317, **common),
        SpanFacts(0, full_time=True, start_month=306, end_month=313, **common),
    ]


def test_a_student_without_a_dated_row_is_there_the_whole_year(tmp_path):
    (tmp_path / "sources.yaml").write_text("files: []")
    rows = made.lines(made.PARTNER_TITLES, made.PARTNER_ROW)

    _, whole = put_together(tmp_path, kind="programme", roster=rows)

    assert [(span.grade, span.full_time, span.start_month, span.end_month) for span in whole.spans] == [
        (-128, False, 308, 317)
    ]


def test_the_latest_spelling_is_the_name_and_earlier_ones_are_kept(tmp_path):
    later = made.senr(f12=made.OTHER_SURNAME, f22="20260110")

    _, whole = put_together(tmp_path, senr=made.lines(later, made.senr()))

    assert (whole.people[0].surname, whole.people[0].alias_surname) == (made.OTHER_SURNAME, (made.SURNAME,))


def test_a_later_status_replaces_an_earlier_one(tmp_path):
    _, whole = put_together(
        tmp_path, senr=made.lines(made.senr()), sela=made.lines(made.sela(f13="RFEP", f14="20251101"), made.sela())
    )

    assert stated(whole, "demographics")[0]["english_learner_status"] == "RFEP"


def test_scores_are_joined_by_state_number_inside_the_provider(tmp_path):
    strangers = made.toms(SSID="9999999999")
    readings, whole = put_together(tmp_path, senr=made.lines(made.senr()), toms=made.toms_file(made.toms(), strangers))

    assert [row.reference for row in whole.facts if row.table == "assessment"] == [reference("L1").hex()]
    assert whole.rejected_later == {"toms.txt": 1}
    assert readings[1].findings.by_code()["ROW-004"] == 1


def test_a_row_that_stands_twice_is_used_once_and_named(tmp_path):
    readings, whole = put_together(tmp_path, senr=made.lines(made.senr(), made.senr()))

    assert len(stated(whole, "enrollment")) == 1
    assert readings[0].findings.by_code() == {"FIL-015": 1, "ROW-005": 1}


def test_conflicts_of_identity_are_named_and_both_numbers_stay(tmp_path):
    readings, whole = put_together(
        tmp_path, senr=made.lines(made.senr(), made.senr(f17="20140101", f22="20260110"), made.senr(f9="L2"))
    )

    assert len(whole.people) == 2
    assert readings[0].findings.by_code() == {"FIL-015": 1, "IDN-005": 1, "IDN-006": 1}


def test_two_children_with_one_state_number_take_their_scores_by_the_first_local_number(tmp_path):
    _, whole = put_together(
        tmp_path, senr=made.lines(made.senr(f9="L2"), made.senr(f9="L1")), toms=made.toms_file(made.toms())
    )

    assert [row["r"] for row in stated(whole, "assessment")] == [reference("L1").hex()]


def test_the_order_of_files_and_rows_does_not_matter(tmp_path):
    rows = [made.senr(f9=f"L{n}", f8=f"{1_000_000_000 + n}") for n in range(7)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    _, one = put_together(tmp_path / "a", senr=made.lines(*rows), stas=made.lines(made.stas(f8="L3")))
    _, other = put_together(tmp_path / "b", stas=made.lines(made.stas(f8="L3")), senr=made.lines(*reversed(rows)))

    assert (one.people, one.spans, one.facts) == (other.people, other.spans, other.facts)


NSC = {
    "found": ([made.detail(), made.degree()], "N", {"result": "found", "searched_on": "2026-08-20"}),
    "not found": (
        [made.detail(**{"Record Found Y/N": "N"})],
        "N",
        {"result": "not-found", "searched_on": "2026-08-20"},
    ),
    "blocked": ([made.detail(**{"Record Found Y/N": "N"})], "Y", {"result": "blocked", "searched_on": "2026-08-20"}),
    "blocked and not in the report": (
        [made.detail(**{"Requester Return Field": "other"})],
        "Y",
        {"result": "blocked", "searched_on": "2026-08-01"},
    ),
    "asked and not in the report": ([made.detail(**{"Requester Return Field": "other"})], "N", None),
}


@pytest.mark.parametrize("name", NSC)
def test_a_search_has_one_result_and_a_block_is_not_a_no(name, tmp_path):
    rows, blocked, search = NSC[name]

    readings, whole = put_together(
        tmp_path,
        kind="clearinghouse",
        map=made.lines(made.MAP_TITLES, f"a1b2,L1,{blocked},20260801"),
        nsc=made.lines(made.DETAIL_TITLES, *rows),
    )

    expected = [] if search is None else [{"r": reference("L1").hex(), **search}]
    assert stated(whole, "college_search") == expected
    assert (whole.people, list(whole.spans)) == ((), [])
    strangers = sum("other" in row for row in rows)
    assert readings[1].findings.by_code().get("NSC-001", 0) == strangers


def test_a_report_without_its_request_map_is_refused(tmp_path):
    with pytest.raises(FileRefusedError, match="NSC-005"):
        put_together(tmp_path, kind="clearinghouse", nsc=made.lines(made.DETAIL_TITLES, made.detail()))


def test_a_search_of_which_nobody_says_when_is_rejected(tmp_path):
    readings, whole = put_together(
        tmp_path,
        kind="clearinghouse",
        map=made.lines(made.MAP_TITLES, "a1b2,L1,N,"),
        nsc=made.lines(made.DETAIL_TITLES, made.detail(**{"Search Date": ""})),
    )

    assert (list(whole.facts), dict(whole.rejected_later)) == ([], {"map.txt": 1, "nsc.txt": 1})
    assert readings[1].findings.by_code()["NSC-004"] == 1


def test_a_row_that_breaks_the_dictionary_is_rejected(tmp_path):
    titles = {
        "Who": "local_id",
        "Name": "surname",
        "What": "programme",
        "When": "start_date",
        "Days": "attendance.days_attended",
    }
    titles |= {"Of": "attendance.days_expected"}
    source_map = SourceMap(files=(MappedFile(pattern="*", kind="preschool", table="programme", titles=titles),))
    (tmp_path / "roster.csv").write_text("Who,Name,What,When,Days,Of\nP1,Vwolk,tutoring,2025-09-01,5,9\n")
    reading = read_file(tmp_path / "roster.csv", source_map=source_map, latest=LATEST)

    whole = assemble([reading], provider="reed", kind="preschool", school_year=2026, reference_of=reference)

    assert (list(whole.facts), reading.findings.by_code()["ROW-006"]) == ([], 1)


def test_aggregates_carry_no_reference(tmp_path):
    _, whole = put_together(
        tmp_path,
        kind="employment",
        wages=made.lines(made.WAGE_TITLES, "2020,6,F,999,U,20,15,12", "2020,6,M,999,U,5,9,1"),
    )

    assert [(row.reference, row.elements["gender"]) for row in whole.facts] == [(None, "F")]


def test_what_holds_clear_identity_shows_nothing_and_is_not_pickled(tmp_path):
    readings, whole = put_together(tmp_path, senr=made.lines(made.senr()))
    row = readings[0].readings[0][1]

    for clear in (whole, row, row.person, *whole.people):
        assert not any(word in repr(clear) for word in (*made.MARKED, "L1", "2015"))
        with pytest.raises(TypeError):
            pickle.dumps(clear)
