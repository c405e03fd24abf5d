"""Definitions as data: what is read, what moves with the cohort year, what is refused."""

import datetime as dt
import re

import pytest
import sqlglot

from policies.catalogue_files import catalogue
from policies.indicator_files import DateRule, dimensions, indicators, relations

CORE = [
    "kindergarten-readiness",
    "third-grade-reading",
    "eighth-grade-math",
    "high-school-graduation",
    "postsecondary-enrollment",
    "postsecondary-completion",
    "employment",
]


def test_the_seven_outcomes_come_first_and_in_the_order_of_the_road() -> None:
    found = [name for name, indicator in indicators().items() if indicator.core]

    assert found == CORE
    assert list(indicators())[:7] == CORE


@pytest.mark.parametrize(
    ("cohort_year", "census"),
    [(2019, dt.date(2018, 10, 3)), (2023, dt.date(2022, 10, 5)), (2026, dt.date(2025, 10, 1))],
)
def test_the_census_day_is_the_first_wednesday_of_october(cohort_year: int, census: dt.date) -> None:
    rule = indicators()["kindergarten-readiness"].calendar["census_on"]

    assert rule.on(cohort_year) == census


def test_a_date_rule_counts_on_to_the_nth_weekday() -> None:
    rule = DateRule(month=10, weekday=3, nth=2, years=-1)

    assert rule.on(2023) == dt.date(2022, 10, 12)


def test_a_date_rule_falls_on_its_day_of_the_month() -> None:
    assert DateRule(month=8, day=15).on(2023) == dt.date(2023, 8, 15)


@pytest.mark.parametrize("given", [{}, {"day": 1, "weekday": 3}])
def test_a_date_rule_with_neither_or_both_of_day_and_weekday_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a day or a weekday"):
        DateRule(month=10, **given)


def test_a_companion_shares_the_query_of_its_base_and_is_no_core_outcome() -> None:
    base, companion = indicators()["postsecondary-enrollment"], indicators()["postsecondary-enrollment-24-months"]

    assert companion.sql == base.sql
    assert (companion.core, companion.based_on) == (False, base.id)
    assert (base.parameters["enrollment_months"], companion.parameters["enrollment_months"]) == ("12", "24")
    assert companion.digest != base.digest


def test_an_indicator_has_the_parameters_and_dates_of_the_relations_it_uses() -> None:
    graduation = indicators()["high-school-graduation"]

    assert graduation.parameters["removal"] == ("T180", "T200", "T240", "T370", "E130")
    assert graduation.calendar["graduates_by"].on(2023) == dt.date(2023, 8, 15)


def test_parameters_can_be_changed_but_not_invented() -> None:
    indicator = indicators()["employment"]

    changed = indicator.with_parameters({"years_after": "8"})

    assert changed.parameters == {"years_after": "8"}
    with pytest.raises(ValueError, match="has no parameter wage"):
        indicator.with_parameters({"wage": "1"})


def test_a_dimension_knows_its_leaves_sums_labels_and_least_counts() -> None:
    preschool = dimensions()["preschool"]

    assert preschool.leaves == ("head-start", "state-preschool", "other-preschool", "none", "unknown")
    assert preschool.parents == {"head-start": "any", "state-preschool": "any", "other-preschool": "any"}
    assert preschool.minimum == {"head-start": 30, "state-preschool": 30, "other-preschool": 30, "any": 30}
    assert preschool.labels["none"] == "No preschool record"


@pytest.mark.parametrize("dimension", dimensions().values(), ids=lambda dimension: dimension.id)
def test_whom_a_dimension_does_not_name_gets_one_of_its_levels(dimension) -> None:
    assert dimension.otherwise in dimension.leaves
    assert set(dimension.parents.values()) <= {level.id for level in dimension.levels if level.summed}
    assert not dimension.linked or "unknown" in dimension.leaves


def test_the_catalogue_names_only_indicators_and_dimensions_that_exist() -> None:
    declared = catalogue()

    assert set(declared.indicators) <= set(indicators())
    used = {name for indicator in declared.indicators for name in declared.dimensions(indicator)}
    assert used <= {*dimensions(), "district"}


def test_an_aggregate_indicator_names_a_column_for_each_dimension_of_its_tables() -> None:
    employment = indicators()["employment"]

    assert set(catalogue().dimensions("employment")) <= set(employment.aggregate_columns)


QUERIES = {
    **{f"indicator {name}": one.sql for name, one in indicators().items()},
    **{f"dimension {name}": one.sql for name, one in dimensions().items()},
    **{f"relation {name}": one.sql for name, one in relations().items()},
}


@pytest.mark.parametrize("sql", QUERIES.values(), ids=QUERIES)
def test_every_query_is_one_select_that_spark_can_also_read(sql: str) -> None:
    level = sqlglot.ErrorLevel.RAISE

    written = sqlglot.transpile(sql, read="duckdb", write="spark", unsupported_level=level)

    assert len(written) == 1
    parsed = sqlglot.parse_one(written[0], read="spark", error_level=level)
    assert isinstance(parsed, sqlglot.exp.Select | sqlglot.exp.Union)


@pytest.mark.parametrize("sql", QUERIES.values(), ids=QUERIES)
def test_every_query_keeps_to_what_both_engines_share(sql: str) -> None:
    words = set(re.findall(r"[A-Z_]+(?=\()", sql))

    assert words <= {"CAST", "COALESCE", "EXTRACT", "MAX", "MIN", "ROW_NUMBER", "SUM", "IN"}
    assert not re.search(r"\b(QUALIFY|FILTER|GROUP BY ALL|EXCLUDE|ASOF|UNNEST)\b", sql)


def test_every_parameter_that_a_query_reads_is_declared() -> None:
    for indicator in indicators().values():
        queries = indicator.sql + "".join(relations()[name].sql for name in indicator.relations)
        assert set(re.findall(r"name = '(\w+)'", queries)) == set(indicator.parameters)
    for dimension in dimensions().values():
        assert set(re.findall(r"name = '(\w+)'", dimension.sql)) == set(dimension.parameters)
