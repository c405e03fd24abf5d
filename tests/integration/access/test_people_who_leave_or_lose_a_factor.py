"""A lost phone and a person who left, settled on the pages by an administrator and an officer: at once, and whole."""

import re

import pytest
from sqlalchemy import select

from hub.audit.tables import Detail
from policies.principal import Role
from tests.integration.access.test_accounts import PASSWORD, code_now, cookie_of, newcomer, sign_in

pytestmark = pytest.mark.access
NAME, PARTNERS = "qorvax@canal.example", "canal-alliance"


class Analyst:
    """A partner's analyst with a password and codes, signed in twice, and with a token for a program."""

    def __init__(self, people):
        self.people = people
        people.hub.clock.now = people.hub.clock.now.replace(day=20)
        self.person, cookie = newcomer(people, Role.PARTNER, PARTNERS)
        self.secret = self.set_up(cookie)
        self.cookies = [cookie_of(self.by_password()) for _ in range(2)]
        page = people.ask("GET", "/account", self.cookies[0]).text
        licence = re.search(r"<option>([\w-]+)</option>", page)[1]
        made = people.ask("POST", "/account/tokens", self.cookies[0], data={"agreement": licence}).text
        self.token = re.search(r'class="wrap"><code>([\w-]+)</code>', made)[1]

    def set_up(self, cookie):
        """Choose name, password and codes on the page; the secret of the codes."""
        shown = self.people.ask("POST", "/account/set-up", cookie, data={"name": NAME, "password": PASSWORD}).text
        secret = re.search(r"<code>([A-Z2-7]{32})</code>", shown)[1]
        code = code_now(secret, self.people.hub.clock)
        assert self.people.ask("POST", "/account/set-up/code", cookie, data={"code": code}).status_code == 303
        return secret

    def by_password(self):
        self.people.hub.clock.advance(seconds=60)
        code = code_now(self.secret, self.people.hub.clock)
        return sign_in(self.people, name=NAME, password=PASSWORD, code=code)

    def comes_in(self):
        """How each of the ways in that were open is answered now: two sessions and the token."""
        asked = [self.people.ask("GET", "/v1/table-requests", cookie) for cookie in self.cookies]
        bearer = {"authorization": f"Bearer {self.token}"}
        asked.append(self.people.hub.client.get("/v1/table-requests", headers=bearer))
        return [answer.status_code for answer in asked]


def ask_on_page(people, kind, person, why):
    """An administrator chooses the act on the page, fills in its form and sends it; the page that comes."""
    administrator = people.cookie(Role.ADMINISTRATOR)
    form = people.ask("GET", f"/acts?kind={kind}", administrator).text
    assert f'<input type="hidden" name="kind" value="{kind}">' in form
    sent = people.ask("POST", "/acts", administrator, data={"kind": kind, "person": person, "why": why})
    return sent if sent.status_code != 303 else people.ask("GET", "/acts", administrator)


def approve_on_page(people):
    """An officer approves the one act whose button is shown; the page that comes."""
    officer = people.cookie(Role.COMPLIANCE)
    page = people.ask("GET", "/acts", officer).text
    number, digest = re.search(r'action="/acts/(\d+)/approve">.*?name="digest" value="(\w+)"', page, re.S).groups()
    answer = people.ask("POST", f"/acts/{number}/approve", officer, data={"digest": digest})
    return number, answer


def counts_of(people, event):
    with people.hub.database.reading() as session:
        return [dict(row.counts) for row in session.scalars(select(Detail).where(Detail.event == event))]


def test_a_lost_phone_ends_every_way_in_at_the_approval_and_the_person_begins_anew(people_on_both):
    people = people_on_both
    analyst = Analyst(people)
    before = analyst.comes_in()

    waiting = ask_on_page(people, "person.reset", analyst.person, "The phone was lost.").text
    own = re.search(r'action="/acts/\d+/approve"', waiting)
    between = analyst.comes_in()
    number, approved = approve_on_page(people)
    after = [*analyst.comes_in(), analyst.by_password().status_code]
    code = re.search(r"<code>([A-Z2-9]{5}-[A-Z2-9]{5})</code>", approved.text)[1]
    page = people.ask("POST", f"/acts/{number}/link", people.cookie(Role.ADMINISTRATOR)).text
    link = re.search(r"link=([\w-]+)", page)[1]
    alone = sign_in(people, link=link)
    anew = sign_in(people, link=link, code=code)
    analyst.secret = analyst.set_up(cookie_of(anew))

    assert (before, own, between) == ([200] * 3, None, [200] * 3)
    assert after == [401] * 4
    assert (alone.status_code, anew.headers["location"]) == (401, "/account/set-up")
    assert analyst.by_password().status_code == 303
    assert analyst.comes_in() == [401] * 3
    assert counts_of(people, "account.reset") == [{"links": 0, "sessions": 2, "tokens": 1}]


def test_somebody_who_left_is_out_from_the_moment_of_asking_and_after_the_approval_for_good(people_on_both):
    people = people_on_both
    analyst = Analyst(people)
    before = analyst.comes_in()

    asked = ask_on_page(people, "person.remove", analyst.person, "They left.")
    at_once = [*analyst.comes_in(), analyst.by_password().status_code]
    _, approved = approve_on_page(people)
    people.hub.clock.advance(hours=80)
    people.cookies.clear()
    later = [*analyst.comes_in(), analyst.by_password().status_code]
    again = ask_on_page(people, "person.reset", analyst.person, "They want to come back.")
    unknown = "0" * 32
    nobody = ask_on_page(people, "person.reset", unknown, "They want to come back.")

    assert (before, asked.status_code, approved.status_code) == ([200] * 3, 200, 303)
    assert (at_once, later) == ([401] * 4, [401] * 4)
    # That there was such a person is not told; the form keeps what was typed.
    assert (again.status_code, nobody.status_code) == (404, 404)
    typed = without_tokens(again.text).replace(f'value="{analyst.person}"', f'value="{unknown}"')
    assert typed == without_tokens(nobody.text)
    assert counts_of(people, "person.suspended") == [{"links": 0, "sessions": 2, "tokens": 0}]
    assert counts_of(people, "person.removed") == [{"links": 0, "sessions": 0, "tokens": 1}]


def without_tokens(page):
    """A page without the token of the session that its forms carry."""
    return re.sub(r'name="form_token" value="[^"]+"', "", page)
