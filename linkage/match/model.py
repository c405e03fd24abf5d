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
from linkage.match.patterns import AGREES, FIELDS, PATTERNS, outcomes_of, twin_patterns
from linkage.schema import LinkageSchema, View

_OWN_FIELDS = {"birth_year": "date", "birth_month_day": "date", "ssid": "ssid", "postcode": "postcode"}
_PSEUDO = PseudoPairs(matches=50.0, others=1000.0)
_START_PROPORTION = 0.05
_SMALLEST_SHARE = 1e-9
_PSEUDO_TWINS = 0.5
_USUAL_TWINS = 0.001
"""Share of pairs with one birth date that are twins where nothing is known: 3 % of births are twin births
(Martin and Osterman, NCHS Data Brief 2024), among some tens of children of one date."""


@dataclass(frozen=True)
class ViewCounts:
    """Pairs of one view by pattern number: best pattern of each record pair, and those dropped by the matcher."""

    view: str
    pairs: Table
    same_provider: Table


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
    weights = weights_of(m, u=u)
    for of_view in counts:
        if "date" in own_fields(schema.view(of_view.view)) and of_view.same_provider.sum():
            weights += _twin_correction(of_view.same_provider, m=m, u=u)
    return weights


def _twin_correction(same_provider: Table, *, m: Sequence[Table], u: Sequence[Table]) -> Table:
    """What to add to the weight of twin patterns, since a twin's surname and postcode agree together.

    Two records of one provider are two children, so pairs inside providers that share a birth date show how
    often such pairs are twins.
    """
    twins = twin_patterns()
    names, postcode = outcomes_of(np.flatnonzero(twins))[:, 0], AGREES
    share = (same_provider[twins].sum() + _PSEUDO_TWINS) / (same_provider.sum() + _PSEUDO_TWINS / _USUAL_TWINS)
    of_matches = m[0][np.unique(names)].sum() * m[3][postcode]
    by_names = np.log2(np.maximum(m[0] * m[3][postcode], _SMALLEST_SHARE)) - np.log2(
        np.maximum(u[0] * u[3][postcode], _SMALLEST_SHARE)
    )
    correction = np.zeros(PATTERNS)
    correction[twins] = np.log2(of_matches / share) - by_names[names]
    return correction


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
