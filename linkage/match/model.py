"""Weights of evidence for every pattern, learnt from the pairs themselves: at the hub, in the resolver.

In each view the view's own fields are left out, since blocking makes them agree (names are learnt from
`dob`, date parts from `names`), so u is unconditional. A field learnt in several views is taken from the
first that may teach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.match.em import Mixture, PseudoPairs, Table, estimate
from linkage.match.expectations import expected_tables, neutral_outcomes
from linkage.match.patterns import FIELDS, PATTERNS, outcomes_of
from linkage.schema import LinkageSchema, View

_OWN_FIELDS = {"birth_year": "date", "birth_month_day": "date", "ssid": "ssid", "postcode": "postcode"}
_PSEUDO = PseudoPairs(matches=20.0, others=50.0)
_START_PROPORTION = 0.05
_SMALLEST_SHARE = 1e-9


@dataclass(frozen=True)
class ViewCounts:
    """Pairs of one view by pattern number: best pattern of each record pair, and those dropped by the matcher."""

    view: str
    pairs: Table


def start_weights() -> Table:
    """Weights of all patterns, log2, before any pair was seen."""
    return weights_of(expected_tables("m"), u=expected_tables("u"))


def learnt_weights(counts: Sequence[ViewCounts], *, schema: LinkageSchema) -> Table:
    """Weights of all patterns, log2, from the pairs of every view."""
    m, u = list(expected_tables("m")), list(expected_tables("u"))
    by_view = {of_view.view: of_view for of_view in counts}
    taught: set[str] = set()
    for view in schema.views:
        if view.name not in by_view or not by_view[view.name].pairs.sum():
            continue
        fields, mixture = _learnt(by_view[view.name].pairs, view=view)
        for place, field in enumerate(fields):
            if field not in taught:
                m[FIELDS.index(field)], u[FIELDS.index(field)] = mixture.m[place], mixture.u[place]
                taught.add(field)
    return weights_of(tuple(m), u=tuple(u))


def own_fields(view: View) -> frozenset[str]:
    """The compared fields that a view's blocking makes agree."""
    own = {_OWN_FIELDS[value] for value in view.values if value in _OWN_FIELDS}
    return frozenset(own | ({"names"} if view.names != "none" else set()))


def _learnt(pairs: Table, *, view: View) -> tuple[list[str], Mixture]:
    fields = [field for field in FIELDS if field not in own_fields(view)]
    columns = [FIELDS.index(field) for field in fields]
    present = np.flatnonzero(pairs)
    start = Mixture(
        proportion=_START_PROPORTION,
        m=tuple(expected_tables("m")[column] for column in columns),
        u=tuple(expected_tables("u")[column] for column in columns),
    )
    neutral = [neutral_outcomes()[column] for column in columns]
    mixture = estimate(outcomes_of(present)[:, columns], pairs[present], start=start, neutral=neutral, pseudo=_PSEUDO)
    return fields, mixture


def weights_of(m: Sequence[Table], *, u: Sequence[Table]) -> Table:
    """log2(m/u) summed over the fields of every pattern; neutral outcomes weigh nothing."""
    outcomes = outcomes_of(np.arange(PATTERNS))
    total = np.zeros(PATTERNS)
    for field, says_nothing in enumerate(neutral_outcomes()):
        ratio = np.log2(np.maximum(m[field], _SMALLEST_SHARE)) - np.log2(np.maximum(u[field], _SMALLEST_SHARE))
        total += np.where(says_nothing, 0.0, ratio)[outcomes[:, field]]
    return total


def pattern_counts(patterns: NDArray[np.int32]) -> Table:
    """How many pairs show each pattern."""
    return np.bincount(patterns, minlength=PATTERNS).astype(np.float64)
