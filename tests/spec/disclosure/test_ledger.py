"""What was released stays, and everything after it is judged together with it."""

from dataclasses import replace

import pytest

from policies.disclosure.engine import protect
from policies.disclosure.types import BaseCell, Block, Dimension, ReleasedCell, Rules, TableDeclaration, Tally
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, rows_of, small_county, truth_of

RULES = Rules()


def table(counts: dict[str, tuple[int, int, int]], **changes) -> Block:
    block = Block(
        indicator="reading",
        cohort_year=2026,
        dimensions=(Dimension(name="group", levels=tuple(counts)),),
        cells=tuple(BaseCell(levels=(level,), tally=Tally(*tally)) for level, tally in counts.items()),
        tables=(TableDeclaration(name="group", dimensions=("group",), priority=1),),
    )
    return replace(block, **changes)


COUNTS = {"a": (8, 8, 3), "b": (60, 55, 30), "c": (40, 40, 20), "d": (90, 88, 4)}


def of(cells: tuple[ReleasedCell, ...], level: str) -> ReleasedCell:
    return next(cell for cell in cells if dict(cell.levels)["group"] == level)


def test_a_block_that_was_released_is_released_again_as_it_was() -> None:
    first = protect([table(COUNTS)], rules=RULES)

    second = protect([table(COUNTS)], rules=RULES, ledger=first.cells)

    assert second.cells == first.cells
    assert second.verdict.clean
    assert {evidence.reason for evidence in second.verdict.reasons} == {"frozen"}


def test_what_was_withheld_stays_withheld_when_the_rules_would_now_show_it() -> None:
    strict = protect([table(COUNTS)], rules=Rules(min_n=50))

    again = protect([table(COUNTS)], rules=RULES, ledger=strict.cells)

    assert of(strict.cells, "c").status == "C"
    assert of(again.cells, "c").status == "C"


def test_what_was_shown_stays_shown_when_the_rules_would_now_withhold_it() -> None:
    loose = protect([table(COUNTS)], rules=RULES)

    again = protect([table(COUNTS)], rules=Rules(min_n=70), ledger=loose.cells)

    assert of(again.cells, "b") == of(loose.cells, "b")


@pytest.mark.parametrize(
    "now",
    [
        {**COUNTS, "b": (61, 56, 30)},
        {**COUNTS, "b": (60, 55, 31)},
        {**COUNTS, "b": (90, 55, 30)},
        {**COUNTS, "d": (90, 88, 44), "b": (60, 55, 30), "c": (40, 40, 20)},
    ],
)
def test_a_correction_is_not_released_beside_the_number_it_corrects(now: dict[str, tuple[int, int, int]]) -> None:
    first = protect([table(COUNTS)], rules=RULES)

    corrected = protect([table(now)], rules=RULES, ledger=first.cells)

    assert corrected.cells == first.cells
    assert corrected.verdict.clean


def test_a_correction_of_a_whole_table_shows_no_new_table_either() -> None:
    counts = {"a": (60, 60, 30), "b": (70, 70, 35)}
    first = protect([table(counts)], rules=RULES)
    second = TableDeclaration(name="again", dimensions=("group",), priority=2)
    other = table({"a": (61, 61, 30), "b": (70, 70, 35)}, tables=(second,), indicator="maths")

    known = protect([other], rules=RULES, ledger=first.cells)
    corrected = protect(
        [replace(other, indicator="reading", tables=(*first_tables(), second))], rules=RULES, ledger=first.cells
    )

    assert all(cell.status == "F" for cell in known.cells)
    assert [c for c in corrected.cells if c.table == "group"] == list(first.cells)


def first_tables() -> tuple[TableDeclaration, ...]:
    return (TableDeclaration(name="group", dimensions=("group",), priority=1),)


def test_a_new_table_of_a_corrected_block_is_withheld() -> None:
    before, now = small_county(4), small_county(44)
    few = tuple(t for t in before.tables if t.name in ("total", "ses"))
    first = protect([replace(before, tables=few)], rules=RULES)

    corrected = protect([replace(now, cohort_year=before.cohort_year)], rules=RULES, ledger=first.cells)

    old = {(cell.table, cell.levels) for cell in first.cells}
    fresh = [
        cell for cell in corrected.cells if (cell.table, cell.levels) not in old and "Total" not in str(cell.levels)
    ]
    assert fresh
    assert {cell.status for cell in fresh} == {"C"}


def test_a_new_table_is_protected_together_with_the_old() -> None:
    block = small_county(8)
    few = tuple(t for t in block.tables if t.name in ("total", "ses", "race"))
    first = protect([replace(block, tables=few)], rules=RULES)

    second = protect([block], rules=RULES, ledger=first.cells)

    rows = rows_of((*first.cells, *second.cells), tuple(d.name for d in block.dimensions))
    assert attack_release(rows, hierarchies_of(block))[1]["recovered"] == 0
    assert second.verdict.clean


def test_a_release_beside_an_unsafe_ledger_is_not_clean() -> None:
    block = small_county(8)
    cells = protect([block], rules=RULES).cells
    unsafe = tuple(
        replace(cell, status="F", known=int(row["known"]), k=int(row["k"]), rate=50, rate_low=None, rate_high=None)
        if int(row["known"]) >= 11
        else ReleasedCell(indicator="reading", cohort_year=block.cohort_year, table=cell.table, levels=cell.levels)
        for cell, row in zip(cells, truth_of(block, cells), strict=True)
    )

    verdict = protect([block], rules=RULES, ledger=unsafe).verdict

    assert not verdict.clean
    assert verdict.exact > 0
    assert verdict.attribute > 0


def test_a_shown_zero_stays_zero() -> None:
    block = table({"a": (0, 0, 0), "b": (60, 60, 30), "c": (40, 40, 20)})
    first = protect([block], rules=Rules(zero_shown=True))

    second = protect([block], rules=RULES, ledger=first.cells)
    corrected = protect(
        [table({"a": (0, 0, 0), "b": (61, 61, 30), "c": (40, 40, 20)})], rules=RULES, ledger=first.cells
    )

    assert second.cells == corrected.cells == first.cells


def test_nothing_new_is_shown_beside_an_unsafe_ledger() -> None:
    block = table({"a": (8, 8, 3), "b": (60, 60, 30), "c": (40, 40, 20)}, complete=True)
    exact = protect([table({**COUNTS, "a": (60, 60, 30)})], rules=RULES).cells
    shown = {"Total": (108, 53), "b": (60, 30), "c": (40, 20)}
    unsafe = tuple(
        replace(of(exact, level), known=known, n=known, k=k, rate=50, rate_low=None, rate_high=None, status="F")
        for level, (known, k) in shown.items()
    )
    further = TableDeclaration(name="again", dimensions=("group", "size"), priority=2)
    sizes = Dimension(name="size", levels=("big", "small"))
    wider = replace(
        block,
        dimensions=(*block.dimensions, sizes),
        cells=tuple(replace(cell, levels=(*cell.levels, "big")) for cell in block.cells),
        tables=(*block.tables, further),
    )

    result = protect([wider], rules=RULES, ledger=unsafe)

    assert not result.verdict.clean
    assert {dict(cell.levels)["group"] for cell in result.cells if cell.status == "F"} == set(shown)
    assert all(cell.status == "C" for cell in result.cells if dict(cell.levels).get("size", "Total") != "Total")
