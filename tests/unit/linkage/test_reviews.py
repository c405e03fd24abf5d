"""Lists of records to verify: what they tell, and what answers weigh. Links at other thresholds. Stored memories."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from linkage.errors import LinkageError
from linkage.match import memory_files as stored
from linkage.match.person_table import NOBODY, departed_table, empty_table, moved_table, named_change, renumbered_table
from linkage.match.resolver_change import ResolvedChange, resolve_change
from linkage.match.resolver_memory import ResolverMemory, empty_records
from linkage.match.resolver_memory import renumbered as renumbered_memory
from linkage.match.reviews import (
    BOTH_SIDES_RIGHT,
    LARGEST_LIST,
    ONE_SIDE_RIGHT,
    confirmed_evidence,
    doubtful_fields,
    list_length,
    review_lists,
)
from linkage.match.view_memory import ViewMemory, compare_change, empty_memory
from linkage.match.view_memory import renumbered as renumbered_view
from linkage.schema import current_schema
from tests.unit.linkage.rosters import Sent, made_up_people

VIEWS = tuple(view.name for view in current_schema().views if view.default)


def two_sides(count: int = 60, *, spoilt: int = 12) -> list[Sent]:
    """The same people twice; some of the second side under another surname and day."""
    people = made_up_people(count)
    other = [
        replace(p, surname=f"{p.surname[:-3]}zqv", birth_date=f"{p.birth_date[:8]}28", postcode="94999")
        if n < spoilt
        else p
        for n, p in enumerate(people)
    ]
    return [Sent(0, 0, people, year=2020, views=VIEWS), Sent(1, 1, other, year=2021, grade=4, views=VIEWS)]


def linked(sent, *, confirmed=None) -> tuple[ResolvedChange, dict[str, ViewMemory]]:
    counter = itertools.count()
    memories, changes = {}, []
    for view in VIEWS:
        rows = [one.rows(view) for one in sent if view in one.encoded.rows]
        memories[view], change = compare_change(empty_memory(view), added=rows, gone=(), schema=current_schema())
        changes.append(change)
    result = resolve_change(
        ResolverMemory(empty_records(), {}), empty_table(), added=[one.roster_spans for one in sent], gone=(),
        changes=changes, schema=current_schema(), new_id=lambda: f"{next(counter):032x}", confirmed=confirmed or {},
    )  # fmt: skip
    return result, memories


@pytest.fixture(scope="module")
def result() -> ResolvedChange:
    return linked(two_sides())[0]


def uncertain(result: ResolvedChange):
    """The same run, were every pair uncertain."""
    resolved = result.resolved
    evidence = resolved.evidence
    assert len(evidence.left)
    return resolved, replace(resolved.solved, posterior=np.full(len(evidence.left), 0.4))


def lists_of(result, solved, *, asked=frozenset(), waiting=None, seed=1):
    return review_lists(
        result.resolved.evidence, solved, records=result.resolved.records, asked=asked, waiting=waiting or {},
        rng=np.random.default_rng(seed),
    )  # fmt: skip


@pytest.mark.parametrize(("records", "lines"), [(4, 4), (10, 10), (400, 10), (1000, 20), (100_000, LARGEST_LIST)])
def test_a_list_is_as_long_as_the_roster_says(records: int, lines: int) -> None:
    assert list_length(records) == lines


def test_lists_are_as_long_whether_everything_is_in_doubt_or_nothing(result: ResolvedChange) -> None:
    _, all_in_doubt = uncertain(result)
    nothing = replace(all_in_doubt, posterior=np.zeros_like(all_in_doubt.posterior))

    lengths = [{p: len(lines) for p, lines in lists_of(result, one).items()} for one in (all_in_doubt, nothing)]

    assert lengths == [{0: 10, 1: 10}] * 2


def test_at_least_half_of_a_list_is_drawn_by_chance(result: ResolvedChange) -> None:
    resolved, solved = uncertain(result)
    doubtful = doubtful_fields(resolved.evidence.pattern).any(axis=1)
    left, right = resolved.evidence.left[doubtful], resolved.evidence.right[doubtful]
    in_doubt = set(resolved.records.keys_of(np.concatenate([left, right])))

    drawn = [
        [(provider, line.reference) in in_doubt for line in lines]
        for seed in range(40)
        for provider, lines in lists_of(result, solved, seed=seed).items()
    ]

    assert 0 < len(in_doubt) < 40
    assert 0 < sum(sum(of_list) for of_list in drawn) / len(drawn) < 6.5
    assert {at for of_list in drawn for at, true in enumerate(of_list) if true} == set(range(10))


def test_a_line_names_nobody_but_its_own_record(result: ResolvedChange) -> None:
    _, solved = uncertain(result)

    for lines in lists_of(result, solved).values():
        for line in lines:
            assert set(vars(line)) == {"reference", "fields"}
            assert len({line.reference for line in lines}) == len(lines)


def test_a_record_that_was_ever_asked_about_is_not_asked_again(result: ResolvedChange) -> None:
    _, solved = uncertain(result)
    first = {(provider, line.reference) for provider, lines in lists_of(result, solved).items() for line in lines}

    second = lists_of(result, solved, asked=frozenset(first))

    assert not first & {(provider, line.reference) for provider, lines in second.items() for line in lines}


def test_a_list_is_only_filled_up(result: ResolvedChange) -> None:
    _, solved = uncertain(result)

    assert {p: len(lines) for p, lines in lists_of(result, solved, waiting={0: 8, 1: 30}).items()} == {0: 2, 1: 0}


def test_a_disagreement_in_a_field_found_right_weighs_more_against_a_match(result: ResolvedChange) -> None:
    resolved = result.resolved
    doubtful = doubtful_fields(resolved.evidence.pattern)
    pair = int(np.flatnonzero(doubtful[:, 0])[0])
    keys = resolved.records.keys_of(np.array([resolved.evidence.left[pair], resolved.evidence.right[pair]]))
    names = frozenset({"names"})

    one = confirmed_evidence(resolved.evidence, records=resolved.records, confirmed={keys[0]: names})
    both = confirmed_evidence(resolved.evidence, records=resolved.records, confirmed=dict.fromkeys(keys, names))
    none = confirmed_evidence(resolved.evidence, records=resolved.records, confirmed={})

    assert one.weight[pair] - resolved.evidence.weight[pair] == pytest.approx(ONE_SIDE_RIGHT)
    assert both.weight[pair] - resolved.evidence.weight[pair] == pytest.approx(BOTH_SIDES_RIGHT)
    assert none is resolved.evidence


def test_a_looser_threshold_joins_what_a_stricter_one_parts(result: ResolvedChange) -> None:
    persons = len(np.unique(result.named.table.person))

    assert set(result.thresholds) == {"strict", "loose"}
    assert all(len(person) == 32 for links in result.thresholds.values() for person in links.values())
    assert persons <= len(result.named.table.person)


def test_memories_come_back_as_they_were_stored() -> None:
    found, views = linked(two_sides())
    numbering = stored.Numbering(("s0", "s1"), ("zq-one", "zq-two"))
    memory = views[VIEWS[0]]
    table = replace(found.named.table, departed={(0, b"\x01" * 16): 0, (1, bytes(16)): 1})

    read, of_view = stored.view_memory_from_bytes(stored.view_memory_to_bytes(memory, numbering))
    opened = found.memory.views[VIEWS[0]]
    reopened = stored.opened_view_from_bytes(stored.opened_view_to_bytes(opened, numbering))
    records, persons, _ = stored.persons_from_bytes(stored.persons_to_bytes(found.memory.records, table, numbering))

    assert of_view == numbering
    assert [getattr(read, n).tobytes() for n in ("rows", "left", "pattern", "size")] == [
        getattr(memory, n).tobytes() for n in ("rows", "left", "pattern", "size")
    ]
    assert read.keeps_all == memory.keeps_all
    assert np.array_equal(reopened.source, opened.source)
    assert records.reference.tobytes() == found.memory.records.reference.tobytes()
    assert persons.departed == table.departed
    assert np.array_equal(persons.person, table.person)


@pytest.mark.parametrize("spoil", [lambda c: c[:-1], lambda c: c + b"x", lambda c: c[4:], lambda c: c[:30]])
def test_a_memory_that_is_not_whole_is_refused(spoil) -> None:
    content = stored.persons_to_bytes(empty_records(), empty_table(), stored.Numbering((), ()))
    large = stored.view_memory_to_bytes(linked(two_sides(12))[1][VIEWS[0]], stored.Numbering((), ()))

    for whole, read in ((content, stored.persons_from_bytes), (large, stored.view_memory_from_bytes)):
        with pytest.raises(LinkageError) as refused:
            read(spoil(whole))
        assert refused.value.code == "truncated_memory"


def test_what_is_handed_over_comes_back_as_it_was() -> None:
    sent = two_sides(12)
    memory, change = compare_change(
        empty_memory(VIEWS[0]), added=[one.rows(VIEWS[0]) for one in sent], gone=(), schema=current_schema()
    )
    numbering = stored.Numbering(("s0", "s1"), ("zq-one", "zq-two"))

    read, found = stored.change_from_bytes(stored.change_to_bytes(change, numbering))

    assert found == numbering
    assert read.pairs.rarity.tobytes() == change.pairs.rarity.tobytes()
    assert read.group_stays.tolist() == change.group_stays.tolist() == []
    assert memory.view == read.pairs.view


def test_a_memory_under_other_numbers_speaks_of_the_same_submissions_and_providers() -> None:
    found, views = linked(two_sides(40))
    providers, submissions = np.array([1, 4], dtype=np.int32), np.array([7, 3], dtype=np.int64)

    largest = max(VIEWS, key=lambda view: len(views[view].rows))
    memory = renumbered_view(views[largest], providers=providers, submissions=submissions)
    resolver = renumbered_memory(found.memory, providers=providers, submissions=submissions)

    assert set(memory.provider.tolist()) == {1, 4}
    assert set(memory.member_submission.tolist()) == {3, 7}
    assert set(resolver.records.provider.tolist()) == {1, 4}
    assert set(resolver.records.span_submission.tolist()) == {3, 7}
    assert set(resolver.views[largest].member_submission.tolist()) == {3, 7}


def test_pairs_in_one_person_are_linked(result: ResolvedChange) -> None:
    resolved = result.resolved

    assert int(resolved.linked.sum()) == resolved.quality.links


def test_large_numbers_keep_eight_bytes() -> None:
    table = replace(empty_table(), person=np.array([2**40, NOBODY], dtype=np.int64))

    content = stored.persons_to_bytes(empty_records(), table, stored.Numbering((), ()))

    assert stored.persons_from_bytes(content)[1].person.tolist() == [2**40, NOBODY]


def test_names_that_are_no_longer_there_are_numbered_behind() -> None:
    assert stored.renumbering(("a", "b", "c"), new=("b", "d")).tolist() == [2, 0, 3]


def test_records_that_went_and_come_back_have_their_person_again() -> None:
    key, gone = (1, b"\x02" * 16), (0, b"\x03" * 16)
    table = renumbered_table(
        departed_table({(0, b"\x02" * 16): "p" * 32, (1, b"\x04" * 16): "q" * 32}), providers=np.array([1, 2])
    )

    moved = moved_table(
        replace(table, person=np.array([1, NOBODY], dtype=np.int64)), number=np.array([-1, -1]),
        before=[gone, (0, b"\x05" * 16)], gone=np.array([0, 1]), records=1, arrived={key: 0},
    )  # fmt: skip

    assert moved.ids[moved.person].tolist() == [b"p" * 32]
    assert {key: moved.ids[place] for key, place in moved.departed.items()} == {
        (2, b"\x04" * 16): b"q" * 32, gone: b"q" * 32,
    }  # fmt: skip


def test_a_record_that_went_follows_its_person_into_the_one_it_was_merged_with() -> None:
    table = departed_table({(0, b"\x01" * 16): "a" * 32, (9, b"\x07" * 16): "b" * 32})
    both = replace(table, person=np.array([0, 0, 1], dtype=np.int64), departed={(9, b"\x07" * 16): 1})

    named = named_change(np.array([0, 0, 0]), table=both, new_id=lambda: "c" * 32)

    assert named.table.ids[named.table.person].tolist() == [b"a" * 32] * 3
    assert named.table.departed == {(9, b"\x07" * 16): 0}
    assert named.changed.tolist() == [2]
    assert named.changed_departed == ((9, b"\x07" * 16),)
    assert [event.kind for event in named.history] == ["merged"]
