"""Lists of persons are searched for one that says the same of what is shown and something else of what is withheld."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from policies.disclosure import list_kernel
from policies.disclosure.auditing import audit_of
from policies.disclosure.engine import observers
from policies.disclosure.frame import frame
from policies.disclosure.list_audit import HASTY, THOROUGH, ListAudit, Plan
from policies.disclosure.list_kernel import DEAR, State
from policies.disclosure.lists import Effort, Lists
from policies.disclosure.moves import Move, Observer, nobody
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Sheet, sheets
from policies.disclosure.system import KNOWN, REACHED, System, system
from policies.disclosure.types import BaseCell, Block, Dimension, ReleasedCell, TableDeclaration, Tally
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, report_card, rows_of, small_county

GROUPS, SCHOOLS = ("a", "b", "c"), ("x", "y", "z")
SIZES = {("a", "x"): 4, ("a", "y"): 5, ("b", "x"): 6, ("b", "y"): 3}
RULES = Rules(insiders=False)
SHORT = Effort(40, 200, 1)


def interpreted(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "py_func", function)


def table() -> Block:
    """Four small crossings of two groups and two schools; all others are large."""
    sizes = {(group, school): SIZES.get((group, school), 40) for group in GROUPS for school in SCHOOLS}
    return Block(
        indicator="reading",
        cohort_year=2026,
        dimensions=(Dimension(name="group", levels=GROUPS), Dimension(name="school", levels=SCHOOLS)),
        cells=tuple(BaseCell(levels=at, tally=Tally(n, n, n // 2)) for at, n in sizes.items()),
        tables=(TableDeclaration(name="group-by-school", dimensions=("group", "school"), priority=1),),
        complete=True,
    )


def built(*blocks: Block) -> System:
    return system(tuple(frame(block, not_reported=RULES.not_reported) for block in blocks))


def row_of(made: System, kind: int, *levels: tuple[str, str]) -> int:
    return made.row(0, [group.levels for group in made.frames[0].groups].index(levels), kind)


def still(made: System) -> Move:
    rows, columns = made.matrix.shape
    return Move(np.zeros(columns, dtype=np.int64), np.zeros(rows, dtype=np.int64))


@pytest.fixture
def made() -> System:
    return built(table())


@pytest.fixture
def lists(made: System) -> Lists:
    """All is shown but the four small crossings."""
    found = Lists(made)
    found.watch(nobody(made))
    for number, group in enumerate(made.frames[0].groups):
        rows = [made.row(0, number, kind) for kind in range(3)]
        hidden = tuple(level for _, level in group.levels) in SIZES
        low = -made.counts[rows].astype(float) if hidden else np.zeros(3)
        high = np.full(3, np.inf) if hidden else np.zeros(3)
        found.allow(rows, low, high, np.full(3, np.inf) if hidden else np.array([1.0, 0.4, np.inf]))
    return found


@pytest.mark.parametrize("change", [3, -2])
def test_a_withheld_count_changes_and_nothing_that_is_shown_does(made: System, lists: Lists, change: int) -> None:
    row = row_of(made, KNOWN, ("group", "a"), ("school", "x"))

    least, move = lists.search(row, change, start=still(made), effort=SHORT)

    assert least == 0
    sums = made.matrix.times(move)
    assert sums[row] * np.sign(change) >= abs(change)
    assert (made.truth + move >= 0).all()
    changed = {group.levels for n, group in enumerate(made.frames[0].groups) if sums[made.row(0, n, KNOWN)]}
    assert changed == {(("group", g), ("school", s)) for g, s in SIZES}


def test_where_it_cannot_change_the_cheapest_that_stands_in_the_way_is_found(made: System, lists: Lists) -> None:
    row = row_of(made, KNOWN, ("group", "c"), ("school", "z"))

    least, move = lists.search(row, 1, start=still(made), effort=Effort(60, 400, 1), priced=True)

    assert 0 < least < DEAR
    assert made.matrix.times(move)[row] >= 1


def test_whom_an_observer_knows_is_not_moved(made: System, lists: Lists) -> None:
    row = row_of(made, KNOWN, ("group", "a"), ("school", "x"))
    nothing = np.zeros(len(made.truth), dtype=bool)

    lists.watch(Observer(("knower",), made.truth.copy(), nothing))
    everybody, _ = lists.search(row, 1, start=still(made), effort=SHORT)
    lists.watch(Observer(("owner",), np.zeros_like(made.truth), ~nothing))
    nowhere, _ = lists.search(row, 1, start=still(made), effort=SHORT)

    assert (everybody, nowhere) == (DEAR, DEAR)


def test_a_change_in_fractions_becomes_one_of_whole_persons(made: System, lists: Lists) -> None:
    fractions = np.zeros(len(made.truth))
    fractions[:4] = (0.5, -0.5, 0.25, -0.25)

    move = lists.whole(fractions, seed=1)

    assert move.columns.sum() == 0
    assert np.abs(move.columns - fractions).max() < 1
    assert (move.sums == made.matrix.times(move.columns)).all()


def test_persons_are_brought_into_a_count_that_nobody_can_enter_by_one_step(made: System, lists: Lists) -> None:
    row = row_of(made, KNOWN, ("group", "a"), ("school", "x"))

    move = lists.brought(row, 3, start=still(made), seed=1)

    assert (move.sums[row], move.columns.sum()) == (3, 0)
    assert (made.truth + move.columns >= 0).all()
    assert (move.sums == made.matrix.times(move.columns)).all()


def test_no_more_are_brought_than_there_are_and_nobody_where_all_is_known(made: System, lists: Lists) -> None:
    row = row_of(made, KNOWN, ("group", "a"), ("school", "x"))
    elsewhere = int(made.truth.sum() - made.counts[row])

    everybody = lists.brought(row, elsewhere + 9, start=still(made), seed=1)
    lists.watch(Observer(("owner",), np.zeros_like(made.truth), np.ones(len(made.truth), dtype=bool)))
    nobody_else = lists.brought(row, 3, start=still(made), seed=1)

    assert everybody.sums[row] == elsewhere
    assert not nobody_else.columns.any()


@pytest.mark.parametrize(("change", "known"), [(3, False), (-2, False), (3, True)])
def test_a_move_in_whole_numbers_is_sought_among_few_columns(made: System, change: int, *, known: bool) -> None:
    audit = audited(table(), RULES)[2]
    row = row_of(made, KNOWN, ("group", "a"), ("school", "x"))
    columns = np.arange(0 if not known else len(made.truth) - 4, len(made.truth))

    move = audit._mover.among(row, change, columns=columns)

    assert (move is None) == known
    assert move is None or (move.sums[row] == change and audit._mover.checked(move.columns) is not None)


def test_a_count_within_a_band_is_moved_to_both_ends_of_it() -> None:
    audit = audited(table(), RULES)[2]
    row = row_of(built(table()), KNOWN, ("group", "a"), ("school", "x"))

    audit._low[row], audit._high[row] = -2.0, 1.0

    assert audit._possible_changes(row) == [1, -2]


def test_tables_that_share_a_dimension_hang_together(made: System) -> None:
    found = Lists(built(small_county(1))).shape

    assert found.row.shape[0] == len(found.line)
    assert (found.axes[found.axes > 0] < 1 << found.line.shape[1]).all()


@pytest.fixture
def state(made: System, lists: Lists) -> State:
    lists.search(row_of(made, KNOWN, ("group", "a"), ("school", "x")), 2, start=still(made), effort=Effort(0, 1))
    return lists.state(still(made), 1, np.ones(made.matrix.shape[0] + 1))


def test_a_step_changes_the_rows_of_both_places_and_what_is_broken(lists: Lists, state: State) -> None:
    before = state.change.copy()

    interpreted(list_kernel.step)(lists.shape, state, 0, 0, 6)
    broken = state.broken[0]
    cost = interpreted(list_kernel.cost_of)(lists.shape, state, 0, 6, 0)
    interpreted(list_kernel.step)(lists.shape, state, 0, 6, 0)

    assert broken > 1
    assert cost < 0
    assert (state.change == before).all()
    assert state.broken[0] == 1


def test_a_row_is_noted_as_broken_while_it_is(state: State) -> None:
    shift, size = interpreted(list_kernel.shift), len(state.cost)
    state.broken[:], state.place[:], state.cost[:] = 0, 0, 0

    interpreted(list_kernel.begin)(state)
    aim = size - 1
    found = state.broken[0], state.broken[1]
    shift(state, 0, 1)
    shift(state, aim, 1)
    both = state.broken[:3].tolist()
    shift(state, aim, 1)

    assert found == (1, aim)
    assert both == [2, aim, 0]
    assert state.broken[:2].tolist() == [1, 0]
    assert state.place[[0, aim]].tolist() == [1, 0]


def test_a_row_costs_more_the_further_it_is_beyond_its_bounds() -> None:
    low, high, price = np.array([-1.0]), np.array([2.0]), np.array([3.0])
    cost = [interpreted(list_kernel.cost_at)(low, high, price, 0, change) for change in (-2, -1, 2, 3, 4)]

    assert cost[1:3] == [0, 0]
    assert cost[0] == cost[3] == 3.0
    assert cost[4] > cost[3]


def test_a_column_counted_differently_by_one_row_costs_the_difference(lists: Lists, state: State) -> None:
    shape = lists.shape._replace(row=lists.shape.row.copy(), by=lists.shape.by.copy())
    shape.row[0, 0] = shape.row[6, 0] = 0
    shape.by[0, 0], shape.by[6, 0] = 1, 2
    alone = shape._replace(slot_start=np.array([0, 1], dtype=np.int32), slots=np.array([0], dtype=np.int32))
    shape.by[6, 0] = 2

    changed = interpreted(list_kernel.cost_of)(alone, state, 0, 0, 6)
    shape.by[6, 0] = 1
    same = interpreted(list_kernel.cost_of)(alone, state, 0, 0, 6)

    shape.row[6, 0] = -1
    gone = interpreted(list_kernel.cost_of)(alone, state, 0, 0, 6)
    come = interpreted(list_kernel.cost_of)(alone, state, 0, 6, 0)

    assert changed == 1.0
    assert same == 0.0
    assert gone == 1.0
    assert come == 1.0


@pytest.mark.parametrize("up", [True, False])
def test_the_best_step_brings_the_count_the_right_way(lists: Lists, state: State, *, up: bool) -> None:
    aim, found = len(state.cost) - 1, np.zeros(3, dtype=np.int64)

    cost = interpreted(list_kernel.best_step)(lists.shape, state, aim, up, 0, 3, found)
    list_kernel.step(lists.shape, state, found[0], found[1], found[2])

    assert cost < DEAR
    assert state.change[aim] == (1 if up else -1)


def test_nobody_is_moved_where_all_is_closed_or_just_left(lists: Lists, state: State) -> None:
    aim, found = len(state.cost) - 1, np.zeros(3, dtype=np.int64)
    best_step = interpreted(list_kernel.best_step)

    resting = state._replace(left=np.full(len(state.left), 5))
    closed = state._replace(closed=np.ones(len(state.closed), dtype=bool))

    assert best_step(lists.shape, resting, aim, True, 5, 50, found) == np.inf
    assert best_step(lists.shape, closed, aim, True, 5, 50, found) == np.inf


@pytest.mark.parametrize(("steps", "least"), [(60, 0.0), (0, 2.0)])
def test_a_search_ends_when_nothing_is_broken_or_after_so_many_steps(
    lists: Lists, state: State, *, steps: int, least: float
) -> None:
    kept = state.persons.copy()

    assert interpreted(list_kernel.seek)(lists.shape, state, steps, 200, np.zeros(3, dtype=np.int64), kept) == least


def test_a_search_that_finds_no_step_stays_where_it_is(lists: Lists, state: State) -> None:
    closed = state._replace(closed=np.ones(len(state.closed), dtype=bool), price=np.full(len(state.price), 2.0))
    list_kernel.begin(closed)

    least = interpreted(list_kernel.seek)(lists.shape, closed, 2, 9, np.zeros(3, dtype=np.int64), closed.persons.copy())

    assert least == closed.cost.sum()


def test_the_same_chance_draws_the_same() -> None:
    one, other = np.array([9], dtype=np.uint64), np.array([9], dtype=np.uint64)

    drawn = [interpreted(list_kernel.draw)(one, 10) for _ in range(20)]

    assert drawn == [list_kernel.draw(other, 10) for _ in range(20)]
    assert set(drawn) <= set(range(10))
    assert len(set(drawn)) > 3


def audited(block: Block, rules: Rules, plan: Plan = THOROUGH) -> tuple[System, tuple[Sheet, ...], ListAudit]:
    made = built(block)
    stands = sheets(made, rules, ledger={}, earlier={})
    return made, stands, ListAudit(made, stands, rules, observers(made, rules), plan=plan)


def cells_of(stands: tuple[Sheet, ...]) -> tuple[ReleasedCell, ...]:
    sheet = stands[0]
    block = sheet.frame.block
    named = [
        (ReleasedCell(indicator=block.indicator, cohort_year=block.cohort_year, table=table, levels=levels), group)
        for table, levels, group in sheet.frame.cells
    ]
    return tuple(
        cell if sheet.groups[group].hidden else sheet.groups[group].release(cell, complete=block.complete)
        for cell, group in named
    )


@pytest.mark.parametrize(("seed", "strict", "plan"), [(0, False, THOROUGH), (1, True, THOROUGH), (2, False, HASTY)])
def test_what_the_search_leaves_shown_gives_nothing_away(*, seed: int, strict: bool, plan: Plan) -> None:
    block = report_card(100, seed=seed, plain=True)
    kept = tuple(t for t in block.tables if not {"race", "english"} & set(t.dimensions))
    dropped = [n for n, d in enumerate(block.dimensions) if d.name in ("race", "english")]
    cells: dict[tuple[str, ...], Tally] = {}
    for cell in block.cells:
        levels = tuple(level for n, level in enumerate(cell.levels) if n not in dropped)
        cells[levels] = cells.get(levels, Tally(0, 0, 0)) + cell.tally
    block = replace(
        block,
        tables=kept,
        dimensions=tuple(d for n, d in enumerate(block.dimensions) if n not in dropped),
        cells=tuple(BaseCell(levels=levels, tally=tally) for levels, tally in cells.items()),
    )

    made, stands, audit = audited(block, replace(RULES, strict=strict), plan)
    findings = audit.protect() or audit.show_again()

    assert not findings
    rows = rows_of(cells_of(stands), tuple(d.name for d in made.frames[0].block.dimensions))
    assert attack_release(rows, hierarchies_of(block))[1]["recovered"] == 0


def test_insiders_are_audited_by_the_search_too() -> None:
    _, stands, audit = audited(small_county(3, complete=True), Rules())

    assert not audit.protect()
    assert not audit.show_again()
    assert any(not one.hidden for one in stands[0].groups)


@pytest.mark.parametrize("plan", [THOROUGH, HASTY])
def test_what_cannot_be_withheld_is_a_finding(plan: Plan) -> None:
    _, stands, audit = audited(table(), RULES)
    for standing in stands[0].groups:
        standing.fixed = True
    hidden = next(one for one in stands[0].groups if one.hidden)
    for standing in stands[0].groups:
        standing.hidden = standing is hidden

    findings = ListAudit(built(table()), stands, RULES, audit._observers, plan=plan).protect()

    assert {finding.width for finding in findings} == {0}


def test_a_program_finds_a_move_in_whole_numbers_where_lists_were_not_searched() -> None:
    made, _, audit = audited(table(), RULES)
    row = row_of(made, KNOWN, ("group", "a"), ("school", "x"))
    audit._watch(0)

    possible = audit._program(row, 0)

    assert possible
    assert np.ptp(audit._range(row)) >= RULES.width


def test_whole_numbers_are_sought_among_all_whom_programs_moved_until_the_count_is_safe() -> None:
    made, _, audit = audited(table(), RULES)
    row = row_of(made, KNOWN, ("group", "a"), ("school", "x"))
    audit._used[:] = True

    audit._choose(row)

    assert audit._range(row) == (0, 3)


def test_only_a_large_crossing_is_searched_by_lists_and_a_very_large_one_hastily() -> None:
    systems = [built(small_county(1)), *(built(report_card(300, ways=ways, plain=True)) for ways in (2, 3))]
    stands = [sheets(made, RULES, ledger={}, earlier={}) for made in systems]

    small, large, very_large = (
        audit_of(made, stand, RULES, observers(made, RULES)) for made, stand in zip(systems, stands, strict=True)
    )

    assert not isinstance(small, ListAudit)
    assert isinstance(large, ListAudit)
    assert isinstance(very_large, ListAudit)
    assert (large._plan, very_large._plan) == (THOROUGH, HASTY)


def test_a_numerator_is_told_more_widely_where_that_is_the_cheapest(made: System, lists: Lists) -> None:
    row = row_of(made, REACHED, ("group", "c"), ("school", "z"))

    least, move = lists.search(row, 1, start=still(made), effort=Effort(60, 400, 1), priced=True)

    assert least < DEAR
    assert made.matrix.times(move)[row] >= 1
