"""How good a run expects itself to be, without truth: at the hub, told with every figure that rests on the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.decision import DECISION_POSSIBLE
from linkage.match.evidence import Evidence
from linkage.match.prior import Solved
from linkage.match.spans import Records
from linkage.schema import LinkageSchema


@dataclass(frozen=True)
class ProviderQuality:
    """Two providers: their records, links between them, and expected shares."""

    records_left: int
    records_right: int
    links: int
    expected_precision: float
    expected_recall: float


@dataclass(frozen=True)
class Quality:
    """A run: counts, and precision and recall as the posteriors expect them, overall and by pair of providers."""

    expected_precision: float
    expected_recall: float
    expected_matches: float
    records: int
    persons: int
    links: int
    possible: int
    by_providers: dict[tuple[int, int], ProviderQuality]


def measure_quality(
    evidence: Evidence,
    *,
    solved: Solved,
    decided: NDArray[np.uint8],
    heads: NDArray[np.int64],
    records: Records,
    schema: LinkageSchema,
) -> Quality:
    """The quality of a run from its posteriors and what was linked.

    Where the model cannot say what share of matches the views find, recall is of what they found.
    """
    linked = heads[evidence.left] == heads[evidence.right]
    expected = solved.expected / (evidence.found or 1.0)
    blocks = len(solved.providers)
    links = np.bincount(solved.block[linked], minlength=blocks)
    correct = np.bincount(solved.block[linked], weights=solved.posterior[linked], minlength=blocks)
    sizes = dict(zip(*(values.tolist() for values in np.unique(records.provider, return_counts=True)), strict=True))
    return Quality(
        expected_precision=_share(float(correct.sum()), float(links.sum())),
        expected_recall=_share(float(correct.sum()), float(expected.sum())),
        expected_matches=float(expected.sum()),
        records=len(heads),
        persons=int(np.count_nonzero(heads == np.arange(len(heads)))),
        links=int(links.sum()),
        possible=int((decided == DECISION_POSSIBLE).sum()),
        by_providers={
            (left, right): ProviderQuality(
                records_left=sizes[left],
                records_right=sizes[right],
                links=int(links[block]),
                expected_precision=_share(float(correct[block]), float(links[block])),
                expected_recall=_share(float(correct[block]), float(expected[block])),
            )
            for block, (left, right) in enumerate(solved.providers.tolist())
        },
    )


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole > 0 else 1.0
