"""The data dictionary: every fact table and element is complete, and a fact row is refused with code and place."""

import pytest

from policies.dictionary import ELEMENT_CLASSES, ELEMENT_TYPES, KINDS, FactError, dictionary

REFERENCE = "0" * 32


def test_every_element_names_its_type_class_source_and_ceds_name():
    tables = dictionary().tables

    elements = [element for table in tables.values() for element in table.elements.values()]

    assert len(tables) == 12
    assert {element.type for element in elements} <= set(ELEMENT_TYPES)
    assert {element.element_class for element in elements} <= set(ELEMENT_CLASSES)
    assert all(element.source and element.ceds for element in elements)
    assert all(e.codes or e.pattern for e in elements if e.type == "code")
    assert all(table.kinds and table.kinds <= set(KINDS) for table in tables.values())


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"t": "demographics", "r": REFERENCE, "gender": "X"}, "k12"),
        (
            {
                "t": "award",
                "r": REFERENCE,
                "college": "001178-00",
                "award_level": "associate",
                "award_date": "2024-05-20",
            },
            "college",
        ),
        (
            {"t": "attendance", "r": REFERENCE, "school": "A-1", "days_expected": 180, "days_attended": 170.5},
            "preschool",
        ),
        (
            {
                "t": "readiness",
                "r": REFERENCE,
                "instrument": "KSEP",
                "instrument_version": "1",
                "assessed_on": "2025-09-03",
                "total_score": 0,
            },
            "k12",
        ),
        (
            {
                "t": "employment_aggregate",
                "completion_year": 2019,
                "years_after": 6,
                "gender": "F",
                "race_ethnicity": "500",
                "economic_disadvantage": "Y",
                "persons": 40,
                "matchable": 30,
                "employed": 20,
            },
            "employment",
        ),
    ],
)
def test_a_row_that_follows_the_dictionary_is_taken(row, kind):
    dictionary().check_fact(row, kind)


@pytest.mark.parametrize(
    ("row", "kind", "code", "place"),
    [
        ({}, "k12", "FACT-001", "t"),
        ({"t": 4}, "k12", "FACT-001", "t"),
        ({"t": "wages"}, "k12", "FACT-001", "t"),
        ({"t": "award", "r": REFERENCE}, "k12", "FACT-002", "award"),
        ({"t": "demographics"}, "k12", "FACT-003", "demographics.r"),
        ({"t": "demographics", "r": "Zzyzx Quorv"}, "k12", "FACT-003", "demographics.r"),
        ({"t": "employment_aggregate", "r": REFERENCE}, "employment", "FACT-003", "employment_aggregate.r"),
        ({"t": "demographics", "r": REFERENCE, "first_name": "Qwixel"}, "k12", "FACT-004", "demographics"),
        ({"t": "demographics", "r": REFERENCE, "gender": "Q"}, "k12", "FACT-005", "demographics.gender"),
        ({"t": "demographics", "r": REFERENCE, "gender": None}, "k12", "FACT-005", "demographics.gender"),
        ({"t": "program", "r": REFERENCE, "start_date": "2024-02-30"}, "k12", "FACT-005", "program.start_date"),
        ({"t": "program", "r": REFERENCE, "start_date": "20240201"}, "k12", "FACT-005", "program.start_date"),
        ({"t": "program", "r": REFERENCE, "start_date": 20240201}, "k12", "FACT-005", "program.start_date"),
        ({"t": "readiness", "r": REFERENCE, "total_score": 47.5}, "k12", "FACT-005", "readiness.total_score"),
        ({"t": "readiness", "r": REFERENCE, "total_score": True}, "k12", "FACT-005", "readiness.total_score"),
        ({"t": "readiness", "r": REFERENCE, "total_score": "47"}, "k12", "FACT-005", "readiness.total_score"),
        ({"t": "readiness", "r": REFERENCE, "total_score": -1}, "k12", "FACT-005", "readiness.total_score"),
        ({"t": "attendance", "r": REFERENCE, "days_expected": 400}, "k12", "FACT-005", "attendance.days_expected"),
        ({"t": "program", "r": REFERENCE, "program_code": "181"}, "k12", "FACT-006", "program.start_date"),
    ],
)
def test_a_row_that_breaks_the_dictionary_is_refused_with_code_and_place_and_no_value(row, kind, code, place):
    with pytest.raises(FactError) as refused:
        dictionary().check_fact(row, kind)

    assert (refused.value.code, refused.value.place) == (code, place)
    assert "Qwixel" not in str(refused.value)
    assert "Zzyzx" not in str(refused.value)
    assert refused.value.next_step


def test_an_element_without_a_lower_limit_takes_any_number():
    element = dictionary().tables["attendance"].elements["days_expected"]
    free = type(element)(**{**element.__dict__, "minimum": None, "maximum": None})

    assert free.may_hold(-5)
    assert free.may_hold(5000)
