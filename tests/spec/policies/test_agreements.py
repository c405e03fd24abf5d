"""Agreements: what each legal basis demands, what refuses activation, and the days on which one is in force."""

import datetime as dt
from importlib import resources

import pytest
import yaml

from policies.agreements import (
    CLAUSES_BY_BASIS,
    AgreementError,
    check_activation,
    in_force,
    json_schema,
    missing_clauses,
    read_agreement,
)
from policies.dictionary import dictionary

FOLDER = resources.files("policies").joinpath("agreements")
NAMES = sorted(entry.name for entry in FOLDER.iterdir() if entry.name.endswith(".yaml"))


def text_of(name):
    return FOLDER.joinpath(name).read_text("utf-8")


def changed(name, **changes):
    return yaml.safe_dump({**yaml.safe_load(text_of(name)), **changes})


@pytest.mark.parametrize("name", NAMES)
def test_every_example_may_be_activated_and_names_only_elements_of_the_dictionary(name):
    agreement = read_agreement(text_of(name))

    check_activation(agreement)

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
            check_activation(agreement)
        assert (refused.value.code, refused.value.place) == ("AGR-002", clause)


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (
            {"parties": [{"organisation": "reed", "role": "contributor", "authority": "LEA"}]},
            "AGR-003",
            "parties.reed",
        ),
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
        check_activation(read_agreement(changed("dsa-k12.yaml", **change)))

    assert (refused.value.code, refused.value.place) == (code, place)


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


def test_the_schema_is_published_with_every_field_described_by_its_form():
    schema = json_schema()

    assert schema["additionalProperties"] is False
    assert {"id", "tier", "parties", "legal_basis", "purposes", "retention"} <= set(schema["required"])
