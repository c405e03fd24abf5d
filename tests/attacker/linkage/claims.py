"""How an attack is scored: which records it named, held against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

NOBODY = -1


@dataclass(frozen=True)
class Finding:
    """One attack on one store: shares of all records that were claimed and that were rightly named.

    `chance` is the share rightly named by somebody who has the same knowledge but no store.
    """

    attack: str
    store: str
    knowledge: str
    claimed: float
    named: float
    chance: float

    def row(self) -> dict[str, str | float]:
        return asdict(self)


def score(
    claims: Mapping[str, NDArray[np.int64]],
    truth: Mapping[str, NDArray[np.int64]],
    *,
    people: int,
    attack: str,
    store: str,
    knowledge: str,
    known: int,
    told_before: frozenset[int] = frozenset(),
) -> Finding:
    """Claims by view: for each row a person or NOBODY. A record is named when any of its rows is, seeds left out."""
    claimed: set[int] = set()
    named: set[int] = set()
    for view, persons in claims.items():
        spoken = persons != NOBODY
        claimed.update(truth[view][spoken].tolist())
        named.update(truth[view][spoken & (persons == truth[view])].tolist())
    return Finding(
        attack=attack,
        store=store,
        knowledge=knowledge,
        claimed=len(claimed - told_before) / people,
        named=len(named - told_before) / people,
        chance=1 / max(1, known),
    )
