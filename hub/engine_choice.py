"""Which machine does the heavy work, linking or counting: this process, or Apache Spark with the same results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hub.errors import SettingError

EMBEDDED, SPARK = "embedded", "spark"
ENGINES = (EMBEDDED, SPARK)


@dataclass(frozen=True)
class EngineChoice:
    """Which engine, and for Spark its master and a folder that all its workers reach."""

    name: str = EMBEDDED
    spark_master: str = "local[*]"
    spark_folder: Path | None = None


EMBEDDED_ENGINE = EngineChoice()


def unknown_engine() -> SettingError:
    """The refusal of a name that is no engine."""
    return SettingError(
        "There is no such engine.", code="engine-unknown", next_step=f"Use one of: {', '.join(ENGINES)}."
    )
