"""Provisional figures are told coarsely, and what they told is judged with everything released after them."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.disclosure.engine import protect, protect_provisionally
from policies.disclosure.provisional import is_provisional, provisional_cell, rounded, rounded_from, still_true
from policies.disclosure.types import BaseCell, Block, Dimension, ReleasedCell, Rules, TableDeclaration, Tally
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, rows_of, truth_of

RULES = Rules(insiders=False)
CELL = ReleasedCell(indicator="reading", cohort_year=2026, table="total", levels=(), status="F")


@pytest.mark.parametrize(
    ("known", "k", "told", "band"),
    [(11, 5, 10, (0, 50)), (14, 13, 10, (50, 100)), (15, 5, 20, (20, 40)), (95, 60, 100, (60, 70)),
     (94, 60, 90, (60, 80)), (300, 300, 300, (90, 100)), (300, 0, 300, (0, 10)), (60, 30, 60, (40, 60))],
)  # fmt: skip
def test_a_count_is_rounded_to_ten_and_the_rate_told_in_a_band(
    known: int, k: int, told: int, band: tuple[int, int]
) -> None:
    cell = provisional_cell(replace(CELL, known=known, k=k, rate=round(100 * k / known)), "provisional-1")

    assert (cell.known, cell.rate_low, cell.rate_high) == (told, *band)
    assert cell.n is cell.k is cell.rate is None
    assert is_provisional(cell)


@pytest.mark.parametrize(
    ("known", "audited", "band"),
    [(300, (99, 100), (90, 100)), (30, (0, 10), (0, 20)), (200, (15, 25), (10, 30)), (200, (None, None), (0, 100))],
)
def test_a_range_that_was_told_instead_of_a_rate_is_never_narrowed(known, audited, band) -> None:
    cell = provisional_cell(replace(CELL, known=known, rate_low=audited[0], rate_high=audited[1]), "provisional-1")

    assert (cell.rate_low, cell.rate_high) == band


def test_what_is_hidden_stays_hidden() -> None:
    cell = provisional_cell(replace(CELL, status="C"), "provisional-1")

    assert (cell.status, cell.known, cell.rate_low) == ("C", None, None)


def test_a_rounded_count_stands_for_what_may_be_behind_it_and_never_for_a_small_group() -> None:
    assert [rounded(count) for count in (0, 11, 14, 15, 24, 25)] == [0, 10, 10, 20, 20, 30]
    assert [rounded_from(told) for told in (0, 10, 60)] == [(0, 0), (11, 14), (55, 64)]


def test_what_a_provisional_figure_told_holds_unless_a_correction_contradicts_it_or_it_was_hidden() -> None:
    told = provisional_cell(replace(CELL, known=60, k=30, rate=50), "provisional-1")
    hidden = provisional_cell(replace(CELL, status="C"), "provisional-2")

    assert still_true(told, known=64, k=30, n=64)
    assert not still_true(told, known=65, k=30, n=65)
    assert not still_true(told, known=60, k=50, n=60)
    assert not still_true(hidden, known=60, k=30, n=60)


DIMENSIONS = (
    Dimension(name="area", levels=("a1", "a2", "b1", "b2"), parents={"a1": "a", "a2": "a", "b1": "b", "b2": "b"}),
    Dimension(name="size", levels=("big", "small")),
)
TABLES = tuple(
    TableDeclaration(name="-".join(names), dimensions=names, priority=place)
    for place, names in enumerate((("area",), ("size",), ("area", "size")))
)
Person = tuple[tuple[str, str], bool, bool]


def block_of(persons: list[Person]) -> Block:
    cells: dict[tuple[str, str], Tally] = {}
    for levels, known, reached in persons:
        cells[levels] = cells.get(levels, Tally(0, 0, 0)) + Tally(1, int(known), int(known and reached))
    return Block(
        indicator="reading",
        cohort_year=2026,
        dimensions=DIMENSIONS,
        cells=tuple(BaseCell(levels=levels, tally=tally) for levels, tally in cells.items()),
        tables=TABLES,
    )


def some_persons(chance: random.Random, count: int) -> list[Person]:
    weights = [[chance.random() ** 2 for _ in dimension.levels] for dimension in DIMENSIONS]
    rate = chance.random()
    return [
        (
            (chance.choices(DIMENSIONS[0].levels, weights[0])[0], chance.choices(DIMENSIONS[1].levels, weights[1])[0]),
            chance.random() < 0.95,
            chance.random() < rate,
        )
        for _ in range(count)
    ]


def attacked(told: tuple[ReleasedCell, ...], final: tuple[ReleasedCell, ...], block: Block) -> tuple[list, dict]:
    names = tuple(dimension.name for dimension in DIMENSIONS)
    rows = [*rows_of(told, names), *rows_of(tuple(replace(cell, vintage="final") for cell in final), names)]
    return attack_release(rows, hierarchies_of(block), truth=truth_of(block, final))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.integers(20, 200), st.sampled_from((11, 11, 14, 20, 30)))
def test_provisional_and_final_figures_of_the_same_children_tell_no_withheld_number(
    seed: int, count: int, min_n: int
) -> None:
    block = block_of(some_persons(random.Random(seed), count))
    told = protect_provisionally([block], vintage="provisional-1", rules=RULES).cells

    final = protect([block], rules=Rules(insiders=False, min_n=min_n), ledger=told)

    assert attacked(told, final.cells, block)[0] == []
    assert final.verdict.clean


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10**9), st.integers(20, 200), st.integers(1, 6))
def test_corrections_between_provisional_and_final_figures_tell_no_withheld_number(
    seed: int, count: int, changed: int
) -> None:
    chance = random.Random(seed)
    early = some_persons(chance, count)
    late = block_of(early[changed:] + some_persons(chance, changed))
    told = protect_provisionally([block_of(early)], vintage="provisional-1", rules=RULES).cells

    final = protect([late], rules=RULES, ledger=told)

    assert attacked(told, final.cells, late)[0] == []
    assert final.verdict.clean
