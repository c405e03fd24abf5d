"""What the resolver remembers of a run, so that a later run opens and joins only what is new: at the hub.

The memory holds every record with its spans, and for each view whose rows the groups are and which pairs of records
stand behind the kept pairs. Rosters that come and submissions that go change it; any way to the same rosters gives
the same pairs of records. It holds no token, filter or tag, and no key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.opening import RecordPairs, opened_members
from linkage.match.pairs import ViewChange
from linkage.match.spans import Records, RosterSpans, all_records


@dataclass(frozen=True)
class OpenedView:
    """One view: the record behind every row of every group, each group's records once and in order (links), the kept
    pairs of groups, and the pairs of records (`one`, `other`) that each kept pair (`source`) stands for."""

    member_group: NDArray[np.int64]
    member_submission: NDArray[np.int64]
    member_record: NDArray[np.int64]
    link_group: NDArray[np.int64]
    link_record: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    pattern: NDArray[np.int32]
    source: NDArray[np.int64]
    one: NDArray[np.int64]
    other: NDArray[np.int64]


@dataclass(frozen=True)
class ResolverMemory:
    """What is remembered between two runs."""

    records: Records
    views: Mapping[str, OpenedView]


@dataclass(frozen=True)
class ChangedRecords:
    """The records after a change, with the record numbers of the submissions that came; `number[old]` is where a
    record stands now, -1 where it is gone."""

    records: Records
    number: NDArray[np.int64]


def empty_records() -> Records:
    """No record."""
    return all_records(())


def empty_view() -> OpenedView:
    """A view of which nothing was seen."""
    none = np.empty(0, dtype=np.int64)
    return OpenedView(none, none, none, none, none, none, none, np.empty(0, dtype=np.int32), none, none, none)


def renumbered(
    memory: ResolverMemory, *, providers: NDArray[np.int32], submissions: NDArray[np.int64]
) -> ResolverMemory:
    """The same memory under other numbers; providers keep their order."""
    records = replace(
        memory.records,
        provider=providers[memory.records.provider],
        span_submission=submissions[memory.records.span_submission],
    )
    views = {
        name: replace(view, member_submission=submissions[view.member_submission])
        for name, view in memory.views.items()
    }
    return ResolverMemory(records, views)


def changed_records(memory: Records, *, added: Sequence[RosterSpans], gone: Collection[int]) -> ChangedRecords:
    """The records once rosters came and submissions went; sorted as if all had come at once."""
    came = all_records(added)
    stays = ~np.isin(memory.span_submission, np.fromiter(gone, dtype=np.int64, count=len(gone)))
    alive = np.zeros(len(memory.provider), dtype=np.bool_)
    alive[_record_of_span(memory)[stays]] = True
    old, new = _keys(memory.provider, memory.reference), _keys(came.provider, came.reference)
    place = np.searchsorted(old, new)
    known = (old[np.minimum(place, len(old) - 1)] == new) if len(old) else np.zeros(len(new), dtype=np.bool_)
    alive[place[known]] = True
    before = np.cumsum(np.bincount(place[~known], minlength=len(old) + 1))[: len(old)]
    number = np.where(alive, np.cumsum(alive) - 1 + before, -1)
    came_as = np.empty(len(new), dtype=np.int64)
    came_as[known] = number[place[known]]
    lower = np.concatenate([[0], np.cumsum(alive)])
    came_as[~known] = lower[place[~known]] + np.arange(int((~known).sum()))
    total = int(alive.sum()) + int((~known).sum())
    provider, reference = np.empty(total, dtype=np.int32), np.empty(total, dtype="V16")
    provider[number[alive]], reference[number[alive]] = memory.provider[alive], memory.reference[alive]
    provider[came_as], reference[came_as] = came.provider, came.reference
    span_record = np.concatenate([number[_record_of_span(memory)[stays]], came_as[_record_of_span(came)]])
    order = np.argsort(span_record, kind="stable")
    records = Records(
        provider,
        reference,
        spans=np.concatenate([memory.spans[stays], came.spans])[order],
        span_starts=_starts(span_record, total),
        numbers={submission: (ids, came_as[record]) for submission, (ids, record) in came.numbers.items()},
        span_submission=np.concatenate([memory.span_submission[stays], came.span_submission])[order],
    )
    return ChangedRecords(records, number)


def changed_view(
    memory: OpenedView,
    change: ViewChange,
    *,
    changed: ChangedRecords,
    gone: Collection[int],
    added: Sequence[RosterSpans],
) -> tuple[OpenedView, RecordPairs]:
    """One view after a change, and its pairs of records. Raises LinkageError as `opening.record_pairs` does."""
    pairs, records = change.pairs, len(changed.records.provider)
    number = np.where(change.group_stays, np.cumsum(change.group_stays) - 1, -1)
    member_stays = ~np.isin(memory.member_submission, np.fromiter(gone, dtype=np.int64, count=len(gone)))
    member_group = np.concatenate([number[memory.member_group[member_stays]], pairs.member_group])
    opened = opened_members(pairs, records=changed.records, rosters=added)
    member_record = np.concatenate([changed.number[memory.member_record[member_stays]], opened])
    links = _distinct(member_group * records + member_record)
    touched = _touched_groups(memory, links, number=number, changed=changed, groups=pairs.groups)
    left = np.concatenate([number[memory.left[change.pair_stays]], pairs.left])
    right = np.concatenate([number[memory.right[change.pair_stays]], pairs.right])
    pattern = np.concatenate([memory.pattern[change.pair_stays], pairs.pattern])
    anew = touched[left] | touched[right]
    anew[int(change.pair_stays.sum()) :] = True
    kept = _kept_sources(memory, change, anew=anew)
    source, one, other = _expanded(
        np.flatnonzero(anew), left=left, right=right, links=links, records=records, groups=pairs.groups
    )
    renewed = OpenedView(
        member_group,
        np.concatenate([memory.member_submission[member_stays], pairs.member_submission]),
        member_record,
        links // max(1, records),
        links % max(1, records),
        left,
        right,
        pattern,
        source=np.concatenate([kept.source, source]),
        one=np.concatenate([changed.number[memory.one[kept.stays]], one]),
        other=np.concatenate([changed.number[memory.other[kept.stays]], other]),
    )
    return renewed, _record_pairs(renewed, change, links=links, records=records)


@dataclass(frozen=True)
class _Kept:
    """Which pairs of records stay as they are, and the kept pair each stands behind now."""

    stays: NDArray[np.bool_]
    source: NDArray[np.int64]


def _kept_sources(memory: OpenedView, change: ViewChange, *, anew: NDArray[np.bool_]) -> _Kept:
    number = np.where(change.pair_stays, np.cumsum(change.pair_stays) - 1, -1)
    source = number[memory.source]
    stays = source >= 0
    stays[stays] = ~anew[source[stays]]
    return _Kept(stays, source[stays])


def _touched_groups(
    memory: OpenedView, links: NDArray[np.int64], *, number: NDArray[np.int64], changed: ChangedRecords, groups: int
) -> NDArray[np.bool_]:
    """The groups that stay and stand for other records than before."""
    records = len(changed.records.provider)
    group, record = number[memory.link_group], changed.number[memory.link_record]
    still = group >= 0
    touched = np.zeros(groups, dtype=np.bool_)
    touched[group[still & (record < 0)]] = True
    still &= record >= 0
    before = group[still] * records + record[still]
    touched[np.setxor1d(links, before, assume_unique=True) // max(1, records)] = True
    return touched


def _expanded(
    chosen: NDArray[np.int64],
    *,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    links: NDArray[np.int64],
    records: int,
    groups: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of records behind chosen pairs of groups: source, the smaller record and the larger."""
    record, starts = links % max(1, records), _starts(links // max(1, records), groups)
    start_left, start_right = starts[left[chosen]], starts[right[chosen]]
    size_left, size_right = starts[left[chosen] + 1] - start_left, starts[right[chosen] + 1] - start_right
    count = size_left * size_right
    of = np.repeat(np.arange(len(chosen)), count)
    place = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    one = record[start_left[of] + place // size_right[of]]
    other = record[start_right[of] + place % size_right[of]]
    return chosen[of], np.minimum(one, other), np.maximum(one, other)


def _record_pairs(view: OpenedView, change: ViewChange, *, links: NDArray[np.int64], records: int) -> RecordPairs:
    with_rows = np.zeros(max(1, records), dtype=np.bool_)
    with_rows[links % max(1, records)] = True
    return RecordPairs(
        view=change.pairs.view,
        left=view.one,
        right=view.other,
        pattern=view.pattern[view.source],
        rarity=change.pairs.rarity[view.source],
        dropped=change.pairs.dropped,
        same_provider=change.pairs.same_provider,
        rows_a_record=max(1.0, len(links) / max(1, int(with_rows.sum()))),
        usual_rarity=change.pairs.usual_rarity,
    )


def _keys(provider: NDArray[np.int32], reference: NDArray[np.void]) -> NDArray[np.bytes_]:
    """Provider and reference as bytes whose order is theirs; the last byte keeps trailing zeros from being lost."""
    joined = np.empty((len(provider), 21), dtype=np.uint8)
    joined[:, :4] = provider.astype(">u4").view(np.uint8).reshape(-1, 4)
    joined[:, 4:20] = np.ascontiguousarray(reference).view(np.uint8).reshape(-1, 16)
    joined[:, 20] = 1
    return joined.view("S21").reshape(-1)


def _record_of_span(records: Records) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(records.provider)), np.diff(records.span_starts))


def _starts(numbers: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Where each of the numbers 0 to count begins among sorted numbers, were they sorted."""
    return np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=count))])


def _distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    ordered = np.sort(values)
    first: NDArray[np.bool_] = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]
    return ordered[first]
