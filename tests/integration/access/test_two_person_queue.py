"""Dangerous acts over HTTP: one person asks, others approve exactly that within 72 hours, and nobody acts alone."""

import pytest
from sqlalchemy import text

from hub.errors import Conflict, Refused
from hub.identity.tables import ActRow, Person
from hub.identity.two_persons import approve_act, ask_act, drop_acts_of, take_act
from policies.principal import Role
from tests.integration.access.conftest import HUB, NOVATO, REED

pytestmark = pytest.mark.access
DESTROY = {"agreement": "DSA-K12", "version": "1"}
CONCERNED = frozenset({NOVATO, REED})


def asked(people, kind, fields, cookie, *, why="The office asked for it."):
    return people.ask("POST", "/v1/acts", cookie, json={"kind": kind, "fields": fields, "why": why})


def approved(people, number, cookie, *, digest=None):
    seen = people.ask("GET", f"/v1/acts/{number}", cookie)
    shown = digest or seen.json().get("payload_sha256", "")
    return people.ask("POST", f"/v1/acts/{number}/approve", cookie, json={"payload_sha256": shown})


def persons_of(people, organisation):
    with people.hub.database.reading() as session:
        found = session.query(Person).filter(Person.organisation == organisation, Person.removed_at.is_(None))
        return sorted(tuple(one.roles) for one in found)


def test_a_person_is_added_by_an_administrator_and_a_compliance_officer_together(people_on_both):
    people = people_on_both
    administrator, officer = people.cookie(Role.ADMINISTRATOR), people.cookie(Role.COMPLIANCE)

    number = asked(people, "person.add", {"organisation": REED, "roles": "steward"}, administrator).json()["act"]
    before = persons_of(people, REED)
    alone = approved(people, number, administrator)
    answer = approved(people, number, officer)

    assert (before, persons_of(people, REED)) == ([], [("steward",)])
    assert (alone.status_code, alone.json()["code"]) == (403, "refused")
    assert (answer.status_code, answer.json()["missing"], len(answer.json()["code"])) == (200, [], 11)
    assert people.hub.events()[-3:] == ["act.approved", "act.done", "person.added"]
    assert people.ask("GET", f"/v1/acts/{number}", officer).json()["state"] == "done"
    assert approved(people, number, people.cookie(Role.COMPLIANCE, name="second")).json()["code"] == "ACT-011"


def test_nobody_approves_an_act_of_their_own_whatever_roles_they_hold(people):
    both = people.principal(Role.STEWARD, NOVATO)
    officer = type(both)(both.actor, frozenset({Role.STEWARD, Role.COMPLIANCE}), NOVATO)
    with people.hub.database.transaction() as session:
        number = ask_act(
            session, "person.add", {"organisation": NOVATO}, organisations=frozenset({NOVATO}), why="Needed.",
            principal=officer, audit=people.hub.trail,
        )  # fmt: skip
        digest = session.get_one(ActRow, number).digest

    with pytest.raises(Refused) as refused, people.hub.database.transaction() as session:
        approve_act(session, number, digest=digest, principal=officer, audit=people.hub.trail)

    assert refused.value.code == "ACT-006"


def destruction(people):
    """A destruction that was asked and approved by a compliance officer and a signatory of a provider concerned."""
    administrator = people.principal(Role.ADMINISTRATOR)
    with people.hub.database.transaction() as session:
        return ask_act(
            session, "rule.change", DESTROY, organisations=CONCERNED, why="The agreement ended.",
            principal=administrator, audit=people.hub.trail,
        )  # fmt: skip


def take(people, payload=None, organisations=CONCERNED):
    with people.hub.database.transaction() as session:
        return take_act(
            session, "rule.change", DESTROY if payload is None else payload, organisations=organisations,
            audit=people.hub.trail,
        )  # fmt: skip


def code_of(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def test_what_touches_providers_data_needs_a_signatory_of_a_provider_too_and_is_done_once(people_on_both):
    people = people_on_both
    number = destruction(people)
    half = approved(people, number, people.cookie(Role.COMPLIANCE))
    too_soon = code_of(lambda: take(people))
    stranger = people.ask("GET", f"/v1/acts/{number}", people.cookie(Role.SIGNATORY, "kentfield"))
    whole = approved(people, number, people.cookie(Role.SIGNATORY, REED))

    taken = take(people)

    assert (half.json(), too_soon, stranger.status_code) == ({"missing": ["signatory"]}, "ACT-008", 404)
    assert (whole.json(), taken) == ({"missing": []}, number)
    assert code_of(lambda: take(people)) == "ACT-008"
    assert people.hub.events()[-1] == "act.done"


def test_another_payload_than_the_approved_one_is_not_done(people):
    number = destruction(people)
    approved(people, number, people.cookie(Role.COMPLIANCE))
    approved(people, number, people.cookie(Role.SIGNATORY, REED))

    assert code_of(lambda: take(people, payload={**DESTROY, "version": "2"})) == "ACT-008"
    assert code_of(lambda: take(people, organisations=frozenset({NOVATO}))) == "ACT-008"


ALTERATIONS = {
    "payload": 'UPDATE acts SET payload = \'{"agreement": "DSA-HS", "version": "1"}\'',
    "asker": "UPDATE acts SET asked_by = 'person:nobody'",
    "hash": "UPDATE acts SET digest = '" + "0" * 64 + "'",
    "event": "UPDATE acts SET asked_sequence = asked_sequence - 1",
    "approver": "UPDATE act_approvals SET person = 'person:nobody'",
    "role": "UPDATE act_approvals SET role = 'administrator' WHERE role = 'compliance'",
}


@pytest.mark.parametrize("altered", ALTERATIONS)
def test_a_row_that_was_altered_in_the_database_approves_nothing(people, altered):
    number = destruction(people)
    approved(people, number, people.cookie(Role.COMPLIANCE))
    approved(people, number, people.cookie(Role.SIGNATORY, REED))
    with people.hub.database.transaction() as session:
        session.execute(text(ALTERATIONS[altered]))

    assert code_of(lambda: take(people)) in ("ACT-004", "ACT-008")


def test_an_approval_put_there_by_hand_is_none(people):
    number = destruction(people)
    with people.hub.database.transaction() as session:
        digest = session.get_one(ActRow, number).digest
        for role in ("compliance", "signatory"):
            session.execute(
                text("INSERT INTO act_approvals VALUES (:act, :role, 'person:x', :digest, :now, NULL)"),
                {"act": number, "role": role, "digest": digest, "now": people.hub.clock().replace(tzinfo=None)},
            )

    assert code_of(lambda: take(people)) == "ACT-008"


def test_an_act_is_stale_after_72_hours_for_approving_and_for_doing_even_if_its_row_says_otherwise(people_on_both):
    people = people_on_both
    number = destruction(people)
    approved(people, number, people.cookie(Role.COMPLIANCE))
    approved(people, number, people.cookie(Role.SIGNATORY, REED))
    people.hub.clock.advance(hours=72)
    with people.hub.database.transaction() as session:
        session.execute(text("UPDATE acts SET asked_at = :now"), {"now": people.hub.clock().replace(tzinfo=None)})
    officer = people.cookie(Role.COMPLIANCE, name="later")

    assert code_of(lambda: take(people)) == "ACT-005"
    assert people.ask("GET", f"/v1/acts/{number}", officer).json()["state"] == "stale"
    again = destruction(people)
    people.hub.clock.advance(hours=73)
    late = approved(people, again, people.cookie(Role.COMPLIANCE, name="latest"))
    assert (late.status_code, late.json()["code"]) == (403, "ACT-005")


def test_the_same_act_waits_once_and_a_declined_one_may_be_asked_again(people):
    administrator, officer = people.cookie(Role.ADMINISTRATOR), people.cookie(Role.COMPLIANCE)
    fields = {"organisation": REED, "roles": "steward"}
    number = asked(people, "person.add", fields, administrator).json()["act"]

    twice = asked(people, "person.add", fields, administrator)
    declined = people.ask("POST", f"/v1/acts/{number}/decline", officer)
    again = asked(people, "person.add", fields, administrator)

    assert (twice.status_code, twice.json()["code"]) == (409, "ACT-010")
    told = ["act.asked", "request.refused", "acts.read", "act.declined", "act.asked"]
    assert people.hub.events()[-len(told) :] == told
    assert (declined.status_code, again.status_code) == (204, 201)
    assert approved(people, number, officer).json()["code"] == "ACT-011"


def test_asking_to_remove_somebody_bars_them_at_once_until_it_is_declined_or_done(people):
    administrator, officer = people.cookie(Role.ADMINISTRATOR), people.cookie(Role.COMPLIANCE)
    leaver, person = people.cookie(Role.STEWARD, NOVATO), people.principal(Role.STEWARD, NOVATO).actor[7:]

    def comes_in():
        return people.ask("GET", "/v1/submissions", leaver).status_code == 200

    before = comes_in()
    number = asked(people, "person.remove", {"person": person}, administrator).json()["act"]
    meanwhile = comes_in()
    people.ask("POST", f"/v1/acts/{number}/decline", officer)
    again = asked(people, "person.remove", {"person": person}, administrator).json()["act"]
    done = approved(people, again, officer)

    assert (before, meanwhile, done.status_code, comes_in()) == (True, False, 200, False)
    assert people.hub.events().count("person.suspended") == 2
    assert people.hub.events()[-2] == "person.removed"
    assert persons_of(people, NOVATO) == []


def test_the_last_officer_is_not_removed_and_nobody_becomes_administrator_and_officer(people):
    administrator, officer = people.cookie(Role.ADMINISTRATOR), people.cookie(Role.COMPLIANCE)
    person = people.principal(Role.COMPLIANCE).actor[7:]

    last = asked(people, "person.remove", {"person": person}, administrator)
    fields = {"person": people.principal(Role.STEWARD, NOVATO).actor[7:], "roles": "compliance,administrator"}
    number = asked(people, "person.roles", fields, administrator).json()["act"]
    both = approved(people, number, officer)

    assert (last.status_code, last.json()["code"]) == (409, "last-of-role")
    assert (both.status_code, both.json()["code"]) == (409, "roles-exclude")
    assert people.ask("GET", f"/v1/acts/{number}", officer).json()["state"] == "waiting"


@pytest.mark.parametrize(
    ("kind", "fields", "why", "code"),
    [
        ("data.destroy", {}, "It is time.", "ACT-012"),
        ("person.add", {"organisation": REED}, "It is time.", "ACT-012"),
        ("person.add", {"organisation": REED, "roles": ""}, "It is time.", "ACT-012"),
        ("person.add", {"organisation": REED, "roles": "steward"}, "x", "ACT-009"),
        ("person.remove", {"person": "nobody"}, "It is time.", "not-found"),
        ("agent.revoke", {"agent": "nobody:1"}, "It is time.", "not-found"),
    ],
)
def test_an_act_in_a_wrong_form_is_refused(people, kind, fields, why, code):
    assert asked(people, kind, fields, people.cookie(Role.ADMINISTRATOR), why=why).json()["code"] == code


def test_an_agent_is_revoked_by_administrator_officer_and_signatory(people):
    edge = people.hub.enrol(NOVATO)
    number = asked(people, "agent.revoke", {"agent": edge.key_id}, people.cookie(Role.ADMINISTRATOR)).json()["act"]
    approved(people, number, people.cookie(Role.COMPLIANCE))
    still = edge.ask("GET", "/v1/submissions").status_code
    approved(people, number, people.cookie(Role.SIGNATORY, NOVATO))

    assert (still, edge.ask("GET", "/v1/submissions").status_code) == (200, 401)


def test_a_run_that_is_not_there_is_not_accepted_and_the_approval_stays_open(people):
    number = asked(people, "linkage.accept", {"version": "7"}, people.cookie(Role.ADMINISTRATOR)).json()["act"]
    wrong = asked(people, "linkage.accept", {"version": "one"}, people.cookie(Role.ADMINISTRATOR)).json()["act"]
    officer = people.cookie(Role.COMPLIANCE)

    assert approved(people, number, officer).status_code == 404
    assert approved(people, wrong, officer).json()["code"] == "ACT-012"
    assert people.ask("GET", f"/v1/acts/{number}", officer).json()["missing"] == ["compliance"]


def test_the_page_shows_what_is_asked_and_its_buttons_do_it(people):
    administrator, officer = people.cookie(Role.ADMINISTRATOR), people.cookie(Role.COMPLIANCE)
    html = {"accept": "text/html"}
    form = {"kind": "person.add", "organisation": REED, "roles": "steward", "why": "A new steward."}

    chosen = people.ask("GET", "/acts?kind=person.add", administrator, headers=html).text
    sent = people.ask("POST", "/acts", administrator, data=form, headers=html)
    refused = people.ask("POST", "/acts", administrator, data=form, headers=html)
    shown = people.ask("GET", "/acts", officer, headers=html).text
    digest = shown.split('name="digest" value="')[1][:64]
    stale = people.ask("POST", "/acts/1/approve", officer, data={"digest": "0" * 64}, headers=html)
    done = people.ask("POST", "/acts/1/approve", officer, data={"digest": digest}, headers=html)
    gone = people.ask("POST", "/acts/1/decline", officer, headers=html)

    assert "Organisation" in chosen and "Roles" in chosen
    assert (sent.status_code, refused.status_code, stale.status_code) == (303, 409, 403)
    assert (done.status_code, "shown once" in done.text, gone.status_code) == (200, True, 409)
    assert persons_of(people, REED) == [("steward",)]


def test_roles_change_and_sessions_under_the_old_ones_end(people):
    steward, person = people.cookie(Role.STEWARD, NOVATO), people.principal(Role.STEWARD, NOVATO).actor[7:]
    number = asked(
        people, "person.roles", {"person": person, "roles": "signatory"}, people.cookie(Role.ADMINISTRATOR)
    ).json()["act"]

    approved(people, number, people.cookie(Role.COMPLIANCE))

    assert persons_of(people, NOVATO) == [("signatory",)]
    assert people.hub.events()[-1] == "person.changed"
    assert people.ask("GET", "/v1/submissions", steward).status_code == 401
    assert Conflict and HUB


def test_what_somebody_asked_for_who_has_left_is_turned_down(people_on_both):
    people = people_on_both
    leaving = people.principal(Role.ADMINISTRATOR)
    kept = people.principal(Role.ADMINISTRATOR, name="second")
    with people.hub.database.transaction() as session:
        numbers = [
            ask_act(
                session, "rule.change", {**DESTROY, "version": str(place)}, organisations=CONCERNED, why="It ended.",
                principal=asker, audit=people.hub.trail,
            )
            for place, asker in enumerate((leaving, kept))
        ]  # fmt: skip
        drop_acts_of(session, leaving.actor, audit=people.hub.trail)

    with people.hub.database.reading() as session:
        states = [session.get_one(ActRow, number).state for number in numbers]
    assert states == ["declined", "waiting"]
    assert approved(people, numbers[0], people.cookie(Role.COMPLIANCE)).json()["code"] == "ACT-011"
    assert people.hub.events().count("act.declined") == 1
