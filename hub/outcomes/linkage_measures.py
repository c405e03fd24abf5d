"""Turns the outcomes of an indicator into measures of its linkage: under counting, beside the rows it counts.

Linked: whether a person holds records of several providers. Settled: whether the person's outcome is the same under
a stricter and a looser threshold, so that what is not settled bounds how far the figure hangs on uncertain links.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from hub.outcomes.querying import Engine
from hub.outcomes.schema import PERSON, person_tables, snapshot_schemas

MOVED_SCHEMA = pa.schema([("provider", pa.string()), (PERSON, pa.string()), ("other", pa.string())])
"""Whose records of one provider would be another person's: a person has at most one record of each provider."""

HELD = "held"
"""What leads the names of the person tables under the links that hold."""


def add_thresholds(engine: Engine, moved: Mapping[str, pa.Table]) -> None:
    """By threshold the same person tables under the links that would hold there, their names led by the threshold's."""
    for threshold, table in moved.items():
        engine.load(f"{threshold}_moved", table)
        for name in person_tables():
            columns = ", ".join(
                f"COALESCE(m.other, t.{PERSON}) AS {PERSON}" if column == PERSON else f"t.{column}"
                for column in snapshot_schemas()[name].names
            )
            engine.show(
                f"{threshold}_{name}",
                f"SELECT {columns} FROM {HELD}_{name} AS t LEFT JOIN {threshold}_moved AS m"
                f" ON m.provider = t.provider AND m.{PERSON} = t.{PERSON}",
            )
        add_providers(engine, threshold)


def add_providers(engine: Engine, links: str = HELD) -> None:
    """Table `person_providers` under these links: each person and provider of which it holds a record."""
    every = " UNION ".join(f"SELECT {PERSON}, provider FROM {links}_{name}" for name in person_tables())
    engine.make(f"{links}_person_providers", every)


def read_under(engine: Engine, links: str = HELD) -> None:
    """From here on the plain names of the person tables mean these under the links named."""
    for name in (*person_tables(), "person_providers"):
        engine.show(name, f"SELECT * FROM {links}_{name}")


def measure_linked(engine: Engine) -> None:
    """`outcome_rows` as yes for persons of several providers; an outcome that is not known stays so."""
    engine.make(
        "outcome_rows",
        f"SELECT o.{PERSON}, o.cohort_year, o.district, o.weight, CASE WHEN o.outcome = 'unknown' THEN 'unknown'"
        " WHEN p.providers > 1 THEN 'yes' ELSE 'no' END AS outcome"
        f" FROM outcome_rows AS o LEFT JOIN (SELECT {PERSON}, COUNT(DISTINCT provider) AS providers"
        f" FROM person_providers GROUP BY {PERSON}) AS p ON p.{PERSON} = o.{PERSON}",
    )


def measure_settled(engine: Engine, *, thresholds: tuple[str, ...], count: Callable[[], None]) -> None:
    """`outcome_rows` as yes for persons whose outcome is the same under each threshold; `count` makes them anew."""
    kept = f"c.{PERSON}, c.cohort_year, c.district, c.weight, c.outcome"
    engine.make("chosen_rows", f"SELECT {kept}, TRUE AS settled FROM outcome_rows AS c")
    for threshold in thresholds:
        read_under(engine, threshold)
        try:
            count()
        finally:
            read_under(engine)
        engine.make(
            "chosen_rows",
            f"SELECT {kept}, c.settled AND COALESCE(o.outcome = c.outcome, FALSE) AS settled FROM chosen_rows AS c"
            f" LEFT JOIN {threshold}_moved AS m ON m.provider = c.district AND m.{PERSON} = c.{PERSON}"
            f" LEFT JOIN outcome_rows AS o ON o.{PERSON} = COALESCE(m.other, c.{PERSON})"
            " AND o.cohort_year = c.cohort_year",
        )
    engine.make(
        "outcome_rows",
        f"SELECT {PERSON}, cohort_year, district, weight,"
        " CASE WHEN outcome = 'unknown' THEN 'unknown' WHEN settled THEN 'yes' ELSE 'no' END AS outcome"
        " FROM chosen_rows",
    )
