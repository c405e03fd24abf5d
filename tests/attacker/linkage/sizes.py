"""Frequency alignment: the largest block is taken for the commonest value, and so on down; inside it likewise names.

The oldest attack (Niedermeyer et al. 2014; Vatsalan et al. 2014). With public distributions only, the attacker draws
people of the same distributions; what he then tells is a view value or a name, not a person.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.attacker.linkage.claims import NOBODY
from tests.attacker.linkage.figures import Figures


def align_blocks(target: Figures, own: Figures) -> NDArray[np.int64]:
    """By target figure the own figure it is taken for: blocks in order of size, inside a block by commonest look."""
    claims = np.full(len(target.place), NOBODY)
    ours, theirs = _in_order(target), _in_order(own)
    for block, other in zip(ours.tolist(), theirs.tolist(), strict=False):
        mine, known = _by_look(target, block), _by_look(own, other)
        count = min(len(mine), len(known))
        claims[mine[:count]] = known[:count]
    return claims


def align_unique_sizes(target: Figures, own: Figures) -> NDArray[np.int64]:
    """The same, where only one block of either store has the size."""
    claims = np.full(len(target.place), NOBODY)
    ours, theirs = _of_unique_size(target.sizes), _of_unique_size(own.sizes)
    for size in ours.keys() & theirs.keys():
        mine, known = _by_look(target, ours[size]), _by_look(own, theirs[size])
        claims[mine] = known
    return claims


def _of_unique_size(sizes: NDArray[np.int64]) -> dict[int, int]:
    values, first, counts = np.unique(sizes, return_index=True, return_counts=True)
    return {int(size): int(block) for size, block in zip(values[counts == 1], first[counts == 1], strict=True)}


def _in_order(figures: Figures) -> NDArray[np.int64]:
    return np.argsort(-figures.sizes, kind="stable")


def _by_look(figures: Figures, block: int) -> NDArray[np.int64]:
    """Figures of a block, those of the commonest pair of filters first."""
    first, last = figures.starts[block], figures.starts[block + 1]
    _, look, counts = np.unique(figures.names[first:last], axis=0, return_inverse=True, return_counts=True)
    look = look.reshape(-1)
    order: NDArray[np.int64] = first + np.lexsort((figures.shape[first:last], look, -counts[look]))
    return order
