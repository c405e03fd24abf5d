"""Row pairs of all views joined into one weight for each pair of records: at the hub, in the resolver.

The weight of a pair is the best over its rows and views. A view value that many records share is weaker
evidence than a rare one (term frequency, Winkler 1989), which each view's rarity corrects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.em import Table
from linkage.match.model import ViewCounts, learnt_model, pattern_counts, start_model, weights_of
from linkage.match.opening import RecordPairs
from linkage.match.patterns import DIFFERS, other_people, outcomes_of
from linkage.schema import LinkageSchema

RARITY_VIEWS = ("dob", "names")


@dataclass(frozen=True)
class Evidence:
    """Distinct record pairs in order: weight (log2), the part of it that rarity gave, best pattern, whether a veto
    forbids the link, and the views that found it (bit of the view's number)."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    weight: Table
    rarity: Table
    pattern: NDArray[np.int32]
    vetoed: NDArray[np.bool_]
    found_by: NDArray[np.uint32]


def join_evidence(views: Sequence[RecordPairs], *, schema: LinkageSchema, records: int) -> Evidence:
    """One row for each pair of records that any view kept."""
    initial = weights_of(start_model())
    counts = [_counts(of_view, weights=initial, records=records) for of_view in views]
    model = learnt_model(counts, schema=schema)
    return _joined(views, weights=weights_of(model), records=records, schema=schema)


def _counts(pairs: RecordPairs, *, weights: Table, records: int) -> ViewCounts:
    """Best pattern of each pair; dropped row pairs count as pairs once a record's several rows are allowed for."""
    best = _best(pairs.left * records + pairs.right, weight=weights[pairs.pattern], pattern=pairs.pattern)
    counts = pattern_counts(pairs.pattern[best]) + pairs.dropped / pairs.rows_a_record**2
    return ViewCounts(view=pairs.view, pairs=counts, same_provider=pairs.same_provider * other_people())


def _best(keys: NDArray[np.int64], *, weight: Table, pattern: NDArray[np.int32]) -> NDArray[np.int64]:
    """The place of the heaviest row of every key, in order of the keys."""
    order = np.lexsort((pattern, -weight, keys))
    ordered = keys[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(order)]
    places: NDArray[np.int64] = order[first]
    return places


def _joined(views: Sequence[RecordPairs], *, weights: Table, records: int, schema: LinkageSchema) -> Evidence:
    keys = np.concatenate([v.left * records + v.right for v in views] or [np.empty(0, dtype=np.int64)])
    pattern = np.concatenate([v.pattern for v in views] or [np.empty(0, dtype=np.int32)])
    best = _best(keys, weight=weights[pattern], pattern=pattern)
    distinct = keys[best]
    rarity = np.zeros(len(distinct))
    found_by = np.zeros(len(distinct), dtype=np.uint32)
    for view in views:
        place = np.searchsorted(distinct, view.left * records + view.right)
        np.bitwise_or.at(found_by, place, np.uint32(1 << schema.view(view.view).number))
        rarity += _rarity_gain(view, place=place, pairs=len(distinct))
    return Evidence(
        left=distinct // records,
        right=distinct % records,
        weight=weights[pattern[best]] + rarity,
        rarity=rarity,
        pattern=pattern[best],
        vetoed=vetoes(pattern[best]),
        found_by=found_by,
    )


def _rarity_gain(view: RecordPairs, *, place: NDArray[np.int64], pairs: int) -> Table:
    """Bits by which the rarest view value of each pair differs from the usual; 0 for pairs the view did not find."""
    gain = np.zeros(pairs)
    if view.view in RARITY_VIEWS:
        rarest = np.zeros(pairs, dtype=np.uint8)
        np.maximum.at(rarest, place, view.rarity)
        gain = np.where(rarest > 0, rarest / 2 - view.usual_rarity, 0.0)
    return gain


def vetoes(patterns: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Two different SSIDs are two children."""
    vetoed: NDArray[np.bool_] = outcomes_of(patterns.astype(np.int64))[:, 5] == DIFFERS
    return vetoed
