"""Every rule of every indicator in small tables: rows in, yes, no or unknown out. docs/indicators.md quotes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.outcomes.rows import make_outcome_rows, open_counter
from policies.indicator_files import indicators
from policies.organisation_files import organisations

TABLES = Path(__file__).parent / "tables"


def cases() -> list[object]:
    found = []
    for file in sorted(TABLES.glob("*.yaml")):
        read = yaml.safe_load(file.read_text("utf-8"))
        found += [pytest.param(read["indicator"], case, id=f"{file.stem}: {case['says']}") for case in read["cases"]]
    return found


@pytest.mark.parametrize(("name", "case"), cases())
def test_the_indicator_gives_what_its_table_says(
    name: str, case: dict[str, Any], snapshot_tables_of: Callable[..., Any], rows_of: Callable[..., Any]
) -> None:
    indicator = indicators()[name].with_parameters(case.get("parameters", {}))
    tables = snapshot_tables_of(case)

    with open_counter(tables, organisations=organisations()) as counter:
        make_outcome_rows(counter, indicator)
        found = counter.engine.rows(
            "SELECT person_id, cohort_year, district, outcome FROM outcome_rows ORDER BY person_id, cohort_year"
        )

    expected = [
        (row["person"], int(row["cohort_year"]), row["district"], row["outcome"]) for row in rows_of(case["expect"])
    ]
    assert found == expected


def test_every_core_indicator_of_persons_has_its_table() -> None:
    wanted = {name for name, indicator in indicators().items() if indicator.core and not indicator.aggregate}

    written = {file.stem for file in TABLES.glob("*.yaml")}

    assert wanted <= written
