"""The description of the API for machines: each operation with words, refusals, an example, and answered as told."""

from typing import Any

import httpx
import pytest

from hub.app import ROUTED, _own_router, routers_of
from hub.web.openapi import REFUSALS, actions_of, told_by_example
from policies.principal import Role
from policies.roles import ROLE_TABLE


@pytest.fixture(scope="module")
def described(served: Any) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{served.url}/v1/openapi.json", trust_env=False).json()
    return found


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{method.upper()} {path}": one for path, of in described["paths"].items() for method, one in of.items()}


def api_actions() -> dict[str, str]:
    found = actions_of([_own_router(), *routers_of(ROUTED)])
    return {name: action for name, action in found.items() if " /v1/" in name}


def test_every_operation_is_described_and_nothing_is_described_that_is_not_there(described: dict[str, Any]) -> None:
    assert set(operations(described)) == set(api_actions())
    assert set(told_by_example()) == set(operations(described))


def test_every_operation_has_words_every_refusal_and_an_example_of_what_it_answers(described: dict[str, Any]) -> None:
    for name, one in operations(described).items():
        answers = {status: of for status, of in one["responses"].items() if status.startswith("2")}
        assert one["description"], name
        assert set(REFUSALS) <= set(one["responses"]), name
        assert answers, name
        for status, of in answers.items():
            told = of.get("content", {})
            assert status == "204" or told, name
            assert "application/json" not in told or "example" in told["application/json"], name
        for parameter in one.get("parameters", ()):
            assert parameter["in"] != "path" or "example" in parameter, (name, parameter["name"])


def test_an_operation_says_who_opens_it_as_the_role_table_does(described: dict[str, Any]) -> None:
    for name, action in api_actions().items():
        roles, ways = ROLE_TABLE[action], operations(described)[name]["security"]
        assert ({} in ways) == (Role.PUBLIC in roles), name
        assert ({"signature": []} in ways) == (Role.AGENT in roles and Role.PUBLIC not in roles), name


@pytest.mark.parametrize(
    "name",
    ["GET /v1/indicators", "GET /v1/dimensions", "GET /v1/cohorts", "GET /v1/observations", "GET /v1/gaps",
     "GET /v1/pathway", "GET /v1/releases", "GET /v1/releases/{release}", "GET /v1/indicators/{indicator}"],
)  # fmt: skip
def test_a_hub_answers_in_the_form_of_the_example_with_a_tag_that_holds(served: Any, name: str) -> None:
    told = told_by_example()[name]
    path = name.partition(" ")[2].format(**told.get("parameters", {}))
    asked = {key: value for key, value in told.get("parameters", {}).items() if f"{{{key}}}" not in name}

    with httpx.Client(base_url=served.url, trust_env=False) as client:
        answer = client.get(path, params=asked)
        again = client.get(path, params=asked, headers={"If-None-Match": answer.headers.get("etag", "")})

    assert answer.status_code == 200
    assert set(told["example"]) <= set(answer.json())
    assert (again.status_code, again.content) == (304, b"")


def test_the_pages_of_a_long_answer_follow_each_other_by_link(served: Any) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        whole = client.get("/v1/observations", params={"indicator": "third-grade-reading", "by": "race"}).json()
        answer = client.get("/v1/observations", params={"indicator": "third-grade-reading", "by": "race", "limit": 5})
        rows, links = answer.json()["rows"], 1
        while link := answer.links.get("next"):
            answer, links = client.get(link["url"]), links + 1
            rows += answer.json()["rows"]

    assert links > 1
    assert rows == whole["rows"]


def test_the_description_lets_the_last_page_name_no_next_one(described: dict[str, Any], served: Any) -> None:
    content = operations(described)["GET /v1/observations"]["responses"]["200"]["content"]["application/json"]

    with httpx.Client(base_url=served.url, trust_env=False, timeout=60) as client:
        last = client.get("/v1/observations", params={"indicator": "third-grade-reading"}).json()

    assert last["next"] is None
    assert content["schema"]["properties"]["next"]["type"] == ["string", "null"]
