"""Persons with stable ids: at the hub, the resolver's last step.

A person keeps the id that most of its records had before; an id goes to one person only. What joined or
came apart is told as history, so that a figure of an earlier run can be explained.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from linkage.match.evidence import Evidence
from linkage.match.spans import GRADES_AHEAD, GRADES_BEHIND, MONTHS_TOGETHER, Records

RecordKey = tuple[int, bytes]


class Joining(Protocol):
    """What an engine gives in place of `joined_heads`; its answer is the same."""

    def __call__(self, evidence: Evidence, *, accepted: NDArray[np.bool_], records: Records) -> NDArray[np.int64]: ...


@dataclass(frozen=True)
class HistoryEvent:
    """`merged`: several person ids became one; `split`: the records of one id are now several persons."""

    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def joined_heads(evidence: Evidence, *, accepted: NDArray[np.bool_], records: Records) -> NDArray[np.int64]:
    """For every record the first record of its person; pairs are taken in falling weight, ties by record."""
    return heads_of_pairs(
        PairsToJoin(evidence.left, evidence.right, evidence.weight, accepted, evidence.vetoed),
        provider=records.provider,
        spans=records.spans,
        span_starts=records.span_starts,
    )


@dataclass(frozen=True)
class PairsToJoin:
    """Pairs of records by place, left before right; only accepted ones join, and vetoed ones never come together."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    weight: NDArray[np.float64]
    accepted: NDArray[np.bool_]
    vetoed: NDArray[np.bool_]


def heads_of_pairs(
    pairs: PairsToJoin, *, provider: NDArray[np.int32], spans: NDArray[np.int64], span_starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """As `joined_heads`, over any set of records that no accepted pair leaves."""
    from linkage.match.joining import join_records

    places = np.flatnonzero(pairs.accepted)
    order = places[np.lexsort((pairs.right[places], pairs.left[places], -pairs.weight[places]))]
    vetoes = np.sort(pairs.left[pairs.vetoed] * len(provider) + pairs.right[pairs.vetoed])
    limits = np.array([MONTHS_TOGETHER, GRADES_AHEAD, GRADES_BEHIND], dtype=np.int64)
    heads: NDArray[np.int64] = join_records(
        pairs.left[order], pairs.right[order], provider, spans, span_starts.astype(np.int64), vetoes, limits
    )
    return heads


def named_persons(
    heads: NDArray[np.int64],
    *,
    keys: Sequence[RecordKey],
    previous: Mapping[RecordKey, str],
    new_id: Callable[[], str],
) -> tuple[dict[RecordKey, str], tuple[HistoryEvent, ...]]:
    """Person ids of all records, those of `previous` that no roster holds among them, and the history."""
    members: dict[int, list[RecordKey]] = defaultdict(list)
    for key, head in zip(keys, heads.tolist(), strict=True):
        members[head].append(key)
    had = {head: Counter(previous[key] for key in of_person if key in previous) for head, of_person in members.items()}
    given = given_ids(had)
    ids = {head: given[head] if head in given else new_id() for head in members}
    persons = {key: ids[head] for head, of_person in members.items() for key in of_person}
    events = history_of(had, ids=ids)
    replaced = {before: event.after[0] for event in events if event.kind == "merged" for before in event.before}
    surviving = set(given.values())
    for key, person in previous.items():
        if key not in persons:
            persons[key] = person if person in surviving else replaced.get(person, person)
    return persons, events


def given_ids(had: Mapping[int, Counter[str]]) -> dict[int, str]:
    """Each earlier id to the person that holds most of its records, ties to the first person and the smaller id."""
    claims = sorted((-count, head, person) for head, counts in had.items() for person, count in counts.items())
    given: dict[int, str] = {}
    taken: set[str] = set()
    for _, head, person in claims:
        if head not in given and person not in taken:
            given[head] = person
            taken.add(person)
    return given


def history_of(had: Mapping[int, Counter[str]], *, ids: Mapping[int, str]) -> tuple[HistoryEvent, ...]:
    """What merged and what split, in a fixed order."""
    after: dict[str, set[str]] = defaultdict(set)
    for head, counts in had.items():
        for person in counts:
            after[person].add(ids[head])
    merged = [
        HistoryEvent("merged", tuple(sorted(counts)), (ids[head],)) for head, counts in had.items() if len(counts) > 1
    ]
    split = [HistoryEvent("split", (person,), tuple(sorted(now))) for person, now in after.items() if len(now) > 1]
    return tuple(sorted((*merged, *split), key=lambda event: (event.kind, event.before, event.after)))
