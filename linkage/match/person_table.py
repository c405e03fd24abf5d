"""Persons of all records as columns, renamed in one step where a run changed them: at the hub, in the resolver.

The rule is that of `persons.named_persons`: a person keeps the id that most of its records had before. Here only the
persons whose records changed company are looked at one by one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linkage.match.persons import HistoryEvent, RecordKey, given_ids, history_of

NOBODY = -1


@dataclass(frozen=True)
class PersonTable:
    """The person of every record, by place in `ids`; and of records that no roster holds any more."""

    ids: NDArray[np.bytes_]
    person: NDArray[np.int64]
    departed: Mapping[RecordKey, int]


@dataclass(frozen=True)
class NamedChange:
    """The persons after a run, the places of the records whose person is another than before, and the history."""

    table: PersonTable
    changed: NDArray[np.int64]
    changed_departed: tuple[RecordKey, ...]
    history: tuple[HistoryEvent, ...]


def empty_table() -> PersonTable:
    """Nobody."""
    return PersonTable(np.empty(0, dtype="S32"), np.empty(0, dtype=np.int64), {})


def departed_table(previous: Mapping[RecordKey, str]) -> PersonTable:
    """The links of an earlier run as records that went, so that each has its person again when it comes."""
    names = sorted(set(previous.values()))
    place = {name: at for at, name in enumerate(names)}
    departed = {key: place[name] for key, name in previous.items()}
    return PersonTable(np.array([name.encode() for name in names], dtype="S32"), np.empty(0, dtype=np.int64), departed)


def renumbered_table(table: PersonTable, *, providers: NDArray[np.int32]) -> PersonTable:
    """The same table under other provider numbers."""
    departed = {(int(providers[key[0]]), key[1]): person for key, person in table.departed.items()}
    return replace(table, departed=departed)


def moved_table(
    table: PersonTable,
    *,
    number: NDArray[np.int64],
    before: Sequence[RecordKey],
    gone: NDArray[np.int64],
    records: int,
    arrived: Mapping[RecordKey, int],
) -> PersonTable:
    """The same table for changed records: `number[old]` is where a record stands now; those that went are departed,
    and those that came back (`arrived`: key and place of every record that came) have their person again.

    Args:
        before: keys of the records at `gone`, the places of records that went.
    """
    person = np.full(records, NOBODY, dtype=np.int64)
    stays = number >= 0
    person[number[stays]] = table.person[stays]
    departed = dict(table.departed)
    for key, place in zip(before, gone.tolist(), strict=True):
        if table.person[place] != NOBODY:
            departed[key] = int(table.person[place])
    for key in departed.keys() & arrived.keys():
        person[arrived[key]] = departed.pop(key)
    return PersonTable(table.ids, person, departed)


def named_change(heads: NDArray[np.int64], *, table: PersonTable, new_id: Callable[[], str]) -> NamedChange:
    """Ids of all persons, given the first record of the person of every record (`heads`)."""
    had = _claims(heads, table)
    code = np.full(len(heads), NOBODY, dtype=np.int64)
    code[had.head[had.simple]] = had.person[had.simple]
    contested = _contested(had, table.ids)
    names = {name: place for counts in contested.values() for name, place in counts.places.items()}
    given = given_ids({head: counts.counts for head, counts in contested.items()})
    for head, name in given.items():
        code[head] = names[name]
    first = np.flatnonzero(np.bincount(heads, minlength=len(heads)) if len(heads) else heads)
    unnamed = first[code[first] == NOBODY]
    code[unnamed] = len(table.ids) + np.arange(len(unnamed))
    ids = np.concatenate([table.ids, np.array([new_id().encode() for _ in range(len(unnamed))], dtype="S32")])
    called = {head: ids[code[head]].decode() for head in contested}
    names |= {name: int(code[head]) for head, name in called.items()}
    history = history_of({head: counts.counts for head, counts in contested.items()}, ids=called)
    person = code[heads]
    departed = _followed(table.departed, history, ids=ids, names=names, given=set(given.values()))
    changed_departed = tuple(sorted(key for key in departed if departed[key] != table.departed[key]))
    after = PersonTable(ids, person, departed)
    return NamedChange(after, np.flatnonzero(person != table.person), changed_departed, history)


@dataclass(frozen=True)
class _Claims:
    """Each person of before among the records of each person of now, once, with how many records; `simple` where
    neither is shared with another."""

    head: NDArray[np.int64]
    person: NDArray[np.int64]
    count: NDArray[np.int64]
    simple: NDArray[np.bool_]


@dataclass(frozen=True)
class _Counts:
    counts: Counter[str]
    places: dict[str, int]


def _claims(heads: NDArray[np.int64], table: PersonTable) -> _Claims:
    known = table.person != NOBODY
    many = max(1, len(table.ids))
    keys, count = np.unique(heads[known] * many + table.person[known], return_counts=True)
    head, person = keys // many, keys % many
    simple = (np.bincount(head)[head] == 1) & (np.bincount(person)[person] == 1) if len(keys) else keys == NOBODY
    return _Claims(head, person, count, simple)


def _contested(had: _Claims, ids: NDArray[np.bytes_]) -> dict[int, _Counts]:
    found: dict[int, _Counts] = defaultdict(lambda: _Counts(Counter(), {}))
    for place in np.flatnonzero(~had.simple).tolist():
        person = int(had.person[place])
        name = ids[person].decode()
        counts = found[int(had.head[place])]
        counts.counts[name], counts.places[name] = int(had.count[place]), person
    return found


def _followed(
    departed: Mapping[RecordKey, int],
    history: Sequence[HistoryEvent],
    *,
    ids: NDArray[np.bytes_],
    names: Mapping[str, int],
    given: set[str],
) -> dict[RecordKey, int]:
    """Records that went follow their person into the one it was merged with."""
    into = {
        names[before]: names[event.after[0]]
        for event in history
        if event.kind == "merged"
        for before in event.before
        if before not in given
    }
    return {key: into.get(person, person) for key, person in departed.items()}
