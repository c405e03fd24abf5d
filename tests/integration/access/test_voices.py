"""Voices on the page: partners write, two persons of other organisations read, and only then everybody sees it."""

import pytest
from sqlalchemy import select

from hub.audit.tables import Detail
from hub.release.tables import VoiceRow
from policies.principal import Role
from tests.integration.access.conftest import HUB, NOVATO, REED

PARTNER = (Role.PARTNER, "canal-alliance")
WORDS = "Nobody at the school answered us in Spanish, so we missed the place."
FORM = {"indicator": "third-grade-reading", "speaker": "family", "english": WORDS, "agreed": "yes"}


def post(people, path, who, **form):
    return people.ask("POST", path, people.cookie(*who), data=form)


def shown(people):
    answer = people.hub.client.get("/v1/voices", params={"indicator": "third-grade-reading"})
    assert answer.status_code == 200
    return answer.json()["rows"]


def events(people):
    with people.hub.database.reading() as session:
        rows = session.scalars(select(Detail).where(Detail.event.like("voice.%")).order_by(Detail.sequence))
        return [(row.event, row.resource, row.actor) for row in rows]


def test_a_voice_shows_when_two_persons_of_other_organisations_have_read_it(people_on_both):
    people = people_on_both
    assert post(people, "/voices", PARTNER, **FORM).status_code == 303
    waiting = shown(people)
    first = post(people, "/voices/1/approve", (Role.STEWARD, NOVATO), declared="yes")
    still = shown(people)
    second = post(people, "/voices/1/approve", (Role.COMPLIANCE, HUB), declared="yes")
    definitions = people.hub.client.get("/definitions").text

    assert (waiting, first.status_code, still, second.status_code) == ([], 303, [], 303)
    assert shown(people) == [
        {
            "id": 1, "indicator": "third-grade-reading", "dimension": None, "year": None, "speaker": "family",
            "texts": {"en": WORDS}, "through": "canal-alliance",
        }
    ]  # fmt: skip
    assert WORDS in definitions
    assert "A family, through canal-alliance" in definitions
    one = "voice/1/third-grade-reading"
    steward, officer = people.principal(Role.STEWARD, NOVATO).actor, people.principal(Role.COMPLIANCE).actor
    assert events(people) == [
        ("voice.written", one, people.principal(*PARTNER).actor),
        ("voice.approved", one, steward),
        ("voice.approved", one, officer),
        ("voice.shown", one, officer),
    ]


def test_the_same_person_counts_once_and_the_writers_organisation_not_at_all(people):
    post(people, "/voices", PARTNER, **FORM)
    post(people, "/voices/1/approve", (Role.STEWARD, NOVATO), declared="yes")

    again = post(people, "/voices/1/approve", (Role.STEWARD, NOVATO), declared="yes")
    own = post(people, "/voices/1/approve", (Role.SIGNATORY, "canal-alliance"), declared="yes")
    unread = post(people, "/voices/1/approve", (Role.SIGNATORY, REED))

    assert [one.status_code for one in (again, own, unread)] == [409, 403, 422]
    assert "You approved it already." in again.text
    assert "Nobody reviews what their own organisation wrote." in own.text
    assert shown(people) == []


def test_a_voice_that_is_declined_is_erased_and_its_writer_reads_why(people):
    post(people, "/voices", PARTNER, **FORM)

    answer = post(people, "/voices/1/decline", (Role.STEWARD, NOVATO), reason="A neighbour would know who it is.")

    seen = people.ask("GET", "/voices", people.cookie(*PARTNER)).text
    with people.hub.database.reading() as session:
        row = session.get_one(VoiceRow, 1)
        kept = (row.state, row.english, row.spanish)
    assert answer.status_code == 303
    assert "A neighbour would know who it is." in seen
    assert WORDS not in seen
    assert kept == ("declined", "", "")
    assert events(people)[-1] == (
        "voice.declined",
        "voice/1/third-grade-reading",
        people.principal(Role.STEWARD, NOVATO).actor,
    )


def test_a_voice_that_shows_can_be_taken_back_and_is_erased(people):
    post(people, "/voices", PARTNER, **FORM)
    for who in ((Role.STEWARD, NOVATO), (Role.STEWARD, REED)):
        post(people, "/voices/1/approve", who, declared="yes")
    stranger = post(people, "/voices/1/withdraw", (Role.PARTNER, "community-action-marin"))
    absent = post(people, "/voices/2/withdraw", (Role.PARTNER, "community-action-marin"))

    taken = post(people, "/voices/1/withdraw", PARTNER)

    assert (stranger.status_code, absent.status_code, taken.status_code) == (404, 404, 303)
    assert stranger.text == absent.text
    assert shown(people) == []
    assert WORDS not in people.hub.client.get("/definitions").text
    assert [event for event, *_ in events(people)] == [
        "voice.written", "voice.approved", "voice.approved", "voice.shown", "voice.withdrawn"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"english": "My son Qorvax could not find a place near us."}, "VOICE-005"),
        ({"english": ""}, "VOICE-001"),
        ({"indicator": "none"}, "VOICE-008"),
        ({"speaker": "none"}, "VOICE-008"),
        ({"dimension": "none"}, "VOICE-008"),
        ({"year": "٢٠٢٦"}, "VOICE-008"),
        ({"agreed": ""}, "VOICE-009"),
    ],
)
def test_what_is_not_taken_is_named_by_field_and_rule_and_stays_in_the_form(people, change, code):
    answer = post(people, "/voices", PARTNER, **{**FORM, **change})

    with people.hub.database.reading() as session:
        refused = session.scalars(select(Detail.rule).where(Detail.event == "request.refused")).one()
        assert session.scalars(select(VoiceRow)).all() == []
    assert answer.status_code == 422
    assert refused == code
    assert (change.get("english", WORDS)) in answer.text
    assert '<h2 id="refused">' in answer.text


def test_a_partner_reads_its_own_organisations_voices_and_reviewers_all(people):
    post(people, "/voices", PARTNER, **FORM)

    seen = {
        who: WORDS in people.ask("GET", "/voices", people.cookie(*who)).text
        for who in (PARTNER, (Role.PARTNER, "community-action-marin"), (Role.STEWARD, NOVATO), (Role.COMPLIANCE, HUB))
    }
    refused = [people.ask("GET", "/voices", people.cookie(Role.ADMINISTRATOR)), people.hub.client.get("/voices")]

    with people.hub.database.reading() as session:
        read = session.scalars(select(Detail.counts).where(Detail.event == "voices.read")).all()
    assert list(seen.values()) == [True, False, True, True]
    assert [counts["voices"] for counts in read] == [1, 0, 1, 1]
    assert [answer.status_code for answer in refused] == [403, 401]
