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
_PSEUDO = PseudoPairs(matches=50.0, others=20000.0, discount=1.0)
_START_PROPORTION = 0.05
_SMALLEST_SHARE = 1e-9
_PSEUDO_TAGS = 3.0
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


@dataclass(frozen=True)
class Model:
    """By field the chance of each outcome in matches (m) and others (u), and how common twins are among others."""

    m: tuple[Table, ...]
    u: tuple[Table, ...]
    twins: float | None = None


def start_model() -> Model:
    """The model before any pair was seen."""
    return Model(m=expected_tables("m"), u=expected_tables("u"))


def learnt_model(counts: Sequence[ViewCounts], *, schema: LinkageSchema) -> Model:
    """The model that the pairs of every view teach."""
    m, u = list(expected_tables("m")), list(expected_tables("u"))
    by_view = {of_view.view: of_view for of_view in counts}
    expected_u = _seen_among_others(counts, schema=schema)
    taught: set[int] = set()
    for view in schema.views:
        if view.name not in by_view or not by_view[view.name].pairs.sum():
            continue
        fields = [place for place, field in enumerate(FIELDS) if field not in own_fields(view)]
        mixture = _learnt(by_view[view.name].pairs, fields=fields, expected_u=expected_u)
        for place, field in enumerate(fields):
            if field not in taught:
                m[field], u[field] = mixture.m[place], mixture.u[place]
                taught.add(field)
    return Model(m=tuple(m), u=tuple(u), twins=_twin_share(counts, schema=schema))


def _twin_share(counts: Sequence[ViewCounts], *, schema: LinkageSchema) -> float | None:
    """Among others of one birth date, the share of twins.

    Two records of one provider are two children, so pairs inside providers show how often a birth date, a
    surname and a postcode agree together. None where no view blocks on the birth date.
    """
    dated = [of_view for of_view in counts if "date" in own_fields(schema.view(of_view.view))]
    same_provider = sum((of_view.same_provider for of_view in dated), start=np.zeros(PATTERNS))
    twins = same_provider[twin_patterns()].sum() + _PSEUDO_TWINS
    return float(twins / (same_provider.sum() + _PSEUDO_TWINS / _USUAL_TWINS)) if dated else None


def own_fields(view: View) -> frozenset[str]:
    """The compared fields that a view's blocking makes agree."""
    own = {_OWN_FIELDS[value] for value in view.values if value in _OWN_FIELDS}
    return frozenset(own | ({"names"} if view.names != "none" else set()))


def _learnt(pairs: Table, *, fields: list[int], expected_u: Sequence[Table]) -> Mixture:
    present = np.flatnonzero(pairs)
    start = Mixture(
        proportion=_START_PROPORTION,
        m=tuple(expected_tables("m")[field] for field in fields),
        u=tuple(expected_u[field] for field in fields),
    )
    neutral = [neutral_outcomes()[field] for field in fields]
    return estimate(outcomes_of(present)[:, fields], pairs[present], start=start, neutral=neutral, pseudo=_PSEUDO)


def _seen_among_others(counts: Sequence[ViewCounts], *, schema: LinkageSchema) -> tuple[Table, ...]:
    """Start values for non-matches: tags as pairs of plainly other people inside providers show them."""
    tables = list(expected_tables("u"))
    for field in range(2, len(FIELDS)):
        teaching = [of for of in counts if FIELDS[field] not in own_fields(schema.view(of.view))]
        same_provider = sum((of_view.same_provider for of_view in teaching), start=np.zeros(PATTERNS))
        others = np.flatnonzero(same_provider)
        outcomes = outcomes_of(others)[:, field]
        seen = np.bincount(outcomes, weights=same_provider[others], minlength=len(tables[field]))[:-1]
        tables[field] = np.append(seen + _PSEUDO_TAGS * tables[field][:-1], 0.0) / (seen.sum() + _PSEUDO_TAGS)
    return tuple(tables)


def weights_of(model: Model) -> Table:
    """log2(m/u) summed over the fields of every pattern; neutral outcomes weigh nothing."""
    outcomes = outcomes_of(np.arange(PATTERNS))
    ratios = [
        np.log2(np.maximum(m, _SMALLEST_SHARE)) - np.log2(np.maximum(u, _SMALLEST_SHARE))
        for m, u in zip(model.m, model.u, strict=True)
    ]
    total = np.zeros(PATTERNS)
    for field, says_nothing in enumerate(neutral_outcomes()):
        total += np.where(says_nothing, 0.0, ratios[field])[outcomes[:, field]]
    if model.twins is not None:
        twins = twin_patterns()
        names, postcode = outcomes[twins, 0], outcomes[twins, 3]
        of_matches = model.m[0][np.unique(names)].sum() * model.m[3][AGREES]
        total[twins] += np.log2(of_matches / model.twins) - ratios[0][names] - ratios[3][postcode]
    return total


def pattern_counts(patterns: NDArray[np.int32]) -> Table:
    """How many pairs show each pattern."""
    return np.bincount(patterns, minlength=PATTERNS).astype(np.float64)
