"""Runs the definitions of indicators and dimensions over a snapshot held in memory; rows of persons stay inside.

Under `hub.outcomes.counting`, which alone counts what is made here. The embedded engine opens no file and writes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import duckdb
import pyarrow as pa

from hub.errors import HubError
from hub.outcomes.linkage_measures import add_providers, add_thresholds, measure_linked, measure_settled
from hub.outcomes.schema import PERSON, person_tables, snapshot_schemas
from policies.indicator_files import OUTCOMES, DimensionFile, Indicator, ParameterValue, relations
from policies.organisation_files import Organisation, Organisations

THREADS = 2
_CONFIGURATION: Mapping[str, str] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "temp_directory": "",
    "threads": str(THREADS),
    "python_enable_replacements": "false",
}


class CountingError(HubError):
    """A definition does not fit the facts; names the definition and the rule, never a value."""

    title = "An indicator could not be counted"
    code = "counting-wrong"
    next_step = "Mend the definition that is named; nothing was released."


@dataclass(frozen=True)
class Counter:
    """An open snapshot that can be counted; made by `open_counter`."""

    connection: duckdb.DuckDBPyConnection = field(repr=False)
    organisations: Organisations
    years: range
    thresholds: tuple[str, ...] = ()


@contextmanager
def open_counter(
    tables: Mapping[str, pa.Table],
    *,
    organisations: Organisations,
    moved: Mapping[str, pa.Table] | None = None,
    left_out: pa.Table | None = None,
) -> Iterator[Counter]:
    """Load snapshot tables; a table that is not given is empty. Everything is forgotten at the end.

    Args:
        moved: by threshold whose records would be another person's (`linkage_measures.MOVED_SCHEMA`).
        left_out: rows that are not counted (`objections.LEFT_OUT_SCHEMA`).
    """
    connection = duckdb.connect(":memory:", config=dict(_CONFIGURATION))
    try:
        for name, schema in snapshot_schemas().items():
            _load(connection, name, tables.get(name, schema.empty_table()))
        if left_out is not None and left_out.num_rows:
            _leave_out(connection, left_out)
        add_providers(connection, "main")
        add_thresholds(connection, moved or {})
        yield Counter(connection, organisations, _years(connection), tuple(moved or ()))
    finally:
        connection.close()


def make_outcome_rows(counter: Counter, indicator: Indicator) -> None:
    """Run the indicator's query into table `outcome_rows`, one row a person and cohort year; raises CountingError."""
    connection = counter.connection
    _parameters(connection, indicator.parameters)
    _calendar(counter, indicator)
    _districts(counter, indicator)
    _run_indicator(connection, indicator)
    if indicator.measures == "linked":
        measure_linked(connection)
    elif indicator.measures == "settled":
        count = partial(_run_indicator, connection, indicator)
        measure_settled(connection, thresholds=counter.thresholds, count=count)
    _check_outcomes(connection, indicator)


def _run_indicator(connection: duckdb.DuckDBPyConnection, indicator: Indicator) -> None:
    for name in indicator.relations:
        _run(connection, f"CREATE OR REPLACE TEMP TABLE {name} AS {relations()[name].sql}", indicator.id)
    _run(connection, f"CREATE OR REPLACE TEMP TABLE outcome_rows AS {indicator.sql}", indicator.id)


def make_levels(counter: Counter, indicator: Indicator, dimension: DimensionFile) -> None:
    """Run the dimension's query over `outcome_rows` into table `level_rows`: person, cohort year, level."""
    connection = counter.connection
    _parameters(connection, dimension.parameters)
    codes = [(level.id, code) for level in dimension.levels for code in level.codes]
    fill(connection, "levels", columns="level VARCHAR, code VARCHAR", rows=codes)
    grade = "CAST(NULL AS INTEGER)" if indicator.grade is None else str(indicator.grade)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE cohort AS SELECT {PERSON}, cohort_year, district,"
        f" cohort_year - {indicator.window_years - 1} AS first_year, cohort_year AS last_year, {grade} AS grade"
        " FROM outcome_rows"
    )
    _run(connection, f"CREATE OR REPLACE TEMP TABLE level_rows AS {dimension.sql}", dimension.id)
    _check_levels(connection, dimension)


def serving(organisations: Organisations, indicator: Indicator, years: range) -> tuple[Organisation, ...]:
    """The organisations that can stand in an indicator in any of the years, in the order of their file."""
    kinds = frozenset(indicator.serves)
    serving = [frozenset(organisations.serving(kinds, year)) for year in years]
    return tuple(member for member in organisations.members if any(member in one for one in serving))


def fill(connection: duckdb.DuckDBPyConnection, name: str, *, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Make a small table of the definitions' own."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)


def _load(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    connection.register("arriving", table)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM arriving")
    connection.unregister("arriving")


def _leave_out(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
    columns = ", ".join(rows.column_names)
    connection.register("leaving", rows)
    for name in person_tables():
        connection.execute(f"DELETE FROM {name} WHERE ({columns}) IN (SELECT ({columns}) FROM leaving)")
    connection.unregister("leaving")


def _years(connection: duckdb.DuckDBPyConnection) -> range:
    every = " UNION ALL ".join(f"SELECT school_year FROM {name}" for name in person_tables())
    first, last = connection.execute(f"SELECT MIN(school_year), MAX(school_year) FROM ({every})").fetchall()[0]
    return range(0) if first is None else range(first, last + 1)


def _run(connection: duckdb.DuckDBPyConnection, query: str, definition: str) -> None:
    try:
        connection.execute(query)
    except duckdb.Error as error:
        # The engine's message may quote a value, so only its kind is told.
        raise CountingError(f"The query of {definition} failed: {type(error).__name__}.") from None


def _parameters(connection: duckdb.DuckDBPyConnection, parameters: Mapping[str, ParameterValue]) -> None:
    rows = [(name, *pair) for name, value in parameters.items() for pair in _items(value)]
    fill(connection, "parameters", columns="name VARCHAR, item VARCHAR, value VARCHAR", rows=rows)


def _items(value: ParameterValue) -> list[tuple[str | None, str]]:
    if isinstance(value, str):
        return [(None, value)]
    if isinstance(value, Mapping):
        return list(value.items())
    return [(None, one) for one in value]


def _calendar(counter: Counter, indicator: Indicator) -> None:
    rules = indicator.calendar
    columns = ", ".join(["cohort_year INTEGER", *(f"{name} DATE" for name in rules)])
    rows = [(year, *(rule.on(year) for rule in rules.values())) for year in counter.years]
    fill(counter.connection, "calendar", columns=columns, rows=rows)


def _districts(counter: Counter, indicator: Indicator) -> None:
    rows = [
        (member.id, year)
        for year in counter.years
        for member in serving(counter.organisations, indicator, range(year, year + 1))
    ]
    fill(counter.connection, "districts", columns="district VARCHAR, school_year INTEGER", rows=rows)


def _check_outcomes(connection: duckdb.DuckDBPyConnection, indicator: Indicator) -> None:
    allowed = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
    wrong = f"outcome IS NULL OR outcome NOT IN ({allowed}) OR weight < 0 OR cohort_year IS NULL"
    if not indicator.aggregate:
        wrong += f" OR {PERSON} IS NULL OR district IS NULL"
        twice = f"SELECT COUNT(*) - COUNT(DISTINCT ({PERSON}, cohort_year)) FROM outcome_rows"
        if connection.execute(twice).fetchall()[0][0]:
            raise CountingError(f"{indicator.id} counts a person twice in one cohort year.")
    if connection.execute(f"SELECT COUNT(*) FROM outcome_rows WHERE {wrong}").fetchall()[0][0]:
        raise CountingError(f"{indicator.id} gives a row without an outcome, district or cohort year.")


def _check_levels(connection: duckdb.DuckDBPyConnection, dimension: DimensionFile) -> None:
    leaves = ", ".join(f"'{level}'" for level in dimension.leaves)
    twice = f"SELECT COUNT(*) - COUNT(DISTINCT ({PERSON}, cohort_year)) FROM level_rows"
    strange = f"SELECT COUNT(*) FROM level_rows WHERE level IS NULL OR level NOT IN ({leaves})"
    if connection.execute(twice).fetchall()[0][0] or connection.execute(strange).fetchall()[0][0]:
        raise CountingError(f"Dimension {dimension.id} gives a person two levels, or one that it does not declare.")
