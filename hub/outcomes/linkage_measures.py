"""Turns the outcomes of an indicator into measures of its linkage: under counting, beside the rows it counts.

Linked: whether a person holds records of several providers. Settled: whether the person's outcome is the same under
a stricter and a looser threshold, so that what is not settled bounds how far the figure hangs on uncertain links.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
import pyarrow as pa

from hub.outcomes.schema import PERSON, person_tables

MOVED_SCHEMA = pa.schema([("provider", pa.string()), (PERSON, pa.string()), ("other", pa.string())])
"""Whose records of one provider would be another person's: a person has at most one record of each provider."""


def add_thresholds(connection: duckdb.DuckDBPyConnection, moved: Mapping[str, pa.Table]) -> None:
    """By threshold a schema of the same person tables, under the links that would hold there."""
    for threshold, table in moved.items():
        connection.execute(f"CREATE SCHEMA {threshold}")
        connection.register("arriving", table)
        connection.execute(f"CREATE TABLE {threshold}.moved AS SELECT * FROM arriving")
        connection.unregister("arriving")
        for name in person_tables():
            connection.execute(
                f"CREATE VIEW {threshold}.{name} AS SELECT t.* REPLACE (COALESCE(m.other, t.{PERSON}) AS {PERSON})"
                f" FROM main.{name} AS t LEFT JOIN {threshold}.moved AS m USING (provider, {PERSON})"
            )
        add_providers(connection, threshold)


def add_providers(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Table `person_providers` of a schema: each person and provider of which it holds a record."""
    every = " UNION ".join(f"SELECT {PERSON}, provider FROM {schema}.{name}" for name in person_tables())
    connection.execute(f"CREATE TABLE {schema}.person_providers AS {every}")


def measure_linked(connection: duckdb.DuckDBPyConnection) -> None:
    """`outcome_rows` as yes for persons of several providers; an outcome that is not known stays so."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE outcome_rows AS"
        f" SELECT o.{PERSON}, o.cohort_year, o.district, o.weight, CASE WHEN o.outcome = 'unknown' THEN 'unknown'"
        " WHEN p.providers > 1 THEN 'yes' ELSE 'no' END AS outcome"
        f" FROM outcome_rows AS o LEFT JOIN (SELECT {PERSON}, COUNT(DISTINCT provider) AS providers"
        f" FROM person_providers GROUP BY {PERSON}) AS p USING ({PERSON})"
    )


def measure_settled(
    connection: duckdb.DuckDBPyConnection, *, thresholds: tuple[str, ...], count: Callable[[], None]
) -> None:
    """`outcome_rows` as yes for persons whose outcome is the same under each threshold; `count` makes them anew."""
    connection.execute("CREATE OR REPLACE TEMP TABLE chosen_rows AS SELECT *, TRUE AS settled FROM outcome_rows")
    for threshold in thresholds:
        connection.execute(f"SET search_path = '{threshold},main'")
        try:
            count()
        finally:
            connection.execute("SET search_path = 'main'")
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE chosen_rows AS"
            " SELECT c.* REPLACE (c.settled AND COALESCE(o.outcome = c.outcome, FALSE) AS settled)"
            " FROM chosen_rows AS c"
            f" LEFT JOIN {threshold}.moved AS m ON m.provider = c.district AND m.{PERSON} = c.{PERSON}"
            f" LEFT JOIN outcome_rows AS o ON o.{PERSON} = COALESCE(m.other, c.{PERSON})"
            " AND o.cohort_year = c.cohort_year"
        )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE outcome_rows AS SELECT {PERSON}, cohort_year, district, weight,"
        " CASE WHEN outcome = 'unknown' THEN 'unknown' WHEN settled THEN 'yes' ELSE 'no' END AS outcome"
        " FROM chosen_rows"
    )
