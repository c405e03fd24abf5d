"""The description of the API for machines (OpenAPI 3.1): what each operation takes, answers and refuses, by example.

The routes give addresses, parameters and words; `openapi.yaml` beside this module gives the bodies and an example of
each answer. A test holds that no operation is without, and that a hub answers in the form of its example.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from hub.http import PROBLEM, declaration_of
from policies.principal import Role
from policies.roles import ROLE_TABLE

JSON = "application/json"
REFUSALS: Mapping[str, str] = {
    "401": "Who asks is not known, or what it shows does not hold.",
    "403": "The role table or an agreement says no; `rule` names which rule.",
    "404": "Absent, or hidden from the caller: both get this answer, byte for byte.",
    "422": "What was sent does not keep the form; `errors` names the places.",
    "429": "Too many requests of one caller; ask again when `Retry-After` is over.",
    "4XX": "Another refusal, in the same form.",
    "503": "A needed part does not answer now; nothing was done.",
}
PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "RFC 9457, with a stable code and the next step.",
    "required": ["type", "code", "title", "status", "detail", "next_step", "errors"],
    "properties": {
        "type": {"type": "string"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "next_step": {"type": "string"},
        "rule": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at", "code", "rule"],
                "properties": {name: {"type": "string"} for name in ("at", "code", "rule")},
            },
        },
    },
    "example": {
        "type": "/help/errors/cohort-wrong",
        "code": "cohort-wrong",
        "title": "What was sent does not keep the form",
        "status": 422,
        "detail": "The years are in the wrong order.",
        "next_step": "Ask 2022..2026.",
        "errors": [{"at": "cohort", "code": "cohort-wrong", "rule": ""}],
    },
}
SCHEMES: Mapping[str, Any] = {
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-promise", "description": "A person who signed in."},
    "token": {"type": "http", "scheme": "bearer", "description": "A personal token: reads only, for one agreement."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature-Input",
        "description": "An agent on the roster signs each request (RFC 9421, docs/architecture.md section 4).",
    },
}
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def describe(app: FastAPI, actions: Mapping[str, str]) -> dict[str, Any]:
    """The description of this hub's API: its operations under /v1, without the pages.

    Args:
        actions: the row of the role table of each operation, by `GET /v1/...` as the description writes addresses.
    """
    found = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description="Protected aggregates out, encoded submissions in. Manual: docs/api.md, docs/architecture.md.",
        routes=app.routes,
    )
    told = told_by_example()
    found["paths"] = {path: of for path, of in found["paths"].items() if path.startswith("/v1/")}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            _complete(operation, told.get(name, {}), action=actions[name])
    found["components"] = {"schemas": {"Problem": dict(PROBLEM_SCHEMA)}, "securitySchemes": dict(SCHEMES)}
    return found


def actions_of(routers: Iterable[APIRouter]) -> dict[str, str]:
    """The row of the role table of each operation, by method and address as the description writes it."""
    found: dict[str, str] = {}
    for route in (one for router in routers for one in router.routes if isinstance(one, APIRoute)):
        declared = declaration_of(route.endpoint)
        if declared is not None:
            plain = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
            found |= {f"{method} {plain}": declared.action for method in route.methods or ()}
    return found


@cache
def told_by_example() -> Mapping[str, Any]:
    """By operation its body, the status and forms of its answer, and an example of it."""
    text = resources.files("hub.web").joinpath("openapi.yaml").read_text("utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


def _complete(operation: dict[str, Any], told: Mapping[str, Any], *, action: str) -> None:
    for one in operation.get("parameters", ()):
        if one["name"] in told.get("parameters", {}):
            one["example"] = told["parameters"][one["name"]]
    if "body" in told:
        operation["requestBody"] = {"required": True, "content": {JSON: _of_example(told["body"])}}
    if "bytes" in told:
        schema = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": schema}}
    operation["responses"] = {**_answers(told), **_refusals()}
    operation["security"] = _security(action)


def _answers(told: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": told.get("says", "As asked.")}
    if "example" in told:
        answer["content"] = {JSON: _of_example(told["example"], empty=told.get("empty", ()))}
    for media_type in told.get("forms", ()):
        answer.setdefault("content", {})[media_type] = {"schema": {}}
    found = {str(status): answer for status in told.get("status", [200])}
    if told.get("tagged"):
        answer["headers"] = {"ETag": {"description": "Strong: equal tags, equal bytes.", "schema": {"type": "string"}}}
        found["304"] = {"description": "You have it already: `If-None-Match` named its tag."}
    if told.get("paged"):
        link = {"description": 'The next page, `rel="next"`; none on the last.', "schema": {"type": "string"}}
        answer["headers"] = {**answer.get("headers", {}), "Link": link}
    return found


def _refusals() -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": words, "content": content} for status, words in REFUSALS.items()}


def _security(action: str) -> list[dict[str, list[str]]]:
    """Which ways of showing who one is open the action; an empty one where nobody need show anything."""
    roles = ROLE_TABLE[action].keys()
    if Role.PUBLIC in roles:
        return [{}, {"session": []}, {"token": []}]
    persons = roles - {Role.AGENT, Role.OPERATOR, Role.PUBLIC, Role.NEWCOMER}
    return [{name: []} for name, opens in (("session", persons), ("signature", Role.AGENT in roles)) if opens]


def _of_example(example: Any, *, empty: Iterable[str] = ()) -> dict[str, Any]:
    """An example with the form that it has: what it names is always there; what is null may be of any kind.

    Args:
        empty: what may be null though the example shows it.
    """
    form = _form(example)
    for name in empty:
        form["properties"][name]["type"] = [form["properties"][name]["type"], "null"]
    return {"schema": form, "example": example}


def _form(value: Any, *, deep: bool = True) -> dict[str, Any]:
    if value is None:
        return {}
    form: dict[str, Any] = {"type": _KINDS[type(value)]}
    if isinstance(value, dict) and deep:
        form["required"] = sorted(value)
        form["properties"] = {name: _form(one, deep=False) for name, one in value.items()}
    if isinstance(value, list) and value and deep:
        form["items"] = _form(value[0], deep=False)
    return form
