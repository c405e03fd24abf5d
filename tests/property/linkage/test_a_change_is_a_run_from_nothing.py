"""Linking what came and went gives the persons, ids, history and quality of a run over the whole."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.match.person_table import PersonTable, empty_table
from linkage.match.resolver import resolve
from linkage.match.resolver_change import ResolvedChange, resolve_change
from linkage.match.resolver_memory import ResolverMemory, empty_records
from linkage.match.view_memory import ViewMemory, compare_change, empty_memory
from linkage.schema import current_schema
from tests.unit.linkage.rosters import Sent, compared, made_up_people

VIEWS = tuple(view.name for view in current_schema().views if view.default)
ROSTERS = 7


@dataclass
class Hub:
    """Memories of matcher and resolver, and the rosters that stand."""

    views: dict[str, ViewMemory] = field(default_factory=lambda: {view: empty_memory(view) for view in VIEWS})
    memory: ResolverMemory = field(default_factory=lambda: ResolverMemory(empty_records(), {}))
    persons: PersonTable = field(default_factory=empty_table)
    drawn: int = 0

    def change(self, added: Sequence[Sent], gone: Sequence[int]) -> ResolvedChange:
        changes = []
        for view, memory in self.views.items():
            rows = [one.rows(view) for one in added if view in one.encoded.rows]
            self.views[view], change = compare_change(memory, added=rows, gone=gone, schema=current_schema())
            changes.append(change)
        result = resolve_change(
            self.memory, self.persons, added=[one.roster_spans for one in added], gone=gone, changes=changes,
            schema=current_schema(), new_id=ids(self.drawn), confirmed={},
        )  # fmt: skip
        self.memory, self.persons = result.memory, result.named.table
        self.drawn += 1_000
        return result

    def links(self, result: ResolvedChange) -> dict[tuple[int, bytes], str]:
        places = dict(zip(result.resolved.records.keys(), self.persons.person.tolist(), strict=True))
        return {key: self.persons.ids[place].decode() for key, place in {**places, **self.persons.departed}.items()}


def ids(first: int):
    counter = itertools.count(first)
    return lambda: f"{next(counter):032x}"


def rosters(seed: int, *, crowded: bool) -> list[Sent]:
    """Seven rosters of three providers that share people; crowded ones have few names and few dates."""
    people = made_up_people(60, seed=seed)
    if crowded:
        people = [
            replace(p, given=f"Zo{'ab'[n % 2]}q", surname=f"Mi{'cd'[n % 3 == 0]}x", birth_date=f"2010-0{n % 3 + 1}-01")
            for n, p in enumerate(people)
        ]
    return [
        Sent(
            number,
            number % 3,
            [
                replace(
                    p, surname=f"{p.surname}{' Zumo' if (number + n) % 5 == 1 else ''}", postcode=f"949{n % 7 + 10}"
                )
                for n, p in enumerate(people[number * 5 : 30 + number * 6])
            ],
            year=2018 + number // 3,
            views=VIEWS,
        )
        for number in range(ROSTERS)
    ]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_any_way_to_the_same_rosters_is_a_run_from_nothing(seed: int, crowded: bool) -> None:
    rng = np.random.default_rng(seed)
    sent, hub = rosters(seed, crowded=crowded), Hub()
    standing: list[int] = []
    before: dict[tuple[int, bytes], str] = {}
    for _ in range(4):
        absent = [number for number in range(ROSTERS) if number not in standing]
        added = sorted(rng.choice(absent, min(len(absent), int(rng.integers(4))), replace=False).tolist())
        gone = [number for number in standing if rng.random() < 0.25]
        standing = [number for number in standing if number not in gone] + added
        drawn = hub.drawn

        result = hub.change([sent[number] for number in added], gone)
        whole = [sent[number] for number in standing]
        full = resolve(
            [one.roster_spans for one in whole], schema=current_schema(),
            views=[compared(whole, view) for view in VIEWS], previous=before, new_id=ids(drawn),
        )  # fmt: skip

        after = hub.links(result)
        keys = result.resolved.records.keys()
        changed = {keys[place] for place in result.named.changed} | set(result.named.changed_departed)
        assert after == full.persons
        assert result.named.history == full.history
        assert result.resolved.quality == full.quality
        assert changed == {key for key in after if before.get(key) != after[key]}
        before = after
