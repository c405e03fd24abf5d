"""The resolver: who is one person, with which id, and how sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from linkage.encode.person import GRADE_UNKNOWN, ClearPerson
from linkage.errors import LinkageError
from linkage.match import joining
from linkage.match.decision import DECISION_MATCH, DECISION_NON_MATCH, DECISION_POSSIBLE, Costs, decisions
from linkage.match.evidence import Evidence
from linkage.match.persons import HistoryEvent, named_persons
from linkage.match.prior import solve_posteriors
from linkage.match.spans import GRADES_AHEAD, GRADES_BEHIND, MONTHS_TOGETHER, RosterSpans, check_spans
from linkage.rows import SPAN_ROW
from tests.unit.linkage.rosters import Sent, linked, made_up_people, partners, reference, span

PEOPLE = made_up_people(60)
QUZAM = ClearPerson(500, given="Quzamira", surname="Xelorian", birth_date="2010-02-03", sex="F", postcode="94901")
LIMITS = np.array([MONTHS_TOGETHER, GRADES_AHEAD, GRADES_BEHIND], dtype=np.int64)


def interpreted(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "py_func", function)


def test_children_of_two_providers_are_linked_and_others_stay_apart() -> None:
    left, right = PEOPLE[:40], [*PEOPLE[20:40], *made_up_people(20, seed=9, first=100)]

    result = linked([Sent(1, 1, left), Sent(2, 2, right, year=2021)])

    assert [partners(result, (1, reference(n))) for n in range(40)] == [
        {(2, reference(n))} if n >= 20 else set() for n in range(40)
    ]
    assert len(set(result.persons.values())) == 60


def test_a_child_is_one_person_over_many_providers_and_years() -> None:
    sent = [Sent(year * 4 + p, p, PEOPLE, year=2010 + year, grade=year) for p in range(4) for year in range(p, 8, 4)]

    result = linked(sent)

    assert len(set(result.persons.values())) == len(PEOPLE)
    assert result.quality.records == 4 * len(PEOPLE)
    assert result.quality.expected_precision > 0.99


def test_quality_is_told_where_one_view_alone_finds_every_match() -> None:
    people = [replace(person, ssid=f"{10**9 + n}") for n, person in enumerate(PEOPLE[:3])]

    result = linked([Sent(1, 1, people), Sent(2, 2, people[:2], year=2021)], views=("ssid",))

    assert 0.9 < result.quality.expected_recall <= 1.0
    assert result.quality.links == 2


def test_two_students_of_one_provider_are_never_one_person() -> None:
    twice = [QUZAM, replace(QUZAM, local_record=501)]

    result = linked([Sent(1, 1, [*PEOPLE, *twice]), Sent(2, 2, [*PEOPLE, QUZAM], year=2021)])

    persons = [result.persons[1, reference(n)] for n in (500, 501)]
    assert persons[0] != persons[1]


def test_two_different_state_identifiers_are_never_one_person() -> None:
    result = linked(
        [
            Sent(1, 1, [*PEOPLE, replace(QUZAM, ssid="1234567890")]),
            Sent(2, 2, [*PEOPLE, replace(QUZAM, ssid="9876543210")], year=2021),
        ]
    )

    assert partners(result, (1, reference(500))) == set()


def test_a_veto_between_two_records_keeps_a_third_from_joining_them() -> None:
    sent = [
        Sent(1, 1, [*PEOPLE, replace(QUZAM, ssid="1234567890")]),
        Sent(2, 2, [*PEOPLE, replace(QUZAM, ssid="9876543210")], year=2021),
        Sent(3, 3, [*PEOPLE, replace(QUZAM, postcode="94902")], year=2022),
    ]

    result = linked(sent)

    assert len({result.persons[p, reference(500)] for p in (1, 2, 3)}) == 2


def test_a_shared_state_identifier_links_records_whose_names_changed() -> None:
    renamed = replace(QUZAM, given="Tavodu", surname="Nigepi", ssid="1234567890")

    result = linked(
        [Sent(1, 1, [*PEOPLE, replace(QUZAM, ssid="1234567890")]), Sent(2, 2, [*PEOPLE, renamed], year=2021)]
    )

    assert partners(result, (1, reference(500))) == {(2, reference(500))}


def test_full_time_in_two_places_for_a_year_is_two_children() -> None:
    left = [span(n, year=2020) for n in (*range(60), 500)]
    apart = [*(span(n, year=2021) for n in range(60)), span(500, year=2020)]

    result = linked(
        [Sent(1, 1, [*PEOPLE, QUZAM], spans=left), Sent(2, 2, [*PEOPLE, QUZAM], spans=apart)],
    )

    assert partners(result, (1, reference(500))) == set()
    assert partners(result, (1, reference(5))) == {(2, reference(5))}


def test_ids_stay_when_nothing_changed() -> None:
    sent = [Sent(1, 1, PEOPLE), Sent(2, 2, PEOPLE, year=2021)]
    first = linked(sent)

    again = linked(sent, previous=first.persons)

    assert again.persons == first.persons
    assert again.history == ()


def test_records_no_roster_holds_keep_their_person() -> None:
    sent = [Sent(1, 1, PEOPLE), Sent(2, 2, PEOPLE, year=2021)]
    first = linked(sent)

    again = linked(sent[:1], previous=first.persons)

    assert again.persons == first.persons


def test_persons_that_join_are_told_as_merged_and_those_that_part_as_split() -> None:
    keys = [(1, b"a"), (2, b"b"), (3, b"c")]
    previous = {(1, b"a"): "p", (2, b"b"): "q", (3, b"c"): "q", (4, b"gone"): "p", (5, b"gone"): "other"}

    persons, history = named_persons(np.array([0, 0, 2]), keys=keys, previous=previous, new_id=lambda: "new")

    assert persons == {
        (1, b"a"): "p",
        (2, b"b"): "p",
        (3, b"c"): "q",
        (4, b"gone"): "p",
        (5, b"gone"): "other",
    }
    assert history == (HistoryEvent("merged", ("p", "q"), ("p",)), HistoryEvent("split", ("q",), ("p", "q")))


def test_a_merged_id_leads_records_no_roster_holds_to_the_surviving_person() -> None:
    previous = {(1, b"a"): "p", (2, b"b"): "q", (4, b"gone"): "q"}

    persons, history = named_persons(
        np.array([0, 0]), keys=[(1, b"a"), (2, b"b")], previous=previous, new_id=lambda: "new"
    )

    assert set(persons.values()) == {"p"}
    assert [event.kind for event in history] == ["merged"]


def test_pairs_are_told_with_weight_posterior_and_decision() -> None:
    result = linked([Sent(1, 1, PEOPLE), Sent(2, 2, PEOPLE, year=2021)])

    pairs = result.pairs[result.pairs["linked"] == 1]

    assert len(pairs) == len(PEOPLE)
    assert (pairs["left_reference"] == pairs["right_reference"]).all()
    assert (pairs["posterior"] > 0.9).all()
    assert (pairs["decision"] == DECISION_MATCH).all()


def test_quality_is_told_for_every_pair_of_providers() -> None:
    sent = [
        Sent(1, 1, PEOPLE),
        Sent(2, 2, PEOPLE, year=2021),
        Sent(3, 3, made_up_people(30, seed=8, first=200), year=2022),
    ]

    quality = linked(sent).quality

    assert set(quality.by_providers) == {(1, 2), (1, 3), (2, 3)}
    assert quality.by_providers[1, 2].links == len(PEOPLE)
    assert quality.by_providers[1, 3].links == 0
    assert (quality.records, quality.persons, quality.links) == (150, 90, 60)
    assert 0.9 < quality.expected_recall <= 1.0


@pytest.mark.parametrize("views", [(), ("dob",)])
def test_nothing_to_compare_makes_everyone_a_person(views: tuple[str, ...]) -> None:
    result = linked([Sent(1, 1, PEOPLE)], views=views)

    assert len(set(result.persons.values())) == len(PEOPLE)
    assert result.quality.by_providers == {}


def test_no_roster_at_all_is_no_person_at_all() -> None:
    assert linked([], views=()).persons == {}


def test_rows_without_their_spans_are_refused() -> None:
    whole = Sent(1, 1, PEOPLE)
    half = Sent(1, 1, PEOPLE[:30])
    none = Sent(1, 1, [])
    whole_rows = whole.encoded.rows

    for other in (half, none):
        other.encoded = replace(other.encoded, rows=whole_rows)
        with pytest.raises(LinkageError, match="row_without_span"):
            linked([other], views=("dob",))


def test_rows_of_an_unknown_submission_are_refused() -> None:
    sent = Sent(1, 1, PEOPLE)
    spans = sent.roster_spans

    with pytest.raises(LinkageError, match="unknown_submission"):
        _resolve_others_spans(sent, replace(spans, submission=9))


def _resolve_others_spans(sent: Sent, spans: RosterSpans) -> None:
    from linkage.match.matcher import compare_view
    from linkage.match.resolver import resolve
    from linkage.schema import current_schema

    pairs = compare_view([sent.rows("dob")], schema=current_schema(), view="dob")
    resolve([spans], schema=current_schema(), views=[pairs], previous={}, new_id=lambda: "p")


def test_the_key_of_a_submission_is_never_shown() -> None:
    assert "masked" in repr(RosterSpans(1, 2, b"secret-key", np.zeros(0, dtype=SPAN_ROW)))
    assert "secret" not in repr(RosterSpans(1, 2, b"secret-key", np.zeros(0, dtype=SPAN_ROW)))


def _spans(**changes: Any) -> np.ndarray:
    rows = Sent(1, 1, PEOPLE[:3]).encoded.spans.copy()
    for name, value in changes.items():
        rows[name] = value
    return rows


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"flags": 64}, "bad_span_flags"),
        ({"start": 9, "end": 8}, "bad_span_months"),
        ({"reference": np.void(reference(1))}, "reference_repeated"),
        ({"record": 1}, "record_repeated"),
    ],
)
def test_spans_that_contradict_themselves_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(LinkageError) as refusal:
        check_spans(_spans(**changes))

    assert refusal.value.code == code


def test_several_spans_of_one_record_are_accepted() -> None:
    rows = _spans()

    check_spans(np.concatenate([rows, rows]))


@pytest.mark.parametrize(
    ("posterior", "decision"), [(0.01, DECISION_NON_MATCH), (0.2, DECISION_POSSIBLE), (0.5, DECISION_MATCH)]
)
def test_a_pair_is_decided_by_what_an_error_costs(posterior: float, decision: int) -> None:
    assert decisions(np.array([posterior]), costs=Costs()).tolist() == [decision]


def test_dearer_false_links_ask_for_a_higher_posterior() -> None:
    assert Costs(false_link=3.0).match_at == 0.75
    assert decisions(np.array([0.7]), costs=Costs(false_link=3.0)).tolist() == [DECISION_POSSIBLE]


#                 year grade start end full
ONE = (2020, 3, 235, 244, 1)


@pytest.mark.parametrize(
    ("other", "impossible"),
    [
        ((2020, 3, 235, 244, 1), True),
        ((2020, 3, 241, 244, 1), False),
        ((2020, 3, 240, 244, 1), True),
        ((2020, 3, 235, 244, 0), False),
        ((2021, 4, 247, 256, 1), False),
        ((2021, 6, 247, 256, 1), False),
        ((2021, 7, 247, 256, 1), True),
        ((2024, 4, 283, 292, 1), False),
        ((2024, 3, 283, 292, 1), True),
        ((2016, 3, 187, 196, 1), True),
        ((2016, -1, 187, 196, 1), False),
        ((2020, 5, 235, 244, 0), False),
        ((2020, 6, 235, 244, 0), True),
        ((2030, GRADE_UNKNOWN, 355, 364, 1), False),
        ((2030, 14, 355, 364, 1), False),
    ],
)
def test_histories_of_one_child_are_possible_or_not(other: tuple[int, ...], impossible: bool) -> None:
    one, second = np.array(ONE, dtype=np.int64), np.array(other, dtype=np.int64)

    for function in (joining.impossible_together, interpreted(joining.impossible_together)):
        assert function(one, second, LIMITS) == impossible
        assert function(second, one, LIMITS) == impossible


def test_the_interpreted_joining_gives_what_the_compiled_one_gives() -> None:
    provider = np.array([1, 1, 2, 3, 4, 5], dtype=np.int32)
    spans = np.array(
        [ONE, ONE, (2021, 4, 247, 256, 1), (2022, 5, 259, 268, 1), ONE, (2023, 6, 271, 280, 1)], dtype=np.int64
    )
    starts = np.arange(7)
    left, right = np.array([0, 1, 2, 0, 0, 3, 3]), np.array([2, 2, 3, 3, 4, 5, 2])
    vetoes = np.array([0 * 6 + 5], dtype=np.int64)
    arguments = (left, right, provider, spans, starts, vetoes, LIMITS)

    heads = [joining.join_records(*arguments).tolist(), interpreted(joining.join_records)(*arguments).tolist()]

    assert heads[0] == heads[1] == [0, 1, 0, 0, 4, 5]
    following = np.full(6, -1)
    for a, b, allowed in ((0, 1, False), (0, 5, False), (0, 4, False), (0, 2, True)):
        assert interpreted(joining.may_join)(a, b, following, provider, spans, starts, vetoes, LIMITS) is allowed
    assert [interpreted(joining.is_vetoed)(vetoes, key) for key in (5, 4, 6)] == [True, False, False]


def _evidence(weights: list[float], *, left: list[int], right: list[int]) -> Evidence:
    count = len(weights)
    return Evidence(
        left=np.array(left),
        right=np.array(right),
        weight=np.array(weights),
        rarity=np.zeros(count),
        pattern=np.zeros(count, dtype=np.int32),
        vetoed=np.zeros(count, dtype=bool),
        found_by=np.full(count, 6, dtype=np.uint32),
    )


def test_rivals_at_one_provider_share_the_chance_of_a_record() -> None:
    provider = np.array([1, 2, 2], dtype=np.int32)

    alone = solve_posteriors(_evidence([4.0], left=[0], right=[1]), provider=provider)
    rivals = solve_posteriors(_evidence([4.0, 4.0], left=[0, 0], right=[1, 2]), provider=provider)

    assert rivals.posterior[0] == rivals.posterior[1]
    assert alone.posterior[0] - rivals.posterior[0] > 0.2


def test_rivals_too_alike_for_chance_are_one_child_with_two_numbers() -> None:
    provider = np.array([1, 2, 2], dtype=np.int32)

    rivals = solve_posteriors(_evidence([40.0, 40.0], left=[0, 0], right=[1, 2]), provider=provider)

    assert (rivals.posterior > 0.99).all()


def test_the_prior_of_one_round_is_not_yet_that_of_many() -> None:
    evidence = _evidence([12.0, 3.0], left=[0, 1], right=[2, 3])
    provider = np.array([1, 1, 2, 2], dtype=np.int32)

    once = solve_posteriors(evidence, provider=provider, maximum_rounds=1)
    solved = solve_posteriors(evidence, provider=provider)

    assert once.prior.tolist() != solved.prior.tolist()
    assert solved.expected.sum() == pytest.approx(solved.posterior.sum())
