"""A run of the resolver as the change of an earlier one: at the hub. The persons are those of a run from nothing.

What is opened and joined anew grows with what came and went. Weights, prior and posteriors are solved over all pairs
each time, since every pair teaches every other; they are sums over columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from linkage.match.decision import DECISION_MATCH, EQUAL_COSTS, Costs, decisions
from linkage.match.evidence import join_evidence
from linkage.match.opening import RecordPairs
from linkage.match.pairs import ViewChange
from linkage.match.person_table import NamedChange, PersonTable, moved_table, named_change
from linkage.match.persons import Joining, RecordKey, joined_heads
from linkage.match.prior import solve_posteriors
from linkage.match.quality import measure_quality
from linkage.match.resolved import Resolved
from linkage.match.resolver_memory import (
    ChangedRecords,
    OpenedView,
    ResolverMemory,
    changed_records,
    changed_view,
    empty_view,
)
from linkage.match.reviews import Confirmed, confirmed_evidence
from linkage.match.spans import Records, RosterSpans, one_roster_each
from linkage.match.thresholds import threshold_links
from linkage.schema import LinkageSchema


@dataclass(frozen=True)
class ResolvedChange:
    """What a run remembers, what it found, whose person it changed, and by threshold whose person would be another."""

    memory: ResolverMemory
    resolved: Resolved
    named: NamedChange
    thresholds: Mapping[str, Mapping[RecordKey, str]]


def resolve_change(
    memory: ResolverMemory,
    persons: PersonTable,
    *,
    added: Sequence[RosterSpans],
    gone: Collection[int],
    changes: Sequence[ViewChange],
    schema: LinkageSchema,
    new_id: Callable[[], str],
    confirmed: Mapping[RecordKey, Confirmed],
    costs: Costs = EQUAL_COSTS,
    join: Joining = joined_heads,
) -> ResolvedChange:
    """The run after rosters came and submissions went. `persons` is the table that belongs to the memory.

    Raises LinkageError `row_without_span` or `unknown_submission`.
    """
    changed = changed_records(memory.records, added=added, gone=gone)
    views: dict[str, OpenedView] = {}
    found: list[RecordPairs] = []
    for change in sorted(changes, key=lambda one: schema.view(one.pairs.view).number):
        name = change.pairs.view
        views[name], pairs = changed_view(
            memory.views.get(name, empty_view()), change, changed=changed, gone=gone, added=added
        )
        found.append(pairs)
    resolved = resolved_pairs(found, changed.records, schema=schema, confirmed=confirmed, costs=costs, join=join)
    table = _moved(persons, memory.records, changed)
    named = named_change(resolved.heads, table=table, new_id=new_id)
    thresholds = threshold_links(resolved, named.table, new_id=new_id, join=join)
    return ResolvedChange(ResolverMemory(changed.records, views), resolved, named, thresholds)


def resolved_pairs(
    found: Sequence[RecordPairs],
    records: Records,
    *,
    schema: LinkageSchema,
    confirmed: Mapping[RecordKey, Confirmed],
    costs: Costs,
    join: Joining,
) -> Resolved:
    """Pairs of records weighed, decided and joined; answers of stewards count as evidence."""
    joined = join_evidence(found, schema=schema, provider=records.provider, one_roster_each=one_roster_each(records))
    evidence = confirmed_evidence(joined, records=records, confirmed=confirmed)
    solved = solve_posteriors(evidence, provider=records.provider)
    decided = decisions(solved.posterior, costs=costs)
    heads = join(evidence, accepted=decided == DECISION_MATCH, records=records)
    quality = measure_quality(evidence, solved=solved, decided=decided, heads=heads, records=records, schema=schema)
    return Resolved(records, evidence, solved, decided, heads, quality)


def _moved(persons: PersonTable, before: Records, changed: ChangedRecords) -> PersonTable:
    came = np.ones(len(changed.records.provider), dtype=np.bool_)
    came[changed.number[changed.number >= 0]] = False
    places, gone = np.flatnonzero(came), np.flatnonzero(changed.number < 0)
    return moved_table(
        persons,
        number=changed.number,
        before=before.keys_of(gone),
        gone=gone,
        records=len(came),
        arrived=dict(zip(changed.records.keys_of(places), places.tolist(), strict=True)) if persons.departed else {},
    )
