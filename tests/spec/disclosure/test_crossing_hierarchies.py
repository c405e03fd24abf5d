"""Two hierarchies of the same places that are not nested: the worked example of a published manual.

The counts are those of the made-up data set "d2s" of the R packages SSBtools and GaussSuppression (Langsrud and Lupp,
Statistics Norway, vignette "Defining tables", table 1): persons by region and main income; regions lie in counties,
and are big or small, and neither says the other. What is withheld in one hierarchy alone can be told by the other:
big regions less the second county are region A.
"""

from dataclasses import replace

import pytest

from policies.disclosure.engine import protect
from policies.disclosure.frame import frame
from policies.disclosure.types import (
    BaseCell,
    Block,
    BlockError,
    Dimension,
    ReleasedCell,
    Rules,
    TableDeclaration,
    Tally,
)
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, rows_of

INCOMES = ("other", "wages", "assistance", "pensions")
PUBLISHED = (
    ("A", "county-1", "big", (2, 11, 55, 36)),
    ("B", "county-2", "big", (3, 1, 29, 18)),
    ("C", "county-2", "big", (5, 8, 35, 25)),
    ("D", "county-1", "small", (3, 0, 9, 2)),
    ("E", "county-3", "small", (9, 0, 32, 20)),
    ("F", "county-3", "small", (4, 2, 18, 11)),
)
COUNTIES = {region: county for region, county, _, _ in PUBLISHED}
SIZES = {region: size for region, _, size, _ in PUBLISHED}
BOTH = Dimension(name="region", levels=tuple(COUNTIES), parents=COUNTIES, crossing=(SIZES,))
INCOME = Dimension(name="income", levels=INCOMES)
RULES = Rules(insiders=False)


def published(region: Dimension) -> Block:
    return Block(
        indicator="income",
        cohort_year=2026,
        dimensions=(region, INCOME),
        cells=tuple(
            BaseCell(levels=(place, income), tally=Tally(count, count, count // 2))
            for place, _, _, counts in PUBLISHED
            for income, count in zip(INCOMES, counts, strict=True)
        ),
        tables=(TableDeclaration(name="region-by-income", dimensions=("region", "income"), priority=1),),
        complete=True,
    )


def told(cells: tuple[ReleasedCell, ...], region: Dimension) -> list:
    return attack_release(rows_of(cells, ("region", "income")), hierarchies_of(published(region)))[0]


def test_a_table_has_the_groups_of_every_hierarchy() -> None:
    shown = {dict(cell.levels)["region"] for cell in protect([published(BOTH)], rules=RULES).cells}

    assert shown == {"Total", *COUNTIES, *COUNTIES.values(), *SIZES.values()}


def test_two_hierarchies_that_are_each_protected_alone_tell_together_what_both_withhold() -> None:
    counties, sizes = (replace(BOTH, parents=parents, crossing=()) for parents in (COUNTIES, SIZES))
    each = [protect([published(region)], rules=RULES) for region in (counties, sizes)]

    both = tuple(cell for result in each for cell in result.cells)

    assert all(result.verdict.clean for result in each)
    assert told(each[0].cells, counties) == told(each[1].cells, sizes) == []
    assert told(both, BOTH) != []


def test_protected_together_they_tell_nothing() -> None:
    result = protect([published(BOTH)], rules=RULES)

    assert result.verdict.clean
    assert told(result.cells, BOTH) == []
    assert any(cell.status == "F" and dict(cell.levels)["region"] == "big" for cell in result.cells)


def test_the_order_of_the_hierarchies_does_not_matter() -> None:
    other = replace(BOTH, parents=SIZES, crossing=(COUNTIES,))

    assert protect([published(other)], rules=RULES).cells == protect([published(BOTH)], rules=RULES).cells


def test_two_hierarchies_may_not_have_a_group_of_one_name() -> None:
    same = replace(BOTH, crossing=({**SIZES, "A": "county-2"},))

    with pytest.raises(BlockError, match="one name"):
        frame(published(same), not_reported=RULES.not_reported)
