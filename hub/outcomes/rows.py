"""Runs the definitions of indicators and dimensions over a snapshot held in memory; rows of persons stay inside.

Under `hub.outcomes.counting`, which alone counts what is made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from hub.engine_choice import EMBEDDED_ENGINE, EngineChoice
from hub.errors import HubError
from hub.outcomes.engine import opened
from hub.outcomes.linkage_measures import (
    HELD,
    add_providers,
    add_thresholds,
    measure_linked,
    measure_settled,
    read_under,
)
from hub.outcomes.querying import Engine, QueryError
from hub.outcomes.schema import PERSON, person_tables, snapshot_schemas
from policies.indicator_files import OUTCOMES, DimensionFile, Indicator, ParameterValue, relations
from policies.organisation_files import Organisation, Organisations

_COLUMN_TYPES: Mapping[str, pa.DataType] = {"VARCHAR": pa.string(), "INTEGER": pa.int32(), "DATE": pa.date32()}


class CountingError(HubError):
    """A definition does not fit the facts; names the definition and the rule, never a value."""

    title = "An indicator could not be counted"
    code = "counting-wrong"
    next_step = "Mend the definition that is named; nothing was released."


@dataclass(frozen=True)
class Counter:
    """An open snapshot that can be counted; made by `open_counter`."""

    engine: Engine = field(repr=False)
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
    choice: EngineChoice = EMBEDDED_ENGINE,
) -> Iterator[Counter]:
    """Load snapshot tables; a table that is not given is empty. Everything is forgotten at the end.

    Args:
        moved: by threshold whose records would be another person's (`linkage_measures.MOVED_SCHEMA`).
        left_out: rows that are not counted (`objections.LEFT_OUT_SCHEMA`).
        choice: the engine that counts; the counts are the same.
    """
    with opened(choice) as engine:
        for name, schema in snapshot_schemas().items():
            held = f"{HELD}_{name}" if name in person_tables() else name
            engine.load(held, tables.get(name, schema.empty_table()))
        if left_out is not None and left_out.num_rows:
            _leave_out(engine, left_out)
        add_providers(engine)
        read_under(engine)
        add_thresholds(engine, moved or {})
        yield Counter(engine, organisations, _years(engine), tuple(moved or ()))


def make_outcome_rows(counter: Counter, indicator: Indicator) -> None:
    """Run the indicator's query into table `outcome_rows`, one row a person and cohort year; raises CountingError."""
    engine = counter.engine
    _parameters(engine, indicator.parameters)
    _calendar(counter, indicator)
    _districts(counter, indicator)
    _run_indicator(engine, indicator)
    if indicator.measures == "linked":
        measure_linked(engine)
    elif indicator.measures == "settled":
        count = partial(_run_indicator, engine, indicator)
        measure_settled(engine, thresholds=counter.thresholds, count=count)
    _check_outcomes(engine, indicator)


def _run_indicator(engine: Engine, indicator: Indicator) -> None:
    for name in indicator.relations:
        _run(engine, name, relations()[name].sql, indicator.id)
    _run(engine, "outcome_rows", indicator.sql, indicator.id)


def make_levels(counter: Counter, indicator: Indicator, dimension: DimensionFile, *, into: str = "level_rows") -> None:
    """Run the dimension's query over `outcome_rows` into a table: person, cohort year, level."""
    engine = counter.engine
    _parameters(engine, dimension.parameters)
    codes = [(level.id, code) for level in dimension.levels for code in level.codes]
    fill(engine, "levels", columns="level VARCHAR, code VARCHAR", rows=codes)
    grade = "CAST(NULL AS INTEGER)" if indicator.grade is None else str(indicator.grade)
    engine.show(
        "cohort",
        f"SELECT {PERSON}, cohort_year, district,"
        f" cohort_year - {indicator.window_years - 1} AS first_year, cohort_year AS last_year, {grade} AS grade"
        " FROM outcome_rows",
    )
    _run(engine, into, dimension.sql, dimension.id)
    _check_levels(engine, dimension, table=into)


def serving(organisations: Organisations, indicator: Indicator, years: range) -> tuple[Organisation, ...]:
    """The organisations that can stand in an indicator in any of the years, in the order of their file."""
    kinds = frozenset(indicator.serves)
    serving = [frozenset(organisations.serving(kinds, year)) for year in years]
    return tuple(member for member in organisations.members if any(member in one for one in serving))


def fill(engine: Engine, name: str, *, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Make a small table of the definitions' own; columns as `name TYPE, name TYPE`."""
    declared = [column.split() for column in columns.split(", ")]
    schema = pa.schema([(column, _COLUMN_TYPES[kind]) for column, kind in declared])
    values = zip(*rows, strict=True) if rows else ((),) * len(schema)
    engine.load(name, pa.table(dict(zip(schema.names, values, strict=True)), schema=schema))


def _leave_out(engine: Engine, rows: pa.Table) -> None:
    engine.load("leaving", rows)
    same = " AND ".join(f"g.{column} = t.{column}" for column in rows.column_names)
    for name in person_tables():
        held = f"{HELD}_{name}"
        engine.make(held, f"SELECT t.* FROM {held} AS t WHERE NOT EXISTS (SELECT 1 FROM leaving AS g WHERE {same})")


def _years(engine: Engine) -> range:
    every = " UNION ALL ".join(f"SELECT school_year FROM {name}" for name in person_tables())
    first, last = engine.rows(f"SELECT MIN(school_year), MAX(school_year) FROM ({every}) AS years")[0]
    return range(0) if first is None else range(first, last + 1)


def _run(engine: Engine, name: str, query: str, definition: str) -> None:
    try:
        engine.make(name, query)
    except QueryError as error:
        raise CountingError(f"The query of {definition} failed: {error}.") from None


def _parameters(engine: Engine, parameters: Mapping[str, ParameterValue]) -> None:
    rows = [(name, *pair) for name, value in parameters.items() for pair in _items(value)]
    fill(engine, "parameters", columns="name VARCHAR, item VARCHAR, value VARCHAR", rows=rows)


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
    fill(counter.engine, "calendar", columns=columns, rows=rows)


def _districts(counter: Counter, indicator: Indicator) -> None:
    rows = [
        (member.id, year)
        for year in counter.years
        for member in serving(counter.organisations, indicator, range(year, year + 1))
    ]
    fill(counter.engine, "districts", columns="district VARCHAR, school_year INTEGER", rows=rows)


def _check_outcomes(engine: Engine, indicator: Indicator) -> None:
    allowed = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
    wrong = f"outcome IS NULL OR outcome NOT IN ({allowed}) OR weight < 0 OR cohort_year IS NULL"
    if not indicator.aggregate:
        wrong += f" OR {PERSON} IS NULL OR district IS NULL"
    strange, twice = _wrong_rows(engine, "outcome_rows", wrong=wrong, persons=not indicator.aggregate)
    if twice:
        raise CountingError(f"{indicator.id} counts a person twice in one cohort year.")
    if strange:
        raise CountingError(f"{indicator.id} gives a row without an outcome, district or cohort year.")


def _check_levels(engine: Engine, dimension: DimensionFile, *, table: str) -> None:
    leaves = ", ".join(f"'{level}'" for level in dimension.leaves)
    if any(_wrong_rows(engine, table, wrong=f"level IS NULL OR level NOT IN ({leaves})", persons=True)):
        raise CountingError(f"Dimension {dimension.id} gives a person two levels, or one that it does not declare.")


def _wrong_rows(engine: Engine, name: str, *, wrong: str, persons: bool) -> tuple[int, int]:
    """How many rows of a table break a rule, and how many persons stand in it once too often in a cohort year."""
    once = f"(SELECT COUNT(*) FROM (SELECT DISTINCT {PERSON}, cohort_year FROM {name}) AS d)" if persons else "COUNT(*)"
    found = engine.rows(f"SELECT COALESCE(SUM(CASE WHEN {wrong} THEN 1 ELSE 0 END), 0), COUNT(*) - {once} FROM {name}")
    return int(found[0][0]), int(found[0][1])
