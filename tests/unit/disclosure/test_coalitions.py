"""What two providers know together, as the benchmark of coalitions lets them attack."""

import pytest

from policies.disclosure.engine import protect
from policies.disclosure.types import BaseCell, Rules, Tally
from tests.bench.coalitions import Told, coalitions, name_of, owned_levels
from tests.bench.disclosure import hierarchies_of, rows_of, small_county
from tests.bench.own_children import own_outcomes


@pytest.mark.parametrize(
    ("shared", "who", "known"),
    [
        ({("a", "b"): Tally(3, 3, 1)}, ("a", "b"), (3, 3, 1)),  # a child of both is one child
        ({}, ("a", "b"), (5, 4, 1)),
        (None, ("a", "b"), (5, 4, 1)),  # not known: as many as there may be
        ({("a", "b"): Tally(3, 3, 1)}, ("a",), (2, 3, 1)),
        ({}, ("a", "c"), (2, 3, 1)),  # the other has none there
    ],
)
def test_two_providers_know_a_child_of_both_once(shared, who, known) -> None:
    own = {"a": Tally(6, 5, 3), "b": Tally(4, 4, 1)}
    cell = BaseCell(levels=("x",), tally=Tally(12, 10, 5), provider_counts=own, shared_counts=shared)

    assert own_outcomes(cell, who) == known


def test_a_level_is_a_providers_own_where_it_bears_its_name_and_holds_nobody_else() -> None:
    block = small_county(5)

    assert owned_levels([block], ("district-00", "preschool-1")) == [("district", "district-00")]


@pytest.mark.slow
@pytest.mark.parametrize(("rules", "told"), [(Rules(insiders=False), True), (Rules(pairs=True), False)])
def test_coalitions_find_what_is_not_protected_from_them(rules, told) -> None:
    block = small_county(5)
    rows = rows_of(protect([block], rules=rules).cells, tuple(dimension.name for dimension in block.dimensions))
    name = name_of(block)

    found = list(coalitions(Told({name: rows}, hierarchies_of(block), (), {name: block}), share=0.03))

    assert [row.held for row in found if "attacks" in row.name.rsplit(": ", 1)[-1]] == [True, True]
    assert any(not row.held for row in found) is told
