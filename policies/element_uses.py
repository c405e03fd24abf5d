"""Which elements an indicator counts and a dimension splits by, as (table, element): `policies/elements/uses.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from policies.yaml_text import read_yaml

Pair = tuple[str, str]
NOTHING: frozenset[Pair] = frozenset()


def elements_counted(indicator: str) -> frozenset[Pair]:
    """What the queries of an indicator read; nothing for one that there is not."""
    return _uses()["indicators"].get(indicator, NOTHING)


def elements_split_by(dimension: str) -> frozenset[Pair]:
    """What the query of a dimension reads; nothing for the district, which is who sent the record."""
    return _uses()["dimensions"].get(dimension, NOTHING)


@cache
def _uses() -> Mapping[str, Mapping[str, frozenset[Pair]]]:
    read = read_yaml(resources.files("policies").joinpath("elements/uses.yaml").read_text("utf-8"))
    return {kind: {name: _pairs(tables) for name, tables in of.items()} for kind, of in read.items()}


def _pairs(tables: Mapping[str, Any]) -> frozenset[Pair]:
    return frozenset((table, name) for table, names in tables.items() for name in names)
