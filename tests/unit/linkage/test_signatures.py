"""What the views that found a pair tell, and how pairs of one record compete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from linkage.match import competition
from linkage.match.em import Combinations
from linkage.match.found import found_share
from linkage.match.model import date_table, expected_matches, name_tables, usual_weights
from linkage.match.patterns import (
    AGREES,
    DATE_SIZE,
    DAY_AGREES,
    DAY_SIZE,
    DIFFERS,
    LEVEL_TOP,
    PATTERNS,
    SIZES,
    SURNAME_SIZE,
)
from linkage.match.provider_pairs import candidates, pairs_across, pairs_everywhere
from linkage.match.rivals import Candidates, Rivalry, base_odds, factors_of, free_pairs, second_numbers
from linkage.match.signatures import (
    ANY_NAMES,
    BOTH_CODES,
    ONE_CODE,
    Meetings,
    blocking_of,
    signatures_of,
    usual_chances,
)
from linkage.match.spans import all_records, one_roster_each
from linkage.schema import View, current_schema
from tests.unit.linkage.rosters import Sent, linked, made_up_people

SCHEMA = replace(
    current_schema(),
    views=(
        View("dob", 1, ("birth_year", "birth_month_day"), "none", False, False),
        View("names", 2, (), "pair", False, False),
        View("ssid", 3, ("ssid",), "none", False, True),
        View("place", 4, ("postcode",), "each", False, False),
        View("guardian", 5, ("birth_year", "guardian"), "none", False, False),
        View("names-year", 6, ("birth_year",), "pair", False, False),
        View("spelled", 7, (), "pair", True, False),
    ),
)
SAME_DATE = DAY_SIZE + DAY_AGREES
NONE = Combinations(np.empty(0, dtype=np.int64), np.empty((0, 6), dtype=np.int64), np.empty(0))


def interpreted(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "py_func", function)


def bits(*views: str) -> int:
    return sum(1 << SCHEMA.view(view).number for view in views)


def test_a_view_tells_what_it_blocks_on() -> None:
    told = {view.name: blocking_of(view) for view in SCHEMA.views}

    assert (told["dob"].year, told["dob"].month_day, told["dob"].names) == (True, True, ANY_NAMES)
    assert (told["names"].names, told["place"].names, told["names"].dated) == (BOTH_CODES, ONE_CODE, False)
    assert (told["place"].postcode, told["ssid"].ssid, told["spelled"].spelled) == (True, True, True)
    assert told["guardian"].other == ("guardian",)


def test_a_pair_that_the_date_would_have_found_and_did_not_differs_in_the_date() -> None:
    codes = np.array([bits("dob"), bits("names"), bits("dob", "names")])

    signatures = signatures_of(codes, views=["dob", "names"], schema=SCHEMA)

    allowed = signatures.date_allowed[signatures.date_class]
    assert allowed[:, SAME_DATE].tolist() == [True, False, True]
    assert allowed.sum(axis=1).tolist() == [2, DATE_SIZE - 2, 2]
    assert signatures.names.tolist() == [ANY_NAMES, BOTH_CODES, BOTH_CODES]
    assert signatures.full_date.tolist() == [True, False, True]
    assert signatures.free["names"].tolist() == [True, False, True]
    assert signatures.free["year"].tolist() == [False, True, True]


def test_a_place_tells_of_the_postcode_only_where_the_names_are_known_to_agree() -> None:
    codes = np.array([bits("dob"), bits("names"), bits("place")])

    signatures = signatures_of(codes, views=["dob", "names", "place"], schema=SCHEMA)

    allowed = signatures.postcode_allowed[signatures.postcode_class]
    assert allowed[:, AGREES].tolist() == [True, False, True]
    assert allowed[:, DIFFERS].tolist() == [True, True, False]


def test_names_that_sound_alike_tell_nothing_of_a_view_of_spellings() -> None:
    codes = np.array([bits("names"), bits("spelled")])

    signatures = signatures_of(codes, views=["dob", "names", "spelled"], schema=SCHEMA)

    assert signatures.names.tolist() == [BOTH_CODES, BOTH_CODES]


def test_state_identifiers_agree_where_their_view_found_the_pair_and_nowhere_else() -> None:
    codes = np.array([bits("ssid"), bits("dob")])

    signatures = signatures_of(codes, views=["dob", "ssid"], schema=SCHEMA)

    assert signatures.ssid_allowed[signatures.ssid_class][:, AGREES].tolist() == [True, False]


def test_chance_meetings_are_shared_out_among_the_parts_of_views() -> None:
    views = ["dob", "names", "names-year", "guardian"]
    codes = np.array([bits("dob"), bits("names"), bits("dob", "names"), bits("names", "names-year"), bits("guardian")])
    signatures = signatures_of(codes, views=views, schema=SCHEMA)
    meetings = [Meetings(2000.0, 1e7), Meetings(1000.0, 1e7), Meetings(80.0, 1e7), Meetings(0.0, 0.0)]

    chances = usual_chances(signatures, views=views, meetings=meetings, schema=SCHEMA)

    assert chances[0] == pytest.approx(2e-4, rel=0.1)
    assert chances[1] == pytest.approx(1e-4, rel=0.1)
    assert chances[2] == pytest.approx(2e-8, rel=0.2)
    assert chances[3] == pytest.approx(8e-6, rel=0.1)
    assert chances[4] < 1e-4


def test_shares_of_matches_are_shares() -> None:
    start = expected_matches()
    not_both, one, both = name_tables(start).sum(axis=1)

    assert date_table(start).sum() == pytest.approx(1.0)
    assert not_both + both == pytest.approx(1.0, abs=0.01)
    assert 0 < one < not_both < both


def test_agreement_weighs_for_and_disagreement_against() -> None:
    weights = usual_weights()
    best = np.ravel_multi_index((LEVEL_TOP * SURNAME_SIZE + LEVEL_TOP, SAME_DATE, 1, 1, 1, 1), SIZES)
    worst = np.ravel_multi_index((0, 0, 0, 0, 0, 0), SIZES)

    assert len(weights) == PATTERNS
    assert weights[best] > 35 > -20 > weights[worst]


def test_more_views_find_more_of_the_matches() -> None:
    def found(*views: str) -> float:
        signatures = signatures_of(np.array([bits(*views)]), views=list(views), schema=SCHEMA)
        blockings = [blocking_of(SCHEMA.view(view)) for view in views]
        return found_share(
            expected_matches(), combinations=NONE, matched=np.empty(0), signatures=signatures, blockings=blockings
        )

    assert 0.9 < found("dob") < found("dob", "names") < 1.0
    assert found("guardian") == 0.0


def test_pairs_of_one_provider_are_other_children_only_where_it_sent_one_roster() -> None:
    people = made_up_people(12)
    once, twice = Sent(1, 1, people), Sent(2, 1, people, year=2021)

    assert one_roster_each(all_records([once.roster_spans, replace(twice, provider=2).roster_spans]))
    assert not one_roster_each(all_records([once.roster_spans, twice.roster_spans]))
    assert one_roster_each(all_records([]))


def test_a_child_whose_record_changed_from_year_to_year_teaches_nothing_about_others() -> None:
    people = made_up_people(40)
    moved = [replace(person, postcode="94999") for person in people]
    years = [Sent(1, 1, people), Sent(2, 1, moved, year=2021, grade=4), Sent(3, 2, people, year=2022, grade=5)]

    result = linked(years)

    assert len(set(result.persons.values())) == 40
    assert result.quality.expected_precision > 0.99


def _two_by_two(odds: list[float], pairs: list[tuple[int, int]]) -> Candidates:
    """Records 0 and 1 of one provider, 2 and 3 of another."""
    left, right = np.array([one for one, _ in pairs]), np.array([other for _, other in pairs])
    provider = np.array([1, 1, 2, 2], dtype=np.int32)
    return candidates(
        left,
        right,
        combination=np.zeros(len(pairs), dtype=np.int64),
        gain=np.log(np.array(odds)),
        vetoed=np.zeros(len(pairs), dtype=bool),
        provider=provider,
        pairs=pairs_across(provider),
    )


def _chances(pairs: Candidates) -> list[float]:
    return Rivalry(pairs).posteriors(np.zeros(1), np.ones(1), second=0.0, sweeps=20).tolist()


def test_chances_are_those_of_all_ways_to_pair_records() -> None:
    chain = _two_by_two([2.0, 3.0, 5.0], [(0, 2), (1, 2), (1, 3)])
    ways = 1 + 2 + 3 + 5 + 2 * 5

    assert _chances(chain) == pytest.approx([(2 + 10) / ways, 3 / ways, (5 + 10) / ways])


def test_a_record_with_a_sure_partner_leaves_its_rival_to_another() -> None:
    alone = _chances(_two_by_two([1.0], [(1, 2)]))
    taken = _chances(_two_by_two([1e6, 1.0], [(0, 2), (1, 2)]))

    assert alone == [0.5]
    assert taken[1] < 1e-5


def test_rivals_compete_inside_one_roster_too() -> None:
    provider = np.array([1, 1, 1], dtype=np.int32)
    pairs = candidates(
        np.array([0, 1]),
        np.array([1, 2]),
        combination=np.zeros(2, dtype=np.int64),
        gain=np.log(np.array([2.0, 3.0])),
        vetoed=np.zeros(2, dtype=bool),
        provider=provider,
        pairs=pairs_everywhere(provider),
    )

    assert pairs.mixed
    assert _chances(pairs) == pytest.approx([2 / 6, 3 / 6], abs=1e-6)


def test_pairs_without_a_chance_rest_and_are_counted_all_the_same() -> None:
    pairs = _two_by_two([5.0, 1e-6], [(0, 2), (1, 3)])
    rivalry, arguments = Rivalry(pairs), (np.zeros(1), np.ones(1))
    options = {"signature": np.zeros(1, dtype=np.int64), "second": 0.0, "sweeps": 2}

    first = rivalry.count(*arguments, **options, every=True)
    again = rivalry.count(*arguments, **options, every=False)

    assert first.matched == pytest.approx(again.matched)
    assert first.apart.sum() + first.matched.sum() == pytest.approx(2.0)
    assert len(rivalry.awake.gain) == 1


def test_where_nearly_all_have_partners_two_free_records_are_likelier_partners() -> None:
    pairs = _two_by_two([1.0], [(0, 2)])

    assert free_pairs(np.array([0.0]), pairs=pairs).tolist() == [4.0]
    assert free_pairs(np.array([1.0]), pairs=pairs).tolist() == [1.0]
    assert base_odds(np.array([1.9]), pairs=pairs) > base_odds(np.array([1.0]), pairs=pairs)
    assert second_numbers(np.array([1.9]), pairs=pairs) < second_numbers(np.array([0.0]), pairs=pairs)
    assert factors_of(np.array([1.0]), pairs=pairs) == pytest.approx([1.0])


@pytest.mark.parametrize("mixed", [False, True])
def test_the_interpreted_rivalry_gives_what_the_compiled_one_gives(mixed: bool) -> None:
    odds, left, right = np.array([2.0, 3.0, 5.0]), np.array([0, 1, 1]), np.array([2, 2, 3])
    block, vetoed, gain = np.zeros(3, dtype=np.int64), np.array([False, True, False]), np.zeros(3)
    results = []

    for read in (lambda function: function, interpreted):
        free = (np.ones(3), np.ones(3))
        read(competition.settle_rivals)(odds, left, right, mixed, 0.01, 3, *free, np.empty(4))
        weighed, counts = np.empty(3), [np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(1)]
        combination = np.array([0, 1, 2])
        read(competition.weigh_pairs)(np.log(odds), np.zeros(1), combination, gain, block, vetoed, 1.2, weighed)
        read(competition.count_pairs)(odds, *free, combination, gain, combination, block, np.ones(1), *counts)
        results.append([values.tolist() for values in (*free, weighed, *counts)])

    assert results[0] == results[1]
    assert results[0][2][1] == 0.0
