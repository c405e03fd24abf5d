"""The versioned tables of names (letters, particles, nicknames, spellings): read at the edge only."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from linkage.errors import LinkageError
from linkage.schema import LinkageSchema


@dataclass(frozen=True)
class NameTables:
    """Tables ready to use. `given_variants` and `surname_variants` lead from a name to further forms of it."""

    letters: dict[int, str]
    particles: frozenset[str]
    suffixes: frozenset[str]
    absent_names: frozenset[str]
    absent_dates: frozenset[str]
    given_variants: Mapping[str, tuple[str, ...]]
    surname_variants: Mapping[str, tuple[str, ...]]


@functools.lru_cache(maxsize=4)
def name_tables(schema: LinkageSchema) -> NameTables:
    """The tables the schema names; LinkageError `tables_changed` when they are not those it was made with."""
    raw = resources.files("linkage.encode").joinpath("tables", schema.tables_file).read_bytes()
    if hashlib.sha256(raw).hexdigest() != schema.tables_sha256:
        raise LinkageError("tables_changed", "schema", next_step="install an unchanged release of this program")
    return _parsed(json.loads(raw))


def _parsed(content: dict[str, Any]) -> NameTables:
    nicknames = [(formal, [formal, *short]) for formal, short in content["nicknames"].items()]
    spellings = [(names[0], names) for names in content["given_spellings"]]
    surnames = [(names[0], names) for names in content["surname_spellings"]]
    return NameTables(
        letters={ord(letter): plain for letter, plain in content["letters"].items()},
        particles=frozenset(content["particles"]),
        suffixes=frozenset(content["suffixes"]),
        absent_names=frozenset(content["absent_names"]),
        absent_dates=frozenset(content["absent_dates"]),
        given_variants=_leading_forms([*nicknames, *spellings]),
        surname_variants=_leading_forms(surnames),
    )


def _leading_forms(groups: Iterable[tuple[str, list[str]]]) -> dict[str, tuple[str, ...]]:
    """From each name to the leading forms of the groups that hold it, itself left out."""
    forms: dict[str, set[str]] = defaultdict(set)
    for leading, names in groups:
        for name in names:
            if name != leading:
                forms[name].add(leading)
    return {name: tuple(sorted(leading)) for name, leading in forms.items()}
