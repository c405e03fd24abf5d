"""The resolver: at the hub, holds row-id keys and spans and makes persons; it never sees a token or a filter.

pairs of rows -> pairs of records -> weights learnt by EM -> prior solved -> posteriors -> persons with stable ids
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.decision import DECISION_MATCH, EQUAL_COSTS, Costs, decisions
from linkage.match.evidence import Evidence, join_evidence, vetoes
from linkage.match.opening import RecordPairs, record_pairs
from linkage.match.pairs import ViewPairs
from linkage.match.patterns import twin_patterns
from linkage.match.persons import HistoryEvent, Joining, RecordKey, joined_heads, named_persons
from linkage.match.prior import Solved, solve_posteriors
from linkage.match.provider_pairs import pairs_everywhere
from linkage.match.quality import Quality, measure_quality
from linkage.match.spans import Records, RosterSpans, all_records, one_roster_each
from linkage.rows import Rows
from linkage.schema import LinkageSchema

__all__ = ["PAIR_ROW", "Costs", "LinkageResult", "RosterSpans", "resolve", "resolve_with_duplicates"]

PAIR_ROW = np.dtype(
    [
        ("left_provider", "<i4"),
        ("left_reference", "V16"),
        ("right_provider", "<i4"),
        ("right_reference", "V16"),
        ("weight", "<f8"),
        ("posterior", "<f8"),
        ("decision", "u1"),
        ("linked", "u1"),
        ("pattern", "<i4"),
    ]
)
_LEAST_POSTERIOR_TOLD = 0.001


@dataclass(frozen=True)
class LinkageResult:
    """What the hub stores of a run: persons, the pairs worth telling, history and quality."""

    persons: dict[RecordKey, str]
    pairs: Rows
    history: tuple[HistoryEvent, ...]
    quality: Quality


def resolve(
    rosters: Sequence[RosterSpans],
    *,
    schema: LinkageSchema,
    views: Sequence[ViewPairs],
    previous: Mapping[RecordKey, str],
    new_id: Callable[[], str],
    costs: Costs = EQUAL_COSTS,
    join: Joining = joined_heads,
) -> LinkageResult:
    """Persons of all rosters; the same whatever the order of rosters, views and rows, and whatever engine joins them.

    Raises LinkageError `row_without_span` or `unknown_submission`.
    """
    records = all_records(rosters)
    found = _record_pairs(rosters, schema=schema, views=views, records=records)
    evidence = join_evidence(found, schema=schema, provider=records.provider, one_roster_each=one_roster_each(records))
    solved = solve_posteriors(evidence, provider=records.provider)
    decided = decisions(solved.posterior, costs=costs)
    heads = join(evidence, accepted=decided == DECISION_MATCH, records=records)
    named = named_persons(heads, keys=records.keys(), previous=previous, new_id=new_id)
    return _result(evidence, named, solved=solved, decided=decided, heads=heads, records=records, schema=schema)


def resolve_with_duplicates(
    rosters: Sequence[RosterSpans],
    *,
    schema: LinkageSchema,
    views: Sequence[ViewPairs],
    new_id: Callable[[], str],
    costs: Costs = EQUAL_COSTS,
    join: Joining = joined_heads,
) -> LinkageResult:
    """As `resolve`, where two records of one roster may be one person and were compared (RosterRows.owners).

    No pairs inside a provider teach here how common twins are, so what looks like twins is never joined.
    """
    records = all_records(rosters)
    apart = replace(records, provider=np.arange(len(records.provider), dtype=np.int32))
    pairs, forbidden = pairs_everywhere(records.provider), vetoes() | twin_patterns()
    found = _record_pairs(rosters, schema=schema, views=views, records=records)
    evidence = join_evidence(found, schema=schema, provider=records.provider, pairs=pairs, forbidden=forbidden)
    solved = solve_posteriors(evidence, provider=records.provider, pairs=pairs)
    decided = decisions(solved.posterior, costs=costs)
    heads = join(evidence, accepted=decided == DECISION_MATCH, records=apart)
    named = named_persons(heads, keys=records.keys(), previous={}, new_id=new_id)
    return _result(evidence, named, solved=solved, decided=decided, heads=heads, records=records, schema=schema)


def _record_pairs(
    rosters: Sequence[RosterSpans], *, schema: LinkageSchema, views: Sequence[ViewPairs], records: Records
) -> list[RecordPairs]:
    ordered = sorted(views, key=lambda view: schema.view(view.view).number)
    return [record_pairs(view, records=records, rosters=rosters) for view in ordered]


def _result(
    evidence: Evidence,
    named: tuple[dict[RecordKey, str], tuple[HistoryEvent, ...]],
    *,
    solved: Solved,
    decided: NDArray[np.uint8],
    heads: NDArray[np.int64],
    records: Records,
    schema: LinkageSchema,
) -> LinkageResult:
    """What is told of persons that were made and named."""
    persons, history = named
    linked = heads[evidence.left] == heads[evidence.right]
    return LinkageResult(
        persons=persons,
        pairs=_told_pairs(evidence, solved=solved, decided=decided, linked=linked, records=records),
        history=history,
        quality=measure_quality(evidence, solved=solved, decided=decided, heads=heads, records=records, schema=schema),
    )


def _told_pairs(
    evidence: Evidence, *, solved: Solved, decided: NDArray[np.uint8], linked: NDArray[np.bool_], records: Records
) -> Rows:
    told = np.flatnonzero((solved.posterior >= _LEAST_POSTERIOR_TOLD) | linked)
    left, right = evidence.left[told], evidence.right[told]
    rows = np.zeros(len(told), dtype=PAIR_ROW)
    rows["left_provider"], rows["right_provider"] = records.provider[left], records.provider[right]
    rows["left_reference"], rows["right_reference"] = records.reference[left], records.reference[right]
    rows["weight"], rows["posterior"] = evidence.weight[told], solved.posterior[told]
    rows["decision"], rows["linked"] = decided[told], linked[told]
    rows["pattern"] = evidence.pattern[told]
    return rows
