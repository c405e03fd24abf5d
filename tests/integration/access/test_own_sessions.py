"""A person sees where the own account is signed in, ends sessions there, and changes the own password."""

import re

import pytest

from hub.identity import service
from policies.principal import Role
from tests.integration.access.conftest import NOVATO
from tests.integration.access.test_accounts import PASSWORD, code_now, cookie_of, sign_in, with_codes

pytestmark = pytest.mark.access
NAME = "qorvax@novato.example"
NEW = "kazmuf vorpli xandro"


def came_in(people, secret, password=PASSWORD):
    """A further session of the person with codes, a minute later."""
    people.hub.clock.advance(seconds=60)
    answer = sign_in(people, name=NAME, password=password, code=code_now(secret, people.hub.clock))
    return cookie_of(answer) if answer.status_code == 303 else None


def name_of(cookie):
    return service.hash_of(cookie.partition("=")[2])[:16]


def listed(people, cookie):
    """The sessions of the page by name: whether each can be ended there."""
    page = people.ask("GET", "/account", cookie).text
    rows = re.findall(r'<tr><th scope="row">(\w{8})</th>.*?</tr>', page, re.DOTALL)
    return rows, re.findall(r"/account/sessions/(\w{16})/end", page)


def holds(people, cookie):
    return people.ask("GET", "/account", cookie).status_code == 200


def test_one_sees_the_own_sessions_alone_and_ends_any_of_them(people_on_both):
    people = people_on_both
    _, secret = with_codes(people)
    first, second, third = (came_in(people, secret) for _ in range(3))
    people.cookie(Role.STEWARD, NOVATO)

    rows, others = listed(people, third)
    ended = people.ask("POST", f"/account/sessions/{name_of(first)}/end", third)
    again = people.ask("POST", f"/account/sessions/{name_of(first)}/end", third)

    assert rows == [name_of(one)[:8] for one in (third, second, first)]
    assert others == [name_of(second), name_of(first)]
    assert (ended.status_code, again.status_code) == (303, 404)
    assert [holds(people, one) for one in (first, second, third)] == [False, True, True]
    assert people.hub.events().count("person.sessions_ended") == 1


def test_one_ends_all_other_sessions_at_once_and_keeps_this_one(people):
    _, secret = with_codes(people)
    cookies = [came_in(people, secret) for _ in range(3)]

    people.ask("POST", "/account/sessions/end-others", cookies[1])

    assert [holds(people, one) for one in cookies] == [False, True, False]


def test_sessions_that_ended_or_were_idle_too_long_are_not_listed(people):
    _, secret = with_codes(people)
    left, out = came_in(people, secret), came_in(people, secret)
    people.ask("POST", "/sign-out", out)
    people.hub.clock.advance(minutes=16)

    rows, _ = listed(people, came_in(people, secret))

    assert holds(people, left) is False
    assert len(rows) == 1


@pytest.mark.parametrize("path", ["/account/sessions/end-others", "/account/sessions/{}/end", "/account/password"])
def test_each_of_it_wants_a_second_factor_of_the_last_ten_minutes(people, path):
    _, secret = with_codes(people)
    other, mine = came_in(people, secret), came_in(people, secret)
    for _ in range(2):
        people.hub.clock.advance(minutes=6)
        assert holds(people, mine)
        assert holds(people, other)

    data = {"present": PASSWORD, "password": NEW}
    refused = people.ask("POST", path.format(name_of(other)), mine, data=data, headers={"accept": "text/html"})

    assert (refused.status_code, "Show your second factor again first." in refused.text) == (403, True)
    assert holds(people, other)


def test_a_password_is_changed_by_the_present_one_and_other_sessions_end(people_on_both):
    people = people_on_both
    _, secret = with_codes(people)
    other, mine = came_in(people, secret), came_in(people, secret)

    changed = people.ask("POST", "/account/password", mine, data={"present": PASSWORD, "password": NEW})

    assert (changed.status_code, holds(people, mine), holds(people, other)) == (303, True, False)
    assert came_in(people, secret) is None
    assert came_in(people, secret, NEW) is not None
    assert people.hub.events().count("account.password_changed") == 1


@pytest.mark.parametrize(
    ("present", "password", "says"),
    [
        ("another pass phrase", NEW, "The present password does not fit."),
        (PASSWORD, PASSWORD, "Take another than the present one"),
        (PASSWORD, "short", "Take 12 to 128 characters"),
        (PASSWORD, "qwerty123456", "stands in lists of stolen passwords"),
    ],
)
def test_a_wrong_present_password_and_a_weak_new_one_change_nothing(people, present, password, says):
    _, secret = with_codes(people)
    mine = came_in(people, secret)

    refused = people.ask("POST", "/account/password", mine, data={"present": present, "password": password})

    assert (400 <= refused.status_code < 500, says in refused.text) == (True, True)
    assert (present in refused.text, password in refused.text) == (False, False)
    assert came_in(people, secret) is not None
    assert "account.password_changed" not in people.hub.events()


def test_the_present_password_cannot_be_guessed_from_an_open_session(people):
    _, secret = with_codes(people)
    mine = came_in(people, secret)

    answers = [
        people.ask("POST", "/account/password", mine, data={"present": "another pass phrase", "password": NEW})
        for _ in range(6)
    ]

    assert [answer.status_code for answer in answers] == [403] * 5 + [429]


def test_who_signs_in_by_a_passkey_has_no_password_to_change(people):
    officer = people.cookie(Role.COMPLIANCE)

    page = people.ask("GET", "/account", officer).text
    answer = people.ask("POST", "/account/password", officer, data={"present": PASSWORD, "password": NEW})

    assert "Change your password" not in page
    assert answer.status_code == 403
