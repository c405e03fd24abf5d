"""A new block that counts the same persons as one that is final is audited together with it."""

from dataclasses import replace

from hub.release.draft import Draft, Ledger, Proposal, draft_release
from policies.disclosure.engine import protect, protect_provisionally
from policies.disclosure.types import Block, Protected, ReleasedCell, Rules
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, rows_of, small_county

RULES = Rules(insiders=False)
FIRST = replace(small_county(2, indicator="within-12", complete=True), cohort_year=2026, population="class")
SECOND = replace(
    FIRST,
    indicator="within-24",
    cells=tuple(replace(cell, tally=replace(cell.tally, k=cell.tally.k // 2)) for cell in FIRST.cells),
    tables=FIRST.tables[:3],
)
LINKS = [{"indicator": one.indicator, "cohort_year": "2026", "population": "class"} for one in (FIRST, SECOND)]
BOTH = {"within-12": "1", "within-24": "1"}


def drafted(*blocks: Block, ledger: Ledger) -> Draft:
    return draft_release(Proposal(blocks, "a" * 64, BOTH, 1), rules=RULES, ledger=ledger)


def told_first() -> Ledger:
    first = drafted(FIRST, ledger=Ledger({}, {}, "0.0"))
    return Ledger(dict(first.new_cells), dict(first.new_structures), "1.1")


def of(draft: Draft) -> tuple[ReleasedCell, ...]:
    return draft.new_cells["within-24", 2026]


def without_counts(block: Block) -> Block:
    return replace(block, cells=tuple(replace(cell, provider_counts={}) for cell in block.cells))


def test_what_is_new_is_audited_with_the_final_figures_of_the_same_persons() -> None:
    ledger = told_first()

    draft = drafted(without_counts(FIRST), without_counts(SECOND), ledger=ledger)

    names = tuple(dimension.name for dimension in FIRST.dimensions)
    rows = rows_of((*ledger.cells["within-12", 2026], *of(draft)), names)
    assert list(draft.new_cells) == [("within-24", 2026)]
    assert any(cell.status == "F" for cell in of(draft))
    assert attack_release(rows, hierarchies_of(FIRST), links=LINKS)[0] == []


def test_nothing_new_is_shown_beside_final_figures_that_were_corrected_since() -> None:
    ledger = told_first()
    small, *rest = without_counts(FIRST).cells
    more = replace(small, tally=replace(small.tally, n=small.tally.n + 1, known=small.tally.known + 1))
    corrected = (replace(FIRST, cells=(more, *rest)), replace(SECOND, cells=(more, *without_counts(SECOND).cells[1:])))

    draft = drafted(*corrected, ledger=ledger)

    assert {cell.status for cell in of(draft)} == {"C"}


def beyond_what_was_told(first: tuple[ReleasedCell, ...], later: Protected) -> list[dict[str, object]]:
    """What the attacker finds who joins both, but for numbers of persons that the final figures tell, and that nobody's
    outcome is unknown, which the definition says."""
    new = tuple(cell for cell in later.cells if cell.indicator == "within-24")
    names = tuple(dimension.name for dimension in FIRST.dimensions)
    shown = [dict(cell.levels) for cell in first if cell.status == "F"]
    found = attack_release(rows_of((*first, *new), names), hierarchies_of(FIRST), links=LINKS)[0]
    public = [(count, levels) for count in ("n", "known") for levels in shown]
    return [item for item in found if item["count"] != "unknown" and (item["count"], item["levels"]) not in public]


def test_a_higher_threshold_than_that_of_the_final_figures_withholds_and_is_no_danger() -> None:
    told = told_first().cells["within-12", 2026]
    blocks = (without_counts(FIRST), without_counts(SECOND))

    later = protect(blocks, rules=replace(RULES, min_n=18), ledger=told)

    assert later.verdict.clean
    assert all(cell.known is None or cell.known >= 18 for cell in later.cells if cell.indicator == "within-24")
    assert any(cell.status == "F" for cell in later.cells if cell.indicator == "within-24")
    assert beyond_what_was_told(told, later) == []


def test_figures_of_the_same_persons_as_final_ones_may_be_told_provisionally() -> None:
    told = told_first().cells["within-12", 2026]
    blocks = (without_counts(FIRST), without_counts(SECOND))

    later = protect_provisionally(blocks, vintage="provisional-1", rules=RULES, ledger=told)

    assert later.verdict.clean
    assert any(cell.status == "F" for cell in later.cells if cell.indicator == "within-24")
    assert beyond_what_was_told(told, later) == []


def test_the_numerator_that_a_final_figure_told_is_no_secret_of_those_who_reached_it() -> None:
    told = told_first().cells["within-12", 2026]
    reached = tuple(
        replace(cell, tally=replace(cell.tally, n=cell.tally.k, known=cell.tally.k, k=cell.tally.k // 2))
        for cell in without_counts(FIRST).cells
    )
    after = replace(without_counts(SECOND), cells=reached, population="", part_of="within-12")

    later = protect((without_counts(FIRST), after), rules=replace(RULES, min_n=30), ledger=told)

    assert later.verdict.clean
    assert all(cell.known is None or cell.known >= 30 for cell in later.cells if cell.indicator == "within-24")


def test_a_block_of_other_persons_is_audited_by_itself() -> None:
    ledger = told_first()
    apart = replace(without_counts(SECOND), population="")

    draft = drafted(without_counts(FIRST), apart, ledger=ledger)

    assert any(cell.status == "F" for cell in of(draft))
