"""The tables of a snapshot: the facts of the data dictionary with the person in place of the record reference.

Between submissions and counting. Column order is fixed here, so that equal facts make equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from policies.dictionary import FactTable, dictionary

PERSON = "person_id"
ORGANISATIONS = "organisations"

_TYPES: Mapping[str, pa.DataType] = {
    "code": pa.string(),
    "date": pa.date32(),
    "integer": pa.int64(),
    "decimal": pa.float64(),
}
_ORIGIN = [("provider", pa.string()), ("kind", pa.string()), ("school_year", pa.int32())]
_ORGANISATION = [
    ("id", pa.string()),
    ("kind", pa.string()),
    ("area", pa.string()),
    ("merge", pa.string()),
    ("first_year", pa.int32()),
    ("last_year", pa.int32()),
]


def snapshot_schemas() -> dict[str, pa.Schema]:
    """The schema of every table of a snapshot, by name, in the order of the dictionary."""
    schemas = {table.name: _fact_schema(table) for table in dictionary().tables.values()}
    return {**schemas, ORGANISATIONS: pa.schema(_ORGANISATION)}


def person_tables() -> tuple[str, ...]:
    """The tables that hold rows of persons: all but the aggregates."""
    return tuple(table.name for table in dictionary().tables.values() if not table.aggregate)


def line_schema() -> pa.Schema:
    """The schema of a line of any facts chunk: table `t`, reference `r` and every element, dates still as text.

    Raises ValueError when two tables give one element different types, for then one parse cannot read both.
    """
    fields: dict[str, pa.DataType] = {"t": pa.string(), "r": pa.string()}
    for table in dictionary().tables.values():
        for element in table.elements.values():
            read_as = pa.string() if element.type == "date" else _TYPES[element.type]
            if fields.setdefault(element.name, read_as) != read_as:
                raise ValueError(f"element {element.name} has two types in the dictionary")
    return pa.schema(list(fields.items()))


def table_line_schema(name: str) -> pa.Schema:
    """The schema of a line of this table alone."""
    whole = line_schema()
    return pa.schema([whole.field(column) for column in ("t", "r", *dictionary().tables[name].elements)])


def _fact_schema(table: FactTable) -> pa.Schema:
    who = [] if table.aggregate else [(PERSON, pa.string())]
    elements = [(element.name, _TYPES[element.type]) for element in table.elements.values()]
    return pa.schema([*who, *_ORIGIN, *elements])
