"""Linked pairs of records measured against the truth of made-up people, and what the run expected, by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.bench.linkage_people import Side
from tests.bench.linkage_rows import Found


@dataclass(frozen=True)
class Measured:
    """Pairs of one group, or of all: true and expected shares."""

    name: str
    true_pairs: int
    precision: float
    recall: float
    expected_precision: float
    expected_recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def measured_pairs(found: Found, sides: Sequence[Side]) -> Measured:
    """All pairs."""
    everyone = np.ones(len(sides[0].truth), dtype=np.bool_)
    return _measured("all", found, sides, of_group=everyone, others=np.ones(len(sides[1].truth), dtype=np.bool_))


def measured_by_group(found: Found, sides: Sequence[Side]) -> list[Measured]:
    """Pairs by the group of the record on the first side."""
    left = np.array(sides[0].custom)
    return [
        _measured(str(name), found, sides, of_group=left == name, others=np.array(sides[1].custom) == name)
        for name in np.unique(left)
    ]


def worst_miss(group: Measured) -> float:
    """How far what was expected is from the truth, in precision or recall."""
    precision = abs(group.expected_precision - group.precision)
    return max(precision, abs(group.expected_recall - group.recall))


def _measured(
    name: str, found: Found, sides: Sequence[Side], *, of_group: NDArray[np.bool_], others: NDArray[np.bool_]
) -> Measured:
    one, other = (_padded(np.array(side.truth)) for side in sides)
    mine = np.append(of_group, np.zeros(len(one) - len(of_group), dtype=np.bool_))
    known = (found.left < len(sides[0].truth)) & (found.right < len(sides[1].truth))
    pairs = known & mine[np.minimum(found.left, len(mine) - 1)]
    linked = pairs & found.linked
    correct = int((one[found.left[linked]] == other[found.right[linked]]).sum())
    true_pairs = len(np.intersect1d(np.array(sides[0].truth)[of_group], np.array(sides[1].truth)[others]))
    certain, possible = float(found.posterior[linked].sum()), float(found.posterior[pairs].sum())
    some_view = found.expected_recall * float(found.posterior.sum()) / float(found.posterior[found.linked].sum())
    return Measured(
        name=name,
        true_pairs=true_pairs,
        precision=correct / max(1, int(linked.sum())),
        recall=correct / max(1, true_pairs),
        expected_precision=certain / max(1, int(linked.sum())),
        expected_recall=certain / possible * some_view,
    )


def _padded(truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Truth by record number; dummies, whose numbers are higher, are nobody's."""
    return np.append(truth, -1)
