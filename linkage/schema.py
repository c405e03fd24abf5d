"""The linkage schema: one versioned file that says what is encoded and compared, on both sides of the wall.

Its hash stands in every submission; the hub refuses another, since two encodings made by different
rules would silently never match.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from linkage.errors import LinkageError

MINIMUM_RECORDS = 200
"""A smaller roster is padded with made-up people up to this many."""


@dataclass(frozen=True)
class View:
    """One view: what a record is blocked on, which is also the salt of its filters.

    `names` says which names are part of that: "none", the unordered "pair", or "each" by itself; by phonetic code, or
    where `spelled` by exact spelling once normalised.
    """

    name: str
    number: int
    values: tuple[str, ...]
    names: str
    spelled: bool
    default: bool


@dataclass(frozen=True)
class LinkageSchema:
    """The parsed schema; `hash` is the SHA-256 of its canonical JSON."""

    version: int
    hash: str
    label: str
    tables_file: str
    tables_sha256: str
    filter_bits: int
    filter_weight: int
    maximum_variants: int
    views: tuple[View, ...]
    similarity_cuts: tuple[int, ...]

    @property
    def default_views(self) -> tuple[str, ...]:
        """The names of the views that every submission carries unless a policy says otherwise."""
        return tuple(view.name for view in self.views if view.default)

    def view(self, name: str) -> View:
        """The view of that name; LinkageError `unknown_view` when the schema has none."""
        for view in self.views:
            if view.name == name:
                return view
        raise LinkageError("unknown_view", "schema", next_step="use a view that the linkage schema declares")


@functools.cache
def current_schema() -> LinkageSchema:
    """The schema of this version of the program."""
    content = resources.files("linkage").joinpath("schema", "v2.json").read_text(encoding="utf-8")
    return parse_schema(json.loads(content))


def parse_schema(content: dict[str, Any]) -> LinkageSchema:
    """The schema that a parsed schema file declares."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return LinkageSchema(
        version=int(content["version"]),
        hash=hashlib.sha256(canonical.encode()).hexdigest(),
        label=str(content["label"]),
        tables_file=str(content["tables"]["file"]),
        tables_sha256=str(content["tables"]["sha256"]),
        filter_bits=int(content["filter"]["bits"]),
        filter_weight=int(content["filter"]["weight"]),
        maximum_variants=int(content["maximum_variants"]),
        views=tuple(_view(view) for view in content["views"]),
        similarity_cuts=tuple(int(cut) for cut in content["similarity_cuts"]),
    )


def _view(content: dict[str, Any]) -> View:
    return View(
        name=str(content["name"]),
        number=int(content["number"]),
        values=tuple(str(value) for value in content["values"]),
        names=str(content["names"]),
        spelled=bool(content["spelled"]),
        default=bool(content["default"]),
    )
