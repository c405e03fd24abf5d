"""A new block that counts the same persons as one that is final is audited together with it."""

from dataclasses import replace

from hub.release.draft import Draft, Ledger, Proposal, draft_release
from policies.disclosure.engine import protect, protect_provisionally
from policies.disclosure.types import Block, ReleasedCell, Rules, Tally
from tests.attacker.attack_release import attack_release
from tests.bench.catalogues import own_rows, providers_of
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
SMALL = replace(FIRST, tables=FIRST.tables[:3])


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


def late(block: Block, *, reached: int, children: int = 1) -> Block:
    """The block with a child more, or several, in its first cell; so many of them have the outcome."""
    first, *rest = block.cells
    tally = first.tally + Tally(children, children, reached)
    own = {name: tally if mine == first.tally else mine for name, mine in first.provider_counts.items()}
    return replace(block, cells=(replace(first, tally=tally, provider_counts=own), *rest))


def test_nothing_new_is_shown_beside_corrected_figures_where_it_is_not_known_how_they_were_counted() -> None:
    corrected = (late(without_counts(FIRST), reached=1), late(without_counts(SECOND), reached=0))

    draft = drafted(*corrected, ledger=told_first())

    assert {cell.status for cell in of(draft)} == {"C"}


def test_of_a_new_block_is_shown_what_agrees_with_final_figures_that_were_corrected_since() -> None:
    ledger = told_first()
    blocks = (late(without_counts(FIRST), reached=1), late(without_counts(SECOND), reached=0))
    proposal = Proposal(blocks, "a" * 64, BOTH, 1, earlier={"final": (without_counts(FIRST),)})

    draft = draft_release(proposal, rules=RULES, ledger=ledger)

    told, new = ledger.cells["within-12", 2026], of(draft)
    known = {(cell.table, cell.levels): cell.known for cell in told}
    shown = [cell for cell in new if cell.status == "F"]
    assert "within-12" not in {indicator for indicator, _ in draft.new_cells}
    assert shown
    assert all(known[cell.table, cell.levels] in (None, cell.known) for cell in shown)
    assert [cell.status for cell in new if cell.table == "total"] == ["C"]
    assert beyond_what_was_told(told, new) == []


def test_no_provider_can_tell_more_of_a_new_block_beside_corrected_figures() -> None:
    rules = Rules()
    first = protect([SMALL], rules=rules)
    told = tuple(replace(cell, vintage="final") for cell in first.cells)
    now = late(SMALL, reached=1)
    after = replace(now, indicator="within-24")

    later = protect((now, after), rules=rules, ledger=told, earlier={"final": (SMALL,)})

    new = tuple(replace(cell, vintage="final") for cell in later.cells if cell.indicator == "within-24")
    assert later.verdict.clean
    assert any(cell.status == "F" for cell in new)
    for provider in providers_of(SMALL):
        own = [row for block in (now, after) for row in own_rows(block, provider)]
        own += own_rows(SMALL, provider, vintage="final")
        owned = [("district", provider)] if provider in SMALL.dimensions[0].levels else []
        assert beyond_what_was_told(told, new, insider=own, owned=owned) == []


def test_nothing_new_is_shown_where_a_provider_knows_that_the_final_figures_were_corrected() -> None:
    rules = Rules()
    told = tuple(replace(cell, vintage="final") for cell in protect([SMALL], rules=rules).cells)
    now = late(SMALL, reached=50, children=200)

    later = protect((now, replace(now, indicator="within-24")), rules=rules, ledger=told, earlier={"final": (now,)})

    assert later.verdict.clean
    assert {cell.status for cell in later.cells if cell.indicator == "within-24"} == {"C"}


def test_once_all_outcomes_are_final_a_correction_changes_nothing() -> None:
    told = told_first().cells["within-12", 2026]

    later = protect([late(without_counts(FIRST), reached=1)], rules=RULES, ledger=told)

    assert tuple(replace(cell, vintage="final") for cell in later.cells) == told


def beyond_what_was_told(
    first: tuple[ReleasedCell, ...], cells: tuple[ReleasedCell, ...], **insider: object
) -> list[dict[str, object]]:
    """What the attacker finds who joins both, but for numbers of persons that the final figures tell, and that nobody's
    outcome is unknown, which the definition says."""
    new = tuple(cell for cell in cells if cell.indicator == "within-24")
    names = tuple(dimension.name for dimension in FIRST.dimensions)
    shown = [dict(cell.levels) for cell in first if cell.status == "F"]
    found = attack_release(rows_of((*first, *new), names), hierarchies_of(FIRST), links=LINKS, **insider)[0]
    public = [(count, levels) for count in ("n", "known") for levels in shown]
    return [item for item in found if item["count"] != "unknown" and (item["count"], item["levels"]) not in public]


def test_a_higher_threshold_than_that_of_the_final_figures_withholds_and_is_no_danger() -> None:
    told = told_first().cells["within-12", 2026]
    blocks = (without_counts(FIRST), without_counts(SECOND))

    later = protect(blocks, rules=replace(RULES, min_n=18), ledger=told)

    assert later.verdict.clean
    assert all(cell.known is None or cell.known >= 18 for cell in later.cells if cell.indicator == "within-24")
    assert any(cell.status == "F" for cell in later.cells if cell.indicator == "within-24")
    assert beyond_what_was_told(told, later.cells) == []


def test_figures_of_the_same_persons_as_final_ones_may_be_told_provisionally() -> None:
    told = told_first().cells["within-12", 2026]
    blocks = (without_counts(FIRST), without_counts(SECOND))

    later = protect_provisionally(blocks, vintage="provisional-1", rules=RULES, ledger=told)

    assert later.verdict.clean
    assert any(cell.status == "F" for cell in later.cells if cell.indicator == "within-24")
    assert beyond_what_was_told(told, later.cells) == []


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


def test_how_many_are_unknown_does_not_follow_from_a_final_figure_that_tells_how_many_there_are() -> None:
    """Before, the number of those with a known outcome was told beside it."""
    untold = replace(without_counts(SECOND), complete=False)
    ledger = told_first()

    draft = drafted(without_counts(FIRST), untold, ledger=ledger)

    names = tuple(dimension.name for dimension in FIRST.dimensions)
    rows = rows_of((*ledger.cells["within-12", 2026], *of(draft)), names)
    found = attack_release(rows, hierarchies_of(FIRST), links=LINKS)[0]
    assert draft.verdict.clean
    assert [item for item in found if item["count"] == "unknown" and item["indicator"] == "within-24"] == []


def test_a_block_of_other_persons_is_audited_by_itself() -> None:
    ledger = told_first()
    apart = replace(without_counts(SECOND), population="")

    draft = drafted(without_counts(FIRST), apart, ledger=ledger)

    assert any(cell.status == "F" for cell in of(draft))
