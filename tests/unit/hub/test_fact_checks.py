"""Facts chunks at intake: a row that is known but for its reference is checked as if it were read alone."""

import gzip
import json

import pytest

from hub.submissions.facts import Permitted, check_facts
from policies.dictionary import FactError
from policies.submission import SubmissionError

ONE, OTHER, THIRD = ("a" * 32, "b" * 32, "c" * 32)
PERMITTED = Permitted(frozenset({("demographics", "gender"), ("attendance", "days_expected")}))


def line(reference, **elements):
    return json.dumps({"r": reference, "t": "demographics", **elements}, sort_keys=True, separators=(",", ":"))


def checked(*lines, permitted=PERMITTED):
    packed = gzip.compress("".join(f"{one}\n" for one in lines).encode(), mtime=0)
    return check_facts(packed, kind="k12", count=len(lines), permitted=permitted)


def test_rows_that_differ_by_reference_alone_are_all_counted_with_their_references():
    found = checked(*(line(one, gender="F") for one in (ONE, OTHER, ONE)), line(THIRD, gender="M"))

    assert found.tables == {"demographics": 4}
    assert found.references == {bytes.fromhex(one) for one in (ONE, OTHER, THIRD)}


@pytest.mark.parametrize("reference", ["A" * 32, "a" * 31, "a" * 33, "", "g" * 32, "a" * 16 + " " + "a" * 15])
def test_a_reference_of_another_form_is_refused_also_behind_a_row_that_is_known(reference):
    with pytest.raises(FactError) as refused:
        checked(line(ONE, gender="F"), line(reference, gender="F"))

    assert (refused.value.code, refused.value.place) == ("FACT-003", "demographics.r")


@pytest.mark.parametrize(
    "written",
    [
        '{{"r":"{0}","gender":"F","r":"{1}","t":"demographics"}}',
        '{{"r":"{0}","gender":"F","r": "{1}","t":"demographics"}}',
        '{{"r":"{0}","gender":"F","\\u0072":"{1}","t":"demographics"}}',
        '{{"\\u0072":"{1}","gender":"F","r":"{0}","r":"{1}","t":"demographics"}}',
    ],
)
def test_where_a_reference_stands_twice_the_one_that_is_read_counts(written):
    found = checked(written.format(ONE, ONE), written.format(OTHER, ONE), written.format(THIRD, ONE))

    assert found.references == {bytes.fromhex(ONE)}


def test_a_reference_inside_another_value_is_none():
    inside = '{{"gender":{{"r":"{0}"}},"r":"{1}","t":"demographics"}}'

    with pytest.raises(FactError) as refused:
        checked(line(ONE, gender="F"), inside.format(ONE, OTHER))

    assert refused.value.code == "FACT-005"


def test_what_the_agreement_does_not_name_is_refused_behind_any_row():
    with pytest.raises(FactError) as refused:
        checked(line(ONE, gender="F"), line(OTHER, gender="F", race_ethnicity="500"))

    assert refused.value.code == "FACT-007"


def test_a_line_that_cannot_be_read_is_told_by_its_number():
    with pytest.raises(SubmissionError) as refused:
        checked(line(ONE, gender="F"), line(OTHER, gender="F"), line(THIRD, gender="F") + "}")

    assert (refused.value.code, refused.value.place) == ("SUB-004", "line 3")
