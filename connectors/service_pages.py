"""What the embedded edge service says of itself: its OpenAPI description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.dictionary import KINDS, dictionary


def _answers(**by_status: str) -> dict[str, Any]:
    return {status.removeprefix("s"): {"description": words} for status, words in by_status.items()}


_YEAR = {
    "name": "year", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1000, "maximum": 2999},
    "description": "the school year by its ending year, 2026 for 2025-26",
}  # fmt: skip
_KIND = {"name": "kind", "in": "path", "required": True, "schema": {"enum": list(KINDS)}}
_TABLE = {
    "name": "table", "in": "path", "required": True, "schema": {"enum": ["person", *dictionary().tables]},
    "description": "what a row is: a table of the dictionary, or person",
}  # fmt: skip
_ROWS = {
    "type": "object", "required": ["rows"],
    "properties": {"rows": {
        "type": "array", "minItems": 1,
        "items": {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}},
    }},
}  # fmt: skip

OPENAPI: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Embedded edge service of Promise Hub", "version": "1"},
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    "security": [{"token": []}],
    "paths": {
        "/v1/openapi.json": {"get": {"summary": "This description.", "responses": _answers(s200="the description")}},
        "/v1/status": {
            "get": {
                "summary": "Where everything stands, and who acts next.",
                "responses": _answers(s200="states as the hub tells them, or as the receipts told them last"),
            }
        },
        "/v1/years/{year}/{kind}/{table}": {
            "put": {
                "summary": "The rows of a table, in place of those before; checked at once. They stay on this machine.",
                "parameters": [_YEAR, _KIND, _TABLE],
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ROWS}}},
                "responses": _answers(s200="kept; findings by cause", s422="refused, nothing was kept; why"),
            }
        },
        "/v1/years/{year}/check": {
            "post": {
                "summary": "What is wrong with the files and rows of a year.",
                "parameters": [_YEAR],
                "responses": _answers(s200="findings by file and cause, never a value"),
            }
        },
        "/v1/years/{year}/send": {
            "post": {
                "summary": "Encodes the year whole, seals it and sends it with all that waited.",
                "parameters": [_YEAR],
                "responses": _answers(
                    s200="what was sent, with state, next step and owner",
                    s409="a key, an agreement or a setting is missing",
                    s422="a file is refused, nothing was prepared",
                ),
            }
        },
    },
}
