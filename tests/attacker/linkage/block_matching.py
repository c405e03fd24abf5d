"""Graph matching inside blocks: the strongest attack we know on salted views, and the spreading from known seeds.

A block is a little graph: who shares a sex, a postcode, a middle initial with whom, and how many bits the names of any
two share. None of that depends on the key. The attacker draws the same graphs of the people he knows under a key of
his own and finds, for each block of the hub, the view value and the people that fit best, by likelihood ratios learnt
on pairs of stores he makes himself (two keys, the same share left out).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.attacker.linkage import block_kernel as kernel
from tests.attacker.linkage.figures import OVERLAPS, TAGS, Figures

CANDIDATES = 30
FEWER, LARGE = 12, 8
"""Of large blocks, whose fit is sure and slow to work out, only the first few candidates are looked at."""
KEPT = 10
LARGEST = 200
SMALLEST = 2
_SIZES = 256
_NEVER, _SELDOM = -1e9, -2.5
_TAG_NEVER, _TAG_SELDOM = -7.0, -2.0
_RARE = 200.0


@dataclass(frozen=True, repr=False)
class Gains:
    """Log-likelihood ratios, same people over other people, of all the attacker can see."""

    kinds: NDArray[np.float32]
    kept_kinds: NDArray[np.int64]
    sizes: NDArray[np.float32]
    tags: NDArray[np.float64]
    overlaps: NDArray[np.float64]
    within: NDArray[np.float64]
    shape: NDArray[np.float64]
    wrong_shape: float


@dataclass(frozen=True, repr=False)
class Matched:
    """By target figure the own figure it is taken for (-1 none), and its block's lead over the next best."""

    who: NDArray[np.int64]
    lead: NDArray[np.float64]
    candidate_recall: float


def learnt_gains(own: Figures, again: Figures, *, share: float, exact: bool, rng: np.random.Generator) -> Gains:
    """`own` and `again` are the known people under two keys; `share` is how much of the hub's people they are.

    The attacker leaves the same share out of one of the two once more and counts what fits what. `exact` says that he
    knows each value as it was encoded; if not, `again` is his file with the errors that two files differ by.
    """
    whole, part = again, _thinned(own, share=share, rng=rng)
    whole_counts, part_counts = _kind_counts(whole), _kind_counts(part)
    whole_block, part_block = _same_blocks(whole, part)
    used = np.flatnonzero(whole_counts.sum(axis=0) > 0)
    joint = np.zeros((len(used), 16, 16))
    for place, kind in enumerate(used):
        np.add.at(joint[place], (whole_counts[whole_block, kind], part_counts[part_block, kind]), 1)
    overlaps, within = _overlap_gains(own, again)
    return Gains(
        kinds=np.stack([_ratios(of_kind, weight=2.0) for of_kind in joint]).astype(np.float32),
        kept_kinds=used,
        sizes=_size_gains(_SIZES, share=share),
        tags=_tag_gains(own, differs=_TAG_NEVER if exact else _TAG_SELDOM),
        overlaps=overlaps,
        within=within,
        shape=_shape_gains(own.shape),
        wrong_shape=_NEVER if exact else _SELDOM,
    )


def match_blocks(target: Figures, own: Figures, gains: Gains, *, candidates: int = CANDIDATES) -> Matched:
    """Every target block against every own block, the likeliest in detail."""
    usable = np.flatnonzero((target.sizes >= SMALLEST) & (target.sizes <= LARGEST))
    known = np.flatnonzero((own.sizes >= SMALLEST) & (own.sizes <= LARGEST))
    target_counts = _kind_counts(target)[usable][:, gains.kept_kinds]
    own_counts = _kind_counts(own)[known][:, gains.kept_kinds]
    fits = kernel.block_fits(
        target_counts, own_counts, target.sizes[usable], own.sizes[known], gains.kinds, gains.sizes, candidates
    )
    shortlist = np.full((len(target.sizes), candidates), -1)
    shortlist[usable] = np.where(fits >= 0, known[fits], -1)
    shortlist[target.sizes > LARGE, FEWER:] = -1
    return fit(target, own, gains, shortlist=shortlist, pinned=np.full(len(target.place), -1))


def spread_seeds(target: Figures, own: Figures, gains: Gains, *, seeds: NDArray[np.int64]) -> Matched:
    """From figures whose person is known to the others of their blocks; `seeds` holds own figures, -1 elsewhere."""
    block_of = np.repeat(np.arange(len(target.sizes)), target.sizes)
    own_block = np.repeat(np.arange(len(own.sizes)), own.sizes)
    shortlist = np.full((len(target.sizes), 1), -1)
    known = np.flatnonzero(seeds >= 0)
    shortlist[block_of[known], 0] = own_block[seeds[known]]
    return fit(target, own, gains, shortlist=shortlist, pinned=seeds)


def fit(
    target: Figures, own: Figures, gains: Gains, *, shortlist: NDArray[np.int64], pinned: NDArray[np.int64]
) -> Matched:
    """The best of each block's shortlist, and who is who in it."""
    best, gain, second, who = kernel.fit_all(
        target.names, target.tags, target.shape, target.within, target.starts,
        own.names, own.tags, own.shape, own.within, own.starts,
        shortlist, gains.shape, gains.wrong_shape, gains.within, gains.tags, gains.overlaps, KEPT, LARGEST, pinned,
    )  # fmt: skip
    lead = np.repeat(np.where(best >= 0, gain - second, 0.0), target.sizes)
    return Matched(who=who, lead=lead, candidate_recall=_recall(target, own, shortlist))


def _recall(target: Figures, own: Figures, shortlist: NDArray[np.int64]) -> float:
    """For the developer of the attack: the share of target figures whose own block is among the candidates."""
    own_block = np.repeat(np.arange(len(own.sizes)), own.sizes)
    block_of_person = dict(zip(own.person.tolist(), own_block.tolist(), strict=True))
    block_of = np.repeat(np.arange(len(target.sizes)), target.sizes)
    found = sum(
        block_of_person.get(person, -2) in shortlist[block]
        for person, block in zip(target.person.tolist(), block_of.tolist(), strict=True)
    )
    return found / max(1, len(target.person))


def _kind_counts(figures: Figures) -> NDArray[np.uint8]:
    counts: NDArray[np.uint8] = kernel.kind_counts(figures.names, figures.tags, figures.shape, figures.starts, LARGEST)
    return counts


def _thinned(figures: Figures, *, share: float, rng: np.random.Generator) -> Figures:
    kept = np.flatnonzero(rng.random(len(figures.place)) < share) if share < 1 else np.arange(len(figures.place))
    block = np.repeat(np.arange(len(figures.sizes)), figures.sizes)[kept]
    starts = np.flatnonzero(np.concatenate([[True], block[1:] != block[:-1]])) if len(kept) else np.empty(0, int)
    return Figures(
        place=figures.place[kept], person=figures.person[kept], starts=np.append(starts, len(kept)),
        token=figures.token[kept], key=figures.key[kept], names=figures.names[kept],
        tags=figures.tags[kept], shape=figures.shape[kept], within=figures.within[kept],
    )  # fmt: skip


def _same_blocks(whole: Figures, part: Figures) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    block_of = np.repeat(np.arange(len(whole.sizes)), whole.sizes)
    place = _places_of(part.key[part.starts[:-1]], whole)
    pairs = [(block_of[where], block) for block, where in enumerate(place.tolist()) if where >= 0]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _places_of(keys: NDArray[np.uint64], figures: Figures) -> NDArray[np.int64]:
    """Where the figures with these keys are, -1 where there is none."""
    order = np.argsort(figures.key, kind="stable")
    place = np.minimum(np.searchsorted(figures.key[order], keys), max(0, len(order) - 1))
    if not len(order):
        return np.full(len(keys), -1)
    return np.where(figures.key[order][place] == keys, order[place], -1)


def _ratios(joint: NDArray[np.float64], *, weight: float) -> NDArray[np.float64]:
    """log of the joint share over the product of the margins, drawn towards independence by `weight` counts."""
    total = joint.sum()
    if total == 0:
        return np.zeros_like(joint)
    expected = np.outer(joint.sum(axis=1) + 0.1, joint.sum(axis=0) + 0.1) / total
    return np.clip(np.log((joint + weight * expected / expected.sum() + 0.02) / (expected + 0.02)), -6, 12)


def _size_gains(largest: int, *, share: float) -> NDArray[np.float32]:
    """That a block of n holds m known people: binomial, over a flat alternative."""
    n, m = np.meshgrid(np.arange(largest), np.arange(largest), indexing="ij")
    expected, spread = n * share, np.sqrt(np.maximum(n * share * (1 - share), 0.02))
    gains = -0.5 * ((m - expected) / spread) ** 2 - np.log(spread)
    return np.where(m <= n, np.maximum(gains, -14), -100).astype(np.float32)


def _tag_gains(own: Figures, *, differs: float) -> NDArray[np.float64]:
    """Over two masks of equal tags; `differs` where a tag agrees in one store only."""
    chances = np.zeros(TAGS)
    block = np.repeat(np.arange(len(own.sizes)), own.sizes)
    together = np.flatnonzero(block[1:] == block[:-1])
    for field in range(TAGS):
        chances[field] = np.mean(own.tags[together, field] == own.tags[together + 1, field]) if len(together) else 0
    chances = np.clip(chances, 1e-4, 0.9999)
    bits = (np.arange(128)[:, None] >> np.arange(TAGS)) & 1
    both = bits[:, None, :] & bits[None, :, :]
    differ = bits[:, None, :] ^ bits[None, :, :]
    gains = both * -np.log(chances) + (1 - both) * (1 - differ) * -np.log(1 - chances) + differ * differs
    return gains.sum(axis=2)


def _overlap_gains(own: Figures, again: Figures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bits shared by two names under two keys, for the same two people; four parts, then inside one figure."""
    other = _places_of(own.key, again)
    block = np.repeat(np.arange(len(own.sizes)), own.sizes)
    joint = np.zeros((4, OVERLAPS, OVERLAPS))
    for step in (1, 2, 3):
        left = np.flatnonzero((block[step:] == block[:-step]) & (other[step:] >= 0) & (other[:-step] >= 0))
        right = left + step
        for part, (one, two) in enumerate(((0, 0), (4, 4), (0, 4), (4, 0))):
            here = _shared(own.names[left, one : one + 4], own.names[right, two : two + 4])
            there = _shared(again.names[other[left], one : one + 4], again.names[other[right], two : two + 4])
            np.add.at(joint[part], (here, there), 1)
    known = np.flatnonzero(other >= 0)
    within = np.zeros((OVERLAPS, OVERLAPS))
    np.add.at(within, (own.within[known], again.within[other[known]]), 1)
    return np.stack([_ratios(of_part, weight=_RARE) for of_part in joint]), _ratios(within, weight=_RARE)


def _shared(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
    return np.bitwise_count(one & other).sum(axis=1, dtype=np.int64)


def _shape_gains(shape: NDArray[np.uint64]) -> NDArray[np.float64]:
    """By own figure: how rare its shape is."""
    _, inverse, counts = np.unique(shape, return_inverse=True, return_counts=True)
    return np.log(len(shape) / counts[inverse])
