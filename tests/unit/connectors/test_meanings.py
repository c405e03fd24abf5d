"""What codes and titles mean: race and ethnicity, degrees, funding, children numbered by family."""

import pytest

from connectors.readers.calpads import race_ethnicity
from connectors.readers.clearinghouse import award_level
from connectors.readers.preschool import child
from connectors.readers.toms import score


@pytest.mark.parametrize(
    ("values", "category"),
    [
        ({"hispanic": "Y", "race_1": "700"}, "500"),
        ({"hispanic": "N", "race_1": "700"}, "700"),
        ({"hispanic": "N", "race_1": "200", "race_2": "200"}, "200"),
        ({"hispanic": "N", "race_1": "200", "race_2": "700"}, "800"),
        ({"race": "500"}, "500"),
        ({"hispanic": "N"}, None),
        ({}, None),
    ],
)
def test_race_is_hispanic_first_then_two_or_more_then_the_one(values, category):
    assert race_ethnicity(values) == category


@pytest.mark.parametrize(
    ("title", "college", "level"),
    [
        ("ASSOCIATE IN ARTS FOR TRANSFER", "2-year", ("associate", True)),
        ("AA", "2-year", ("associate", True)),
        ("A.S.", "2-year", ("associate", True)),
        ("Certificate of Achievement", "2-year", ("certificate", True)),
        ("BACHELOR OF ARTS", "4-year", ("bachelor", True)),
        ("B.S. NURSING", "4-year", ("bachelor", True)),
        ("MASTER OF SCIENCE", "4-year", ("graduate", True)),
        ("GRADUATE CERTIFICATE", "4-year", ("graduate", True)),
        ("", "2-year", ("associate", False)),
        ("", "4-year", ("bachelor", False)),
    ],
)
def test_a_degree_title_tells_its_level_or_the_college_does(title, college, level):
    assert award_level(title, college) == level


BORN = {"given": "Qzaxi", "surname": "Vwolk", "birth_date": "2021-03-04", "start_date": "2025-09-02"}


def test_a_child_without_a_number_is_known_by_family_birth_date_and_first_name():
    assert child({**BORN, "family_case": "F1", "program_code": "CSPP"}).local_id == "F1/2021-03-04/Qzaxi"


def test_a_child_without_any_number_is_rejected():
    assert "IDN-001" in child({**BORN, "program_code": "CSPP"}).codes


@pytest.mark.parametrize(("code", "funding"), [("CSPP", "CSPP"), ("Head Start", "HEAD-START"), ("CCTR", "OTHER")])
def test_a_program_code_tells_the_funding(code, funding):
    facts = dict(child({**BORN, "local_id": "C1", "program_code": code}).facts)

    assert facts["preschool"] == {"site": "main", "funding": funding, "start_date": "2025-09-02"}
    assert "attendance" not in facts


def test_a_valid_score_without_a_level_is_rejected():
    row = {"record_type": "01", "ssid": "1", "score_status": "V", "attemptedness": "Y", "include": "Y"}

    assert score(row).codes == ("AST-002",)
