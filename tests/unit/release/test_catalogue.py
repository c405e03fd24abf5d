"""The catalogue declares what may be asked; a mistake in it is found when it is read."""

import pytest
from pydantic import ValidationError

from policies.catalogue_files import catalogue, read_catalogue

SMALL = """
version: 1
target_year: 2028
pace_years: 3
tables:
  late: {title: Late, dimensions: [size, colour], priority: 9, audience: partner}
  total: {title: All, dimensions: [], priority: 1, audience: public}
indicators:
  reading: [late, total]
gaps:
  pair: {title: a pair, table: late, dimension: size, reference: large, group: small}
pathway:
  - {indicator: reading, years_after_kindergarten: 3}
"""


def test_the_core_catalogue_declares_the_seven_outcomes_in_the_order_of_the_road() -> None:
    found = catalogue()

    assert found.indicators[:7] == (
        "kindergarten-readiness",
        "third-grade-reading",
        "eighth-grade-math",
        "high-school-graduation",
        "postsecondary-enrollment",
        "postsecondary-completion",
        "employment",
    )
    assert tuple(step.indicator for step in found.pathway) == found.indicators[:7]
    assert found.target_year == 2028


def test_every_gap_compares_two_levels_of_a_dimension_that_its_table_has() -> None:
    found = catalogue()

    tables = {table.name: table for tables in found.tables.values() for table in tables}

    assert all(pair.dimension in tables[pair.table].dimensions for pair in found.gaps)


def test_every_indicator_publishes_its_total_to_everybody() -> None:
    found = catalogue()

    totals = [found.table(indicator, name="total") for indicator in found.indicators]

    assert all(total is not None and total.audience == "public" for total in totals)


def test_tables_stand_in_order_of_priority_and_are_found_by_split_in_any_order() -> None:
    found = read_catalogue(SMALL)

    assert [table.name for table in found.tables["reading"]] == ["total", "late"]
    assert found.dimensions("reading") == ("size", "colour")
    assert found.table_split_by("reading", dimensions=["colour", "size"]) == found.table("reading", name="late")
    assert found.table_split_by("reading", dimensions=["colour"]) is None
    assert found.table_split_by("spelling", dimensions=[]) is None
    assert found.table("reading", name="early") is None


def test_a_gap_is_found_by_name_or_not_at_all() -> None:
    found = read_catalogue(SMALL)

    assert found.gap("pair") == found.gaps[0]
    assert found.gap("trio") is None


def test_a_table_that_is_named_but_not_declared_is_refused() -> None:
    with pytest.raises(ValidationError, match="tables named but not declared: early"):
        read_catalogue(SMALL.replace("[late, total]", "[late, total, early]"))


def test_a_pathway_step_that_is_not_an_indicator_is_refused() -> None:
    with pytest.raises(ValidationError, match="not declared: spelling"):
        read_catalogue(SMALL.replace("{indicator: reading,", "{indicator: spelling,"))
