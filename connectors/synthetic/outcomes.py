"""The seven outcomes of everybody, by the published rules, computed from what happened and not from any file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.synthetic.county import World

OUTCOME_TITLES = ("indicator", "cohort_year", "person", "outcome", "race", "gender", "ses")


def outcome_rows(world: World) -> Iterable[Sequence[str]]:
    """Rows of `outcomes.csv`."""
    return ()
