"""A figure of a benchmark beside its bar."""

from dataclasses import dataclass


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
