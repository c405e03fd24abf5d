"""Attacks that must fail: each is a known way to compute a withheld number back from what was shown.

The attacker (`tests/attacker/attack_release.py`) shares no code with the engine.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from policies.disclosure.engine import protect
from policies.disclosure.types import (
    BaseCell,
    Block,
    Dimension,
    ReleasedCell,
    Rules,
    TableDeclaration,
    Tally,
)
from tests.attacker.attack_release import attack_release, main
from tests.bench.disclosure import hierarchies_of, report_card, rows_of, small_county, truth_of

RULES = Rules()


def attack(block: Block, cells: tuple[ReleasedCell, ...], **options) -> dict[str, int]:
    names = tuple(dimension.name for dimension in block.dimensions)
    return attack_release(rows_of(cells, names), hierarchies_of(block), **options)[1]


def found(block: Block, cells: tuple[ReleasedCell, ...]) -> tuple[int, int, int]:
    summary = attack(block, cells)
    return summary["exact"], summary["narrow"], summary["attribute"]


def primary_only(block: Block) -> tuple[ReleasedCell, ...]:
    """What the usual state rule shows: every cell of 11 or more with its rate."""
    rows = truth_of(block, protect([block], rules=RULES).cells)
    cells = protect([block], rules=RULES).cells
    return tuple(
        replace(cell, status="F", n=int(row["n"]), known=int(row["known"]), k=int(row["k"]), rate_low=None)
        if int(row["known"]) >= 11
        else replace(cell, status="C", n=None, known=None, k=None, rate=None, rate_low=None, rate_high=None)
        for cell, row in zip(cells, rows, strict=True)
    )


def one_table(counts: dict[str, tuple[int, int]], **dimension) -> Block:
    return Block(
        indicator="reading",
        cohort_year=2026,
        dimensions=(Dimension(name="group", levels=tuple(counts), **dimension),),
        cells=tuple(BaseCell(levels=(level,), tally=Tally(n, n, k)) for level, (n, k) in counts.items()),
        tables=(TableDeclaration(name="group", dimensions=("group",), priority=1),),
        complete=True,
    )


def statuses(block: Block, rules: Rules = RULES) -> dict[str, ReleasedCell]:
    return {dict(cell.levels)["group"]: cell for cell in protect([block], rules=rules).cells}


def test_subtraction_from_the_total_finds_a_small_cell_unless_another_is_withheld() -> None:
    block = one_table({"a": (8, 3), "b": (60, 30), "c": (40, 20)})

    exact, _, _ = found(block, primary_only(block))

    assert exact >= 2
    assert found(block, protect([block], rules=RULES).cells) == (0, 0, 0)


def test_an_exact_finding_of_the_attacker_is_true() -> None:
    block = small_county(3)
    cells = primary_only(block)

    summary = attack(block, cells, truth=truth_of(block, cells))

    assert summary["exact"] > 10
    assert summary["true"] == summary["exact"]


def test_small_remainders_of_a_line_are_not_shown_either() -> None:
    block = one_table({"a": (4, 2), "b": (5, 2), "c": (60, 30), "d": (40, 20)})

    cells = statuses(block)

    assert [name for name, cell in cells.items() if cell.status == "C"] == ["a", "b", "d"]


def test_a_district_of_an_area_cannot_be_found_through_the_hierarchy() -> None:
    parents = {"a": "north", "b": "north", "c": "south", "d": "south"}
    block = one_table({"a": (8, 3), "b": (60, 30), "c": (40, 20), "d": (50, 20)}, parents=parents)

    cells = statuses(block)

    assert cells["a"].status == cells["b"].status == "C"
    assert cells["north"].known == 68
    assert found(block, protect([block], rules=RULES).cells) == (0, 0, 0)


def test_crossing_hierarchies_are_protected_together() -> None:
    block = small_county(5, people=150)
    crossed = replace(
        block,
        tables=(
            TableDeclaration(name="race-district", dimensions=("race", "district"), priority=1),
            TableDeclaration(name="ses-district", dimensions=("ses", "district"), priority=2),
        ),
    )

    result = protect([crossed], rules=RULES)

    assert result.verdict.clean
    assert found(crossed, result.cells) == (0, 0, 0)


def test_tables_that_turn_in_a_circle_are_protected_together() -> None:
    block = small_county(6, people=300)
    circle = replace(
        block,
        tables=tuple(
            TableDeclaration(name="-".join(names), dimensions=names, priority=1)
            for names in (("gender", "ses"), ("preschool", "ses"), ("gender", "preschool"))
        ),
    )

    result = protect([circle], rules=RULES)

    assert result.verdict.clean
    assert found(circle, result.cells) == (0, 0, 0)


def test_a_coded_rate_cannot_be_computed_from_its_siblings() -> None:
    block = one_table({"a": (50, 1), "b": (60, 30), "c": (40, 20)})

    cells = statuses(block)

    assert (cells["a"].known, cells["a"].k, cells["a"].rate_low, cells["a"].rate_high) == (50, None, 0, 10)
    assert [name for name, cell in cells.items() if cell.k is None] == ["a", "c"]
    assert found(block, protect([block], rules=RULES).cells) == (0, 0, 0)


def test_no_rate_is_shown_whose_denominator_is_withheld() -> None:
    cells = protect([small_county(7)], rules=RULES).cells

    withheld = [cell for cell in cells if cell.status == "C"]
    assert withheld
    assert all(
        (c.n, c.known, c.k, c.rate, c.rate_low, c.rate_high, c.coverage_low, c.coverage_high) == (None,) * 8
        for c in withheld
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_outsider_finds_nothing_in_a_cohort_of_the_county(seed: int) -> None:
    block = small_county(seed, complete=seed % 2 == 0)

    result = protect([block], rules=RULES)

    assert result.verdict.clean
    assert found(block, result.cells) == (0, 0, 0)


def test_a_withheld_zero_is_as_uncertain_as_a_withheld_few() -> None:
    block = one_table({"a": (0, 0), "b": (0, 0), "c": (60, 30), "d": (40, 20)})

    assert found(block, primary_only(block))[0] > 0
    assert found(block, protect([block], rules=RULES).cells) == (0, 0, 0)


def test_a_strict_release_leaves_a_small_count_possible_up_to_the_threshold() -> None:
    block = one_table({"a": (9, 4), "b": (12, 6), "c": (11, 5), "d": (60, 30)})

    loose, strict = (protect([block], rules=rules).cells for rules in (RULES, Rules(strict=True)))

    assert sum(cell.status == "C" for cell in strict) >= sum(cell.status == "C" for cell in loose)
    assert protect([block], rules=Rules(strict=True)).verdict.clean


def own_rows(block: Block, provider: str) -> list[dict[str, str]]:
    names = [dimension.name for dimension in block.dimensions]
    return [
        {
            "indicator": block.indicator, "cohort_year": str(block.cohort_year),
            **dict(zip(names, cell.levels, strict=True)), "n": str(tally.n), "known": str(tally.known),
            "k": str(tally.k),
        }
        for cell in block.cells
        if (tally := cell.provider_counts.get(provider))
    ]  # fmt: skip


def insiders_find(block: Block, cells: tuple[ReleasedCell, ...]) -> int:
    providers = sorted({name for cell in block.cells for name in cell.provider_counts})
    return sum(
        attack(
            block,
            cells,
            insider=own_rows(block, name),
            owned=[("district", name)] if name.startswith("district") else [],
        )["recovered"]
        for name in providers
    )


@pytest.mark.parametrize("seed", [5, 9])
def test_no_provider_can_take_its_own_children_out_and_see_the_rest(seed: int) -> None:
    block = small_county(seed)

    with_insiders = protect([block], rules=RULES)
    without = protect([block], rules=Rules(insiders=False))

    assert with_insiders.verdict.clean
    assert insiders_find(block, with_insiders.cells) == 0
    assert insiders_find(block, without.cells) > 0


def test_two_providers_together_see_no_more() -> None:
    block = small_county(5)
    pair = ("district-00", "district-02")
    rows = [row for name in pair for row in own_rows(block, name)]

    cells = protect([block], rules=Rules(pairs=True)).cells

    assert attack(block, cells, insider=rows, owned=[("district", name) for name in pair])["recovered"] == 0


def test_the_report_card_of_a_small_county_withstands() -> None:
    block = report_card(200)
    few = {"district", "ses", "disability"}
    pairs = replace(block, tables=tuple(t for t in block.tables if set(t.dimensions) <= few))

    result = protect([pairs], rules=Rules(insiders=False))

    assert result.verdict.clean
    assert found(pairs, result.cells) == (0, 0, 0)


def test_the_command_catches_an_unprotected_release_and_passes_a_protected_one(tmp_path: Path) -> None:
    block = small_county(3)
    names = tuple(dimension.name for dimension in block.dimensions)
    (tmp_path / "hierarchies.json").write_text(json.dumps(hierarchies_of(block)), encoding="utf-8")

    def written(cells: tuple[ReleasedCell, ...], name: str) -> str:
        rows = rows_of(cells, names)
        lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
        return str(tmp_path / name)

    protected = written(protect([block], rules=RULES).cells, "protected.csv")
    unprotected = written(primary_only(block), "unprotected.csv")

    assert main([protected, str(tmp_path / "hierarchies.json"), "--summary", str(tmp_path / "out.json")]) == 0
    assert json.loads((tmp_path / "out.json").read_text())["recovered"] == 0
    assert main([unprotected, str(tmp_path / "hierarchies.json")]) == 1


def test_the_attacker_shares_no_code_with_us() -> None:
    script = Path(__file__).parents[2] / "attacker" / "attack_release.py"
    names = "[m for m in sys.modules if m.split('.')[0] in ('policies', 'linkage', 'hub', 'connectors')]"
    listing = f"import runpy, sys; runpy.run_path({str(script)!r}); print({names})"

    loaded = subprocess.run([sys.executable, "-I", "-c", listing], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
