"""Indicators that count groups made elsewhere, in small tables: groups in, weights by outcome out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.outcomes.rows import make_outcome_rows, open_counter
from policies.indicator_files import indicators
from policies.organisation_files import organisations

TABLES = Path(__file__).parent / "aggregates"
QUERY = """
SELECT cohort_year, gender, SUM(CASE WHEN outcome = 'yes' THEN weight ELSE 0 END),
    SUM(CASE WHEN outcome = 'no' THEN weight ELSE 0 END), SUM(CASE WHEN outcome = 'unknown' THEN weight ELSE 0 END)
FROM outcome_rows GROUP BY cohort_year, gender ORDER BY cohort_year, gender
"""


def cases() -> list[object]:
    found = []
    for file in sorted(TABLES.glob("*.yaml")):
        read = yaml.safe_load(file.read_text("utf-8"))
        found += [pytest.param(read["indicator"], case, id=f"{file.stem}: {case['says']}") for case in read["cases"]]
    return found


@pytest.mark.parametrize(("name", "case"), cases())
def test_the_aggregate_indicator_gives_what_its_table_says(
    name: str, case: dict[str, Any], snapshot_tables_of: Callable[..., Any], rows_of: Callable[..., Any]
) -> None:
    indicator = indicators()[name].with_parameters(case.get("parameters", {}))

    with open_counter(snapshot_tables_of(case), organisations=organisations()) as counter:
        make_outcome_rows(counter, indicator)
        found = counter.engine.rows(QUERY)

    numbers = ("cohort_year", "yes", "no", "unknown")
    expected = [{**row, **{name: int(row[name]) for name in numbers}} for row in rows_of(case["expect"])]
    assert [dict(zip(("cohort_year", "gender", "yes", "no", "unknown"), row, strict=True)) for row in found] == expected


def test_every_aggregate_indicator_has_its_table() -> None:
    wanted = {name for name, indicator in indicators().items() if indicator.aggregate}

    assert wanted == {file.stem for file in TABLES.glob("*.yaml")}
