"""Somebody who takes every figure ever told to be true of one list of persons: she may be wrong, and learns nothing."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from policies.disclosure.agreeing import UndecidedError, agreeing_list
from policies.disclosure.believers import FinalTelling, ProvisionalTelling
from policies.disclosure.engine import observers, protect, protect_provisionally
from policies.disclosure.frame import frame
from policies.disclosure.standing import Heard, sheets
from policies.disclosure.types import (
    BaseCell,
    Block,
    Dimension,
    Protected,
    ReleasedCell,
    Rules,
    TableDeclaration,
    Tally,
)
from policies.disclosure.vintages import system_with, told_provisionally
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, rows_of

RULES = Rules(insiders=False)
BEFORE = {"a": 12, "b": 60, "c": 27, "d": 70, "e": 80}
AFTER = {**BEFORE, "a": 10}


def groups(counts: Mapping[str, int], *, indicator: str = "reading", own: str = "", **changes) -> Block:
    def cell(level: str, count: int) -> BaseCell:
        tally = Tally(count, count, count // 2)
        return BaseCell(levels=(level,), tally=tally, provider_counts={"preschool": tally} if level == own else {})

    block = Block(
        indicator=indicator,
        cohort_year=2026,
        dimensions=(Dimension(name="group", levels=tuple(counts)),),
        cells=tuple(cell(level, count) for level, count in counts.items()),
        tables=(TableDeclaration(name="group", dimensions=("group",), priority=1),),
        complete=True,
    )
    return replace(block, **changes)


def told(*blocks: Block, vintage: str = "provisional-1", ledger: tuple[ReleasedCell, ...] = ()) -> tuple:
    return protect_provisionally(blocks, vintage=vintage, rules=RULES, ledger=ledger).cells


def shown(result: Protected) -> set[str]:
    return {dict(cell.levels)["group"] for cell in result.cells if cell.status == "F"}


def found(block: Block, *cells: ReleasedCell) -> list:
    return attack_release(rows_of(cells, ("group",)), hierarchies_of(block))[0]


def test_what_a_correction_made_small_cannot_be_told_by_joining_it_with_what_was_told_before() -> None:
    first = told(groups(BEFORE))

    alone = protect([groups(AFTER)], rules=RULES)
    final = protect([groups(AFTER)], rules=RULES, ledger=first)

    # a is 11 to 14 by the first figures, c 25 to 34, and both together 37 by the final ones: a would be 11 or 12.
    assert found(groups(AFTER), *first, *alone.cells) != []
    assert found(groups(AFTER), *first, *final.cells) == []
    assert shown(final) < shown(alone)
    assert final.verdict.clean


def test_an_insider_whose_own_children_speak_against_it_does_not_believe_it() -> None:
    first = told(groups(BEFORE))

    final = protect([groups(AFTER, own="c")], rules=Rules(), ledger=first)

    assert final.verdict.clean
    assert found(groups(AFTER), *first, *final.cells) == []


def of(level: str, known: int, *, vintage: int) -> ReleasedCell:
    return ReleasedCell(
        indicator="reading", cohort_year=2026, table="group", levels=(("group", level),), known=known, rate_low=0,
        rate_high=100, status="F", vintage=f"provisional-{vintage:02d}",
    )  # fmt: skip


def test_vintages_that_contradict_each_other_are_believed_apart() -> None:
    # a, b and c are 35 together now: any two of them may have been 15 or more, but not all three.
    vintages = tuple(of(level, 20, vintage=number) for number, level in enumerate("abc"))
    always = of("d", 70, vintage=3)
    now = groups({**BEFORE, "a": 5, "b": 25, "c": 5})

    final = protect([now], rules=RULES, ledger=(*vintages, always))

    assert shown(final) == {"Total", "d", "e"}
    assert final.verdict.clean
    assert all(found(now, *some, always, *final.cells) == [] for some in combinations(vintages, 2))


def test_nothing_new_is_told_where_too_many_vintages_contradict_each_other() -> None:
    vintages = tuple(of("a", 20 + 10 * number, vintage=number) for number in range(21))

    final = protect([groups({**BEFORE, "a": 5, "c": 400})], rules=RULES, ledger=vintages)

    assert shown(final) == set()
    assert final.verdict.clean


def test_figures_told_again_in_the_same_words_are_one_vintage() -> None:
    block = groups(BEFORE)
    first = told(block)
    again = told(block, vintage="provisional-2", ledger=first)

    frames = (frame(block, not_reported=RULES.not_reported),)

    assert len(told_provisionally(frames, (*first, *again), {})) == 1


def test_blocks_that_count_the_same_persons_are_joined_and_each_by_itself() -> None:
    def pair(counts: Mapping[str, int]) -> tuple[Block, Block]:
        return groups(counts, population="cohort"), groups(counts, indicator="maths", population="cohort")

    first = told(*pair(BEFORE))

    final = protect(pair(AFTER), rules=RULES, ledger=first)

    links = [{"indicator": name, "cohort_year": 2026, "population": "cohort"} for name in ("reading", "maths")]
    rows = rows_of((*first, *final.cells), ("group",))
    assert final.verdict.clean
    assert attack_release(rows, hierarchies_of(groups(AFTER)), links=links)[0] == []


def test_it_may_not_be_found_out_in_the_branches_allowed_which_vintages_agree() -> None:
    block = groups(AFTER)
    built = system_with((frame(block, not_reported=RULES.not_reported),), {})
    stands = sheets(built, RULES, ledger={}, earlier={(0, 1): (Heard(of("a", 10, vintage=1)),)})
    outsider = observers(built, RULES)[0]

    assert agreeing_list(built, stands, outsider) is not None
    with pytest.raises(UndecidedError):
        agreeing_list(built, stands, outsider, branches=0)


def test_an_empty_group_is_not_told_to_be_empty_while_figures_are_provisional() -> None:
    rules = Rules(insiders=False, zero_shown=True)

    result = protect_provisionally([groups({**BEFORE, "a": 0})], vintage="provisional-1", rules=rules)

    assert next(cell for cell in result.cells if dict(cell.levels)["group"] == "a").status == "C"


def test_what_is_withheld_of_a_likeness_is_withheld_of_the_figures() -> None:
    block = groups(BEFORE, complete=False)
    built = system_with((frame(block, not_reported=RULES.not_reported),), {})
    stands = sheets(built, RULES, ledger={}, earlier={})
    telling = FinalTelling(stands, RULES)
    seen = telling.as_shown()
    total, group = seen[0].groups[0], seen[0].groups[2]
    total.uncover()
    total.widen(RULES)
    group.hide("protective")

    telling.withhold(seen, set())

    assert (stands[0].groups[0].cover, stands[0].groups[0].band) == (None, total.band)
    assert stands[0].groups[2].hidden


def test_where_a_withheld_group_is_found_the_smallest_that_is_told_is_withheld_too() -> None:
    block = groups(AFTER)
    built = system_with((frame(block, not_reported=RULES.not_reported),), {})
    stands = sheets(built, RULES, ledger={}, earlier={})
    telling = ProvisionalTelling(stands, RULES, "provisional-1")
    hidden = [place for place, one in enumerate(stands[0].groups) if one.hidden]

    changed = telling.withhold(telling.as_shown(), {(0, hidden[0])})
    for one in stands[0].groups:
        one.hide("protective")

    assert changed
    assert not telling.withhold(telling.as_shown(), {(0, hidden[0])})
    assert np.all([one.hidden for one in stands[0].groups])
