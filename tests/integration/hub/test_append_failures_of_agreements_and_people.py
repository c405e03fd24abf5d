"""The same for agreements, accounts, the queue, destruction, salts, requests, opt-outs and voices.

One act after another on one hub: what an act needs is made before its event is refused, so that only the act itself
stands in the comparison.
"""

import datetime as dt
import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from hub.agreements import activation
from hub.agreements.explaining import explain
from hub.agreements.salts import DROP_SALTS, destroy_salts, drop_salts_job, pseudonyms_under
from hub.agreements.service import known_agreements, load_agreement
from hub.agreements.set_up import note_alone
from hub.audit.events import EventType
from hub.errors import Invalid
from hub.files import analysis_store
from hub.identity import accounts, passkeys, provider_sign_in, service, sessions, two_persons
from hub.identity.passkeys import Site
from hub.jobs import Ticket
from hub.operations.destruction import begin_destruction, complete_destruction
from hub.release.asking import Asker
from hub.release.draft import Structure
from hub.release.requests import service as requests
from hub.release.service import store_release
from hub.release.voices import service as voices
from policies.catalogue_files import catalogue
from policies.party_keys import party_key
from policies.principal import Principal, Role
from tests.conftest import stand_in_force
from tests.integration.access.authenticator import Authenticator
from tests.integration.agreements.test_activation import PRESCHOOLS, key_of, leaving, word
from tests.integration.agreements.test_activation import text as agreement_text
from tests.integration.hub.conftest import BASE
from tests.integration.hub.test_append_failures import outcomes_of
from tests.integration.web.conftest import hand_made_draft
from tests.integration.web.test_table_requests import LICENCE as WIDE

pytestmark = pytest.mark.access
HUB, NAME = "promise-partnership", PRESCHOOLS[0]
ADMINISTRATOR = Principal("person:administrator", frozenset({Role.ADMINISTRATOR}), HUB)
OFFICER = Principal("person:officer", frozenset({Role.COMPLIANCE}), HUB)
PARTNER = Principal("person:partner", frozenset({Role.PARTNER}), "canal-alliance")
STEWARD = Principal("person:steward", frozenset({Role.STEWARD}), "novato")
SITE = Site(BASE)
KEY = bytes(32)
NEW = agreement_text("dsa-preschool").replace("DSA-PRE", "DSA-NEW")
SECOND = NEW.replace("version: 1", "version: 2")


def of(world, name):
    return world.kept[name]


def keep(name, make):
    """A need: made once, kept under a name."""

    def need(world):
        world.kept[name] = make(world)

    return need


def somebody(world, role=Role.STEWARD, organisation="novato"):
    return world.within(lambda s, t: service.add_person(s, organisation=organisation, roles=frozenset({role}), audit=t))


def keys(world):
    return {name: party_key(name, key_of(name)) for name in PRESCHOOLS}


def draft(content):
    return lambda world: world.within(lambda s, t: load_agreement(s, content, audit=t))


def sign(content, organisations):
    def act(world):
        now, version = world.hub.clock(), activation.parsed(content)
        for name in organisations:
            told = word(version, name, now=now)
            world.within(lambda s, t, told=told: activation.take_signature(s, told, audit=t))

    return act


def refused_activation(world):
    error = Invalid("No.", code="AGR-010", next_step="Sign.")
    world.within(lambda s, t: activation.note_refusal(s, "DSA-NEW", error, audit=t))


def leave(agreement):
    def act(world):
        told = leaving(agreement, NAME, now=world.hub.clock())
        world.within(lambda s, t: activation.withdraw(s, told, audit=t))

    return act


def asked(world):
    told = {"organisation": "reed", "roles": "steward", "number": str(world.hub.events().count("act.asked"))}
    return world.within(lambda s, t: two_persons.ask_act(
        s, "person.add", told, why="A new steward.", principal=ADMINISTRATOR, audit=t)), told  # fmt: skip


def approve(world):
    def act(session, trail):
        number = of(world, "act")[0]
        seen = two_persons.read_act(session, number, principal=OFFICER, audit=trail)
        two_persons.approve_act(session, number, digest=seen.digest, principal=OFFICER, audit=trail)

    world.within(act)


def take(world):
    world.within(lambda s, t: two_persons.take_act(s, "person.add", of(world, "act")[1], audit=t))


def challenge(world):
    asked = world.within(lambda s, t: passkeys.ask_new(s, of(world, "new"), site=SITE, audit=t))
    return asked.ticket, Authenticator(BASE, "hub.test").make(asked.options)


def opened(world):
    return world.within(lambda s, t: service.open_session(s, of(world, "new"), hours=8, audit=t)).secret


def held_token(world):
    world.within(lambda s, t: service.make_token(s, of(world, "new"), agreement="DUL-WIDE", audit=t))
    with world.hub.database.reading() as session:
        return service.list_tokens(session, of(world, "new"))[0].secret_hash[: service.TOKEN_NAME_LETTERS]


def pseudonyms(world):
    pseudonyms_under(
        world.hub.database, [("DSA-PRE", 1)], analysis=analysis_store(world.hub.home), audit=world.hub.trail
    )


def drop_salt(world):
    told = Ticket(1, DROP_SALTS, "salts.drop:DSA-PRE:1", {"agreement": "DSA-PRE", "version": 1}, 1)
    drop = drop_salts_job(world.hub.database, salts=analysis_store(world.hub.home).salts, clock=world.hub.clock)
    world.within(lambda s, t: drop(told).write(s))


def delivered(world):
    """A preschool's submission whose party has left, so that it may be destroyed."""
    world.hub.enrol(NAME).deliver(range(12), kind="preschool", under="DSA-PRE", year=2020)
    leave("DSA-PRE")(world)


def destroy(world):
    return world.within(lambda s, t: begin_destruction(s, "DSA-PRE", frozenset({NAME}), audit=t))


def certify(world):
    with world.hub.database.reading() as session:
        name = session.execute(text("SELECT id FROM destructions")).scalar_one()
    complete_destruction(world.hub.database, world.hub.home, name, audit=world.hub.trail)


def of_edge(path, **told):
    """What the edge tool of an office asks of one record of its own."""

    def act(world):
        body = {"reference": of(world, "edge").reference(1).hex()} | told
        world.told(of(world, "edge").ask("POST", path, json.dumps(body).encode()))

    return act


def asker(world, principal, agreement=None, purpose=None):
    with world.hub.database.reading() as session:
        found = known_agreements(session)
    given = frozenset(one.id for one in found if one.tier == "DSA")
    return Asker(principal, agreement, purpose, found, world.hub.clock().date(), given)


def request(world, by=("gender", "race")):
    wanted = requests.WantedTable("third-grade-reading", by, "Plan where.")
    return world.within(lambda s, t: requests.request_table(
        s, wanted, catalogue=catalogue(), asker=asker(world, PARTNER, "DUL-WIDE", "tutoring"), audit=t)).id  # fmt: skip


def on_request(act, *told, principal=OFFICER):
    """An act upon the request that is open."""
    return lambda world: world.within(
        lambda s, t: act(s, of(world, "request"), *told, catalogue=catalogue(), asker=asker(world, principal), audit=t)
    )


def cost(world):
    world.within(lambda s, t: requests.record_cost(s, of(world, "request"), {"lost": 0}, audit=t))


def time_for_comments_over(world):
    world.hub.clock.advance(days=30)


def released(world):
    """A release that holds the table that was asked for and approved."""
    made = hand_made_draft()
    splits = Structure("1", '{"dimensions":[],"tables":[{"dimensions":["district","race"]}]}')
    made = replace(made, new_structures=dict.fromkeys(made.new_structures, splits))
    return world.within(lambda s, t: store_release(s, made, audit=t)).id


def written(world):
    wanted = voices.WantedVoice("third-grade-reading", "family", english="Nobody answered us in Spanish.", agreed=True)
    return world.within(lambda s, t: voices.write_voice(s, wanted, principal=PARTNER, audit=t)).id


def read_by(principal):
    return lambda world: world.within(
        lambda s, t: voices.approve_voice(s, of(world, "voice"), declared=True, principal=principal, audit=t)
    )


def read_once(world):
    keep("voice", written)(world)
    read_by(STEWARD)(world)


def nothing(world):
    """What needs nothing beforehand."""


def plain(act, *told, **how):
    """An act within one transaction, of the person who is kept."""
    return lambda world: world.within(lambda s, t: act(s, of(world, "new"), *told, **how, audit=t))


def shortly(world):
    return world.hub.clock() + dt.timedelta(days=1)


ACTS = [
    ("operator.alone", nothing, lambda w: w.within(lambda s, t: note_alone(s, "agreement.activate", audit=t))),
    ("person.changed", keep("new", somebody), plain(service.set_roles, roles=frozenset({Role.SIGNATORY}))),
    ("person.suspended", nothing, lambda w: plain(service.suspend_person, until=shortly(w))(w)),
    ("account.set_up", keep("new", somebody), plain(
        accounts.set_up_account, name="qorvax", password="zyblen wixtho jubrev", key=KEY)),
    ("account.password_changed", nothing, plain(
        accounts.change_password, present="", password="zyblen wixtho kazmuf", secret="")),
    ("person.sessions_ended", nothing, plain(sessions.end_other_sessions, secret="")),
    ("passkey.asked", nothing, plain(passkeys.ask_new, site=SITE)),
    ("passkey.added", keep("answer", challenge), lambda w: plain(passkeys.add_passkey, *of(w, "answer"), site=SITE)(w)),
    ("sign_in.sent", nothing, lambda w: w.within(lambda s, t: provider_sign_in.send(s, "novato", audit=t))),
    ("sign_in.refused", nothing, lambda w: w.within(
        lambda s, t: provider_sign_in.refuse(s, "novato", rule="OIDC-009", audit=t))),
    ("person.bound", nothing, plain(provider_sign_in.bind, issuer="https://id.example", subject="1")),
    ("sign_in.proved", keep("session", opened), lambda w: w.within(
        lambda s, t: service.prove(s, of(w, "session"), audit=t))),
    ("token.revoked", keep("token", held_token), lambda w: plain(service.revoke_token, of(w, "token"))(w)),
    ("account.reset", nothing, plain(accounts.reset)),
    ("person.removed", keep("session", opened), plain(service.remove_person)),
    ("act.asked", nothing, asked),
    ("act.approved", keep("act", asked), approve),
    ("act.done", nothing, take),
    ("act.declined", keep("act", asked), lambda w: w.within(
        lambda s, t: two_persons.decline_act(s, of(w, "act")[0], principal=OFFICER, audit=t))),
    ("acts.read", nothing, lambda w: w.within(lambda s, t: two_persons.list_acts(s, principal=OFFICER, audit=t))),
    ("party_key.registered", nothing, lambda w: w.within(
        lambda s, t: activation.register_keys(s, keys(w), audit=t))),
    ("agreement.signed", draft(NEW), sign(NEW, PRESCHOOLS)),
    ("agreement.activated", nothing, lambda w: w.within(lambda s, t: activation.activate(s, "DSA-NEW", 1, audit=t))),
    ("agreement.refused", nothing, refused_activation),
    ("agreement.amended", lambda w: (draft(SECOND)(w), sign(SECOND, PRESCHOOLS)(w)), lambda w: w.within(
        lambda s, t: activation.amend(s, "DSA-NEW", 2, audit=t))),
    ("agreement.withdrawn", nothing, leave("DSA-NEW")),
    ("decision.explained", nothing, lambda w: w.within(lambda s, t: explain(
        s, "steward@novato", "submission.read of novato", day=w.hub.clock().date(), audit=t))),
    ("salt.made", nothing, pseudonyms),
    ("destruction.begun", delivered, destroy),
    ("destruction.completed", nothing, certify),
    ("salt.destroyed", lambda w: w.within(lambda s, t: destroy_salts(s, "DSA-PRE", audit=t)), drop_salt),
    ("opt_out.recorded", keep("edge", lambda w: w.hub.enrol("novato")), of_edge(
        "/v1/opt-outs", scope="all", word="record")),
    ("record.read", nothing, of_edge("/v1/records")),
    ("opt_out.withdrawn", nothing, of_edge("/v1/opt-outs", scope="all", word="withdraw")),
    ("opt_outs.read", lambda w: w.page("/"), lambda w: w.page("/v1/opt-outs")),
    ("disclosures.read", nothing, lambda w: w.page("/v1/disclosures")),
    ("table.requested", lambda w: w.within(lambda s, t: stand_in_force(s, WIDE, audit=t)), request),
    ("table.commented", keep("request", lambda w: request(w, ("district", "gender"))), on_request(
        requests.comment_on, "concern", "Few of us.", principal=STEWARD)),
    ("table_requests.read", nothing, on_request(requests.read_request)),
    ("table.declined", nothing, on_request(requests.decline_request, "Too deep.")),
    ("table.costed", keep("request", lambda w: request(w, ("district", "race"))), cost),
    ("table.approved", time_for_comments_over, on_request(requests.approve_request, "Good.")),
    ("table.joined", keep("release", released), lambda w: w.within(
        lambda s, t: requests.join_published(s, of(w, "release"), audit=t))),
    ("voice.written", nothing, written),
    ("voice.approved", keep("voice", written), read_by(STEWARD)),
    ("voice.shown", read_once, read_by(OFFICER)),
    ("voices.read", nothing, lambda w: w.within(lambda s, t: voices.list_voices(s, principal=OFFICER, audit=t))),
    ("voice.withdrawn", nothing, lambda w: w.within(
        lambda s, t: voices.withdraw_voice(s, of(w, "voice"), principal=PARTNER, audit=t))),
    ("voice.declined", keep("voice", written), lambda w: w.within(
        lambda s, t: voices.decline_voice(s, of(w, "voice"), "A neighbour knows.", principal=STEWARD, audit=t))),
]  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, home_template):
    needs = {event: need for event, need, _ in ACTS}
    acts = [(event, act) for event, _, act in ACTS]
    return outcomes_of(tmp_path_factory.mktemp("acts"), home_template, acts, lambda world, event: needs[event](world))


@pytest.mark.parametrize("event", [event for event, _, _ in ACTS])
def test_an_act_of_people_or_agreements_and_its_event_are_one_transaction(outcomes, event):
    refused, changed, appended, error = outcomes[event]

    assert (refused, changed) == (True, [])
    assert (appended, error) == (True, None)


def test_the_acts_of_people_and_agreements_stand_on_the_list_of_events_each_once():
    told = [event for event, _, _ in ACTS]

    assert len(told) == len(set(told)) >= 40
    assert set(told) <= {kind.value for kind in EventType}
