"""Accounts: set up by a link, a password with codes or a passkey, equal refusals, limits, recovery by two persons."""

import base64
import re

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import text

from hub.app import create_app, hub_parts
from hub.http import cookie_name
from hub.identity import service
from hub.identity.tables import Account
from hub.log import Log
from hub.settings import Settings
from policies.principal import Role
from tests.databases import content_of
from tests.integration.access.authenticator import Authenticator
from tests.integration.access.conftest import HUB, NOVATO
from tests.integration.hub.conftest import BASE, AppTransport

pytestmark = pytest.mark.access
PASSWORD = "zyblen wixtho jubrev"


def code_now(secret, clock):
    return TOTP(base64.b32decode(secret), 6, hashes.SHA1(), 30).generate(int(clock().timestamp())).decode()


def newcomer(people, role=Role.STEWARD, organisation=NOVATO):
    """Somebody who used a set-up link: the person and the cookie."""
    with people.hub.database.transaction() as session:
        person = service.add_person(session, organisation=organisation, roles=frozenset({role}), audit=people.hub.trail)
        link = service.make_set_up_link(session, person, audit=people.hub.trail)
    answer = people.hub.client.post("/sign-in", content=f"link={link}")
    people.hub.client.cookies.clear()
    return person, answer.headers["set-cookie"].split(";")[0]


def with_codes(people, name="qorvax@novato.example"):
    """Somebody with a password and codes: the person and the secret."""
    person, cookie = newcomer(people)
    shown = people.ask("POST", "/account/set-up", cookie, data={"name": name, "password": PASSWORD})
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", shown.text)[1]
    code = code_now(secret, people.hub.clock)
    answer = people.ask("POST", "/account/set-up/code", cookie, data={"code": code})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    people.hub.clock.advance(seconds=60)
    return person, secret


def with_passkey(people, role=Role.COMPLIANCE, organisation=HUB, *, verifies=True):
    """Somebody with a passkey, and what came of making it."""
    person, cookie = newcomer(people, role, organisation)
    asked = people.ask("POST", "/account/passkeys", cookie, content=b"{}").json()
    passkey = Authenticator(BASE, "hub.test", verifies=verifies)
    made = {"ticket": asked["ticket"], "credential": passkey.make(asked["options"])}
    return person, passkey, people.ask("POST", "/account/passkeys/answer", cookie, json=made)


def sign_in(people, **told):
    answer = people.hub.client.post("/sign-in", data=told)
    people.hub.client.cookies.clear()
    return answer


def by_passkey(people, passkey, *, change=lambda sent: sent):
    asked = people.hub.client.post("/sign-in/passkey").json()
    sent = {"ticket": asked["ticket"], "credential": passkey.answer(asked["options"])}
    answer = people.hub.client.post("/sign-in/passkey/answer", json=change(sent))
    people.hub.client.cookies.clear()
    return answer


def cookie_of(answer):
    return answer.headers["set-cookie"].split(";")[0]


def test_a_steward_sets_up_a_password_with_codes_and_signs_in(people_on_both):
    people = people_on_both
    _, secret = with_codes(people)

    answer = sign_in(people, name="Qorvax@Novato.example", password=PASSWORD, code=code_now(secret, people.hub.clock))

    assert answer.status_code == 303
    assert people.ask("GET", "/v1/submissions", cookie_of(answer)).status_code == 200
    assert people.hub.events().count("account.set_up") == 2


def test_a_set_up_link_opens_nothing_but_the_set_up_and_is_used_once(people):
    _, cookie = newcomer(people)

    assert people.ask("GET", "/v1/submissions", cookie).status_code == 403
    assert people.ask("GET", "/account", cookie).status_code == 403
    assert people.ask("GET", "/account/set-up", cookie).status_code == 200


def test_unknown_names_wrong_passwords_wrong_codes_and_used_codes_get_one_answer(people):
    person, secret = with_codes(people)
    right = {"name": "qorvax@novato.example", "password": PASSWORD, "code": code_now(secret, people.hub.clock)}
    first = sign_in(people, **right)

    answers = [
        sign_in(people, **told)
        for told in (
            {**right, "name": "nobody@novato.example"},
            {**right, "password": "another pass phrase"},
            right,
        )
    ]
    people.hub.clock.advance(seconds=60)
    answers.append(sign_in(people, **{**right, "code": "12345x"}))
    with people.hub.database.transaction() as session:
        service.remove_person(session, person, audit=people.hub.trail)
    answers.append(sign_in(people, **{**right, "code": code_now(secret, people.hub.clock)}))

    told = {(answer.status_code, answer.content, tuple(sorted(answer.headers.keys()))) for answer in answers}
    assert first.status_code == 303
    assert (len(told), answers[0].status_code, answers[0].json()["code"]) == (1, 401, "sign-in-wrong")
    assert people.hub.events().count("sign_in.refused") == 5
    assert "person.removed" in people.hub.events()


def test_too_many_attempts_are_refused_alike_for_known_and_unknown_names_and_even_with_the_right_password(people):
    _, secret = with_codes(people)
    right = {"name": "qorvax@novato.example", "password": PASSWORD}

    known = [sign_in(people, **{**right, "code": "000000"}) for _ in range(5)]
    late = sign_in(people, **{**right, "code": code_now(secret, people.hub.clock)})
    unknown = [sign_in(people, name="nobody", password="x", code="000000") for _ in range(6)]
    people.hub.clock.advance(minutes=16)
    again = sign_in(people, **{**right, "code": code_now(secret, people.hub.clock)})

    assert [answer.status_code for answer in known] == [401] * 5
    assert (late.status_code, late.content) == (429, unknown[5].content)
    assert again.status_code == 303
    assert (late.headers["retry-after"], unknown[5].headers["retry-after"]) == ("900", "900")


def test_the_stored_password_is_argon2id_and_the_secret_of_the_codes_is_sealed(people):
    person, secret = with_codes(people)
    with people.hub.database.reading() as session:
        account = session.get(Account, person)
        stored = (account.password, account.codes)

    assert stored[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert base64.b32decode(secret) not in stored[1]
    assert PASSWORD.encode() not in content_of(people.hub.database)


def test_those_who_decide_set_up_a_passkey_and_no_password(people):
    _, cookie = newcomer(people, Role.COMPLIANCE, HUB)
    password = people.ask("POST", "/account/set-up", cookie, data={"name": "officer", "password": PASSWORD})
    _person, passkey, made = with_passkey(people)

    answer = by_passkey(people, passkey)

    assert password.status_code == 409
    assert (made.status_code, made.json()) == (200, {"next": "/sign-in"})
    assert (answer.status_code, answer.json()) == (200, {"next": "/"})
    assert people.ask("GET", "/v1/acts", cookie_of(answer)).status_code == 200
    told = people.hub.events()
    assert (told.count("passkey.asked"), told.count("passkey.added")) == (2, 1)


def test_a_passkey_that_does_not_verify_its_user_is_not_taken(people):
    _, _, made = with_passkey(people, verifies=False)

    assert (made.status_code, made.json()["code"]) == (422, "passkey-wrong")


CHANGES = {
    "another ticket": lambda sent: {**sent, "ticket": "nothing"},
    "an unknown passkey": lambda sent: {**sent, "credential": {**sent["credential"], "id": "AAAA", "rawId": "AAAA"}},
    "another signature": lambda sent: {
        **sent,
        "credential": {
            **sent["credential"],
            "response": {**sent["credential"]["response"], "signature": "MEUCIQ"},
        },
    },
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_passkeys_answer_that_does_not_hold_is_refused_as_every_other(people, change):
    _, passkey, _ = with_passkey(people)

    answer = by_passkey(people, passkey, change=CHANGES[change])

    assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-wrong")
    assert "sign_in.refused" in people.hub.events()


def test_a_passkey_of_another_site_or_a_used_challenge_signs_nobody_in(people):
    _, passkey, _ = with_passkey(people)
    asked = people.hub.client.post("/sign-in/passkey").json()
    sent = {"ticket": asked["ticket"], "credential": passkey.answer(asked["options"])}
    codes = [people.hub.client.post("/sign-in/passkey/answer", json=sent).status_code for _ in range(2)]
    people.hub.client.cookies.clear()
    passkey.origin = "https://hub.example"

    assert codes == [200, 401]
    assert by_passkey(people, passkey).status_code == 401
    assert people.hub.client.post("/sign-in/passkey/answer", content=b"[]").json()["code"] == "passkey-wrong"


def test_a_weak_password_or_a_taken_name_is_refused(people):
    with_codes(people)
    _, cookie = newcomer(people)

    def told(**values):
        return people.ask("POST", "/account/set-up", cookie, data=values)

    weak, taken = told(name="second", password="short"), told(name="qorvax@novato.example", password=PASSWORD)
    wrong = people.ask("POST", "/account/set-up/code", cookie, data={"code": "000000"})

    assert (weak.status_code, taken.status_code, wrong.status_code) == (422, 409, 404)


def test_a_dangerous_act_wants_a_factor_of_the_last_ten_minutes(people):
    _, passkey, _ = with_passkey(people, Role.ADMINISTRATOR)
    cookie = cookie_of(by_passkey(people, passkey))
    wanted = {"kind": "person.add", "fields": {"organisation": NOVATO, "roles": "steward"}, "why": "A new steward."}
    people.hub.clock.advance(minutes=11)

    late = people.ask("POST", "/v1/acts", cookie, json=wanted)
    asked = people.hub.client.post("/sign-in/passkey").json()
    sent = {"ticket": asked["ticket"], "credential": passkey.answer(asked["options"])}
    proved = people.ask("POST", "/account/prove/answer", cookie, json=sent)
    again = people.ask("POST", "/v1/acts", cookie, json=wanted)

    assert (late.status_code, late.json()["code"]) == (403, "step-up")
    assert (proved.json(), again.status_code) == ({"next": "/account"}, 201)
    assert "sign_in.proved" in people.hub.events()


def test_a_code_proves_it_too_and_another_persons_passkey_does_not(people):
    _, secret = with_codes(people)
    answer = sign_in(people, name="qorvax@novato.example", password=PASSWORD, code=code_now(secret, people.hub.clock))
    cookie = cookie_of(answer)
    _, strange, _ = with_passkey(people)
    people.hub.clock.advance(minutes=1)

    asked = people.hub.client.post("/sign-in/passkey").json()
    sent = {"ticket": asked["ticket"], "credential": strange.answer(asked["options"])}
    other = people.ask("POST", "/account/prove/answer", cookie, json=sent)
    wrong = people.ask("POST", "/account/prove", cookie, data={"code": "000000"})
    right = people.ask("POST", "/account/prove", cookie, data={"code": code_now(secret, people.hub.clock)})

    assert (other.status_code, wrong.status_code, right.status_code) == (401, 401, 303)


def test_a_lost_factor_is_set_up_anew_by_a_link_of_one_and_a_code_of_another(people):
    person, _ = with_codes(people)
    administrator, officer = people.cookie(Role.ADMINISTRATOR), people.cookie(Role.COMPLIANCE)
    wanted = {"kind": "person.reset", "fields": {"person": person}, "why": "The phone was lost."}
    number = people.ask("POST", "/v1/acts", administrator, json=wanted).json()["act"]
    digest = people.ask("GET", f"/v1/acts/{number}", officer).json()["payload_sha256"]
    code = people.ask("POST", f"/v1/acts/{number}/approve", officer, json={"payload_sha256": digest}).json()["code"]
    none = people.ask("POST", f"/acts/{number}/link", people.cookie(Role.ADMINISTRATOR, name="other"))
    page = people.ask("POST", f"/acts/{number}/link", administrator).text
    twice = people.ask("POST", f"/acts/{number}/link", administrator)
    link = re.search(r"link=([\w-]+)", page)[1]

    without = sign_in(people, link=link)
    wrong = sign_in(people, link=link, code="AAAAA-AAAAA")
    right = sign_in(people, link=link, code=code.lower())

    assert (none.status_code, twice.status_code) == (404, 409)
    assert (without.status_code, without.content) == (wrong.status_code, wrong.content)
    assert (right.status_code, right.headers["location"]) == (303, "/account/set-up")
    assert "account.reset" in people.hub.events()
    with people.hub.database.reading() as session:
        assert session.get(Account, person) is None


def test_a_change_that_another_sites_page_sends_is_refused(people):
    cookie = people.cookie(Role.STEWARD, NOVATO)
    foreign = ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"})

    answers = [people.ask("POST", "/sign-out", cookie, headers=sent) for sent in foreign]
    login = people.hub.client.post("/sign-in", content="link=x", headers={"origin": "https://evil.example"})

    assert {answer.json()["code"] for answer in (*answers, login)} == {"cross-site"}
    assert people.ask("POST", "/sign-out", cookie, headers={"origin": BASE}).status_code == 303


def test_a_session_ends_idle_and_in_any_case_and_its_cookie_is_bound_to_https(people):
    cookie = people.cookie(Role.STEWARD, NOVATO)

    def comes_in():
        return people.ask("GET", "/v1/submissions", cookie).status_code == 200

    kept = []
    for _ in range(34):
        people.hub.clock.advance(minutes=14)
        kept.append(comes_in())
    people.hub.clock.advance(minutes=14)

    assert (all(kept), comes_in()) == (True, False)
    assert cookie_name("https://hub.example") == "__Host-promise"


def test_a_caller_that_asks_too_often_is_told_to_wait(home, clock):
    settings = Settings(home=home, public_url=BASE, requests_per_minute=10)
    parts = hub_parts(settings, clock=clock, log=Log(clock=clock))
    client = httpx.Client(transport=AppTransport(create_app(parts)), base_url=BASE)

    answers = [client.get("/v1/ready") for _ in range(11)]
    clock.advance(minutes=1)

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert [answer.headers["ratelimit"] for answer in answers] == [
        f'"caller";r={left};t=60' for left in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"caller";q=10;w=60'}
    assert [answer.headers.get("retry-after") for answer in answers] == [None] * 10 + ["60"]
    assert client.get("/v1/ready").status_code == 200
    parts.database.close()


def test_a_token_is_made_listed_and_revoked_and_ends_with_its_agreement(people):
    partner = people.cookie(Role.PARTNER, "canal-alliance")
    people.hub.clock.now = people.hub.clock.now.replace(day=20)
    page = people.ask("GET", "/account", partner).text
    licence = re.search(r"<option>([\w-]+)</option>", page)[1]

    none = people.ask("POST", "/account/tokens", partner, data={"agreement": "DUL-NONE"})
    made = people.ask("POST", "/account/tokens", partner, data={"agreement": licence})
    secret = re.search(r'class="wrap"><code>([\w-]+)</code>', made.text)[1]
    name = re.search(r"/account/tokens/(\w+)/revoke", made.text)[1]
    bearer = {"authorization": f"Bearer {secret}"}
    before = people.hub.client.get("/v1/table-requests", headers=bearer).status_code
    other = people.ask(
        "POST", f"/account/tokens/{name}/revoke", people.cookie(Role.PARTNER, "canal-alliance", name="b")
    )
    people.ask("POST", f"/account/tokens/{name}/revoke", partner)
    after = people.hub.client.get("/v1/table-requests", headers=bearer)

    assert (none.status_code, before, other.status_code) == (403, 200, 404)
    assert (after.status_code, after.json()["code"]) == (401, "token-unknown")
    assert people.hub.events().count("token.revoked") == 1
    with people.hub.database.reading() as session:
        stored = session.execute(text("SELECT secret_hash FROM tokens")).scalar_one()
    assert secret not in stored


def test_a_token_of_somebody_who_decides_carries_no_role_that_decides(people):
    with people.hub.database.transaction() as session:
        both = frozenset({Role.PARTNER, Role.COMPLIANCE})
        person = service.add_person(session, organisation="canal-alliance", roles=both, audit=people.hub.trail)
        secret = service.make_token(session, person, agreement="DUL-7", audit=people.hub.trail)
        found = service.person_of_token(session, secret, audit=people.hub.trail)

    assert (found.roles, found.agreement) == (frozenset({Role.PARTNER}), "DUL-7")


def test_a_first_code_that_does_not_fit_is_asked_for_again(people):
    _, cookie = newcomer(people)
    people.ask("POST", "/account/set-up", cookie, data={"name": "third@novato.example", "password": PASSWORD})

    answer = people.ask("POST", "/account/set-up/code", cookie, data={"code": "abc"})

    assert answer.status_code == 422
    assert "The code does not fit." in answer.text
    assert 'action="/account/set-up/code"' in answer.text
    assert 'name="password"' not in answer.text
