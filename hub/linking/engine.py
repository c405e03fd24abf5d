"""Which machine compares rows and joins persons: this process, or Apache Spark. Both give the same to the last digit.

One setting of the hub (`linkage_engine`) or one option of `promise-hub link` chooses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hub.errors import SettingError
from linkage.match.grouping import RosterRows
from linkage.match.matcher import compare_view
from linkage.match.pairs import ViewPairs
from linkage.match.persons import Joining, joined_heads
from linkage.schema import LinkageSchema

EMBEDDED, SPARK = "embedded", "spark"
ENGINES = (EMBEDDED, SPARK)


class Comparing(Protocol):
    """What an engine gives in place of `linkage.match.matcher.compare_view`."""

    def __call__(self, rosters: Sequence[RosterRows], *, schema: LinkageSchema, view: str) -> ViewPairs: ...


@dataclass(frozen=True)
class Engine:
    """An engine at work; `compare` is the matcher's, `join` the resolver's."""

    name: str
    compare: Comparing
    join: Joining


@dataclass(frozen=True)
class EngineChoice:
    """Which engine, and for Spark its master and a folder that all its workers reach."""

    name: str = EMBEDDED
    spark_master: str = "local[*]"
    spark_folder: Path | None = None


EMBEDDED_ENGINE = EngineChoice()


@contextmanager
def started(choice: EngineChoice) -> Iterator[Engine]:
    """The engine while the block runs. Raises SettingError `engine-unknown` or, for Spark, `spark-missing`."""
    if choice.name == EMBEDDED:
        yield Engine(EMBEDDED, compare_view, joined_heads)
        return
    if choice.name != SPARK:
        raise unknown_engine()
    from hub.linking.spark.session import spark_engine

    with spark_engine(choice.spark_master, folder=choice.spark_folder) as (compare, join):
        yield Engine(SPARK, compare, join)


def unknown_engine() -> SettingError:
    """The refusal of a name that is no engine."""
    return SettingError(
        "There is no such engine.", code="engine-unknown", next_step=f"Use one of: {', '.join(ENGINES)}."
    )
