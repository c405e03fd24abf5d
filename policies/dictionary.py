"""The data dictionary: which fact tables and elements exist, and the check of one fact row, on both sides of the wall.

The tables lie in `policies/elements/facts.yaml`; minimisation at the edge and the check at intake both come from them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from policies.yaml_text import read_yaml

ELEMENT_TYPES = ("code", "date", "integer", "decimal")
ELEMENT_CLASSES = ("quasi", "outcome", "sensitive")
KINDS = ("k12", "preschool", "college", "clearinghouse", "programme", "employment")
_REFERENCE = re.compile(r"[0-9a-f]{32}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class FactError(Exception):
    """A fact row that the dictionary refuses: a stable code, the table and the element, never the value."""

    def __init__(self, code: str, place: str, next_step: str) -> None:
        super().__init__(f"{code} at {place}: {next_step}")
        self.code = code
        self.place = place
        self.next_step = next_step


@dataclass(frozen=True)
class Element:
    """One element: its type, whom it describes, where it comes from and its CEDS name."""

    name: str
    type: str
    element_class: str
    source: str
    ceds: str
    required: bool
    codes: frozenset[str]
    pattern: re.Pattern[str] | None
    minimum: float | None
    maximum: float | None

    def may_hold(self, value: Any) -> bool:
        """Whether the value is of the element's type and one of its codes or within its limits."""
        if self.type == "code":
            return isinstance(value, str) and self._knows(value)
        if self.type == "date":
            return isinstance(value, str) and _is_date(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        whole = self.type == "decimal" or isinstance(value, int)
        return whole and self._within(value)

    def _knows(self, value: str) -> bool:
        return value in self.codes or (self.pattern is not None and self.pattern.fullmatch(value) is not None)

    def _within(self, value: float) -> bool:
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True)
class FactTable:
    """One fact table: its elements, and the kinds of submission that may carry it."""

    name: str
    about: str
    source: str
    kinds: frozenset[str]
    aggregate: bool
    elements: Mapping[str, Element]


@dataclass(frozen=True)
class Identifier:
    """What identifies a child inside a provider, class `identifier`: encoded at the edge, never a fact."""

    name: str
    source: str
    ceds: str


@dataclass(frozen=True)
class Dictionary:
    """All fact tables of one version, and the identifiers that an agreement may let link."""

    version: int
    tables: Mapping[str, FactTable]
    identifiers: Mapping[str, Identifier]

    def check_fact(self, row: Mapping[str, Any], kind: str) -> None:
        """Raises FactError with code, table and element when the row may not be stored for this kind."""
        table = self.tables.get(row["t"]) if isinstance(row.get("t"), str) else None
        if table is None:
            raise FactError("FACT-001", "t", "name a table of the data dictionary")
        if kind not in table.kinds:
            raise FactError("FACT-002", table.name, "send this table with a kind of submission that carries it")
        _check_reference(table, row)
        for name, value in row.items():
            if name not in ("t", "r"):
                _check_value(table, name, value)
        for element in table.elements.values():
            if element.required and element.name not in row:
                raise FactError("FACT-006", f"{table.name}.{element.name}", "give the element: it is required")


@cache
def dictionary() -> Dictionary:
    """The dictionary of this version of the code."""
    folder = resources.files("policies").joinpath("elements")
    read = read_yaml(folder.joinpath("facts.yaml").read_text("utf-8"))
    identity = read_yaml(folder.joinpath("identity.yaml").read_text("utf-8"))["identifiers"]
    return Dictionary(
        read["version"],
        {name: _table(name, table) for name, table in read["tables"].items()},
        {name: Identifier(name, one["source"], one["ceds"]) for name, one in identity.items()},
    )


def _table(name: str, read: Mapping[str, Any]) -> FactTable:
    elements = {element: _element(element, of) for element, of in read["elements"].items()}
    return FactTable(
        name, read["about"], read["source"], frozenset(read["kinds"]), bool(read.get("aggregate", False)), elements
    )


def _element(name: str, read: Mapping[str, Any]) -> Element:
    pattern = read.get("pattern")
    return Element(
        name,
        read["type"],
        read["class"],
        read["source"],
        read["ceds"],
        bool(read.get("required", False)),
        frozenset(read.get("codes", ())),
        re.compile(pattern) if pattern else None,
        read.get("minimum"),
        read.get("maximum"),
    )


def _check_reference(table: FactTable, row: Mapping[str, Any]) -> None:
    reference = row.get("r")
    if table.aggregate:
        if reference is not None:
            raise FactError("FACT-003", f"{table.name}.r", "leave the reference out: this table counts groups")
    elif not isinstance(reference, str) or _REFERENCE.fullmatch(reference) is None:
        raise FactError("FACT-003", f"{table.name}.r", "give the record reference as 32 hexadecimal digits")


def _check_value(table: FactTable, name: str, value: Any) -> None:
    element = table.elements.get(name)
    if element is None:
        raise FactError("FACT-004", table.name, "leave out what the data dictionary does not name")
    if not element.may_hold(value):
        raise FactError("FACT-005", f"{table.name}.{name}", "give a value of the element's type and code list")


def _is_date(text: str) -> bool:
    if _DATE.fullmatch(text) is None:
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
