"""Agreements over the API: form, list, chain of versions, words, changes and calendar, each to its readers."""

import json
from importlib import resources

import pytest

from hub.agreements.tables import AgreementVersion
from hub.audit.tables import Detail
from hub.identity.service import add_person, make_token
from policies.agreements import json_schema, read_agreement
from policies.principal import Role
from tests.integration.hub.conftest import sqlite_hub  # noqa: F401 (a fixture)

pytestmark = pytest.mark.access
FILES = resources.files("policies").joinpath("agreements")


@pytest.fixture
def amended(sqlite_hub):  # noqa: F811
    """A hub on which the preschool agreement holds in two versions."""
    text = FILES.joinpath("dsa-preschool.yaml").read_text("utf-8").replace("version: 1", "version: 2")
    text = text.replace("expires: 2039-06-30", "expires: 2039-05-31")
    with sqlite_hub.database.transaction() as session:
        one = session.get_one(AgreementVersion, ("DSA-PRE", 1))
        session.add(
            AgreementVersion(
                id="DSA-PRE", version=2, tier="DSA", text=text, text_hash=read_agreement(text).text_hash(),
                effective=one.effective, expires=one.expires, loaded_at=one.loaded_at, activated_at=one.loaded_at,
            )
        )  # fmt: skip
    return sqlite_hub


def get(hub, path, cookie=None, **headers):
    return hub.client.get(f"/v1/agreements{path}", headers={**({"cookie": cookie} if cookie else {}), **headers})


def test_everybody_reads_the_form_of_an_agreement(sqlite_hub):  # noqa: F811
    answer = get(sqlite_hub, "/schema")

    assert (answer.status_code, answer.json()) == (200, json.loads(json.dumps(json_schema())))


def test_the_list_tells_which_version_holds_and_each_names_the_hash_that_signatures_bind(amended):
    rows = get(amended, "", amended.sign_in("promise-partnership", Role.COMPLIANCE)).json()["rows"]

    found = {(one["agreement"], one["version"]): one["in_force"] for one in rows}
    assert (found["DSA-PRE", 1], found["DSA-PRE", 2], found["DSA-K12", 1]) == (False, True, True)
    assert all(len(one["text_hash"]) == 64 for one in rows)
    with amended.database.reading() as session:
        event = session.query(Detail).filter(Detail.event == "agreement.read").one()
        assert event.counts == {"agreements": len(rows)}


def test_the_versions_of_an_agreement_are_a_chain_and_each_is_told_whole_and_in_words(amended):
    officer = amended.sign_in("promise-partnership", Role.COMPLIANCE)

    first, second = get(amended, "/DSA-PRE", officer).json()["versions"]
    whole = get(amended, "/DSA-PRE/versions/1", officer).json()
    words = get(amended, "/DSA-PRE/versions/2/words", officer)
    rows = get(amended, "/DSA-PRE/versions/2/changes", officer).json()["rows"]

    assert (first["before_text_hash"], second["before_text_hash"]) == (None, first["text_hash"])
    assert whole["content"]["id"] == "DSA-PRE"
    assert read_agreement(json.dumps(whole["content"])).text_hash() == whole["text_hash"]
    assert words.text.startswith("# ")
    assert {"place": "retention.expires", "before": "2039-06-30", "after": "2039-05-31"} in rows
    assert get(amended, "/DSA-PRE/versions/2/changes?since=3", officer).status_code == 404


def test_a_party_reads_its_own_agreements_and_hidden_ones_are_as_absent(amended):
    steward = amended.sign_in("novato", Role.STEWARD)

    listed = {one["agreement"] for one in get(amended, "", steward).json()["rows"]}
    hidden, absent = get(amended, "/DSA-PRE", steward), get(amended, "/DSA-NONE", steward)

    assert "DSA-K12" in listed
    assert not listed & {"DSA-PRE", "DUL-7"}
    assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert get(amended, "/DSA-PRE/versions/1/words", steward).content == absent.content


def test_a_token_reads_the_agreement_that_it_is_bound_to_and_no_other(amended):
    with amended.database.transaction() as session:
        roles = frozenset({Role.PARTNER})
        person = add_person(session, organisation="canal-alliance", roles=roles, audit=amended.trail)
        secret = make_token(session, person, agreement="DUL-7", audit=amended.trail)

    rows = get(amended, "", authorization=f"Bearer {secret}").json()["rows"]

    assert {one["agreement"] for one in rows} == {"DUL-7"}


def test_the_calendar_holds_the_days_to_come_of_the_newest_versions_that_one_may_read(amended):
    answer = get(amended, "/calendar.ics", amended.sign_in("community-action-marin", Role.STEWARD))

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "last day of DSA-PRE version 2" in answer.text
    assert "DSA-PRE version 1" not in answer.text
    assert "DUL-7" not in answer.text
