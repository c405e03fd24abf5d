"""Pairs of providers, between whom a link may be: at the hub, in the resolver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.em import Table
from linkage.match.rivals import Candidates
from linkage.match.signatures import Flags


@dataclass(frozen=True)
class ProviderPairs:
    """Pairs of providers (as places in their order) between whom a link may be, and their pairs of records."""

    places: NDArray[np.int64]
    possible: Table


def pairs_across(provider: NDArray[np.int32]) -> ProviderPairs:
    """Every pair of two different providers."""
    _, sizes = np.unique(provider, return_counts=True)
    first, second = np.triu_indices(len(sizes), k=1)
    return ProviderPairs(np.stack([first, second], axis=1), sizes[first].astype(np.float64) * sizes[second])


def pairs_everywhere(provider: NDArray[np.int32]) -> ProviderPairs:
    """Every pair of providers, each with itself among them."""
    _, counts = np.unique(provider, return_counts=True)
    sizes = counts.astype(np.float64)
    first, second = np.triu_indices(len(sizes), k=0)
    possible = np.where(first == second, sizes[first] * (sizes[first] - 1) / 2, sizes[first] * sizes[second])
    return ProviderPairs(np.stack([first, second], axis=1), possible)


def candidates(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    *,
    combination: NDArray[np.int64],
    gain: Table,
    vetoed: Flags,
    provider: NDArray[np.int32],
    pairs: ProviderPairs,
) -> Candidates:
    """Pairs of records as rivals: a record's pairs with one provider share an end."""
    names, place, counts = np.unique(provider, return_inverse=True, return_counts=True)
    of_left, of_right = place[left], place[right]
    block = np.searchsorted(pairs.places[:, 0] * len(names) + pairs.places[:, 1], of_left * len(names) + of_right)
    return Candidates(
        combination=combination,
        gain=gain,
        left_end=left * len(names) + of_right,
        right_end=right * len(names) + of_left,
        block=block,
        vetoed=vetoed,
        ends=len(provider) * len(names),
        mixed=bool((pairs.places[:, 0] == pairs.places[:, 1]).any()),
        records_left=counts[pairs.places[:, 0]].astype(np.float64),
        records_right=counts[pairs.places[:, 1]].astype(np.float64),
        possible=pairs.possible,
    )
