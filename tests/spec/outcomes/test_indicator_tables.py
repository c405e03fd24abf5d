"""Every rule of every indicator in small tables: rows in, yes, no or unknown out. docs/indicators.md quotes them."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from hub.outcomes.rows import make_outcome_rows, open_counter
from hub.outcomes.schema import snapshot_schemas
from policies.indicator_files import indicators
from policies.organisation_files import organisations

TABLES = Path(__file__).parent / "tables"
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


def cases() -> list[object]:
    found = []
    for file in sorted(TABLES.glob("*.yaml")):
        read = yaml.safe_load(file.read_text("utf-8"))
        found += [pytest.param(read["indicator"], case, id=f"{file.stem}: {case['says']}") for case in read["cases"]]
    return found


@pytest.mark.parametrize(("name", "case"), cases())
def test_the_indicator_gives_what_its_table_says(name: str, case: dict[str, str]) -> None:
    indicator = indicators()[name].with_parameters(case.get("parameters", {}))
    tables = snapshot_of(case)

    with open_counter(tables, organisations=organisations()) as counter:
        make_outcome_rows(counter, indicator)
        found = counter.connection.execute(
            "SELECT person_id, cohort_year, district, outcome FROM outcome_rows ORDER BY person_id, cohort_year"
        ).fetchall()

    expected = [
        (row["person"], int(row["cohort_year"]), row["district"], row["outcome"]) for row in read_rows(case["expect"])
    ]
    assert found == expected


def test_every_core_indicator_of_persons_has_its_table() -> None:
    wanted = {name for name, indicator in indicators().items() if indicator.core and not indicator.aggregate}

    written = {file.stem for file in TABLES.glob("*.yaml")}

    assert wanted <= written
