"""A run of the resolver before persons are named: at the hub, read by reviews, thresholds and quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.evidence import Evidence
from linkage.match.prior import Solved
from linkage.match.quality import Quality
from linkage.match.spans import Records


@dataclass(frozen=True)
class Resolved:
    """A run's pairs with posterior and decision, and the first record of the person of every record."""

    records: Records
    evidence: Evidence
    solved: Solved
    decided: NDArray[np.uint8]
    heads: NDArray[np.int64]
    quality: Quality

    @property
    def linked(self) -> NDArray[np.bool_]:
        """Which pairs stand in one person."""
        together: NDArray[np.bool_] = self.heads[self.evidence.left] == self.heads[self.evidence.right]
        return together
