"""Which machine compares rows and joins persons: this process, or Apache Spark. Both give the same to the last digit.

One setting of the hub (`linkage_engine`) or one option of `promise-hub link` chooses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hub.engine_choice import EMBEDDED, SPARK, EngineChoice, unknown_engine
from hub.linking.comparing import Engine
from linkage.match.matcher import compare_view
from linkage.match.persons import joined_heads


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
