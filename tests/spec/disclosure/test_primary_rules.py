"""What is shown of a single table: counts in, released cells out."""

import pytest

from policies.disclosure.engine import protect
from policies.disclosure.rules import coded, coverage, numerators, populations, rung, wider
from policies.disclosure.types import (
    BaseCell,
    Block,
    Dimension,
    Rules,
    TableDeclaration,
    Tally,
)

RULES = Rules()


def table(counts: dict[str, tuple[int, int, int]], *, complete: bool = True, **dimension) -> Block:
    return Block(
        indicator="reading",
        cohort_year=2026,
        dimensions=(Dimension(name="group", levels=tuple(counts), **dimension),),
        cells=tuple(BaseCell(levels=(level,), tally=Tally(*tally)) for level, tally in counts.items()),
        tables=(TableDeclaration(name="group", dimensions=("group",), priority=1),),
        complete=complete,
    )


def shown(block: Block, rules: Rules = RULES) -> dict[str, tuple]:
    cells = protect([block], rules=rules).cells
    return {dict(c.levels)["group"]: (c.status, c.known, c.k, c.rate, c.rate_low, c.rate_high) for c in cells}


def test_a_table_without_small_cells_is_shown_whole() -> None:
    block = table({"a": (50, 50, 20), "b": (60, 60, 33)})

    result = protect([block], rules=RULES)

    assert shown(block) == {
        "Total": ("F", 110, 53, 48, None, None),
        "a": ("F", 50, 20, 40, None, None),
        "b": ("F", 60, 33, 55, None, None),
    }
    assert (result.verdict.clean, result.verdict.shown, result.verdict.withheld) == (True, 3, 0)
    assert result.verdict.kept_share == {"group": 1.0}
    assert result.verdict.reasons == ()


def test_ten_are_withheld_with_another_cell_and_eleven_are_shown() -> None:
    with_ten = shown(table({"a": (10, 10, 5), "b": (60, 60, 30), "c": (40, 40, 20)}))
    with_eleven = shown(table({"a": (11, 11, 5), "b": (60, 60, 30), "c": (40, 40, 20)}))

    assert [name for name, cell in with_ten.items() if cell[0] == "C"] == ["a", "c"]
    assert with_ten["a"] == ("C", None, None, None, None, None)
    assert all(cell[0] == "F" for cell in with_eleven.values())


def test_an_agreement_may_raise_the_threshold() -> None:
    block = table({"a": (15, 15, 7), "b": (60, 60, 30), "c": (40, 40, 20)})

    assert shown(block)["a"][0] == "F"
    assert shown(block, Rules(min_n=20))["a"][0] == "C"


@pytest.mark.parametrize("weaker", [{"min_n": 10}, {"width": 2}])
def test_no_agreement_may_lower_a_rule(weaker: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="below the floor"):
        Rules(**weaker)


def test_nobody_is_withheld_like_a_few_unless_the_rules_show_zero() -> None:
    block = table({"a": (0, 0, 0), "b": (60, 60, 30), "c": (40, 40, 20)})

    assert [name for name, cell in shown(block).items() if cell[0] == "C"] == ["a", "c"]
    assert shown(block, Rules(zero_shown=True))["a"] == ("F", 0, None, None, 0, 100)
    assert shown(block, Rules(zero_shown=True))["c"][0] == "F"


def test_a_block_without_anybody_is_an_ordinary_block() -> None:
    block = table({"a": (0, 0, 0), "b": (0, 0, 0)})

    result = protect([block], rules=RULES)

    assert [cell.status for cell in result.cells] == ["C", "C", "C"]
    assert result.verdict.clean
    assert result.verdict.kept_share == {}


def test_no_blocks_give_no_cells_and_a_clean_verdict() -> None:
    result = protect([], rules=RULES)

    assert result.cells == ()
    assert result.verdict.clean


def test_a_table_of_small_cells_alone_is_withheld_whole() -> None:
    block = table({"a": (3, 3, 1), "b": (4, 4, 2)})

    assert {cell[0] for cell in shown(block).values()} == {"C"}


@pytest.mark.parametrize(
    ("known", "k", "band"),
    [
        (300, 3, (0, 1)), (300, 4, None), (299, 6, None), (150, 3, (0, 2)), (100, 3, (0, 5)), (100, 97, (95, 100)),
        (60, 3, (0, 5)), (40, 4, (0, 10)), (40, 5, None), (20, 4, (0, 20)), (30, 3, (0, 10)), (15, 3, (0, 20)),
        (11, 3, (0, 30)), (11, 4, None), (11, 8, (70, 100)), (14, 0, (0, 30)), (500, 0, (0, 1)), (500, 500, (99, 100)),
    ],
)  # fmt: skip
def test_extreme_rates_are_coded_and_leave_the_numerator_three_wide(
    known: int, k: int, band: tuple[int, int] | None
) -> None:
    assert coded(known, k, RULES) == band
    if band:
        low, high = numerators(band, known)
        assert low <= k <= high
        assert high - low >= 3


def test_every_group_has_a_rung_that_leaves_its_numerator_three_wide() -> None:
    assert all(rung(known, RULES) * known // 100 >= 3 for known in range(11, 2000))


def test_none_and_all_of_a_group_are_never_shown() -> None:
    cells = shown(table({"a": (50, 50, 0), "b": (60, 60, 60), "c": (70, 70, 35), "d": (70, 70, 30)}))

    assert cells["a"] == ("F", 50, None, None, 0, 10)
    assert cells["b"] == ("F", 60, None, None, 95, 100)


def test_a_numerator_under_an_agreed_minimum_is_coded() -> None:
    block = table({"a": (50, 50, 8), "b": (60, 60, 30), "c": (70, 70, 35)})

    assert shown(block)["a"][2] == 8
    assert shown(block, Rules(numerator_min=11))["a"] == ("F", 50, None, None, 0, 20)


def test_race_not_reported_is_withheld_when_another_race_is() -> None:
    block = table({"native": (4, 4, 2), "not-reported": (40, 40, 20), "white": (60, 60, 30), "asian": (45, 45, 20)})

    cells = shown(block)

    assert [name for name, cell in cells.items() if cell[0] == "C"] == ["native", "not-reported"]
    reasons = {evidence.levels: evidence.reason for evidence in protect([block], rules=RULES).verdict.reasons}
    assert reasons == {(("group", "native"),): "small", (("group", "not-reported"),): "not-reported"}


def test_a_linked_level_of_few_providers_needs_more_children() -> None:
    counts = {"yes": (25, 25, 12), "no": (60, 60, 30), "unknown": (40, 40, 20)}

    assert shown(table(counts, linked=True))["yes"][0] == "F"
    assert shown(table(counts, linked=True, minimum={"yes": 30}))["yes"][0] == "C"


def test_unknown_outcomes_are_told_by_a_band_and_never_exactly() -> None:
    block = table({"a": (50, 46, 20), "b": (60, 60, 33)}, complete=False)

    cells = protect([block], rules=RULES).cells

    told = {dict(c.levels)["group"]: (c.n, c.known, c.coverage_low, c.coverage_high) for c in cells}
    assert told == {"Total": (None, 106, 95, 100), "a": (None, 46, 90, 100), "b": (None, 60, 95, 100)}


def test_a_coverage_band_leaves_the_population_three_wide() -> None:
    pairs = [(known, known + more) for known in range(11, 400) for more in (0, 1, 7, 2 * known)]

    for known, n in pairs:
        least, most = populations(coverage(known, n, RULES), known)

        assert least <= n
        assert most is None or (n <= most and most - max(least, known) >= 3)


@pytest.mark.parametrize(
    ("band", "next_band"),
    [(None, (40, 50)), ((40, 50), (40, 60)), ((40, 60), (0, 100)), ((0, 5), (0, 10)), ((99, 100), (98, 100)),
     ((0, 50), (0, 100)), ((95, 100), (90, 100))],
)  # fmt: skip
def test_a_wider_band_holds_the_narrower(band: tuple[int, int] | None, next_band: tuple[int, int]) -> None:
    assert wider(band, 100, k=45, rules=RULES) == next_band
