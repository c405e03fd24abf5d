"""Rows of a file whose titles the provider has mapped to our elements in sources.yaml."""

from __future__ import annotations

from connectors.rows import Fact, RowReader, RowReading, Values, person_of, word
from policies.dictionary import dictionary

IDENTITY = (
    "local_id",
    "ssid",
    "given",
    "middle",
    "surname",
    "suffix",
    "alias_given",
    "alias_surname",
    "birth_date",
    "gender",
    "postcode",
    "guardian_given",
    "guardian_surname",
)
PERSON = "person"
_NAMING = ("given", "surname", "birth_date")


def mapped_reader(table: str) -> RowReader:
    """The reader of one mapped table; a column `other.element` states an element of another table."""
    aggregate = table != PERSON and dictionary().tables[table].aggregate

    def read(values: Values) -> RowReading:
        names_person = any(name in values for name in _NAMING)
        return RowReading(
            local_id=word(values, "local_id"),
            ssid=word(values, "ssid"),
            person=person_of(values, as_of=word(values, "start_date") or "") if names_person else None,
            facts=tuple(_facts(values, table)),
            named_by="nobody" if aggregate else "itself" if names_person else "roster",
        )

    return read


def table_of(column: str, table: str) -> tuple[str, str]:
    """The table and element that a column name of sources.yaml means."""
    if "." in column:
        other, _, element = column.partition(".")
        return other, element
    own = dictionary().tables[table].elements if table != PERSON else {}
    shared = dictionary().tables["demographics"].elements
    return ("demographics", column) if column in shared and column not in own else (table, column)


def _facts(values: Values, table: str) -> list[Fact]:
    told: dict[str, dict[str, str | int | float]] = {}
    for column, value in values.items():
        where, element = table_of(column, table)
        if where != PERSON and element in dictionary().tables[where].elements:
            told.setdefault(where, {})[element] = value
    if "attendance" in told and "preschool" in told and "site" in told["preschool"]:
        told["attendance"].setdefault("school", told["preschool"]["site"])
    return [(name, elements) for name, elements in told.items() if not _empty(name, elements)]


def _empty(table: str, elements: Values) -> bool:
    """Whether the row says nothing of a table beside its place: a child without attended days has no attendance."""
    return table == "attendance" and not {"days_expected", "days_attended"} <= set(elements)
