"""Agreements: what each legal basis demands, what refuses activation, and the days on which one is in force."""

import datetime as dt
import json
from importlib import resources

import pytest
import yaml

from policies.agreement_clauses import CLAUSES_BY_BASIS, CLAUSES_BY_STATE_LAW, CLAUSES_BY_TIER, Clauses
from policies.agreements import (
    AgreementError,
    check_activation,
    check_whole,
    in_force,
    json_schema,
    missing_clauses,
    missing_parts,
    read_agreement,
)
from policies.dictionary import dictionary

pytestmark = pytest.mark.access
FOLDER = resources.files("policies").joinpath("agreements")
STUDY = resources.files("policies").joinpath("agreement_examples/dsa-studies.yaml").read_text("utf-8")
NAMES = sorted(entry.name for entry in FOLDER.iterdir() if entry.name.endswith(".yaml"))


def text_of(name):
    return FOLDER.joinpath(name).read_text("utf-8")


def changed(name, **changes):
    return yaml.safe_dump({**yaml.safe_load(text_of(name)), **changes})


@pytest.mark.parametrize("name", NAMES)
def test_every_example_may_be_activated_and_names_only_elements_of_the_dictionary(name):
    agreement = read_agreement(text_of(name))

    check_whole(agreement)

    tables = dictionary().tables
    assert all(element in tables[table].elements for table, names in agreement.elements.items() for element in names)


@pytest.mark.parametrize(
    ("basis", "clauses"), [(basis, clauses) for basis, clauses in CLAUSES_BY_BASIS.items() if clauses]
)
def test_each_clause_a_basis_demands_refuses_activation_when_it_is_missing(basis, clauses):
    whole = dict.fromkeys(clauses, "A clause in words.")

    for clause in clauses:
        lacking = {name: words for name, words in whole.items() if name != clause}
        agreement = read_agreement(changed("mou.yaml", legal_basis=[basis], clauses=lacking))
        assert missing_clauses(agreement) == (clause,)
        with pytest.raises(AgreementError) as refused:
            check_whole(agreement)
        assert (refused.value.code, refused.value.place) == ("AGR-002", clause)


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (
            {"retention": {"effective": "2026-07-01", "expires": "2026-06-30", "destroy_within_days": 30}},
            "AGR-004",
            "retention",
        ),
        (
            {
                "linkage": {
                    "allowed_sources": ["unified"],
                    "identifiers": ["birth_date"],
                    "views": ["dob", "ssid"],
                    "key_custodian": "The county office",
                }
            },
            "AGR-005",
            "linkage.views.ssid",
        ),
    ],
)
def test_activation_is_refused_by_place(change, code, place):
    with pytest.raises(AgreementError) as refused:
        check_whole(read_agreement(changed("dsa-k12.yaml", **change)))

    assert (refused.value.code, refused.value.place) == (code, place)


def test_activation_needs_the_signature_of_each_party_but_the_hub():
    agreement = read_agreement(text_of("dsa-preschool.yaml"))
    both = {"community-action-marin", "north-bay-childrens-center"}

    check_activation(agreement, signed_by=both)
    for missing in both:
        with pytest.raises(AgreementError) as refused:
            check_activation(agreement, signed_by=both - {missing})
        assert (refused.value.code, refused.value.place) == ("AGR-003", f"parties.{missing}")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [", "file"),
        ("just words", "agreement"),
        (changed("mou.yaml", tier="NDA"), "tier"),
        (changed("mou.yaml", outputs={"min_n": 10}), "outputs.min_n"),
        (changed("mou.yaml", nickname="x"), "nickname"),
    ],
)
def test_a_file_that_is_no_agreement_is_refused_by_place(text, place):
    with pytest.raises(AgreementError) as refused:
        read_agreement(text)

    assert (refused.value.code, refused.value.place) == ("AGR-001", place)


def test_a_text_hash_binds_every_word_and_no_order_of_sets():
    agreement = read_agreement(text_of("dsa-k12.yaml"))
    same = read_agreement(text_of("dsa-k12.yaml"))
    other = read_agreement(changed("dsa-k12.yaml", title="Another title"))

    assert agreement.text_hash() == same.text_hash()
    assert agreement.text_hash() != other.text_hash()


@pytest.mark.parametrize(
    ("day", "versions"),
    [
        (dt.date(2018, 6, 30), []),
        (dt.date(2018, 7, 1), [2]),
        (dt.date(2039, 6, 30), [2]),
        (dt.date(2039, 7, 1), []),
    ],
)
def test_the_newest_version_is_in_force_from_its_first_to_its_last_day(day, versions):
    first = read_agreement(text_of("mou.yaml"))
    second = read_agreement(changed("mou.yaml", version=2))

    assert [agreement.version for agreement in in_force((second, first), day)] == versions
    assert [agreement.version for agreement in in_force((first, second), day)] == versions


@pytest.mark.parametrize(
    ("kind", "named", "clauses"),
    [("tier", tier, clauses) for tier, clauses in CLAUSES_BY_TIER.items() if clauses]
    + [("state_basis", law, clauses) for law, clauses in CLAUSES_BY_STATE_LAW.items()],
)
def test_each_clause_that_a_tier_or_state_law_demands_is_named_when_it_is_missing(kind, named, clauses):
    whole = dict.fromkeys(clauses, "A clause in words.")
    value = named if kind == "tier" else [named]

    for clause in clauses:
        lacking = {name: words for name, words in whole.items() if name != clause}
        assert missing_clauses(read_agreement(changed("mou.yaml", clauses=lacking, **{kind: value}))) == (clause,)


def test_every_clause_that_there_is_is_demanded_by_somebody():
    demanded = {name for table in (CLAUSES_BY_BASIS, CLAUSES_BY_STATE_LAW, CLAUSES_BY_TIER) for names in table.values()
                for name in names}  # fmt: skip

    assert demanded == set(Clauses.model_fields)


@pytest.mark.parametrize(
    ("name", "changes", "place"),
    [
        ("mou.yaml", {"purposes": []}, "purposes"),
        ("dsa-k12.yaml", {"elements": {}}, "elements"),
        ("dsa-k12.yaml", {"populations": None}, "populations"),
        ("dsa-k12.yaml", {"purposes": [{"id": "p", "text": "Some", "activity": "Some"}]}, "purposes.p.why_identity"),
        ("dsa-k12.yaml", {"breach": None}, "breach"),
        ("dsa-preschool.yaml", {"opt_outs": None}, "opt_outs"),
        ("dul-7.yaml", {"outputs": {}}, "outputs.indicators"),
        ("dul-7.yaml", {"parent": None}, "parent"),
    ],
)
def test_each_part_that_a_basis_or_tier_demands_refuses_activation_when_it_is_missing(name, changes, place):
    agreement = read_agreement(changed(name, **changes))

    assert missing_parts(agreement) == (place,)
    with pytest.raises(AgreementError) as refused:
        check_whole(agreement)
    assert (refused.value.code, refused.value.place) == ("AGR-006", place)


@pytest.mark.parametrize(
    ("elements", "code", "place"),
    [
        ({"enrolment": ["grade"]}, "AGR-007", "elements.enrolment.grade"),
        ({"enrollment": ["shoe_size"]}, "AGR-007", "elements.enrollment.shoe_size"),
        ({"enrollment": {"grade": {"class": "outcome"}}}, "AGR-008", "elements.enrollment.grade"),
    ],
)
def test_elements_are_those_of_the_dictionary_in_their_class(elements, code, place):
    with pytest.raises(AgreementError) as refused:
        check_whole(read_agreement(changed("dsa-k12.yaml", elements=elements)))

    assert (refused.value.code, refused.value.place) == (code, place)


def test_what_may_be_done_with_an_element_is_said_in_full_or_by_listing_it():
    study = read_agreement(STUDY)

    assert study.terms("enrollment", "grade").may_disaggregate
    assert not study.terms("demographics", "english_learner_status").may_disaggregate
    assert study.terms("demographics", "english_learner_status").may_report
    assert study.terms("demographics", "parent_education") is None
    assert study.terms("award", "college") is None


def test_facts_may_never_link():
    with pytest.raises(AgreementError) as refused:
        read_agreement(changed("dsa-k12.yaml", elements={"enrollment": {"grade": {"may_link": True}}}))

    assert refused.value.code == "AGR-001"


def test_identifiers_are_the_dictionary_s_class_of_their_own():
    named = read_agreement(text_of("dsa-k12.yaml")).linkage.identifiers
    facts = {name for table in dictionary().tables.values() for name in table.elements}

    assert named <= dictionary().identifiers.keys()
    assert not facts & (dictionary().identifiers.keys() - {"sex"})


@pytest.mark.parametrize(("year", "meant"), [(2018, False), (2019, True), (2026, True), (2027, False)])
def test_an_agreement_is_about_the_school_years_it_names(year, meant):
    assert read_agreement(STUDY).populations.hold(year) is meant


def test_an_amendment_takes_the_place_of_the_version_before_on_its_own_first_day():
    first = read_agreement(text_of("mou.yaml"))
    later = {"effective": "2030-07-01", "expires": "2031-06-30", "destroy_within_days": 30}
    second = read_agreement(changed("mou.yaml", version=2, retention=later))

    for day, versions in (("2030-06-30", [1]), ("2030-07-01", [2]), ("2031-07-01", [])):
        assert [one.version for one in in_force((first, second), dt.date.fromisoformat(day))] == versions


def test_the_published_schema_is_the_one_of_the_models():
    published = resources.files("policies").joinpath("agreement.schema.json").read_text("utf-8")

    assert json.loads(published) == json_schema()


def test_the_schema_is_published_with_every_field_described_by_its_form():
    schema = json_schema()

    assert schema["additionalProperties"] is False
    assert {"id", "tier", "parties", "legal_basis", "purposes", "retention"} <= set(schema["required"])
