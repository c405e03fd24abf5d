"""Signing in by an identity provider that answers rightly, and wrongly in each point: one answer for all of these."""

import html
import re

import pytest

from hub.audit.tables import Detail
from hub.errors import SettingError
from hub.identity import service
from hub.identity.provider_sign_in import bind
from hub.identity.providers import read_providers
from policies.principal import Role
from tests.databases import address_of
from tests.integration.access.conftest import HUB, NOVATO, People
from tests.integration.access.made_up_provider import CLIENT, ISSUER, SECRET, SUBJECT, MadeUpProvider, new_key
from tests.integration.hub.conftest import MadeUpHub

pytestmark = pytest.mark.access
FILE = """
providers:
  - id: novato
    name: Novato Unified
    issuer: {issuer}
    client_id: {client}
    client_secret_file: {folder}/secret
    {more}
"""
SECOND = "second_factor: {claim: acr, values: [mfa]}"


def write_file(folder, *, issuer=ISSUER, more=SECOND, secret=SECRET):
    folder.mkdir(exist_ok=True)
    (folder / "secret").write_text(f"{secret}\n")
    (folder / "secret").chmod(0o600)
    file = folder / "providers.yaml"
    file.write_text(FILE.format(issuer=issuer, client=CLIENT, folder=folder, more=more))
    return file


class Office:
    """A hub whose people sign in by one provider, and a browser that keeps its cookies."""

    def __init__(self, hub, provider):
        self.hub, self.provider, self.people, self.cookies = hub, provider, People(hub), {}

    def person(self, role=Role.STEWARD, organisation=NOVATO, subject=SUBJECT):
        with self.hub.database.transaction() as session:
            person = service.add_person(
                session, organisation=organisation, roles=frozenset({role}), audit=self.hub.trail
            )
            bind(session, person, issuer=ISSUER, subject=subject, audit=self.hub.trail)
        return person

    def ask(self, method, path, **how):
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.hub.client.request(method, path, headers={"cookie": cookie}, **how)
        self.hub.client.cookies.clear()
        for told in answer.headers.get_list("set-cookie"):
            name, value = told.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer

    def go(self, path="/sign-in/provider/novato"):
        """The address that the hub sends a browser to."""
        return html.unescape(re.search(r'<a href="([^"]+)">Go on', self.ask("POST", path).text)[1])

    def come_back(self, **changes):
        """A whole visit, with some of what comes back changed."""
        brought = {**self.provider.visit(self.go()), **changes}
        return self.ask(
            "GET", "/sign-in/provider/novato/answer",
            params={name: value for name, value in brought.items() if value is not None},
        )  # fmt: skip

    def rules(self):
        with self.hub.database.reading() as session:
            return [row.rule for row in session.query(Detail).filter(Detail.event == "sign_in.refused")]


@pytest.fixture
def office(home, clock, tmp_path):
    provider = MadeUpProvider(clock)
    file = write_file(tmp_path / "providers")
    hub = MadeUpHub(home, address_of(home), clock, http=provider.http, sign_in_providers=str(file))
    yield Office(hub, provider)
    hub.close()


def test_who_was_bound_beforehand_signs_in_and_a_second_factor_was_shown(office):
    office.person()

    page = office.ask("GET", "/sign-in").text
    answer = office.come_back()

    assert "Sign in with Novato Unified" in page
    assert (answer.status_code, office.ask("GET", "/v1/submissions").status_code) == (200, 200)
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    told = office.hub.events()
    assert (told.count("sign_in.sent"), told.count("person.bound"), told[-3:-1]) == (
        1, 1, ["sign_in.sent", "person.signed_in"],
    )  # fmt: skip


def test_the_way_there_carries_state_nonce_and_pkce_and_asks_for_no_name_or_address(office):
    address = office.go()

    asked = dict(re.findall(r"[?&]([a-z_]+)=([^&]*)", address))
    assert address.startswith("https://login.example/authorize?")
    assert asked.keys() == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method", "acr_values",
    }  # fmt: skip
    assert (asked["scope"], asked["code_challenge_method"], asked["response_type"]) == ("openid", "S256", "code")
    assert len(asked["state"]) == len(asked["nonce"]) == 43


def tokens(**claims):
    return lambda office: office.provider.claims.update(claims)


def headers(**values):
    return lambda office: office.provider.header.update(values)


def foreign_key(office):
    office.provider.key = new_key()


WRONG = {
    "another issuer in the token": ("OIDC-006", tokens(iss="https://login.example/other"), {}),
    "another audience": ("OIDC-006", tokens(aud="another-client"), {}),
    "several audiences and no authorised party": ("OIDC-006", tokens(aud=[CLIENT, "another"]), {}),
    "another authorised party": ("OIDC-006", tokens(azp="another-client"), {}),
    "an expired token": ("OIDC-006", tokens(exp=1), {}),
    "no expiry": ("OIDC-006", tokens(exp=None), {}),
    "a token of tomorrow": ("OIDC-006", tokens(iat=4102444800), {}),
    "another nonce": ("OIDC-006", tokens(nonce="another"), {}),
    "no nonce": ("OIDC-006", tokens(nonce=None), {}),
    "another access token's hash": ("OIDC-006", tokens(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), {}),
    "no subject": ("OIDC-006", tokens(sub=None), {}),
    "a subject that is no text": ("OIDC-006", tokens(sub=7), {}),
    "no second factor": ("OIDC-007", tokens(acr="password"), {}),
    "nothing said of factors": ("OIDC-007", tokens(acr=None), {}),
    "somebody who is not bound": ("OIDC-009", tokens(sub="another"), {}),
    "an e-mail address alone": ("OIDC-009", tokens(sub="another", email="qorvax@novato.example"), {}),
    "no signature": ("OIDC-005", headers(alg="none"), {}),
    "a signature by the public key as a shared secret": ("OIDC-005", headers(alg="HS256"), {}),
    "a key that the provider does not publish": ("OIDC-005", foreign_key, {}),
    "another provider's answer": ("OIDC-002", tokens(), {"iss": "https://login.example/other"}),
    "an answer that does not name its provider": ("OIDC-002", tokens(), {"iss": None}),
    "a refusal of the provider": ("OIDC-003", tokens(), {"error": "access_denied", "code": None}),
    "another code": ("OIDC-004", tokens(), {"code": "another"}),
    "another state": ("OIDC-001", tokens(), {"state": "another"}),
    "no state": ("OIDC-001", tokens(), {"state": None}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_answer_that_is_wrong_in_any_point_gets_the_one_refusal_and_the_log_says_which_it_was(office, wrong):
    rule, prepare, changes = WRONG[wrong]
    office.person()
    prepare(office)

    answer = office.come_back(**changes)

    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (
        401, "provider-refused", "The identity provider's answer signs nobody in.",
    )  # fmt: skip
    assert (office.rules(), "rule" in answer.json()) == ([rule], False)
    assert "promise" not in office.cookies


def test_every_refusal_is_the_same_byte_for_byte_whoever_it_is(office):
    office.person(Role.STEWARD, subject="a steward")
    gone = office.person(Role.STEWARD, subject="somebody who left")
    office.person(Role.COMPLIANCE, HUB, subject="an officer, who needs a passkey")
    with office.hub.database.transaction() as session:
        service.remove_person(session, gone, audit=office.hub.trail)

    answers = []
    for subject in ("somebody who left", "an officer, who needs a passkey", "nobody"):
        office.provider.claims = {"sub": subject}
        answers.append(office.come_back())

    shown = {
        (one.status_code, one.content, tuple((n, v) for n, v in one.headers.items() if n != "x-request-id"))
        for one in answers
    }
    assert (len(shown), office.rules()) == (1, ["OIDC-009"] * 3)


def test_a_visit_serves_once_for_its_own_browser_and_for_ten_minutes(office):
    office.person()
    brought = office.provider.visit(office.go())
    kept, office.cookies = office.cookies, {}
    elsewhere = office.ask("GET", "/sign-in/provider/novato/answer", params=brought)
    office.cookies = kept
    first = office.ask("GET", "/sign-in/provider/novato/answer", params=brought)
    office.cookies = dict(kept)
    again = office.ask("GET", "/sign-in/provider/novato/answer", params=brought)
    late = office.provider.visit(office.go())
    office.hub.clock.advance(minutes=11)
    after = office.ask("GET", "/sign-in/provider/novato/answer", params=late)

    assert [one.status_code for one in (elsewhere, first, again, after)] == [401, 200, 401, 401]
    assert office.rules() == ["OIDC-001"] * 3


def test_a_key_that_the_provider_changed_is_looked_up_and_one_it_took_back_serves_an_hour_at_most(office):
    office.person()
    first = office.come_back().status_code
    office.provider.rotate()
    soon = office.come_back().status_code
    office.hub.clock.advance(minutes=1)
    later = office.come_back().status_code
    office.provider.published = new_key()
    kept = office.come_back().status_code
    office.hub.clock.advance(minutes=61)
    gone = office.come_back().status_code

    assert (first, soon, later, kept, gone) == (200, 401, 200, 200, 401)
    assert office.provider.asked.count("/keys") == 3


def test_who_came_by_a_provider_proves_a_second_factor_there_again(office):
    office.person(Role.PARTNER, "canal-alliance")
    office.come_back()
    office.hub.clock.advance(minutes=11)

    def make():
        return office.ask("POST", "/account/tokens", data={"agreement": "none"}).text

    late = make()
    address = office.go("/account/prove/provider/novato")
    stale = office.hub.clock().timestamp() - 600
    office.provider.claims = {"auth_time": int(stale)}
    old = office.ask("GET", "/sign-in/provider/novato/answer", params=office.provider.visit(address))
    office.provider.claims = {}
    again = office.provider.visit(office.go("/account/prove/provider/novato"))
    strict = office.cookies.pop("promise")
    proved = office.ask("GET", "/sign-in/provider/novato/answer", params=again)
    office.cookies["promise"] = strict

    assert "max_age=0" in address and "prompt=login" in address
    assert "Show your second factor again first." in late
    assert (old.status_code, office.rules()[0], proved.status_code) == (401, "OIDC-008", 200)
    assert "Show your second factor again first." not in make()
    assert "sign_in.proved" in office.hub.events()


def test_another_persons_factor_proves_nothing(office):
    office.person(Role.PARTNER, "canal-alliance")
    office.person(subject="another")
    office.come_back()
    address = office.go("/account/prove/provider/novato")
    office.provider.claims = {"sub": "another"}

    answer = office.ask("GET", "/sign-in/provider/novato/answer", params=office.provider.visit(address))

    assert (answer.status_code, office.rules()) == (401, ["OIDC-009"])


def test_signing_out_shows_the_way_to_sign_out_at_the_provider_too(office):
    office.person()
    office.come_back()

    answer = office.ask("POST", "/sign-out")

    assert "https://login.example/out?client_id=promise-hub&amp;post_logout_redirect_uri=" in answer.text
    assert office.ask("GET", "/v1/submissions").status_code == 401


def test_a_provider_that_is_away_or_is_another_says_so_and_nobody_is_sent(office):
    office.provider.status = 500
    away = office.ask("POST", "/sign-in/provider/novato")
    office.provider.status, office.provider.metadata = 200, {"issuer": "https://login.example/other"}
    other = office.ask("POST", "/sign-in/provider/novato")
    office.provider.metadata = {"token_endpoint": "http://login.example/token"}
    plain = office.ask("POST", "/sign-in/provider/novato")

    assert {(one.status_code, one.json()["code"]) for one in (away, other, plain)} == {(503, "provider-unavailable")}
    assert "sign_in.sent" not in office.hub.events()
    assert office.ask("POST", "/sign-in/provider/nobody").status_code == 404


def test_a_provider_that_enforces_a_factor_without_telling_it_signs_in_and_proves_nothing(home, clock, tmp_path):
    provider = MadeUpProvider(clock)
    file = write_file(tmp_path / "providers", more="second_factor: enforced\n    subject_claim: oid")
    hub = MadeUpHub(home, address_of(home), clock, http=provider.http, sign_in_providers=str(file))
    office = Office(hub, provider)
    office.person(Role.PARTNER, "canal-alliance", subject="an object id")
    provider.claims = {"acr": None, "oid": "an object id"}

    answer = office.come_back()
    token = office.ask("POST", "/account/tokens", data={"agreement": "none"})
    hub.close()

    assert (answer.status_code, token.status_code) == (200, 403)
    assert "Show your second factor again first." in token.text


def test_two_persons_bind_a_subject_and_a_bound_one_is_refused(office):
    administrator, officer = office.people.cookie(Role.ADMINISTRATOR), office.people.cookie(Role.COMPLIANCE)
    with office.hub.database.transaction() as session:
        person = service.add_person(
            session, organisation=NOVATO, roles=frozenset({Role.STEWARD}), audit=office.hub.trail
        )

    def bound():
        wanted = {
            "kind": "person.bind", "fields": {"person": person, "issuer": ISSUER, "subject": SUBJECT},
            "why": "She signs in by her district.",
        }  # fmt: skip
        number = office.people.ask("POST", "/v1/acts", administrator, json=wanted).json()["act"]
        digest = office.people.ask("GET", f"/v1/acts/{number}", officer).json()["payload_sha256"]
        return office.people.ask("POST", f"/v1/acts/{number}/approve", officer, json={"payload_sha256": digest})

    before = office.come_back().status_code
    first, after, second = bound(), office.come_back().status_code, bound()

    assert (before, first.status_code, after) == (401, 200, 200)
    assert (second.status_code, second.json()["code"]) == (409, "subject-bound")


FILES = {
    "plain HTTP": {"issuer": "http://login.example"},
    "no word on a second factor": {"more": ""},
    "an unknown field": {"more": f"{SECOND}\n    colour: blue"},
    "not YAML": {"more": "{"},
}


@pytest.mark.parametrize("wrong", FILES)
def test_a_file_of_providers_that_is_wrong_stops_the_start(tmp_path, wrong):
    with pytest.raises(SettingError) as caught:
        read_providers(str(write_file(tmp_path, **FILES[wrong])))

    assert caught.value.code == "providers-wrong"
    assert SECRET not in str(caught.value)


def test_a_secret_that_others_can_read_or_two_providers_of_one_id_stop_the_start(tmp_path):
    file = write_file(tmp_path)
    found = read_providers(str(file))["novato"]
    (tmp_path / "secret").chmod(0o644)
    text = file.read_text()
    file.write_text(text + text.replace("providers:\n", ""))

    with pytest.raises(SettingError, match="novato"):
        found.client_secret()
    with pytest.raises(SettingError, match="one id"):
        read_providers(str(file))
    with pytest.raises(SettingError, match="cannot be read"):
        read_providers(str(tmp_path / "none"))
    assert read_providers("") == {}
