"""The matcher: groups, candidate pairs and patterns, from rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest

from linkage.encode.person import ClearPerson
from linkage.errors import LinkageError
from linkage.match import kernel, row_kernel
from linkage.match.grouping import group_rows, order_of, row_words
from linkage.match.matcher import RosterRows, check_rows, compare_view
from linkage.match.pairs import pairs_from_bytes, pairs_to_bytes
from linkage.match.patterns import (
    DAY_AGREES,
    DAY_SIZE,
    DAY_SWAPPED,
    GIVEN_ABSENT,
    GIVEN_DERIVED,
    NAMES_CROSSED,
    PATTERNS,
    SURNAME_ABSENT,
    SURNAME_BOTH_DERIVED,
    SURNAME_DERIVED,
    SURNAME_SIZE,
    kept_patterns,
    outcomes_of,
)
from linkage.profile import ViewProfile, check_profile, largest_allowed
from linkage.rows import VIEW_ROW, span_rows, view_rows
from linkage.schema import current_schema
from tests.unit.linkage.rosters import Sent, compared, made_up_people

SCHEMA = current_schema()
QUZAM = ClearPerson(0, given="Quzamira", surname="Xelorian", birth_date="2010-02-03", sex="F", postcode="94901")
EXACT = 4 * SURNAME_SIZE + 4


def interpreted(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "py_func", function)


def best_pattern(one: ClearPerson, other: ClearPerson, view: str = "dob") -> list[int]:
    pairs = compared([Sent(1, 1, [one]), Sent(2, 2, [other])], view)
    return outcomes_of(np.sort(pairs.pattern)[-1:].astype(np.int64))[0].tolist()


def test_equal_rows_of_one_provider_are_one_group_over_the_years() -> None:
    people = made_up_people(20)
    sent = [Sent(n, 1, people, year=2010 + n) for n in range(5)]

    groups = group_rows([one.rows("dob") for one in sent])

    assert len(groups.rows) == 20
    assert len(groups.member_group) == 100
    assert np.bincount(groups.member_group).tolist() == [5] * 20


def test_equal_rows_of_two_providers_are_two_groups() -> None:
    people = made_up_people(20)

    groups = group_rows([Sent(1, 1, people).rows("dob"), Sent(2, 2, people).rows("dob")])

    assert len(groups.rows) == 40


def test_pairs_are_formed_across_providers_only() -> None:
    people = made_up_people(20)

    alone = compared([Sent(1, 1, people), Sent(2, 1, [replace(one, sex="X") for one in people])], "dob")
    together = compared([Sent(1, 1, people), Sent(2, 2, people)], "dob")

    assert len(alone.left) == 0
    assert alone.same_provider.sum() >= 20
    assert len(together.left) >= 20


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (QUZAM, EXACT),
        (replace(QUZAM, given="Xelorian", surname="Quzamira"), NAMES_CROSSED),
        (replace(QUZAM, given="Xelloriann", surname="Quzamira"), NAMES_CROSSED + 1),
        (replace(QUZAM, given=None), GIVEN_ABSENT * SURNAME_SIZE + 4),
        (replace(QUZAM, surname=None), 4 * SURNAME_SIZE + SURNAME_ABSENT),
        (replace(QUZAM, surname="Xelorian Zumo"), 4 * SURNAME_SIZE + SURNAME_DERIVED),
    ],
)
def test_names_are_compared_as_written_crossed_in_part_or_absent(other: ClearPerson, names: int) -> None:
    assert best_pattern(QUZAM, other)[0] == names


def test_a_nickname_agrees_through_the_formal_name_and_counts_as_derived() -> None:
    pattern = best_pattern(replace(QUZAM, given="Bill"), replace(QUZAM, given="William"))

    assert pattern[0] // SURNAME_SIZE == GIVEN_DERIVED


def test_two_compound_surnames_that_share_a_part_agree_by_parts_only() -> None:
    one, other = replace(QUZAM, surname="Xelorian Zumo"), replace(QUZAM, surname="Xelorian Bakidu")

    pattern = best_pattern(one, other)

    assert pattern[0] % SURNAME_SIZE == SURNAME_BOTH_DERIVED


@pytest.mark.parametrize(
    ("date", "outcome"),
    [
        ("2010-02-03", DAY_SIZE + DAY_AGREES),
        ("2010-03-02", DAY_SIZE + DAY_SWAPPED),
        ("2011-02-03", DAY_AGREES),
        ("2010-02-04", DAY_SIZE + 1),
        ("2010-07-03", DAY_SIZE + 1),
        ("2010-07-08", DAY_SIZE),
        ("2010-44-08", DAY_SIZE + 4),
        (None, 2 * DAY_SIZE + 4),
    ],
)
def test_dates_are_compared_by_year_and_by_month_and_day(date: str | None, outcome: int) -> None:
    assert best_pattern(QUZAM, replace(QUZAM, birth_date=date), view="names")[1] == outcome


def test_a_view_without_rows_has_no_pairs() -> None:
    pairs = compare_view([], schema=SCHEMA, view="dob")

    assert (pairs.groups, len(pairs.left), pairs.usual_rarity) == (0, 0, 0.0)


def test_pairs_that_no_weight_could_link_are_counted_and_dropped() -> None:
    people = [replace(one, birth_date="2010-02-03") for one in made_up_people(30)]

    pairs = compared([Sent(1, 1, people), Sent(2, 2, people)], "dob")

    assert len(pairs.left) < 900
    assert len(pairs.left) + pairs.dropped.sum() == 900
    assert not (pairs.dropped[kept_patterns()] > 0).any()


def test_pairs_come_back_from_their_stored_form() -> None:
    pairs = compared([Sent(1, 1, made_up_people(9)), Sent(2, 2, made_up_people(9))], "names")

    read = pairs_from_bytes(pairs_to_bytes(pairs))

    assert pairs_to_bytes(read) == pairs_to_bytes(pairs)
    assert read.left.tolist() == pairs.left.tolist()


@pytest.mark.parametrize("harm", [lambda c: c[1:], lambda c: c[:-1], lambda c: c + b"x", lambda c: c[:200]])
def test_a_harmed_pairs_file_is_refused(harm: Callable[[bytes], bytes]) -> None:
    content = pairs_to_bytes(compared([Sent(1, 1, made_up_people(9))], "names"))

    with pytest.raises(LinkageError, match="truncated_pairs"):
        pairs_from_bytes(harm(content))


def _set(name: str, value: Any, row: int = 0) -> Callable[[np.ndarray], None]:
    def change(rows: np.ndarray) -> None:
        rows[name][row] = value

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set("view", 2), "wrong_view"),
        (_set("flags", 4), "bad_flags"),
        (_set("flags", 1), "bad_weight"),
        (_set("variant", 64), "bad_variant"),
        (_set("given", 0), "bad_weight"),
        (_set("surname", 2**64 - 1), "bad_weight"),
        (_set("spare", 1), "bad_spare"),
    ],
)
def test_rows_that_break_the_layout_are_refused_with_their_place(
    change: Callable[[np.ndarray], None], code: str
) -> None:
    rows = Sent(1, 1, made_up_people(3)).encoded.rows["dob"].copy()
    change(rows)

    with pytest.raises(LinkageError) as refusal:
        check_rows(rows, schema=SCHEMA, view="dob")

    assert (refusal.value.code, refusal.value.place) == (code, "view dob, row 0")


def test_a_row_that_comes_twice_is_refused() -> None:
    rows = Sent(1, 1, made_up_people(3)).encoded.rows["dob"]

    with pytest.raises(LinkageError, match="row_repeated"):
        check_rows(np.concatenate([rows, rows]), schema=SCHEMA, view="dob")


def test_an_unknown_view_is_refused() -> None:
    with pytest.raises(LinkageError, match="unknown_view"):
        compare_view([], schema=SCHEMA, view="shoe-size")


@pytest.mark.parametrize("read", [view_rows, span_rows])
def test_a_truncated_chunk_is_refused(read: Callable[[bytes], Any]) -> None:
    with pytest.raises(LinkageError, match="truncated_chunk"):
        read(b"x" * 119)


def test_rows_come_back_from_their_bytes() -> None:
    rows = Sent(1, 1, made_up_people(3)).encoded.rows["dob"]

    assert view_rows(rows.tobytes()).tobytes() == rows.tobytes()


@pytest.mark.parametrize(("records", "allowed"), [(40, 20), (4_000, 20), (100_000, 500)])
def test_a_view_value_may_be_shared_by_twenty_records_or_half_a_percent(records: int, allowed: int) -> None:
    check_profile({"dob": ViewProfile(values=9, largest=allowed)}, records=records)

    assert largest_allowed(records) == allowed
    with pytest.raises(LinkageError, match="view_too_common"):
        check_profile({"dob": ViewProfile(values=9, largest=allowed + 1)}, records=records)


def test_the_interpreted_comparison_gives_what_the_compiled_one_gives() -> None:
    people = [
        QUZAM,
        replace(QUZAM, given="Xelorian", surname="Quzamira"),
        replace(QUZAM, given="Xeloriann", surname="Quzamira"),
        replace(QUZAM, given=None, surname="Bakidu Zumo"),
        replace(QUZAM, surname=None, given="Bill"),
        replace(QUZAM, given="William", surname="Zumo", birth_date="2010-03-02"),
        replace(QUZAM, surname="Xelorian Zumo", sex=None),
        replace(QUZAM, given="Tavodu", surname="Nigepi", postcode="94999"),
    ]
    numbered = [replace(person, local_record=n) for n, person in enumerate(people)]
    rows = np.concatenate([Sent(n, n, numbered).encoded.rows["dob"] for n in (1, 2)])
    provider = np.repeat(np.array([1, 2], dtype=np.int32), len(rows) // 2)
    words = row_words(rows).copy()
    words[0, kernel.TOKEN_WORD + 3] ^= np.uint32(1)
    cuts = np.array(SCHEMA.similarity_cuts, dtype=np.int64)
    order, ends = np.arange(len(rows))[::-1].copy(), np.full(len(rows), len(rows), dtype=np.int64)
    results = []

    for function in (kernel.compare_rows, interpreted(kernel.compare_rows)):
        dropped, same = np.zeros(PATTERNS, dtype=np.int64), np.zeros(PATTERNS, dtype=np.int64)
        pairs, patterns = np.zeros((9000, 2), dtype=np.int64), np.zeros(9000, dtype=np.int32)
        count = function(
            0, len(rows), order, ends, words, provider, cuts, kept_patterns(), dropped, same, pairs, patterns
        )
        results.append((count, dropped.tolist(), same.tolist(), pairs.tolist(), patterns.tolist()))
    count, _, _, pairs_found, patterns_found = results[0]

    assert results[0] == results[1]
    for places, pattern in zip(pairs_found[:count], patterns_found[:count], strict=True):
        i, j = order[places]
        outcomes = outcomes_of(np.array([pattern]))[0].tolist()
        assert interpreted(kernel.names_outcome)(words, cuts, i, j) == outcomes[0]
        assert interpreted(kernel.date_outcome)(words, i, j) == outcomes[1]
        assert [interpreted(kernel.tag_outcome)(words, i, j, field) for field in range(3, 7)] == outcomes[2:]


def _row_with_tags(*tags: int) -> np.ndarray:
    rows = np.zeros(1, dtype=VIEW_ROW)
    rows["tags"][0, : len(tags)] = tags
    return row_words(rows)[0]


def test_interpreted_parts_of_the_kernel_agree_with_their_definition() -> None:
    filters = np.zeros(2, dtype=VIEW_ROW)
    filters["given"] = [[1, 3, 7, 15], [1, 1, 1, 2**63 + 1]]
    cuts = np.array([2, 4, 6], dtype=np.int64)
    dates = np.stack(
        [_row_with_tags(5, 2, 3), _row_with_tags(5, 2, 3), _row_with_tags(5, 3, 2), _row_with_tags(5, 2, 9)]
    )
    absent = np.stack([_row_with_tags(0, 0, 0), _row_with_tags(1, 1, 1)])
    date_outcome = interpreted(kernel.date_outcome)

    assert interpreted(kernel.common_bits)(row_words(filters), 0, 1, kernel.GIVEN_WORD, kernel.GIVEN_WORD) == 4
    assert [interpreted(kernel.level_of)(common, cuts) for common in (0, 2, 5, 9)] == [0, 1, 2, 3]
    assert date_outcome(absent, 0, 1) == 2 * DAY_SIZE + 4
    assert date_outcome(dates, 0, 1) == DAY_SIZE + DAY_AGREES
    assert date_outcome(dates, 0, 3) == DAY_SIZE + 1
    assert date_outcome(dates, 0, 2) == DAY_SIZE + DAY_SWAPPED
    assert interpreted(kernel.tag_of)(dates, 3, 2) == 9
    assert interpreted(kernel.same_token)(dates, 0, 1) is True


def test_rows_are_hashed_grouped_and_blocked_alike_compiled_and_interpreted() -> None:
    rows = np.concatenate([Sent(n, 1, made_up_people(6, seed=n % 2), year=2018).encoded.rows["dob"] for n in range(4)])
    words, provider = row_words(rows), np.repeat(np.array([1, 1, 1, 2], dtype=np.int32), 6)
    multipliers = np.arange(3, 29, 2, dtype=np.uint64)
    hashed, firsts, spans = [], [], []

    for read in (lambda function: function, interpreted):
        hashes, first = np.empty(len(rows), dtype=np.uint64), np.empty(len(rows), dtype=np.int64)
        with np.errstate(over="ignore"):
            read(row_kernel.hash_rows)(words, multipliers, hashes)
        read(row_kernel.first_equal_rows)(
            words, provider, hashes // np.uint64(2**63), order_of(hashes // np.uint64(2**63)), first
        )
        starts, ends = np.empty(5, dtype=np.int64), np.empty(5, dtype=np.int64)
        read(row_kernel.block_ends)(np.array([1, 1, 4, 7, 7], dtype=np.uint64), starts, ends)
        hashed.append(hashes.tolist())
        firsts.append(first.tolist())
        spans.append((starts.tolist(), ends.tolist()))

    assert hashed[0] == hashed[1]
    assert firsts[0] == firsts[1] != list(range(len(rows)))
    assert spans[0] == spans[1] == ([0, 0, 2, 3, 3], [2, 2, 3, 5, 5])
    assert interpreted(row_kernel.equal_rows)(words, 0, 0)
    assert not interpreted(row_kernel.equal_rows)(words, 0, 1)


def test_values_that_begin_alike_are_sorted_in_full_and_ties_keep_their_order() -> None:
    values = np.array([9, 2**63 + 3, 9, 2**63 + 1, 2**63 + 3], dtype=np.uint64)

    assert order_of(values).tolist() == [0, 2, 3, 1, 4]
    assert order_of(values[:0]).tolist() == []


def _count(word: int) -> int:
    return kernel.popcount(word)


def test_the_compiled_popcount_counts_every_bit() -> None:
    counted = numba.njit(_count)

    assert [counted(np.uint64(word)) for word in (0, 1, 255, 2**64 - 1)] == [0, 1, 8, 64]
    assert kernel.popcount(2**64 - 1) == 64


def test_rosters_are_read_whatever_their_order() -> None:
    sent = [Sent(n, n % 3, made_up_people(12, seed=n % 2), year=2018) for n in range(5)]

    one, other = compared(sent, "dob"), compared(sent[::-1], "dob")

    assert pairs_to_bytes(one) == pairs_to_bytes(other)
    assert RosterRows(1, 1, np.zeros(0, dtype=VIEW_ROW)).submission == 1
