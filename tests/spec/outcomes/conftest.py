"""Reads the small tables of this folder: text with bars into snapshot tables."""

import datetime as dt

import pyarrow as pa
import pytest

from hub.outcomes.schema import snapshot_schemas

DEFAULTS = {
    "enrollment": {"enrollment_status": "10", "school": "2199999"},
    "assessment": {"valid": "Y"},
}


def read_rows(text: str) -> list[dict[str, str | None]]:
    lines = [[cell.strip() or None for cell in line.split("|")] for line in text.strip().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def typed(value: str | None, kind: pa.DataType) -> object:
    if value is None:
        return None
    if kind == pa.date32():
        return dt.date.fromisoformat(value)
    return value if kind == pa.string() else int(value)


def snapshot_of(case: dict[str, str]) -> dict[str, pa.Table]:
    tables = {}
    for name, schema in snapshot_schemas().items():
        rows = read_rows(case[name]) if name in case else []
        given = [{"kind": "k12", **DEFAULTS.get(name, {}), **row, "person_id": row.get("person")} for row in rows]
        unread = {key for row in rows for key in row} - {"person", *schema.names}
        if unread:
            raise ValueError(f"columns {unread} are not of table {name}")
        typed_rows = [{field.name: typed(row.get(field.name), field.type) for field in schema} for row in given]
        tables[name] = pa.Table.from_pylist(typed_rows, schema=schema)
    return tables


@pytest.fixture
def snapshot_tables_of():
    return snapshot_of


@pytest.fixture
def rows_of():
    return read_rows
