"""The linkage schema: one file, one hash."""

from __future__ import annotations

import hashlib
import json
from importlib import resources

import pytest

from linkage.errors import LinkageError
from linkage.schema import current_schema, parse_schema


def _content() -> dict[str, object]:
    loaded: dict[str, object] = json.loads(resources.files("linkage").joinpath("schema", "v2.json").read_text("utf-8"))
    return loaded


def test_any_change_of_the_schema_changes_its_hash() -> None:
    changed = _content() | {"maximum_variants": 3}

    assert parse_schema(_content()).hash == current_schema().hash
    assert parse_schema(changed).hash != current_schema().hash


def test_the_schema_names_the_tables_it_was_made_with() -> None:
    tables = resources.files("linkage.encode").joinpath("tables", current_schema().tables_file).read_bytes()

    assert current_schema().tables_sha256 == hashlib.sha256(tables).hexdigest()


def test_view_numbers_and_names_are_distinct() -> None:
    views = current_schema().views

    assert len({view.number for view in views}) == len({view.name for view in views}) == len(views)
    assert current_schema().default_views == (
        "ssid",
        "date_spelling",
        "spellings_year",
        "spellings_day",
        "spellings_place",
    )


def test_a_view_is_found_by_name_or_refused() -> None:
    assert current_schema().view("dob").number == 1
    with pytest.raises(LinkageError, match="unknown_view"):
        current_schema().view("shoe-size")
