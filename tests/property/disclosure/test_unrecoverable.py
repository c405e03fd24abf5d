"""What must hold for all tables: nothing withheld can be told; order does not matter; stricter never shows more."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.disclosure.engine import protect
from policies.disclosure.types import Block, Dimension, ReleasedCell, Rules, TableDeclaration
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import block_of, hierarchies_of, rows_of

DIMENSIONS = (
    Dimension(
        name="area",
        levels=("a1", "a2", "b1", "b2", "b3"),
        parents={"a1": "a", "a2": "a", "b1": "b", "b2": "b", "b3": "b"},
    ),
    Dimension(name="colour", levels=("red", "green", "not-reported")),
    Dimension(name="size", levels=("big", "small")),
)
TABLES = (("area",), ("colour",), ("size",), ("area", "size"), ("colour", "size"), ("area", "colour"))


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    chance = random.Random(draw(st.integers(0, 10**9)))
    people = draw(st.integers(0, 120))
    weights = [[chance.random() ** draw(st.integers(1, 4)) for _ in d.levels] for d in DIMENSIONS]
    rate, known = chance.random(), chance.choice((0.5, 0.9, 1.0))
    persons = []
    for _ in range(people):
        levels = tuple(chance.choices(d.levels, w)[0] for d, w in zip(DIMENSIONS, weights, strict=True))
        providers = (levels[0], *(("preschool",) if chance.random() < 0.3 else ()))
        persons.append((levels, chance.random() < known, chance.random() < rate, providers))
    chosen = draw(st.lists(st.sampled_from(TABLES), min_size=1, max_size=4, unique=True))
    tables = tuple(TableDeclaration(name="-".join(t), dimensions=t, priority=i) for i, t in enumerate(chosen))
    return block_of(persons, dimensions=DIMENSIONS, tables=tables, complete=draw(st.booleans()))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(blocks())
def test_no_withheld_number_can_be_told_exactly_or_within_three(block: Block) -> None:
    result = protect([block], rules=Rules(insiders=False))

    rows = rows_of(result.cells, tuple(d.name for d in DIMENSIONS))
    found, summary = attack_release(rows, hierarchies_of(block))

    assert result.verdict.clean
    assert (summary["recovered"], found) == (0, [])


@settings(max_examples=15, deadline=None, derandomize=True)
@given(blocks())
def test_no_insider_can_tell_a_withheld_number(block: Block) -> None:
    result = protect([block], rules=Rules())
    rows = rows_of(result.cells, tuple(d.name for d in DIMENSIONS))

    for provider in ("a1", "b2", "preschool"):
        own = [
            {
                "indicator": block.indicator, "cohort_year": str(block.cohort_year),
                **{d.name: level for d, level in zip(DIMENSIONS, cell.levels, strict=True)},
                "n": str(tally.n), "known": str(tally.known), "k": str(tally.k),
            }
            for cell in block.cells
            if (tally := cell.provider_counts.get(provider))
        ]  # fmt: skip
        owned = [("area", provider)] if provider != "preschool" else []

        assert not own or attack_release(rows, hierarchies_of(block), insider=own, owned=owned)[0] == []


@settings(max_examples=20, deadline=None, derandomize=True)
@given(blocks(), st.randoms(use_true_random=False))
def test_the_order_of_rows_categories_and_tables_does_not_matter(block: Block, chance: random.Random) -> None:
    def shuffled(items: tuple) -> tuple:
        return tuple(chance.sample(items, len(items)))

    order = chance.sample(range(3), 3)
    other = replace(
        block,
        dimensions=tuple(replace(block.dimensions[i], levels=shuffled(block.dimensions[i].levels)) for i in order),
        cells=shuffled(tuple(replace(cell, levels=tuple(cell.levels[i] for i in order)) for cell in block.cells)),
        tables=shuffled(tuple(replace(table, dimensions=shuffled(table.dimensions)) for table in block.tables)),
    )

    assert protect([other], rules=Rules()).cells == protect([block], rules=Rules()).cells


@settings(max_examples=20, deadline=None, derandomize=True)
@given(blocks())
def test_the_same_counts_give_the_same_release(block: Block) -> None:
    first, second = (protect([block], rules=Rules()) for _ in range(2))

    assert first == second


def tells_no_more(one: ReleasedCell, other: ReleasedCell) -> bool:
    """Whether a cell tells nothing that another does not tell as finely."""

    def within(low: int | None, high: int | None, least: int | None, most: int | None) -> bool:
        return low is None or high is None or (least is not None and most is not None and low <= least <= most <= high)

    exact = all(getattr(one, name) in (None, getattr(other, name)) for name in ("n", "known", "k", "rate"))
    rate = other.k is not None or within(one.rate_low, one.rate_high, other.rate_low, other.rate_high)
    cover = within(one.coverage_low, one.coverage_high, other.coverage_low, other.coverage_high)
    return one.status == "C" or (other.status == "F" and exact and rate and cover)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(blocks(), st.lists(st.integers(11, 40), min_size=1, max_size=3), st.integers(11, 40), st.booleans())
def test_adding_an_agreement_never_widens_a_release(
    block: Block, thresholds: list[int], added: int, complete_audit: bool
) -> None:
    before = protect([block], rules=Rules(min_n=max(thresholds), insiders=complete_audit))

    after = protect([block], rules=Rules(min_n=max(*thresholds, added), insiders=complete_audit))

    assert after.verdict.clean
    assert all(tells_no_more(one, other) for one, other in zip(after.cells, before.cells, strict=True))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(blocks(), st.integers(12, 30))
def test_no_cell_under_a_raised_threshold_is_shown(block: Block, least: int) -> None:
    result = protect([block], rules=Rules(min_n=least, insiders=False))

    assert all(cell.known is None or cell.known >= least for cell in result.cells)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(blocks(), st.sampled_from((0, 5, 8)), st.sampled_from((0, 3)), st.integers(11, 14), st.integers(0, 2))
def test_a_higher_minimum_for_numerators_and_a_higher_threshold_together_never_show_more(
    block: Block, first: int, more: int, min_n: int, higher: int
) -> None:
    rules = Rules(min_n=min_n, numerator_min=first, insiders=False)
    before = protect([block], rules=rules)

    after = protect([block], rules=replace(rules, min_n=min_n + higher, numerator_min=first + more))

    found = attack_release(rows_of(after.cells, tuple(d.name for d in DIMENSIONS)), hierarchies_of(block))[0]
    assert after.verdict.clean
    assert found == []
    assert all(tells_no_more(one, other) for one, other in zip(after.cells, before.cells, strict=True))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(blocks(), st.randoms(use_true_random=False))
def test_of_a_table_or_a_dimension_that_is_forbidden_nothing_is_told(block: Block, chance: random.Random) -> None:
    left = tuple(chance.sample(block.tables, chance.randrange(1, len(block.tables) + 1)))

    result = protect([replace(block, tables=left)], rules=Rules(insiders=False))

    found = attack_release(rows_of(result.cells, tuple(d.name for d in DIMENSIONS)), hierarchies_of(block))[0]
    allowed = {name for table in left for name in table.dimensions}
    assert {cell.table for cell in result.cells} == {table.name for table in left}
    assert {name for cell in result.cells for name, _ in cell.levels} <= allowed
    assert (result.verdict.clean, found) == (True, [])
