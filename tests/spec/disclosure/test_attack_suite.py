"""The suite of attacks: each shows that the usual release falls to it, and that ours does not.

Listed in docs/attacks-on-releases.md. The usual release withholds groups of ten or fewer and nothing else.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from policies.disclosure.engine import protect
from policies.disclosure.types import BaseCell, Block, Dimension, ReleasedCell, Rules, TableDeclaration, Tally
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import block_of, hierarchies_of, rows_of, small_county, truth_of

OUTSIDER = Rules(insiders=False)
PAGE = Path(__file__).parents[3] / "docs" / "attacks-on-releases.md"
TESTS = Path(__file__).parents[2]


def rows(cells: Iterable[ReleasedCell], *blocks: Block) -> list[dict[str, str]]:
    return rows_of(tuple(cells), tuple(dimension.name for dimension in blocks[0].dimensions))


def findings(cells: Iterable[ReleasedCell], *blocks: Block, **options) -> list[dict[str, object]]:
    return attack_release(rows(cells, *blocks), hierarchies_of(blocks[0]), **options)[0]


def of(cells: Iterable[ReleasedCell], block: Block) -> tuple[ReleasedCell, ...]:
    return tuple(c for c in cells if (c.indicator, c.cohort_year) == (block.indicator, block.cohort_year))


def usual(block: Block, *, least: int = 11) -> tuple[ReleasedCell, ...]:
    """Every group of 11 and more with its exact numbers; what most reports do."""
    cells = protect([block], rules=OUTSIDER).cells
    return tuple(
        shown(cell, int(row["n"]), int(row["known"]), k=int(row["k"])) if int(row["known"]) >= least else hidden(cell)
        for cell, row in zip(cells, truth_of(block, cells), strict=True)
    )


def shown(cell: ReleasedCell, n: int | None, known: int, *, k: int | None) -> ReleasedCell:
    rate = None if k is None else round(100 * k / known)
    nothing = {"rate_low": None, "rate_high": None, "coverage_low": None, "coverage_high": None}
    return replace(cell, status="F", n=n, known=known, k=k, rate=rate, **nothing)


def hidden(cell: ReleasedCell) -> ReleasedCell:
    bare = ReleasedCell(indicator=cell.indicator, cohort_year=cell.cohort_year, table=cell.table, levels=cell.levels)
    return replace(bare, vintage=cell.vintage)


def groups(counts: dict[str, tuple[int, int]], **changes) -> Block:
    block = Block(
        indicator="reading",
        cohort_year=2026,
        dimensions=(Dimension(name="group", levels=tuple(counts)),),
        cells=tuple(BaseCell(levels=(level,), tally=Tally(n, n, k)) for level, (n, k) in counts.items()),
        tables=(TableDeclaration(name="group", dimensions=("group",), priority=1),),
        complete=True,
    )
    return replace(block, **changes)


def crossed(counts: dict[tuple[str, str], tuple[int, int]], *tables: tuple[str, ...], **changes) -> Block:
    """Counts by sex and group."""
    levels = [tuple(dict.fromkeys(key[place] for key in counts)) for place in (0, 1)]
    return groups(
        {},
        dimensions=tuple(
            Dimension(name=name, levels=found) for name, found in zip(("sex", "group"), levels, strict=True)
        ),
        cells=tuple(BaseCell(levels=key, tally=Tally(n, n, k)) for key, (n, k) in counts.items()),
        tables=tuple(
            TableDeclaration(name="-by-".join(names) or "total", dimensions=names, priority=place)
            for place, names in enumerate(tables)
        ),
        **changes,
    )


def told(found: list[dict[str, object]], **levels: str) -> list[tuple[object, object, object]]:
    """What was found of one group: count, least, greatest."""
    return [(one["count"], one["low"], one["high"]) for one in found if wanted(one, levels)]


def wanted(one: dict[str, object], levels: dict[str, str]) -> bool:
    named = one["levels"]
    assert isinstance(named, dict)
    return {name: level for name, level in named.items() if level != "Total"} == levels


def test_one_filter_difference_and_negation() -> None:
    # Girls of group b are the girls less the girls of a; and group b without its boys.
    block = crossed(
        {("f", "a"): (40, 20), ("f", "b"): (4, 2), ("m", "a"): (30, 15), ("m", "b"): (26, 13)},
        (), ("sex",), ("group",), ("sex", "group"),
    )  # fmt: skip

    assert ("n", 4, 4) in told(findings(usual(block), block), sex="f", group="b")
    assert findings(protect([block], rules=OUTSIDER).cells, block) == []


def test_linked_tables_that_share_a_margin() -> None:
    # Each table is mended for itself by the usual rule, "withhold the next smallest in the line".
    found = 0
    for seed in (3, 8):
        block = three_tables(seed)
        apart = [cell for table in block.tables for cell in mended(replace(block, tables=(table,)))]

        found += bool(findings(apart, block))
        assert findings(protect([block], rules=OUTSIDER).cells, block) == []
    assert found


def mended(block: Block) -> list[ReleasedCell]:
    """A table of two dimensions: where a line hides one cell alone, its next smallest is hidden with it."""
    cells = {cell.levels: cell for cell in usual(block)}
    changed = True
    while changed:
        changed = False
        for name, level in {pair for levels in cells for pair in levels}:
            line = [c for levels, c in cells.items() if (name, level) in levels and inner(c, besides=name)]
            if sum(c.status == "C" for c in line) == 1:
                least = min((c for c in line if c.status == "F"), key=lambda c: c.known or 0, default=None)
                changed |= least is not None
                cells |= {} if least is None else {least.levels: hidden(least)}
    return list(cells.values())


def inner(cell: ReleasedCell, *, besides: str) -> bool:
    return all(level != "Total" for name, level in cell.levels if name != besides)


def three_tables(seed: int) -> Block:
    """Made-up persons by area, colour and size, in three tables that turn in a circle."""
    chance = random.Random(seed)
    dimensions = tuple(
        Dimension(name=name, levels=tuple(f"{name}-{number}" for number in range(count)))
        for name, count in (("area", 4), ("colour", 3), ("size", 2))
    )
    weights = [[chance.random() ** 2 for _ in one.levels] for one in dimensions]
    persons = []
    for _ in range(90):
        levels = tuple(chance.choices(d.levels, w)[0] for d, w in zip(dimensions, weights, strict=True))
        persons.append((levels, True, chance.random() < 0.5, ()))
    names = [("area", "size"), ("colour", "size"), ("area", "colour")]
    tables = tuple(TableDeclaration(name="-by-".join(n), dimensions=n, priority=i) for i, n in enumerate(names))
    return block_of(persons, dimensions=dimensions, tables=tables, complete=True)


def test_bounds_that_no_difference_gives() -> None:
    # Two groups are hidden, but only two children are left for both.
    block = groups({"a": (1, 1), "b": (1, 0), "c": (60, 30), "d": (40, 20)})

    found = told(findings(usual(block), block), group="a")

    assert ("n", 0, 2) in found
    assert findings(protect([block], rules=OUTSIDER).cells, block) == []


def test_a_percentage_times_its_denominator() -> None:
    # 67 % of 15 is 10 and no other number: a numerator that is left out is still told.
    block = groups({"a": (15, 10), "b": (60, 30), "c": (40, 20)})
    without_k = [replace(c, k=None) for c in usual(block)]

    assert told(findings(without_k, block), group="a") == [("k", 10, 10), ("no", 5, 5)]
    assert not any(c.rate is not None and c.k is None for c in protect([block], rules=OUTSIDER).cells)
    assert findings(protect([block], rules=OUTSIDER).cells, block) == []


def test_a_numerator_that_agrees_with_a_rounded_rate() -> None:
    # 10 of 15 makes 67 %: shown beside its rate, a numerator tells the denominator that is hidden.
    block = groups({"a": (15, 10), "b": (60, 30), "c": (40, 20)})
    without_n = [replace(c, n=None, known=None) if dict(c.levels)["group"] == "a" else c for c in usual(block)]
    alone = [c for c in without_n if dict(c.levels)["group"] == "a"]

    assert ("known", 15, 15) in told(findings(alone, block), group="a")
    assert all(c.known is not None for c in protect([block], rules=OUTSIDER).cells if c.k is not None)


def test_both_a_numerator_and_its_rest() -> None:
    # Those who reached it and those who did not, published as two tables, add up to the hidden group.
    block = groups({"a": (8, 4), "b": (60, 30), "c": (40, 20)})
    released = protect([block], rules=OUTSIDER).cells

    assert {("k", 4, 4), ("no", 4, 4)} <= set(told(findings(usual(block), block), group="a"))
    assert findings(released, block) == []


@pytest.mark.parametrize("k", [0, 8])
def test_none_or_all_of_a_group_also_where_its_number_is_hidden(k: int) -> None:
    block = groups({"a": (8, k), "b": (60, 60 - 8 + k if k else 30), "c": (40, 40 if k else 20)})
    released = usual(block)
    blind = [replace(c, n=None, known=None) if dict(c.levels)["group"] == "Total" else c for c in released]

    attributes = [one for one in findings(released, block) if one["attribute"]]

    assert attributes
    assert [one for one in findings(blind, block) if one["attribute"] and k == 0] or k
    assert findings(protect([block], rules=OUTSIDER).cells, block) == []


@pytest.mark.parametrize("first_hides", [True, False])
def test_withheld_then_shown_and_shown_then_withheld(first_hides: bool) -> None:
    # The next release hides another group beside the small one: the two releases together tell all.
    block = groups({"a": (8, 3), "b": (60, 30), "c": (40, 20)})
    one, other = (
        tuple(
            replace(hidden(c) if dict(c.levels)["group"] == also else c, vintage=vintage)
            for c in usual(block)
        )
        for also, vintage in (("b", "final"), ("c", "final-2"))
    )  # fmt: skip
    order = (one, other) if first_hides else (other, one)

    assert ("n", 8, 8) in told(findings([c for part in order for c in part], block), group="a")
    released = protect([block], rules=OUTSIDER).cells
    again = protect([block], rules=Rules(insiders=False, min_n=45), ledger=released).cells
    assert findings([*released, *(replace(c, vintage="final-2") for c in again)], block) == []


def test_the_change_of_a_correction() -> None:
    # One child was moved into the programme: the difference of two shown totals is that child.
    before = groups({"a": (30, 15), "b": (60, 30)})
    after = groups({"a": (31, 16), "b": (60, 30)})

    first = protect([before], rules=OUTSIDER).cells
    second = protect([after], rules=OUTSIDER, ledger=first).cells

    assert [c.known for c in usual(after)] != [c.known for c in usual(before)]
    assert second == first


def test_provisional_minus_final() -> None:
    from policies.disclosure.provisional import provisional_cell

    block = small_county(12)
    told_first = tuple(provisional_cell(c, "provisional-1") for c in protect([block], rules=OUTSIDER).cells)

    final = protect([block], rules=OUTSIDER, ledger=told_first).cells

    exact_first = [replace(c, vintage="first") for c in usual(block)]
    assert findings([*told_first, *(replace(c, vintage="final") for c in final)], block) == []
    assert findings([*exact_first, *(replace(c, vintage="final") for c in final)], block)


def test_pooled_years_minus_single_years() -> None:
    years = [
        groups({"a": (n, n // 2), "b": (60, 30), "c": (7, 3), "d": (14, 7)}, cohort_year=year)
        for n, year in ((9, 2025), (31, 2026))
    ]
    pooled = groups({"a": (40, 19), "b": (120, 60), "c": (14, 6), "d": (28, 14)}, cohort_year=20252026)
    links = [{"indicator": "reading", "cohort_year": "20252026", "years": [2025, 2026]}]
    links += [{"indicator": "reading", "cohort_year": str(one.cohort_year)} for one in years]
    single = [c for one in years for c in protect([one], rules=OUTSIDER).cells]

    both = [*single, *usual(pooled)]

    assert findings(single, pooled) == []
    assert any(one["cohort_year"] == "2025" for one in findings(both, pooled, links=links))
    # Ours: a cohort year is one year; there is no table, split or request that joins several.
    from policies.catalogue_files import catalogue
    from policies.table_requests import splits_of

    named = {name for indicator in catalogue().indicators for name in splits_of(indicator)}
    assert not {name for name in named if "year" in name or "cohort" in name}


def test_overlapping_cohorts_and_shared_denominators() -> None:
    # College within 12 and within 24 months: the same class counted twice, each safe by itself.
    found = 0
    for seed in (0, 2):
        left = replace(small_county(seed, indicator="within-12", complete=True), cohort_year=2026, population="class")
        halved = (replace(c, tally=replace(c.tally, k=c.tally.k // 2), provider_counts={}) for c in left.cells)
        right = replace(left, indicator="within-24", cells=tuple(halved), tables=left.tables[:3])
        links = [{"indicator": one.indicator, "cohort_year": "2026", "population": "class"} for one in (left, right)]
        apart = [
            cell
            for one, min_n in ((left, 11), (right, 25))
            for cell in protect([replace(one, population="")], rules=Rules(insiders=False, min_n=min_n)).cells
        ]
        together = protect([left, right], rules=OUTSIDER).cells

        assert findings(apart, left) == []
        found += bool(findings(apart, left, links=links))
        assert findings(together, left, links=links) == []
    assert found


def test_nested_outcomes() -> None:
    # Who finished college is among who began: the numerator of one is the cohort of the next.
    found = 0
    for seed in range(3):
        began = replace(small_county(seed, complete=True, indicator="began"), cohort_year=2026)
        ended = replace(
            began,
            indicator="ended",
            part_of="began",
            cells=tuple(
                replace(c, tally=Tally(c.tally.k, c.tally.k, c.tally.k // 2), provider_counts={})
                for c in began.cells
                if c.tally.k
            ),
        )
        links = [
            {"indicator": "began", "cohort_year": "2026"},
            {"indicator": "ended", "cohort_year": "2026", "part_of": "began"},
        ]
        apart = [c for one in (began, ended) for c in protect([replace(one, part_of="")], rules=OUTSIDER).cells]
        together = protect([began, ended], rules=OUTSIDER)

        found += bool(findings(apart, began, links=links))
        assert together.verdict.clean
        assert findings(together.cells, began, links=links) == []
    assert found


def test_the_union_of_what_all_partners_took_away() -> None:
    # Each table protected by itself for the partner who asked for it: together they tell.
    found = 0
    for seed in (8, 37):
        block = three_tables(seed)
        apart = [
            replace(c, vintage=f"partner-{table.name}")
            for table in block.tables
            for c in protect([replace(block, tables=(table,))], rules=OUTSIDER).cells
        ]
        found += bool(findings(apart, block))
        # Ours: one release; a licence can only hide whole cells of it.
        release = protect([block], rules=OUTSIDER).cells
        views = [
            replace(c if c.known is None or c.known >= min_n else hidden(c), vintage=f"partner-{min_n}")
            for min_n in (11, 20, 30)
            for c in release
        ]
        assert findings(views, block) == []
    assert found


def test_insiders_over_all_dimensions_one_by_one_and_two_together() -> None:
    block = small_county(5)
    result = protect([block], rules=Rules(pairs=True))
    names = sorted({name for cell in block.cells for name in cell.provider_counts})
    truth = truth_of(block, result.cells)

    def recovered(cells: tuple[ReleasedCell, ...], *who: str) -> int:
        owned = [("district", name) for name in who if name.startswith("district")]
        own = own_rows(block, who)
        summary = attack_release(rows(cells, block), hierarchies_of(block), insider=own, owned=owned, truth=truth)[1]
        return int(summary["recovered"])

    coalitions = [(one,) for one in names] + [(one, other) for one in names[:3] for other in names[3:6]]
    outsider_only = protect([block], rules=OUTSIDER).cells

    assert result.verdict.clean
    assert sum(recovered(result.cells, *who) for who in coalitions if own_rows(block, who)) == 0
    assert any(recovered(outsider_only, *who) for who in coalitions if own_rows(block, who))


def own_rows(block: Block, who: tuple[str, ...]) -> list[dict[str, str]]:
    """The children of these providers, each counted once as far as they can know."""
    found = []
    for cell in block.cells:
        mine = [tally for name, tally in cell.provider_counts.items() if name in who]
        if mine:
            counts = {
                what: str(min(sum(getattr(tally, what) for tally in mine), getattr(cell.tally, what)))
                for what in ("n", "known", "k")
            }
            levels = dict(zip((d.name for d in block.dimensions), cell.levels, strict=True))
            found.append({"indicator": block.indicator, "cohort_year": str(block.cohort_year), **levels, **counts})
    return found


def test_what_a_line_leaves_over() -> None:
    block = groups({"a": (4, 2), "b": (5, 2), "c": (60, 30), "d": (40, 20)})
    released = {dict(c.levels)["group"]: c for c in protect([block], rules=OUTSIDER).cells}

    left = released["Total"].known - sum(c.known or 0 for name, c in released.items() if name != "Total")

    assert ("n", 0, 9) not in told(findings(usual(block), block), group="a")  # wide enough, and yet
    assert sum(c.known or 0 for c in usual(block) if dict(c.levels)["group"] in "cd") == 100  # nine are left over
    assert left >= 11


def test_every_attack_of_the_list_has_a_test_and_every_test_is_listed() -> None:
    text = PAGE.read_text("utf-8")
    listed = set(re.findall(r"`(test_[a-z0-9_]+)`", text))
    sources = "\n".join(file.read_text("utf-8") for file in sorted(TESTS.rglob("test_*.py")))
    mine = set(re.findall(r"^def (test_[a-z0-9_]+)", Path(__file__).read_text("utf-8"), re.MULTILINE))

    assert not sorted(name for name in listed if f"def {name}(" not in sources)
    assert not sorted(mine - listed - {"test_every_attack_of_the_list_has_a_test_and_every_test_is_listed"})
