"""Agreements at the hub: one text a version, refused with the clause named, an event each."""

from importlib import resources

import pytest

from hub.agreements.service import known_versions, load_agreement
from hub.audit.tables import Detail
from hub.errors import Conflict, Invalid

TEXT = resources.files("policies").joinpath("agreements/dsa-k12.yaml").read_text("utf-8")


def load(database, text, trail):
    with database.transaction() as session:
        return load_agreement(session, text, audit=trail)


def events(database):
    with database.reading() as session:
        return [(row.event, row.resource, row.versions) for row in session.query(Detail).order_by(Detail.sequence)]


def test_a_loaded_agreement_is_known_with_its_text_hash_in_the_log(database, trail):
    agreement = load(database, TEXT, trail)

    with database.reading() as session:
        assert known_versions(session) == [agreement]
    assert events(database) == [
        ("agreement.loaded", "agreement:DSA-K12", {"DSA-K12": "1", "text": agreement.text_hash()})
    ]


def test_the_same_text_again_is_nothing(database, trail):
    load(database, TEXT, trail)
    load(database, TEXT + "\n# a remark\n", trail)

    assert len(events(database)) == 1


def test_another_text_under_the_same_version_is_refused(database, trail):
    load(database, TEXT, trail)

    with pytest.raises(Conflict) as refused:
        load(database, TEXT.replace("title: Districts", "title: The districts"), trail)

    assert refused.value.code == "agreement-changed"


def test_a_next_version_stands_beside_the_one_before(database, trail):
    load(database, TEXT, trail)
    load(database, TEXT.replace("version: 1", "version: 2"), trail)

    with database.reading() as session:
        assert [agreement.version for agreement in known_versions(session)] == [1, 2]


WITHOUT_SECURITY = "\n".join(line for line in TEXT.splitlines() if not line.startswith("  security:"))


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [(WITHOUT_SECURITY, "AGR-002", "security"), ("id: [", "AGR-001", "file"), ("tier: DSA", "AGR-001", "id")],
)
def test_an_agreement_that_does_not_serve_is_refused_and_its_place_named(database, trail, text, code, place):
    with pytest.raises(Invalid) as refused:
        load(database, text, trail)

    assert (refused.value.code, refused.value.faults[0].at) == (code, place)
    assert events(database) == []
