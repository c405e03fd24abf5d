"""A table may tell of a dimension only its highest groups: a small part of one group then hides nothing of the rest."""

from dataclasses import replace

from policies.disclosure.engine import protect
from policies.disclosure.types import BaseCell, Block, Dimension, ReleasedCell, Rules, TableDeclaration, Tally
from policies.indicator_files import dimensions
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, rows_of

PRESCHOOL = Dimension(
    name="preschool", levels=("head-start", "state", "none"), parents={"head-start": "any", "state": "any"}
)
INCOME = Dimension(name="income", levels=("disadvantaged", "other"))
COUNTS = {
    ("head-start", "disadvantaged"): 182, ("head-start", "other"): 4, ("state", "disadvantaged"): 88,
    ("state", "other"): 190, ("none", "disadvantaged"): 363, ("none", "other"): 1153,
}  # fmt: skip
OWNERS = {"head-start": "first-preschool", "state": "second-preschool"}


def attended(table: TableDeclaration) -> Block:
    cells = []
    for levels, count in COUNTS.items():
        tally = Tally(count, count, count // 2)
        own = {OWNERS[levels[0]]: tally} if levels[0] in OWNERS else {}
        cells.append(BaseCell(levels=levels, tally=tally, provider_counts=own, shared_counts={}))
    alone = TableDeclaration(name="preschool", dimensions=("preschool",), priority=1)
    return Block(
        indicator="reading", cohort_year=2026, dimensions=(PRESCHOOL, INCOME), cells=tuple(cells), tables=(alone, table)
    )


FINE = TableDeclaration(name="by-income", dimensions=("preschool", "income"), priority=2)
COARSE = replace(FINE, coarse=("preschool",))


def shown(block: Block) -> set[tuple[str, ...]]:
    cells = protect([block], rules=Rules(pairs=True)).cells
    return {levels(cell) for cell in cells if cell.status == "F" and cell.table == "by-income"}


def levels(cell: ReleasedCell) -> tuple[str, ...]:
    named = dict(cell.levels)
    return tuple(named[name] for name in ("preschool", "income") if name in named)


def test_the_question_for_whom_preschool_was_attended_is_answered_by_any_or_none() -> None:
    wanted = {(one, other) for one in ("any", "none") for other in ("disadvantaged", "other")}

    assert wanted <= shown(attended(COARSE))
    assert not wanted <= shown(attended(FINE))


def test_a_coarse_table_has_no_row_for_the_parts_of_a_group() -> None:
    cells = protect([attended(COARSE)], rules=Rules()).cells

    assert {levels(cell)[0] for cell in cells if cell.table == "by-income"} == {"Total", "any", "none"}
    assert {levels(cell)[0] for cell in cells if cell.table == "preschool"} == {
        "Total", "any", "none", "head-start", "state",
    }  # fmt: skip


def test_what_a_coarse_table_tells_beside_a_fine_one_gives_nothing_withheld_away() -> None:
    block = attended(COARSE)
    result = protect([block], rules=Rules(pairs=True))

    found, summary = attack_release(rows_of(result.cells, ("preschool", "income")), hierarchies_of(block))

    assert result.verdict.clean
    assert (found, summary["recovered"]) == ([], 0)


def test_a_level_of_whole_cohorts_stands_alone_or_not_at_all() -> None:
    preschool = dimensions()["preschool"]

    assert preschool.standing({"unknown"}) == ("unknown",)
    assert "unknown" not in preschool.standing({"none", "head-start"})
    assert dimensions()["eighth-grade-math"].standing({"met"}) == ("met", "not-met", "unknown")
