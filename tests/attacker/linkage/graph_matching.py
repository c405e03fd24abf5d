"""Graph matching on filters that are all comparable, as published against plain CLKs, and carried further.

Vidanage et al. (2020) and Heng et al. (2022): the records a party holds and those the attacker knows make two graphs of
likeness; nodes are described by their own weight and by the likenesses around them, and matched. Here the surest of
those matches then speak for their neighbours, round after round, until nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tests.attacker.linkage import graph_kernel as kernel
from tests.attacker.linkage.claims import NOBODY

NEIGHBOURS = 30
ROUNDS = 25
_NEAREST_DESCRIPTIONS = 3
_DICE_SPREAD = 0.02
_WEIGHT_SPREAD = 8.0
_LEAST = 4.0


@dataclass(frozen=True, repr=False)
class Likeness:
    """The graph of one store: of each filter its weight and its nearest neighbours."""

    weights: NDArray[np.int64]
    near: NDArray[np.int64]
    dice: NDArray[np.float32]


def likeness_graph(filters: NDArray[np.uint64]) -> Likeness:
    """Every filter against every other."""
    weights = np.bitwise_count(filters).sum(axis=1, dtype=np.int64)
    near, dice = kernel.nearest(filters, weights, min(NEIGHBOURS, len(filters) - 1))
    return Likeness(weights=weights, near=near, dice=dice)


def match_by_description(target: Likeness, own: Likeness) -> NDArray[np.int64]:
    """The published step: by target node the own node whose description is nearest, where each is the other's."""
    ours, theirs = _descriptions(target), _descriptions(own)
    scale = theirs.std(axis=0) + 1e-9
    there, here = cKDTree(theirs / scale), cKDTree(ours / scale)
    distance, found = there.query(ours / scale, k=_NEAREST_DESCRIPTIONS)
    _, back = here.query(theirs / scale, k=1)
    mutual = back[found[:, 0]] == np.arange(len(ours))
    sure = distance[:, 0] < 0.8 * distance[:, 1]
    claims: NDArray[np.int64] = np.where(mutual & sure, found[:, 0], NOBODY)
    return claims


def spread_matches(
    target: Likeness, own: Likeness, *, start: NDArray[np.int64], fixed: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Matches after the neighbours have spoken; those `fixed` (known seeds) stay."""
    match = start.copy()
    for _ in range(ROUNDS):
        best, lead = kernel.spread(
            target.near, target.dice, target.weights, own.near, own.dice, own.weights, match, match,
            _DICE_SPREAD, _WEIGHT_SPREAD, _LEAST,
        )  # fmt: skip
        renewed = np.where(fixed, start, _one_to_one(best, lead))
        if np.array_equal(renewed, match):
            break
        match = renewed
    return match


def _descriptions(graph: Likeness) -> NDArray[np.float64]:
    """Weight, the likest neighbours, and the mean of both over the neighbours."""
    top = graph.dice[:, :10].astype(np.float64)
    safe = np.maximum(graph.near[:, :10], 0)
    around = np.concatenate([graph.dice[safe, :3].mean(axis=1), graph.weights[safe].mean(axis=1)[:, None] / 50], axis=1)
    return np.concatenate([graph.weights[:, None] / 10, top * 20, around * 20], axis=1)


def _one_to_one(best: NDArray[np.int64], lead: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of several target nodes that claim one own node the one with the greatest lead keeps it."""
    match = np.full(len(best), NOBODY)
    order = np.argsort(-lead, kind="stable")
    order = order[best[order] >= 0]
    _, first = np.unique(best[order], return_index=True)
    match[order[first]] = best[order[first]]
    return match
