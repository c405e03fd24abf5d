"""A provider takes out of each telling its own children as they were then, and learns nothing of the others."""

from collections.abc import Mapping

from policies.disclosure.engine import observers, protect, protect_provisionally
from policies.disclosure.frame import frame
from policies.disclosure.recollection import crowds, remembered
from policies.disclosure.types import BaseCell, Block, Dimension, ReleasedCell, Rules, TableDeclaration, Tally
from tests.attacker.attack_release import attack_release
from tests.bench.catalogues import own_rows
from tests.bench.disclosure import hierarchies_of, rows_of

RULES = Rules()
LEVELS = ("a", "b", "c", "d")


def counted(
    counts: Mapping[str, int], own: Mapping[str, Mapping[str, int]], *, levels: tuple[str, ...] = LEVELS
) -> Block:
    """Groups of so many, with some children of each provider."""

    def cell(level: str) -> BaseCell:
        mine = {name: half(numbers[level]) for name, numbers in own.items() if numbers.get(level)}
        return BaseCell(levels=(level,), tally=half(counts[level]), provider_counts=mine, shared_counts={})

    return Block(
        indicator="reading",
        cohort_year=2026,
        dimensions=(Dimension(name="group", levels=levels),),
        cells=tuple(cell(level) for level in levels),
        tables=(TableDeclaration(name="group", dimensions=("group",), priority=1),),
        complete=True,
    )


def half(count: int) -> Tally:
    return Tally(count, count, count // 2)


def told(block: Block) -> tuple[ReleasedCell, ...]:
    return protect_provisionally([block], vintage="provisional-1", rules=RULES).cells


def changes(now: Block, then: Block) -> dict[frozenset, list]:
    """By observers to whom the first telling says the same: what it adds to each group that it told."""
    frames = (frame(remembered(now, {"provisional-1": (then,)}), not_reported=RULES.not_reported),)
    found = crowds(frames, told(then), {"provisional-1": (then,)}, rules=RULES, observers=observers)
    return {
        crowd.names: sorted(
            {tuple(one.change) for vintage in crowd.told for heard in vintage.values() for one in heard}
        )
        for crowd in found
    }


BEFORE = {"a": 40, "b": 60, "c": 50, "d": 70}
SAME = {"north": {"a": 20}}


def test_what_was_told_is_the_same_to_all_whose_own_children_did_not_change() -> None:
    found = changes(counted({**BEFORE, "b": 62}, SAME), counted(BEFORE, SAME))

    assert found == {frozenset({(), ("north",)}): [(0, 0, 0)]}


def test_to_a_provider_that_lost_two_of_its_children_a_telling_was_of_two_more() -> None:
    found = changes(counted({**BEFORE, "a": 38}, {"north": {"a": 18}}), counted(BEFORE, SAME))

    assert found == {frozenset({()}): [(0, 0, 0)], frozenset({("north",)}): [(0, 0, 0), (2, 1, 2)]}


def test_a_provider_without_children_now_remembers_those_that_it_had() -> None:
    found = changes(counted({**BEFORE, "a": 20}, {}), counted(BEFORE, SAME))

    assert found == {frozenset({()}): [(0, 0, 0)], frozenset({("north",)}): [(0, 0, 0), (20, 10, 20)]}


def test_a_provider_that_had_no_children_then_takes_none_out() -> None:
    found = changes(counted({**BEFORE, "a": 60}, SAME), counted(BEFORE, {}))

    assert found == {frozenset({()}): [(0, 0, 0)], frozenset({("north",)}): [(-20, -10, -20), (0, 0, 0)]}


def test_a_telling_by_other_levels_is_read_with_the_children_of_now() -> None:
    then = counted({"a": 90, "b": 50, "c": 70}, {"north": {"a": 30}}, levels=("a", "b", "c"))

    found = changes(counted(BEFORE, SAME), then)

    assert found == {frozenset({(), ("north",)}): [(0, 0, 0)]}


def test_a_provider_that_knows_its_own_children_at_each_telling_cannot_tell_the_others() -> None:
    # North lost nine of its children in a, and says so to itself: 25 to 34 then were 16 to 25 now, of the same others.
    before, now = counted({**BEFORE, "a": 30}, {"north": {"a": 29}}), counted({**BEFORE, "a": 21}, SAME)
    first = told(before)

    final = protect([now], rules=RULES, ledger=first, earlier={"provisional-1": (before,)})

    rows = rows_of((*first, *final.cells), ("group",))
    own = [*own_rows(before, "north", vintage="provisional-1"), *own_rows(now, "north")]
    assert final.verdict.clean
    assert attack_release(rows, hierarchies_of(now), insider=own)[0] == []
