"""Row pairs of all views joined into one weight for each pair of records: at the hub, in the resolver.

The weight of a pair is that of its best row and of the views that found it. A view value that many records share is
weaker evidence than a rare one (term frequency, Winkler 1989), which each view's rarity corrects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.em import Combinations, Table
from linkage.match.found import found_share
from linkage.match.learning import Weighed, learn_weights
from linkage.match.model import usual_weights
from linkage.match.opening import RecordPairs
from linkage.match.patterns import AGREES, DIFFERS, PATTERNS, other_children, outcomes_of
from linkage.match.provider_pairs import ProviderPairs, candidates, pairs_across
from linkage.match.signatures import (
    ANY_NAMES,
    Flags,
    Meetings,
    Signatures,
    agreeing_dates,
    blocking_of,
    signatures_of,
    usual_chances,
)
from linkage.schema import LinkageSchema

_BITS = float(np.log2(np.e))
_RARITIES = 256


@dataclass(frozen=True)
class Evidence:
    """Distinct record pairs in order: weight (log2), the part of it that rarity gave, best pattern, whether a veto
    forbids the link, and the views that found it (bit of the view's number).

    `base`: log2 of the odds of a pair of weight 0, were both its records free; `found`: the share of matches that some
    view can find.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    weight: Table
    rarity: Table
    pattern: NDArray[np.int32]
    vetoed: Flags
    found_by: NDArray[np.uint32]
    base: float = 0.0
    found: float = 1.0


@dataclass(frozen=True)
class _Joined:
    """Distinct pairs of records (by key) with best pattern, the views that found them and what rarity gives (log2)."""

    keys: NDArray[np.int64]
    pattern: NDArray[np.int32]
    found_by: NDArray[np.uint32]
    rarity: Table


def join_evidence(
    views: Sequence[RecordPairs],
    *,
    schema: LinkageSchema,
    provider: NDArray[np.int32],
    one_roster_each: bool = True,
    pairs: ProviderPairs | None = None,
    forbidden: Flags | None = None,
) -> Evidence:
    """One row for each pair of records that any view kept.

    Args:
        provider: of every record.
        one_roster_each: whether every provider sent one roster; else two of its rows may be one child's of two years.
        pairs: pairs of providers between whom a link may be; by default any two.
        forbidden: patterns that no link may have; by default two different SSIDs.
    """
    records = max(1, len(provider))
    joined = _joined(views, records=records, schema=schema)
    names = [view.view for view in views]
    told_inside = views if one_roster_each else [_of_other_children(view, schema=schema) for view in views]
    vetoed = (vetoes() if forbidden is None else forbidden)[joined.pattern]
    left, right = joined.keys // records, joined.keys % records
    if not len(left):
        return Evidence(left, right, joined.rarity, joined.rarity, joined.pattern, vetoed, joined.found_by)
    codes = _signature_codes(joined, views, schema=schema)
    signatures = signatures_of(codes, views=names, schema=schema)
    combinations, of_pair = _combinations(joined, codes=codes)
    weighed = learn_weights(
        candidates(
            left,
            right,
            combination=of_pair,
            gain=joined.rarity / _BITS,
            vetoed=vetoed,
            provider=provider,
            pairs=pairs or pairs_across(provider),
        ),
        combinations=combinations,
        dropped=_dropped(views, codes=codes, schema=schema),
        inside=_inside(told_inside, codes=codes, schema=schema),
        signatures=signatures,
        chances=usual_chances(
            signatures, views=names, meetings=_meetings(told_inside, provider=provider, pairs=pairs), schema=schema
        ),
    )
    return Evidence(
        left=left,
        right=right,
        weight=weighed.log_odds[of_pair] * _BITS - weighed.base + joined.rarity,
        rarity=joined.rarity,
        pattern=joined.pattern,
        vetoed=vetoed,
        found_by=joined.found_by,
        base=weighed.base,
        found=_found(weighed, combinations, signatures=signatures, views=names, schema=schema),
    )


def vetoes() -> Flags:
    """Patterns that no link may have: two different SSIDs are two children."""
    vetoed: Flags = outcomes_of(np.arange(PATTERNS))[:, 5] == DIFFERS
    return vetoed


def _joined(views: Sequence[RecordPairs], *, records: int, schema: LinkageSchema) -> _Joined:
    order = np.lexsort((np.arange(PATTERNS), -usual_weights()))
    rank = np.empty(PATTERNS, dtype=np.int64)
    rank[order] = np.arange(PATTERNS)
    best = [_best_of(view, rank=rank, records=records) for view in views]
    keys = _distinct(np.concatenate([of_view[0] for of_view in best] or [np.empty(0, dtype=np.int64)]))
    ranks, found_by = np.full(len(keys), PATTERNS, dtype=np.int64), np.zeros(len(keys), dtype=np.uint32)
    gains = _Gains(len(keys))
    for view, (of_view, view_rank, rarest) in zip(views, best, strict=True):
        place = np.searchsorted(keys, of_view)
        ranks[place] = np.minimum(ranks[place], view_rank)
        found_by[place] |= np.uint32(1 << schema.view(view.view).number)
        gains.add(place, rarest / 2.0 - view.usual_rarity, view=view.view, schema=schema)
    return _Joined(keys, order[ranks].astype(np.int32), found_by, gains.total())


def _best_of(
    view: RecordPairs, *, rank: NDArray[np.int64], records: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Keys of one view's pairs of records, the rank of the best pattern of each, and its rarest value's rarity."""
    keys = view.left * records + view.right
    ranked = np.sort(keys * PATTERNS + rank[view.pattern])
    rarest = np.sort(keys * _RARITIES + view.rarity)
    of_ranked, of_rarest = ranked // PATTERNS, rarest // _RARITIES
    first = np.flatnonzero(np.concatenate([[True], of_ranked[1:] != of_ranked[:-1]])[: len(keys)])
    last = np.flatnonzero(np.concatenate([of_rarest[1:] != of_rarest[:-1], [True]])[: len(keys)])
    return of_ranked[first], ranked[first] % PATTERNS, rarest[last] % _RARITIES


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    ordered = np.sort(keys)
    first: NDArray[np.bool_] = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]
    return ordered[first]


class _Gains:
    """What the rarity of view values gives every pair: of a whole date and of names by themselves, which add up; or
    else the mean over views of mixed values, of which most share a part."""

    def __init__(self, pairs: int) -> None:
        self._pure, self._pures = np.zeros(pairs), np.zeros(pairs, dtype=np.int64)
        self._mixed, self._mixes = np.zeros(pairs), np.zeros(pairs, dtype=np.int64)

    def add(self, place: NDArray[np.int64], gain: Table, *, view: str, schema: LinkageSchema) -> None:
        """Pairs that a view found, and bits by which their rarest value differs from the usual."""
        blocking = blocking_of(schema.view(view))
        if blocking.ssid or blocking.other:
            return
        if blocking.dated + bool(blocking.names) + blocking.postcode == 1:
            self._pure[place] += gain
            self._pures[place] += 1
        else:
            self._mixed[place] += gain
            self._mixes[place] += 1

    def total(self) -> Table:
        """Bits of every pair."""
        total: Table = np.where(self._pures > 0, self._pure, self._mixed / np.maximum(self._mixes, 1))
        return total


def _signature_codes(joined: _Joined, views: Sequence[RecordPairs], *, schema: LinkageSchema) -> NDArray[np.int64]:
    """Signatures of pairs, and of the pairs that a view only counted."""
    counted = [1 << schema.view(view.view).number for view in views if view.dropped.any()]
    return np.unique(np.concatenate([joined.found_by.astype(np.int64), np.array(counted, dtype=np.int64)]))


def _combinations(joined: _Joined, *, codes: NDArray[np.int64]) -> tuple[Combinations, NDArray[np.int64]]:
    """Distinct (signature, pattern), and which of them every pair is."""
    signature = np.searchsorted(codes, joined.found_by.astype(np.int64))
    key = signature * PATTERNS + joined.pattern
    counts = np.bincount(key, minlength=len(codes) * PATTERNS)
    present = np.flatnonzero(counts)
    number = np.empty(len(counts), dtype=np.int64)
    number[present] = np.arange(len(present))
    combinations = Combinations(
        present // PATTERNS, outcomes_of(present % PATTERNS), counts[present].astype(np.float64)
    )
    return combinations, number[key]


def _dropped(views: Sequence[RecordPairs], *, codes: NDArray[np.int64], schema: LinkageSchema) -> Combinations:
    """Row pairs that were only counted, as pairs of records once a record's several rows are allowed for."""
    signature, pattern, pairs = [], [], []
    for view in views:
        counted = np.flatnonzero(view.dropped)
        number = int(np.searchsorted(codes, 1 << schema.view(view.view).number))
        signature.append(np.full(len(counted), number, dtype=np.int64))
        pattern.append(counted)
        pairs.append(view.dropped[counted] / view.rows_a_record**2)
    none = [np.empty(0, dtype=np.int64)]
    return Combinations(
        np.concatenate(signature or none),
        outcomes_of(np.concatenate(pattern or none)),
        np.concatenate(pairs or none).astype(np.float64),
    )


def _inside(views: Sequence[RecordPairs], *, codes: NDArray[np.int64], schema: LinkageSchema) -> Combinations:
    """Pairs inside providers, under the signature that their outcomes and the view that met them give them."""
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], Table]] = []
    for view in views:
        met = np.flatnonzero(view.same_provider)
        outcomes, mine = outcomes_of(met), blocking_of(schema.view(view.view))
        code = np.full(len(met), 1 << schema.view(view.view).number, dtype=np.int64)
        for other in views:
            theirs = blocking_of(schema.view(other.view))
            holds = agreeing_dates(theirs)[outcomes[:, 1]]
            holds &= (outcomes[:, 3] == AGREES) | (not theirs.postcode)
            holds &= (outcomes[:, 5] == AGREES) | (not theirs.ssid)
            named = mine.names >= theirs.names and (mine.spelled or not theirs.spelled or not theirs.names)
            if named and not theirs.other:
                code |= np.where(holds, 1 << schema.view(other.view).number, 0)
        place = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
        known = codes[place] == code
        lowest = (code & -code) == (1 << schema.view(view.view).number)
        keep = known & lowest
        parts.append((place[keep], met[keep], view.same_provider[met[keep]].astype(np.float64)))
    return Combinations(
        np.concatenate([signature for signature, _, _ in parts]),
        outcomes_of(np.concatenate([pattern for _, pattern, _ in parts])),
        np.concatenate([pairs for _, _, pairs in parts]),
    )


def _of_other_children(view: RecordPairs, *, schema: LinkageSchema) -> RecordPairs:
    """The view with only those pairs inside providers that are surely of two children; none where names must agree."""
    unnamed = blocking_of(schema.view(view.view)).names == ANY_NAMES
    return replace(view, same_provider=view.same_provider * (other_children() & unnamed))


def _meetings(
    views: Sequence[RecordPairs], *, provider: NDArray[np.int32], pairs: ProviderPairs | None
) -> list[Meetings]:
    """Of every view, pairs inside providers: they are of different children.

    Where links inside a provider are sought, all pairs: most are.
    """
    if pairs is not None:
        found = [len(_distinct(view.left * len(provider) + view.right)) + view.dropped.sum() for view in views]
        return [Meetings(float(count), float(pairs.possible.sum())) for count in found]
    sizes = np.unique(provider, return_counts=True)[1].astype(np.float64)
    among = float((sizes * (sizes - 1.0)).sum()) / 2.0
    counted = [float(view.same_provider.sum()) for view in views]
    return [Meetings(count, among if count else 0.0) for count in counted]


def _found(
    weighed: Weighed,
    combinations: Combinations,
    *,
    signatures: Signatures,
    views: Sequence[str],
    schema: LinkageSchema,
) -> float:
    return found_share(
        weighed.matches,
        combinations=combinations,
        matched=weighed.matched,
        signatures=signatures,
        blockings=[blocking_of(schema.view(view)) for view in views],
    )
