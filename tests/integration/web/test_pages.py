"""The pages over real HTTP: who sees which, what they show, and that nothing hidden stands in them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from policies.principal import Role

PAGES = (
    "/", "/report", "/explorer", "/pathway", "/definitions", "/submissions", "/requests", "/reviews", "/agreements",
    "/access-log",
)  # fmt: skip
PUBLIC = {"/", "/report", "/explorer", "/pathway", "/definitions"}
OPEN_TO = {
    Role.STEWARD: PUBLIC | {"/submissions", "/requests", "/reviews", "/agreements", "/access-log"},
    Role.PARTNER: PUBLIC | {"/requests", "/agreements", "/access-log"},
    Role.COMPLIANCE: PUBLIC | {"/requests", "/agreements", "/access-log"},
}


@contextmanager
def signed_in(served: Any, role: Role) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        client.post("/sign-in", data={"link": served.link(role)})
        yield client


@pytest.fixture(params=list(OPEN_TO), ids=str)
def role(request: pytest.FixtureRequest) -> Role:
    found: Role = request.param
    return found


@pytest.fixture
def person(served: Any, role: Role) -> Iterator[httpx.Client]:
    with signed_in(served, role) as client:
        yield client


def test_the_public_sees_the_public_pages_and_no_other(public: httpx.Client) -> None:
    answers = {path: public.get(path).status_code for path in PAGES}

    assert answers == {path: 200 if path in PUBLIC else 401 for path in PAGES}


def test_each_role_sees_its_pages_and_no_other(person: httpx.Client, role: Role) -> None:
    answers = {path: person.get(path).status_code for path in PAGES}

    assert answers == {path: 200 if path in OPEN_TO[role] else 403 for path in PAGES}


def test_every_page_has_a_language_one_heading_a_skip_link_a_policy_and_no_script_but_a_file_of_ours(
    person: httpx.Client, role: Role
) -> None:
    for path in sorted(OPEN_TO[role]):
        answer = person.get(path)

        assert '<html lang="en">' in answer.text
        assert len(re.findall(r"<h1[ >]", answer.text)) == 1
        assert 'class="skip"' in answer.text
        assert not re.search(r'<script(?! src="/static/)', answer.text)
        assert not re.search(r'(src|href)="(https?:)?//', answer.text)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"


def test_the_explorer_shows_a_hidden_group_in_words_and_nowhere_as_a_number(public: httpx.Client) -> None:
    answer = public.get(
        "/explorer", params={"indicator": "third-grade-reading", "by": "race", "first": "2026", "last": "2026"}
    )

    row = re.search(r"<tr><td>2026</td><th scope=\"row\">Pacific Islander</th>(.*?)</tr>", answer.text)
    assert row is not None
    assert row[1] == '<td colspan="3" class="hidden">hidden to protect students</td>'
    assert "Pacific Islander hidden to protect students" in answer.text
    assert "Cite: Marin Promise Partnership" in answer.text


def test_the_explorer_refuses_in_words_and_logs_it(public: httpx.Client, served: Any) -> None:
    answer = public.get("/explorer", params={"indicator": "third-grade-reading", "by": "preschool"})

    event = served.last_event()
    assert answer.status_code == 403
    assert "no role of yours may do this" in answer.text
    assert (event.event, event.rule) == ("request.refused", "R-01")


def test_a_partner_asks_a_linked_table_under_the_first_licence(served: Any) -> None:
    with signed_in(served, Role.PARTNER) as client:
        answer = client.get("/explorer", params={"indicator": "third-grade-reading", "by": "preschool"})

    assert answer.status_code == 200
    assert "Any preschool of the partnership" in answer.text
    assert "DUL-TEST: Plan tutoring." in answer.text


def test_the_officer_finds_an_answer_in_the_log_and_in_the_disclosure_record(
    served: Any, partner: httpx.Client
) -> None:
    partner.get(
        "/v1/observations", params={"indicator": "third-grade-reading", "by": "preschool", "purpose": "tutoring"}
    )

    with signed_in(served, Role.COMPLIANCE) as client:
        log = client.get("/access-log", params={"q": "third-grade-reading/preschool agreement:DUL-TEST"})
        record = client.get("/agreements")

    assert "observations/third-grade-reading/preschool" in log.text
    assert "DUL-TEST: tutoring" in record.text
    assert "A partner&#39;s licence" in record.text


def test_a_partner_sees_only_its_own_acts_in_the_log(served: Any) -> None:
    with signed_in(served, Role.PARTNER) as client:
        log = client.get("/access-log")

    assert "agreement.loaded" not in re.sub(r"<select.*?</select>", "", log.text, flags=re.DOTALL)


def test_the_log_is_searched_by_event_decision_day_and_words(served: Any, public: httpx.Client) -> None:
    public.get("/v1/observations", params={"indicator": "third-grade-reading", "by": "preschool"})
    questions = [
        {"q": "decision:refused after:2026-11-22 R-01 observations"},
        {"q": "decision:refused after:2026-11-23"},
        {"q": "decision:permitted R-01"},
        {"q": "100%_nothing"},
    ]

    with signed_in(served, Role.COMPLIANCE) as client:
        answers = [client.get("/access-log", params=question).text for question in questions]

    assert "/v1/observations" in answers[0]
    assert all("No event answers to this." in answer for answer in answers[1:])


def test_a_steward_sees_the_events_of_its_own_organisation(served: Any) -> None:
    with signed_in(served, Role.STEWARD) as client:
        client.get("/definitions")
        log = client.get("/access-log").text

    assert "GET /definitions" in log
    assert "canal-alliance" not in log


def test_the_log_is_read_in_pages(served: Any, public: httpx.Client) -> None:
    for _ in range(101):
        public.get("/v1/dimensions")

    with signed_in(served, Role.COMPLIANCE) as client:
        first = client.get("/access-log", params={"q": "event:catalogue.read"})
        link = re.search(r'href="(/access-log\?[^"]*before=\d+)"', first.text)
        assert link is not None
        second = client.get(link[1].replace("&amp;", "&"))

    numbers = [re.findall(r'<tr><th scope="row">(\d+)</th>', one.text) for one in (first, second)]
    assert len(numbers[0]) == 100
    assert numbers[1]
    assert not set(numbers[0]) & set(numbers[1])


def test_the_report_card_has_a_table_for_each_chart_and_the_standing_of_each_gap(public: httpx.Client) -> None:
    answer = public.get("/report")

    assert answer.text.count("<figure") <= answer.text.count("<table")
    assert "needs" not in answer.text
    assert "To close by 2028 it must narrow 13 points a year; from 2023 to 2026 it narrowed 3 a year: not on pace." in (
        answer.text
    )
    assert answer.text.count('class="hidden">hidden to protect students') >= 1
    assert "No cohort of this milestone can be observed yet" in answer.text
    assert "style-src 'sha256-" in answer.headers["content-security-policy"]


def test_a_hub_of_made_up_people_says_so_on_every_page(public: httpx.Client, served: Any) -> None:
    served.home.synthetic_mark.touch()

    answers = [public.get(path) for path in sorted(PUBLIC)]
    served.home.synthetic_mark.unlink()

    assert all("made up" in answer.text for answer in answers)


def test_the_style_sheet_is_served_without_a_sign_in(public: httpx.Client) -> None:
    answer = public.get("/static/hub.css")

    assert answer.headers["content-type"].startswith("text/css")


def test_a_browser_is_told_of_a_refusal_in_a_page_and_a_program_in_a_problem(public: httpx.Client) -> None:
    for path, status in (("/submissions", 401), ("/no-such-page", 404)):
        as_page = public.get(path, headers={"Accept": "text/html"})
        as_problem = public.get(path)

        told = as_problem.json()
        assert (as_page.status_code, as_problem.status_code) == (status, status)
        assert as_page.headers["content-type"].startswith("text/html")
        assert as_problem.headers["content-type"] == "application/problem+json"
        assert told["next_step"] in as_page.text


def test_the_api_answers_problems_whatever_the_caller_accepts(public: httpx.Client) -> None:
    answer = public.get("/v1/releases/none-such", headers={"Accept": "text/html"})

    assert answer.headers["content-type"] == "application/problem+json"


def test_a_browser_tells_the_hub_its_origin_so_that_forms_can_be_sent(public: httpx.Client) -> None:
    """Under `no-referrer` a browser sends `Origin: null` with its own forms, and nobody could sign in."""
    assert public.get("/sign-in").headers["referrer-policy"] == "same-origin"
