"""The connector protocol: what a reader gives back for one row of a source file, on the edge side of the wall.

A connector is one layout file and one function `(Values) -> RowReading`; docs/edge.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from connectors.values import Value

Values = Mapping[str, Value]
"""The parsed cells of one row by column name of the layout; what is absent is not in it."""
Fact = tuple[str, Mapping[str, Value]]
"""A table of the data dictionary and its elements."""


@dataclass(frozen=True, repr=False, slots=True)
class PersonPart:
    """What one row says of a person. Masked in repr; refuses pickling."""

    given: str | None = None
    middle: str | None = None
    surname: str | None = None
    suffix: str | None = None
    alias_given: str | None = None
    alias_surname: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    postcode: str | None = None
    ssid: str | None = None
    guardian: str | None = None
    as_of: str = ""

    def __repr__(self) -> str:
        return "PersonPart(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("clear identity is never pickled")


@dataclass(frozen=True, repr=False, slots=True)
class RowReading:
    """One row understood: whom it names, what it states, and the codes of what its reader found."""

    local_id: str | None = None
    ssid: str | None = None
    return_field: str | None = None
    person: PersonPart | None = None
    facts: tuple[Fact, ...] = ()
    codes: tuple[str, ...] = ()
    as_of: str = ""
    named_by: str = "roster"
    """roster: must be on the roster; itself: makes the roster; map: names a request; nobody: an aggregate."""

    def __repr__(self) -> str:
        return f"RowReading(facts={len(self.facts)}, codes={self.codes})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("clear identity is never pickled")


RowReader = Callable[[Values], RowReading]


def word(values: Values, name: str) -> str | None:
    """The value as text, or None when it is absent."""
    value = values.get(name)
    return None if value is None else str(value)


def fact(table: str, values: Values, **elements: str) -> Fact:
    """A fact of the table: each element takes the value of the column named; absent ones are left out."""
    return table, {element: values[column] for element, column in elements.items() if column in values}


def person_of(values: Values, *, as_of: str = "") -> PersonPart:
    """The person named by columns that carry the usual names."""
    guardian = " ".join(part for part in (word(values, "guardian_given"), word(values, "guardian_surname")) if part)
    return PersonPart(
        given=word(values, "given"),
        middle=word(values, "middle"),
        surname=word(values, "surname"),
        suffix=word(values, "suffix"),
        alias_given=word(values, "alias_given"),
        alias_surname=word(values, "alias_surname"),
        birth_date=word(values, "birth_date"),
        sex=word(values, "gender"),
        postcode=word(values, "postcode"),
        ssid=word(values, "ssid"),
        guardian=guardian or None,
        as_of=as_of,
    )
