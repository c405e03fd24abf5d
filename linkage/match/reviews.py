"""Review without names: which records stewards are asked to verify, and what their answers weigh. At the hub.

A steward gets a short list of her own records with the fields in doubt, never with whom or why. A list's length
depends on the size of the roster alone, at least half of it is decoys, and what was listed stays until it is answered,
so that being listed says little. A field that was found right makes a disagreement in it weigh more against a match:
one of two explanations, an error on this side, is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.decision import EQUAL_COSTS, Costs
from linkage.match.evidence import Evidence
from linkage.match.patterns import (
    ABSENT,
    DAY_AGREES,
    DAY_SIZE,
    DIFFERS,
    FIELDS,
    LEVEL_TOP,
    NAMES_CROSSED,
    SURNAME_SIZE,
    YEAR_AGREES,
    outcomes_of,
)
from linkage.match.persons import RecordKey
from linkage.match.prior import Solved
from linkage.match.spans import Records

Confirmed = frozenset[str]
"""Fields of one record that two persons of its provider found right."""

REVIEWED = ("names", "date", "sex", "ssid")
"""Fields that a paper can settle; a postcode may truly differ, since families move."""
CERTAIN_AT = 0.95
"""Links above this are not worth a steward's time."""
SMALLEST_LIST, LARGEST_LIST, RECORDS_A_LINE = 10, 60, 50
"""A list has one line for every so many records of the roster, within these ends."""
DECOY_SHARE = 0.5
ONE_SIDE_RIGHT = -1.0
"""Bits for a disagreement where one side was found right: half of the ways in which a match comes to disagree."""
BOTH_SIDES_RIGHT = -4.0
"""Bits where both were: what is left are true changes and double registration, about one in sixteen."""


@dataclass(frozen=True)
class ReviewLine:
    """One record that its provider is asked to verify, and the fields to look at."""

    reference: bytes
    fields: tuple[str, ...]


def confirmed_evidence(evidence: Evidence, *, records: Records, confirmed: Mapping[RecordKey, Confirmed]) -> Evidence:
    """The evidence with what stewards found right: disagreements of such fields weigh more against a match."""
    if not confirmed:
        return evidence
    weight = evidence.weight.copy()
    doubtful = doubtful_fields(evidence.pattern)
    keys = records.keys()
    for place, field in enumerate(REVIEWED):
        right = np.array([field in confirmed.get(key, ()) for key in keys], dtype=np.int64)
        sides = (right[evidence.left] + right[evidence.right]) * doubtful[:, place]
        weight += np.array([0.0, ONE_SIDE_RIGHT, BOTH_SIDES_RIGHT])[sides]
    return replace(evidence, weight=weight)


def doubtful_fields(patterns: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(n, fields of REVIEWED): where the two sides of a pattern do not say the same, or one says nothing."""
    outcomes = outcomes_of(patterns.astype(np.int64))
    named = outcomes[:, FIELDS.index("names")]
    same_names = (named == LEVEL_TOP * SURNAME_SIZE + LEVEL_TOP) & (named < NAMES_CROSSED)
    same_date = outcomes[:, FIELDS.index("date")] == YEAR_AGREES * DAY_SIZE + DAY_AGREES
    sex, ssid = outcomes[:, FIELDS.index("sex")], outcomes[:, FIELDS.index("ssid")]
    return np.stack([~same_names, ~same_date, (sex == DIFFERS) | (sex == ABSENT), ssid == DIFFERS], axis=1)


def list_length(records: int) -> int:
    """How many records a provider is asked to verify at once; tells nothing but the size of its roster."""
    return min(records, LARGEST_LIST, max(SMALLEST_LIST, records // RECORDS_A_LINE))


def review_lists(
    evidence: Evidence,
    solved: Solved,
    *,
    records: Records,
    asked: Collection[RecordKey],
    waiting: Mapping[int, int],
    rng: np.random.Generator,
    costs: Costs = EQUAL_COSTS,
) -> dict[int, tuple[ReviewLine, ...]]:
    """By provider the lines to add to its list, in random order.

    Args:
        asked: the records that stewards were ever asked about; none is asked again, or those that are would be known
            to be in doubt.
        waiting: by provider how many lines are still unanswered; the list is filled up to its length.
    """
    in_doubt = _in_doubt(evidence, solved, records=records, asked=asked, costs=costs)
    pool = sorted({fields for lines in in_doubt.values() for fields in lines.values()}) or [("names",)]
    share = np.array([sum(f == fields for lines in in_doubt.values() for f in lines.values()) for fields in pool])
    chance = (share + 1) / (share + 1).sum()
    lists = {}
    for provider in np.unique(records.provider).tolist():
        own = np.flatnonzero(records.provider == provider)
        length = max(0, list_length(len(own)) - waiting.get(provider, 0))
        true = list(in_doubt.get(provider, {}).items())[: int(length * (1 - DECOY_SHARE))]
        taken = {place for place, _ in true}
        free = [
            place
            for place, key in zip(own.tolist(), records.keys_of(own), strict=True)
            if place not in taken and key not in asked
        ]
        drawn = rng.choice(np.array(free, dtype=np.int64), min(length - len(true), len(free)), replace=False)
        decoys = [(int(place), pool[int(rng.choice(len(pool), p=chance))]) for place in drawn]
        lines = [ReviewLine(records.reference[place].tobytes(), fields) for place, fields in [*true, *decoys]]
        lists[provider] = tuple(lines[at] for at in rng.permutation(len(lines)))
    return lists


def _in_doubt(
    evidence: Evidence,
    solved: Solved,
    *,
    records: Records,
    asked: Collection[RecordKey],
    costs: Costs,
) -> dict[int, dict[int, tuple[str, ...]]]:
    """By provider its records in uncertain pairs with the fields to look at, the least certain first."""
    uncertain = (solved.posterior >= costs.possible_at) & (solved.posterior < CERTAIN_AT) & ~evidence.vetoed
    places = np.flatnonzero(uncertain)
    places = places[np.argsort(np.abs(solved.posterior[places] - 0.5), kind="stable")]
    found: dict[int, dict[int, tuple[str, ...]]] = {}
    for pair, doubtful in zip(places.tolist(), doubtful_fields(evidence.pattern[places]), strict=True):
        sides = np.array([evidence.left[pair], evidence.right[pair]])
        fields = tuple(field for field, open_ in zip(REVIEWED, doubtful, strict=True) if open_)
        for record, key in zip(sides.tolist(), records.keys_of(sides), strict=True):
            if fields and key not in asked:
                found.setdefault(key[0], {}).setdefault(record, fields)
    return found
