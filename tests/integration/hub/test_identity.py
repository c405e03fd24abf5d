"""Who may ask: agents by signature, people by link, session or token, and everybody else as the public."""

import datetime as dt

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.app import create_app
from hub.errors import Conflict, Invalid, NotFound
from hub.identity import agents, service
from hub.identity.replay import take_nonce
from hub.identity.tables import RequestNonce, SignedIn, SignInLink, Token
from policies.principal import Role
from tests.integration.hub.conftest import BASE, AppTransport


def add(hub, *, organisation="novato", role=Role.STEWARD):
    with hub.database.transaction() as session:
        return service.add_person(session, organisation=organisation, roles=frozenset({role}), audit=hub.trail)


def link_for(hub, person):
    with hub.database.transaction() as session:
        return service.make_sign_in_link(session, person, audit=hub.trail)


def get(hub, path, **headers):
    return hub.client.get(path, headers=headers)


def test_an_unsigned_request_is_the_public_and_may_not_read_submissions(sqlite_hub):
    answer = get(sqlite_hub, "/v1/submissions")

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
    assert answer.headers["content-type"] == "application/problem+json"
    assert sqlite_hub.events()[-1] == "request.refused"


def test_a_request_signed_by_an_unknown_key_is_refused(sqlite_hub):
    edge = sqlite_hub.enrol("novato")

    answer = edge.ask("GET", "/v1/submissions", key=Ed25519PrivateKey.generate())

    assert (answer.status_code, answer.json()["code"]) == (401, "SIG-001")


def test_a_revoked_agent_is_refused(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    with sqlite_hub.database.transaction() as session:
        agents.revoke_agent(session, edge.key_id, audit=sqlite_hub.trail)

    assert edge.ask("GET", "/v1/submissions").json()["code"] == "SIG-001"
    with pytest.raises(NotFound), sqlite_hub.database.transaction() as session:
        agents.revoke_agent(session, "nobody:1", audit=sqlite_hub.trail)


def test_a_request_sent_twice_is_taken_once(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    first = edge.ask("GET", "/v1/submissions")

    again = sqlite_hub.client.send(first.request)

    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 401, "SIG-004")


@pytest.mark.parametrize(("minutes", "code"), [(6, "SIG-002"), (-6, "SIG-002")])
def test_a_clock_that_is_wrong_is_told(sqlite_hub, minutes, code):
    edge = sqlite_hub.enrol("novato")

    answer = edge.ask("GET", "/v1/submissions", now=sqlite_hub.clock() + dt.timedelta(minutes=minutes))

    assert answer.json()["code"] == code
    assert "clock" in answer.json()["next_step"]


def test_a_request_that_was_taken_is_not_taken_again_after_a_restart(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    first = edge.ask("GET", "/v1/submissions")

    restarted = httpx.Client(transport=AppTransport(create_app(sqlite_hub.parts)), base_url=BASE)
    again = restarted.send(first.request)

    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 401, "SIG-004")


@pytest.mark.parametrize(("minutes", "words"), [(7, "420 s fast"), (-7, "420 s slow")])
def test_a_wrong_clock_is_told_by_how_much_and_which_way(sqlite_hub, minutes, words):
    edge = sqlite_hub.enrol("novato")

    answer = edge.ask("GET", "/v1/submissions", now=sqlite_hub.clock() + dt.timedelta(minutes=minutes))

    assert words in answer.json()["next_step"]


def test_an_altered_body_is_refused(sqlite_hub):
    edge = sqlite_hub.enrol("novato")
    request = edge.ask("POST", "/v1/submissions", b"{}").request

    answer = sqlite_hub.client.post("/v1/submissions", content=b"[]", headers=dict(request.headers))

    assert answer.json()["code"] == "SIG-001"


def test_a_link_signs_a_person_in_once(sqlite_hub):
    person = add(sqlite_hub)
    secret = link_for(sqlite_hub, person)

    page = get(sqlite_hub, f"/sign-in?link={secret}")
    first = sqlite_hub.client.post("/sign-in", content=f"link={secret}")
    second = sqlite_hub.client.post("/sign-in", content=f"link={secret}")
    read = get(sqlite_hub, "/v1/submissions", cookie=first.headers["set-cookie"].split(";")[0])

    assert secret in page.text
    assert (first.status_code, second.status_code, second.json()["code"]) == (303, 401, "link-used")
    assert {"HttpOnly", "SameSite=strict"} <= set(first.headers["set-cookie"].split("; "))
    assert read.status_code == 200


def test_no_secret_is_stored(sqlite_hub):
    person = add(sqlite_hub)
    link = link_for(sqlite_hub, person)
    with sqlite_hub.database.transaction() as session:
        opened = service.sign_in(session, link, hours=8, audit=sqlite_hub.trail)
        token = service.make_token(session, person, agreement="DUL-7", audit=sqlite_hub.trail)
    with sqlite_hub.database.reading() as session:
        stored = [row.secret_hash for table in (SignInLink, SignedIn, Token) for row in session.query(table)]

    assert len(stored) == 3
    assert not {link, opened.secret, token} & set(stored)


def test_a_link_ends_after_a_day(sqlite_hub):
    secret = link_for(sqlite_hub, add(sqlite_hub))
    sqlite_hub.clock.advance(hours=25)

    assert sqlite_hub.client.post("/sign-in", content=f"link={secret}").status_code == 401


@pytest.mark.parametrize(("steps", "status"), [([14, 14], 200), ([16], 401), ([14] * 36, 401)])
def test_a_session_ends_idle_after_a_quarter_of_an_hour_and_after_eight_hours_in_any_case(sqlite_hub, steps, status):
    cookie = sqlite_hub.sign_in("novato", Role.STEWARD)

    for minutes in steps:
        sqlite_hub.clock.advance(minutes=minutes)
        answer = get(sqlite_hub, "/v1/submissions", cookie=cookie)

    assert answer.status_code == status


def test_signing_out_ends_the_session(sqlite_hub):
    cookie = sqlite_hub.sign_in("novato", Role.STEWARD)

    out = sqlite_hub.client.post("/sign-out", headers={"cookie": cookie})

    assert out.status_code == 303
    assert get(sqlite_hub, "/v1/submissions", cookie=cookie).status_code == 401


def test_another_site_cannot_use_a_session(sqlite_hub):
    cookie = sqlite_hub.sign_in("novato", Role.STEWARD)

    answer = sqlite_hub.client.post("/sign-out", headers={"cookie": cookie, "origin": "https://elsewhere.test"})
    own = sqlite_hub.client.post("/sign-out", headers={"cookie": cookie, "origin": "http://hub.test"})

    assert (answer.status_code, answer.json()["code"], own.status_code) == (403, "cross-site", 303)


def test_a_person_sees_only_what_her_role_may(sqlite_hub):
    cookie = sqlite_hub.sign_in("canal-alliance", Role.PARTNER)

    answer = get(sqlite_hub, "/v1/submissions", cookie=cookie)

    assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (403, "refused", "R-01")


def test_a_token_reads_and_is_bound_to_one_agreement(sqlite_hub):
    person = add(sqlite_hub)
    with sqlite_hub.database.transaction() as session:
        secret = service.make_token(session, person, agreement="DSA-K12", audit=sqlite_hub.trail)

    reads = get(sqlite_hub, "/v1/submissions", authorization=f"Bearer {secret}")
    writes = sqlite_hub.client.post("/sign-out", headers={"authorization": f"Bearer {secret}"})
    unknown = get(sqlite_hub, "/v1/submissions", authorization="Bearer nothing")
    with sqlite_hub.database.reading() as session:
        bound = service.person_of_token(session, secret, audit=sqlite_hub.trail).agreement
    sqlite_hub.clock.advance(days=91)
    late = get(sqlite_hub, "/v1/submissions", authorization=f"Bearer {secret}")

    assert (reads.status_code, bound) == (200, "DSA-K12")
    assert (writes.json()["code"], unknown.json()["code"]) == ("token-reads-only", "token-unknown")
    assert late.status_code == 401


def test_nobody_is_administrator_and_compliance_officer(sqlite_hub):
    both = frozenset({Role.ADMINISTRATOR, Role.COMPLIANCE})

    with pytest.raises(Conflict), sqlite_hub.database.transaction() as session:
        service.add_person(session, organisation="novato", roles=both, audit=sqlite_hub.trail)


@pytest.mark.parametrize(
    ("organisation", "roles"),
    [("novato", frozenset()), ("novato", frozenset({Role.AGENT})), ("nowhere", frozenset({Role.STEWARD}))],
)
def test_a_person_needs_a_role_of_people_and_a_known_organisation(sqlite_hub, organisation, roles):
    with pytest.raises(Invalid), sqlite_hub.database.transaction() as session:
        service.add_person(session, organisation=organisation, roles=roles, audit=sqlite_hub.trail)


KEY = "EhNjlfSlB1JzrCXPiRE0M65fRa3ALzA1te65qMpll0U="


@pytest.mark.parametrize(
    "roster",
    [
        {},
        {"agents": []},
        {"agents": [1]},
        {"agents": [{"organisation": "novato", "key_id": "novato:1"}]},
        {"agents": [{"organisation": "nowhere", "key_id": "nowhere:1", "public_key": KEY}]},
        {"agents": [{"organisation": "novato", "key_id": "novato:1", "public_key": "c2hvcnQ="}]},
    ],
)
def test_a_roster_that_is_not_whole_is_refused_wholly(sqlite_hub, roster):
    before = sqlite_hub.events()

    with pytest.raises(Invalid), sqlite_hub.database.transaction() as session:
        agents.load_roster(session, roster, audit=sqlite_hub.trail)

    assert sqlite_hub.events() == before


def test_a_roster_loaded_twice_is_the_same_and_a_changed_key_is_refused(sqlite_hub):
    entry = {"organisation": "novato", "key_id": "novato:1", "public_key": KEY}
    with sqlite_hub.database.transaction() as session:
        first = agents.load_roster(session, {"agents": [entry, entry]}, audit=sqlite_hub.trail)
    with sqlite_hub.database.transaction() as session:
        again = agents.load_roster(session, {"agents": [entry]}, audit=sqlite_hub.trail)

    assert (first, again) == (1, 0)
    with pytest.raises(Conflict), sqlite_hub.database.transaction() as session:
        agents.load_roster(session, {"agents": [{**entry, "organisation": "reed"}]}, audit=sqlite_hub.trail)


def test_a_nonce_is_new_once_for_each_key_and_is_forgotten_after_the_window(database, clock):
    def taken(key_id):
        with database.transaction() as session:
            return take_nonce(session, key_id, "n", now=clock())

    seen = [taken("a"), taken("a"), taken("b")]
    clock.advance(minutes=11)

    assert seen == [True, False, True]
    assert taken("a")
    with database.reading() as session:
        assert [row.key_id for row in session.query(RequestNonce)] == ["a"]


def test_every_answer_names_its_request_and_is_not_kept(sqlite_hub):
    answer = get(sqlite_hub, "/v1/ready")

    assert len(answer.headers["x-request-id"]) == 16
    assert answer.headers["cache-control"] == "no-store"


def test_an_unknown_address_is_not_found_as_a_problem(sqlite_hub):
    answer = get(sqlite_hub, "/v1/nowhere")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
