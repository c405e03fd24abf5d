"""What the agreement does not name never reaches the encoder or the facts."""

import datetime as dt
from pathlib import Path

import pytest

from connectors.assembly import Assembly
from connectors.fact_rows import FactRow
from connectors.minimize import FIELDS_BY_IDENTIFIER, minimize
from linkage.encode.person import ClearPerson, SpanFacts
from policies.agreements import read_agreement
from policies.dictionary import dictionary
from tests.spec.connectors import source_files as made

AGREEMENT = read_agreement(Path("policies/agreements/dsa-k12.yaml").read_text("utf-8"))
PERSON = ClearPerson(
    0,
    given=made.GIVEN,
    surname=made.SURNAME,
    alias_surname=(made.OTHER_SURNAME,),
    birth_date="2015-03-04",
    ssid="1234567890",
    guardian=("Zzyqlmor",),
)
SPAN = SpanFacts(0, reference=b"r" * 16, school_year=2026, grade=5, full_time=True, start_month=1, end_month=2)
ATTENDANCE = FactRow("attendance", "00", {"school": "1", "days_expected": 180, "days_attended": 171})
TEST = FactRow("assessment", "00", {"subject": "ELA", "grade_assessed": "05", "valid": "Y", "achievement_level": "3"})


def assembly(*facts):
    return Assembly("novato", "k12", 2026, [PERSON], [SPAN], facts, ["L1"], {})


def changed(**parts):
    return AGREEMENT.model_copy(update=parts)


def test_what_is_agreed_passes_untouched_and_guardians_do_not():
    kept, dropped = minimize(assembly(ATTENDANCE, TEST), AGREEMENT)

    assert list(kept.facts) == [ATTENDANCE, TEST]
    assert kept.people[0].guardian == ()
    assert kept.people[0].surname == made.SURNAME
    assert dropped.counts == {"person.guardian": 1}


def test_an_element_that_is_not_agreed_is_dropped_and_counted():
    elements = {**AGREEMENT.elements, "assessment": ("subject", "grade_assessed", "valid")}

    kept, dropped = minimize(assembly(TEST), changed(elements=elements))

    assert "achievement_level" not in kept.facts[0].elements
    assert dropped.counts["assessment.achievement_level"] == 1


def test_a_table_that_lost_a_required_element_is_dropped_whole():
    elements = {**AGREEMENT.elements, "attendance": ("school", "days_attended")}

    kept, dropped = minimize(assembly(ATTENDANCE), changed(elements=elements))

    assert list(kept.facts) == []
    assert dropped.counts["attendance.days_expected"] == 1


def test_a_table_that_is_not_named_is_dropped_whole():
    kept, _ = minimize(assembly(ATTENDANCE), changed(elements={}))

    assert list(kept.facts) == []


@pytest.mark.parametrize("identifier", ["surname", "birth_date", "ssid"])
def test_an_identifier_that_is_not_agreed_is_emptied_before_encoding(identifier):
    linkage = AGREEMENT.linkage.model_copy(update={"identifiers": AGREEMENT.linkage.identifiers - {identifier}})

    kept, dropped = minimize(assembly(), changed(linkage=linkage))

    for field in FIELDS_BY_IDENTIFIER[identifier]:
        assert not getattr(kept.people[0], field)
    assert any(name.startswith("person.") for name in dropped.counts)


def test_without_a_linkage_clause_nobody_is_encoded():
    kept, dropped = minimize(assembly(ATTENDANCE), changed(linkage=None))

    assert (kept.people, kept.spans, len(kept.facts)) == ((), (), 1)
    assert dropped.counts == {"person": 1}


def test_every_identifier_of_agreements_has_its_fields():
    assert set(FIELDS_BY_IDENTIFIER) == set(dictionary().identifiers)
    assert {name for names in FIELDS_BY_IDENTIFIER.values() for name in names} == set(ClearPerson.__slots__) - {
        "local_record"
    }


def test_the_agreement_of_these_tests_is_in_force():
    assert AGREEMENT.active_on(dt.date(2026, 6, 30))
