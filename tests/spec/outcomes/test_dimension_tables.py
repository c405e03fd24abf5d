"""Every rule of every dimension in small tables: a cohort and rows in, a level for each person out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from hub.outcomes.rows import make_levels, open_counter
from policies.indicator_files import dimensions, indicators
from policies.organisation_files import organisations

TABLES = Path(__file__).parent / "dimensions"


def cases() -> list[object]:
    found = []
    for file in sorted(TABLES.glob("*.yaml")):
        read = yaml.safe_load(file.read_text("utf-8"))
        found += [pytest.param(read, case, id=f"{file.stem}: {case['says']}") for case in read["cases"]]
    return found


@pytest.mark.parametrize(("table", "case"), cases())
def test_the_dimension_gives_what_its_table_says(
    table: dict[str, Any], case: dict[str, Any], snapshot_tables_of: Callable[..., Any], rows_of: Callable[..., Any]
) -> None:
    dimension, indicator = dimensions()[table["dimension"]], indicators()[table["indicator"]]
    members = [{**row, "cohort_year": int(row["cohort_year"])} for row in rows_of(case["cohort"])]
    cohort = pa.Table.from_pylist([{**row, "person_id": row["person"]} for row in members])

    with open_counter(snapshot_tables_of(case), organisations=organisations()) as counter:
        counter.engine.load("outcome_rows", cohort)
        make_levels(counter, indicator, dimension)
        found = dict(counter.engine.rows("SELECT person_id, level FROM level_rows"))

    levels = {row["person"]: found.get(row["person"], dimension.otherwise) for row in members}
    assert levels == {row["person"]: row["level"] for row in rows_of(case["expect"])}


def test_every_dimension_has_its_table() -> None:
    written = {file.stem for file in TABLES.glob("*.yaml")}

    assert written == set(dimensions())
