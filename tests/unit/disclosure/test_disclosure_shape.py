"""The shape of a block and its additive system: what is refused, which dimensions are held together, what is linked."""

from dataclasses import replace

import numpy as np
import pytest

from policies.disclosure.cliques import cliques, separators
from policies.disclosure.engine import protect
from policies.disclosure.frame import frame
from policies.disclosure.moves import Mover, nobody
from policies.disclosure.system import ALL, KNOWN, REACHED, system
from policies.disclosure.types import (
    BaseCell,
    Block,
    BlockError,
    Dimension,
    ReleasedCell,
    Rules,
    TableDeclaration,
    Tally,
)
from tests.bench.disclosure import report_card, small_county

RULES = Rules()
NOBODY = frozenset[str]()


def block(**changes) -> Block:
    made = Block(
        indicator="reading",
        cohort_year=2026,
        dimensions=(
            Dimension(name="area", levels=("a1", "a2", "b"), parents={"a1": "a", "a2": "a"}),
            Dimension(name="size", levels=("big", "small")),
        ),
        cells=(
            BaseCell(levels=("a1", "big"), tally=Tally(40, 38, 20), provider_counts={"a1": Tally(40, 38, 20)}),
            BaseCell(levels=("a2", "small"), tally=Tally(30, 30, 12)),
            BaseCell(levels=("b", "small"), tally=Tally(25, 24, 11)),
        ),
        tables=(TableDeclaration(name="both", dimensions=("area", "size"), priority=1),),
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dimensions": (Dimension(name="area", levels=("a1", "a2", "b")),) * 2}, "one name"),
        ({"cells": (BaseCell(levels=("a1",), tally=Tally(1, 1, 1)),)}, "one level for each"),
        ({"cells": (BaseCell(levels=("a1", "big"), tally=Tally(1, 2, 1)),)}, "breaks 0 <= k"),
        ({"complete": True}, "unknowns in a complete block"),
        ({"cells": (BaseCell(levels=("elsewhere", "big"), tally=Tally(1, 1, 1)),)}, "a level that dimension area"),
        ({"tables": (TableDeclaration(name="x", dimensions=("colour",), priority=1),)}, "a dimension that the block"),
    ],
)
def test_a_block_that_contradicts_itself_is_refused(changes: dict, words: str) -> None:
    with pytest.raises(BlockError, match=words):
        protect([block(**changes)], rules=RULES)


@pytest.mark.parametrize("own", [Tally(2, 2, 2), Tally(1, 0, 0)])
def test_a_provider_cannot_have_more_children_than_there_are(own: Tally) -> None:
    cell = BaseCell(levels=("a1", "big"), tally=Tally(1, 1, 1), provider_counts={"a1": own})

    with pytest.raises(BlockError, match="more children"):
        protect([block(cells=(cell,))], rules=RULES)


@pytest.mark.parametrize(
    "dimension",
    [
        Dimension(name="area", levels=("a1", "a1")),
        Dimension(name="area", levels=()),
        Dimension(name="area", levels=("Total",)),
        Dimension(name="area", levels=("a1",), parents={"a1": "x", "x": "y", "y": "x"}),
        Dimension(name="area", levels=("a1", "a2"), parents={"a1": "a2"}),
    ],
)
def test_a_dimension_that_contradicts_itself_is_refused(dimension: Dimension) -> None:
    with pytest.raises(BlockError, match="dimension area"):
        protect([block(dimensions=(dimension,), cells=(), tables=())], rules=RULES)


def test_two_blocks_of_one_indicator_and_year_are_refused() -> None:
    with pytest.raises(BlockError, match="one indicator and cohort year"):
        protect([block(), block()], rules=RULES)


def test_an_error_never_names_a_count() -> None:
    with pytest.raises(BlockError) as refused:
        protect([block(cells=(BaseCell(levels=("a1", "big"), tally=Tally(7717, 7718, 1)),))], rules=RULES)

    assert not any(digit in str(refused.value) for digit in "78")


def test_a_group_of_one_district_is_the_district() -> None:
    dimension = Dimension(name="area", levels=("a1", "b"), parents={"a1": "a", "b": "all-others"})
    alone = block(
        dimensions=(dimension,), cells=(), tables=(TableDeclaration(name="t", dimensions=("area",), priority=1),)
    )

    shape = frame(alone, not_reported=NOBODY)

    groups = {dict(levels)["area"]: group for _, levels, group in shape.cells}
    assert groups["a"] == groups["a1"]
    assert groups["all-others"] == groups["b"]
    assert len(shape.groups) == 3


def test_tables_like_a_tree_are_held_apart_and_circles_together() -> None:
    assert cliques([]) == ((),)
    assert cliques([(), (0,), (0, 1), (0, 2)]) == ((0, 1), (0, 2))
    assert cliques([(0, 1), (1, 2), (0, 2)]) == ((0, 1, 2),)
    assert cliques([(0, 1), (1, 2), (2, 3), (0, 3)]) == ((0, 1, 3), (1, 2, 3))
    assert separators(((0, 1), (0, 2), (3,))) == ((0, 1, (0,)), (0, 2, ()))


def test_the_system_counts_what_the_block_counts() -> None:
    built = system((frame(block(), not_reported=NOBODY),))

    total = [int(built.counts[built.row(0, 0, kind)]) for kind in (KNOWN, REACHED, ALL)]

    assert total == [92, 43, 95]
    assert not built.counts[built.ties :].any()


def test_linked_blocks_must_have_the_same_dimensions() -> None:
    other = block(indicator="maths", dimensions=block().dimensions[:1], cells=(), tables=(), part_of="reading")

    with pytest.raises(BlockError, match="same dimensions"):
        protect([block(), other], rules=RULES)


def test_linked_blocks_must_count_the_same_persons() -> None:
    shared = (block(population="all"), block(indicator="maths", population="all", cells=()))

    with pytest.raises(BlockError, match="the same persons"):
        protect(shared, rules=RULES)


def test_blocks_of_different_years_are_not_linked() -> None:
    blocks = (block(population="all"), block(cohort_year=2025, population="all", cells=()))

    assert protect(blocks, rules=RULES).verdict.clean


def test_a_numerator_that_is_another_indicators_population_is_protected_with_it() -> None:
    enrolled = Block(
        indicator="enrolled",
        cohort_year=2026,
        dimensions=(Dimension(name="group", levels=("a", "b", "c")),),
        cells=tuple(
            BaseCell(levels=(name,), tally=Tally(n, n, k))
            for name, n, k in (("a", 60, 20), ("b", 70, 40), ("c", 80, 50))
        ),
        tables=(TableDeclaration(name="group", dimensions=("group",), priority=1),),
        complete=True,
    )
    completed = replace(
        enrolled,
        indicator="completed",
        cells=tuple(
            BaseCell(levels=(name,), tally=Tally(n, n, k))
            for name, n, k in (("a", 20, 8), ("b", 40, 20), ("c", 50, 25))
        ),
        part_of="enrolled",
    )

    together = protect([completed, enrolled], rules=Rules(min_n=25))
    apart = protect([replace(completed, part_of=""), enrolled], rules=Rules(min_n=25))

    def numerator(cells: tuple[ReleasedCell, ...], level: str) -> int | None:
        return next(c.k for c in cells if c.indicator == "enrolled" and dict(c.levels)["group"] == level)

    assert numerator(apart.cells, "a") == 20
    assert numerator(together.cells, "a") is None
    assert together.verdict.clean


def test_a_chain_of_three_indicators_is_protected_together() -> None:
    def step(indicator: str, counts: tuple[tuple[int, int], ...], part_of: str = "", population: str = "") -> Block:
        cells = zip("abc", counts, strict=True)
        return Block(
            indicator=indicator,
            cohort_year=2026,
            dimensions=(Dimension(name="group", levels=("a", "b", "c")),),
            cells=tuple(BaseCell(levels=(name,), tally=Tally(n, n, k)) for name, (n, k) in cells),
            tables=(TableDeclaration(name="group", dimensions=("group",), priority=1),),
            complete=True,
            part_of=part_of,
            population=population,
        )

    chain = (
        step("a-enrolled", ((60, 30), (70, 40), (80, 50))),
        step("b-tested", ((30, 15), (40, 20), (50, 25)), "a-enrolled", "tested"),
        step("c-met-other", ((30, 20), (40, 25), (50, 21)), "", "tested"),
    )

    result = protect(chain, rules=Rules(min_n=35))

    assert result.verdict.clean
    assert {c.k for c in result.cells if c.indicator == "a-enrolled" and ("group", "a") in c.levels} == {None}


def test_a_large_system_starts_with_few_columns_and_asks_for_more() -> None:
    built = system((frame(report_card(60), not_reported=NOBODY),))
    mover = Mover(built, nobody(built))
    weights = np.full(built.matrix.shape[0], np.inf)
    rows = [built.row(0, group, kind) for group in range(len(built.frames[0].groups)) for kind in (KNOWN, REACHED)]
    weights[rows] = np.random.default_rng(1).uniform(0.5, 2.0, len(rows))

    repairs = [mover.relax(built.row(0, group, KNOWN), 3, weights=weights) for group in (30, 200, *[30] * 12)]

    assert built.near.sum() < len(built.truth)
    assert all(np.isfinite(repair.cost) and repair.rows for repair in repairs)
    assert all(int(built.matrix.times(repair.move).max()) >= 3 for repair in repairs if repair.move is not None)


def test_a_solver_admits_no_move_that_changes_what_is_shown() -> None:
    built = system((frame(small_county(1), not_reported=NOBODY),))
    mover = Mover(built, nobody(built))

    assert mover.move(built.row(0, 1, KNOWN), 3) is None
    assert mover.relax(built.row(0, 1, KNOWN), 3, weights=np.full(built.matrix.shape[0], np.inf)).cost == np.inf


def overlapping(shared: dict | None) -> Block:
    """Two providers have 30 and 20 of 40 children; the same children in part, of whom `shared` says how many."""
    both = {"a2": Tally(20, 20, 10), "b": Tally(30, 30, 15)}
    cell = BaseCell(levels=("b", "small"), tally=Tally(40, 40, 20), provider_counts=both, shared_counts=shared)
    return block(cells=(cell,))


@pytest.mark.parametrize(
    ("shared", "most", "least"),
    [
        (None, 40, 30),
        ({}, 40, 40),
        ({("a2", "b"): Tally(20, 20, 10)}, 30, 30),
        ({("a2", "b"): Tally(15, 15, 8)}, 35, 35),
    ],
)
def test_two_providers_know_the_children_of_both_once(shared: dict | None, most: int, least: int) -> None:
    built = system((frame(overlapping(shared), not_reported=NOBODY),))

    assert [int(known.sum()) for known in built.together(("a2", "b"))] == [most, least]


def test_what_one_provider_knows_does_not_hang_on_what_two_share() -> None:
    built = system((frame(overlapping({("a2", "b"): Tally(20, 20, 10)}), not_reported=NOBODY),))

    assert [int(known.sum()) for known in built.together(("a2",))] == [20, 20]
    assert not any(known.any() for known in built.together(("nobody",)))


def test_no_more_is_shown_where_it_is_not_known_whom_two_providers_share() -> None:
    two = {"one": Tally(25, 25, 12), "other": Tally(15, 15, 8)}
    crowd = BaseCell(levels=("a1", "big"), tally=Tally(40, 40, 20), provider_counts=two)
    few = BaseCell(levels=("a2", "big"), tally=Tally(5, 5, 2), provider_counts={"one": Tally(5, 5, 2)})
    rest = BaseCell(levels=("b", "big"), tally=Tally(60, 60, 30))

    def shown(shared: dict | None) -> int:
        cells = tuple(replace(cell, shared_counts=shared) for cell in (crowd, few, rest))
        result = protect([block(cells=cells)], rules=Rules(pairs=True))
        assert result.verdict.clean
        return result.verdict.shown

    assert shown(None) <= shown({})


def test_a_block_of_thousands_of_columns_is_protected_too_though_nothing_is_shown_again() -> None:
    card = report_card(40)
    few = {"district", "race", "gender", "english"}
    large = replace(card, tables=tuple(table for table in card.tables if set(table.dimensions) <= few))

    result = protect([large], rules=Rules(insiders=False))

    assert system((frame(large, not_reported=NOBODY),)).matrix.shape[1] > 3_000
    assert result.verdict.clean
    assert result.verdict.shown
