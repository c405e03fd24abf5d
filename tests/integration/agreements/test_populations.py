"""Populations by grade and area: kept at the edge's door, at linking and at counting, also after an amendment."""

import json

import pytest

from connectors.fact_rows import FactRow
from connectors.minimize import minimize
from hub.agreements.tables import AgreementVersion
from hub.audit.tables import Detail
from hub.linking.service import request_run
from hub.outcomes.service import blocks, take_snapshot
from hub.submissions.facts import Permitted, check_facts
from linkage.encode.person import ClearPerson, SpanFacts
from policies.agreement_words import plain_words
from policies.agreements import AgreementError, Populations, check_whole
from policies.dictionary import FactError
from policies.disclosure.types import TableDeclaration
from policies.submission import pack_facts
from tests.integration.agreements.test_agreements_are_kept import amended, details
from tests.integration.hub.conftest import sqlite_hub  # noqa: F401 (a fixture)
from tests.integration.outcomes.conftest import filled, unlinked  # noqa: F401 (fixtures)
from tests.unit.connectors.test_minimizing import AGREEMENT, ATTENDANCE, assembly

pytestmark = pytest.mark.access
READING = "third-grade-reading"
TABLES = {READING: (TableDeclaration(name="total", dimensions=(), priority=1),)}


def of(**narrowed):
    return AGREEMENT.model_copy(update={"populations": Populations(text="Some of them", **narrowed)})


def score(grade):
    return {"t": "assessment", "r": "0" * 32, "subject": "ELA", "grade_assessed": grade, "valid": "Y"}


@pytest.mark.parametrize(
    ("narrowed", "place"),
    [({"grades": ("third",)}, "populations.grades"), ({"areas": ("Atlantis",)}, "populations.areas")],
)
def test_grades_and_areas_that_there_are_not_are_refused(narrowed, place):
    with pytest.raises(AgreementError) as refused:
        check_whole(of(**narrowed))

    assert (refused.value.code, refused.value.place) == ("AGR-017", place)


def test_what_was_signed_before_the_form_knew_grades_keeps_its_hash_and_a_narrower_text_has_another():
    assert of().text_hash() == of(grades=(), areas=()).text_hash()
    assert len({of().text_hash(), of(grades=("03",)).text_hash(), of(areas=("Novato",)).text_hash()}) == 3
    assert "only grades: 03" in plain_words(of(grades=("03",)))


def test_at_intake_a_row_of_another_grade_refuses_the_chunk_without_its_value():
    permitted = Permitted(frozenset(("assessment", name) for name in score("03")), frozenset({"03"}))
    for grade, refuses in (("03", False), ("04", True)):
        ((content, count),) = pack_facts([score(grade)])
        if not refuses:
            assert check_facts(content, kind="k12", count=count, permitted=permitted).tables == {"assessment": 1}
            continue
        with pytest.raises(FactError) as refused:
            check_facts(content, kind="k12", count=count, permitted=permitted)
        assert (refused.value.code, refused.value.place) == ("FACT-008", "assessment.grade_assessed")


def test_the_edge_sends_neither_rows_nor_encodings_of_children_of_other_grades():
    third, fourth = b"t" * 16, b"f" * 16
    people = [ClearPerson(0, given="Qorvax"), ClearPerson(1, given="Zyblen")]
    spans = [SpanFacts(at, ref, 2026, 3 + at, True, 1, 2) for at, ref in enumerate((third, fourth))]
    facts = [FactRow("assessment", of_whom.hex(), {"subject": "ELA", "grade_assessed": grade, "valid": "Y"})
             for of_whom, grade in ((third, "03"), (fourth, "04"))]  # fmt: skip
    facts += [ATTENDANCE._replace(reference=of_whom.hex()) for of_whom in (fourth, third)]
    given = assembly(*facts)
    whole = type(given)(given.provider, given.kind, given.school_year, people, spans, facts, ["a", "b"], {})

    kept, dropped = minimize(whole, of(grades=("03",)))

    assert [one.reference for one in kept.facts] == [third.hex(), third.hex()]
    assert [one.local_record for one in kept.people] == [0]
    assert [one.reference for one in kept.spans] == [third]
    assert dropped.counts["rows of other grades"] == 1
    assert len(minimize(whole, of())[0].people) == 2


def test_an_office_outside_the_areas_of_an_amendment_cannot_send_and_what_it_sent_sits_out(sqlite_hub):  # noqa: F811
    novato, reed = sqlite_hub.enrol("novato"), sqlite_hub.enrol("reed")
    novato.deliver(range(30))
    sat_out = reed.deliver(range(20, 50))
    with sqlite_hub.database.transaction() as session:
        amended(session, "DSA-K12", areas=("populations: {", "populations: {areas: [Novato], "))

    refused = reed.open(reed.prepare(range(20, 50), year=2025, agreement={"id": "DSA-K12", "version": 2}))
    with sqlite_hub.database.transaction() as session:
        request_run(session, audit=sqlite_hub.trail)

    assert (refused.status_code, refused.json()["rule"]) == (403, "R-24")
    (event,) = details(sqlite_hub.database, "submission.not_used")
    assert (event.resource, event.rule, event.versions) == (f"submission:{sat_out.id}", "R-24", {"DSA-K12": "2"})


def test_a_run_and_a_refused_request_leave_the_rule_and_the_versions_that_were_read(sqlite_hub):  # noqa: F811
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(30))
    with sqlite_hub.database.transaction() as session:
        request_run(session, audit=sqlite_hub.trail)
    edge.open(edge.prepare(range(30), year=2005))

    (run,) = details(sqlite_hub.database, "linkage.requested")
    assert (run.decision, run.rule, run.versions["DSA-K12"]) == ("permitted", "R-00", "1")
    (refused,) = details(sqlite_hub.database, "request.refused")
    assert (refused.rule, refused.versions) == ("R-22", {"DSA-K12": "1"})


def test_rows_of_a_grade_that_an_amendment_takes_out_are_counted_no_more(filled, trail):  # noqa: F811
    def counted():
        snapshot = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)
        found = blocks(filled.database, snapshot, analysis=filled.analysis, tables=TABLES, audit=trail)
        return [sum(cell.tally.n for cell in block.cells) for block in found]

    assert counted() == [3]
    with filled.database.transaction() as session:
        row = session.get_one(AgreementVersion, ("a", 1))
        row.text = f"{row.text}populations: {{text: Fourth graders, grades: ['04']}}\n"

    assert counted() == []
    (first, *_) = details(filled.database, "outcomes.counted")
    assert (first.decision, first.rule) == ("permitted", "R-00")


def test_a_count_names_the_agreements_by_which_it_is_permitted(filled, trail):  # noqa: F811
    with filled.database.transaction() as session:
        row = session.get_one(AgreementVersion, ("a", 1))
        named = json.dumps({"assessment": ["subject", "grade_assessed", "achievement_level", "valid"]})
        row.text = f"{row.text}elements: {named}\n"
    snapshot = take_snapshot(filled.database, analysis=filled.analysis, audit=trail)

    blocks(filled.database, snapshot, analysis=filled.analysis, tables=TABLES, audit=trail)

    (event,) = details(filled.database, "outcomes.counted")
    assert event.versions["a"] == "1"
    with filled.database.reading() as session:
        assert session.query(Detail).filter(Detail.event == "outcomes.count_refused").count() == 0
