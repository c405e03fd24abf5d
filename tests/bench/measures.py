"""A figure of a benchmark beside its bar."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure of the bench; `held` says whether it keeps its bar."""

    name: str
    value: float
    bar: float
    held: bool


def at_most(name: str, value: float, bar: float) -> Row:
    """A figure that must not be greater than its bar."""
    return Row(name, round(value, 4), bar, value <= bar)


def at_least(name: str, value: float, bar: float) -> Row:
    """A figure that must not be less than its bar."""
    return Row(name, round(value, 4), bar, value >= bar)


def tell(rows: Iterable[Row], summary: Path | None) -> int:
    """Print each figure as it comes, write all as JSON if that is asked; the exit code."""
    told = []
    for row in rows:
        print("held  " if row.held else "BROKEN", row.name, row.value, "bar", row.bar, flush=True)
        told.append(asdict(row))
    if summary:
        summary.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0 if all(row["held"] for row in told) else 1
