"""Match, possible match or non-match from a posterior and what an error costs: at the hub, in the resolver.

No threshold is tuned on truth: a pair is a match where a false link is expected to cost less than a missed
one, and a possible match where a person's review would cost less than leaving it apart (Fellegi and Sunter
1969; expected loss as in Verykios, Moustakides and Elfeky 2003).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DECISION_NON_MATCH = 0
DECISION_POSSIBLE = 1
DECISION_MATCH = 2


@dataclass(frozen=True)
class Costs:
    """Relative costs; a false and a missed link weigh the same by default, so a match is a posterior of 0.5."""

    false_link: float = 1.0
    missed_link: float = 1.0
    review: float = 0.05

    @property
    def match_at(self) -> float:
        """The posterior from which a pair is a match."""
        return self.false_link / (self.false_link + self.missed_link)

    @property
    def possible_at(self) -> float:
        """The posterior from which a pair below `match_at` is worth a review."""
        return min(self.match_at, self.review / self.missed_link)


EQUAL_COSTS = Costs()


def decisions(posterior: NDArray[np.float64], *, costs: Costs) -> NDArray[np.uint8]:
    """DECISION_MATCH, DECISION_POSSIBLE or DECISION_NON_MATCH of every pair."""
    decided = np.where(posterior >= costs.possible_at, DECISION_POSSIBLE, DECISION_NON_MATCH)
    result: NDArray[np.uint8] = np.where(posterior >= costs.match_at, DECISION_MATCH, decided).astype(np.uint8)
    return result
