"""What disclosure control costs, keeps and gives away, on made-up counts, held to its bars.

    python3 run.py bench disclosure [--only PART] [--summary FILE] [--tables N] [--catalogues N] [--from SEED] [--quick]

Each row is a name, a value, a bar and whether the bar is held; seconds are those of one processor. The counts are
drawn, with the sizes of a county's districts and the shares of its groups; there is no person behind them. Each random
table and catalogue hangs on its seed alone, so a long campaign can be split: `--tables 500 --from 500` is the second of
twenty parts.
"""

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from policies.disclosure.engine import protect
from policies.disclosure.types import (
    BaseCell,
    Block,
    Dimension,
    Protected,
    ReleasedCell,
    Rules,
    TableDeclaration,
    Tally,
)
from tests.attacker.attack_release import attack_release
from tests.bench.measures import Row, at_least, at_most, tell
from tests.bench.own_children import own_rows

ENROLMENT = (7474, 4730, 4356, 2653, 2282, 1813, 1739, 1178, 1055, 1042, 500, 473, 354, 281, 191, 162, 102, 36, 9)
RACES = {
    "native": 4, "asian": 60, "pacific": 4, "filipino": 12, "hispanic": 340, "black": 20, "white": 480, "two": 65,
    "not-reported": 15,
}  # fmt: skip


def draw(chance: random.Random, shares: dict[str, int]) -> str:
    """One level, by its share."""
    return chance.choices(list(shares), list(shares.values()))[0]


def block_of(
    people: list[tuple[tuple[str, ...], bool, bool, tuple[str, ...]]],
    *,
    dimensions: tuple[Dimension, ...],
    tables: tuple[TableDeclaration, ...],
    indicator: str = "reading",
    cohort_year: int = 2026,
    complete: bool = False,
) -> Block:
    """A block that counts people: levels, whether known, whether reached, providers."""
    counts: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    own: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for levels, known, reached, providers in people:
        told = known or complete
        for tally in (counts[levels], *(own[levels][name] for name in providers)):
            tally[0] += 1
            tally[1] += told
            tally[2] += told and reached
    cells = tuple(
        BaseCell(
            levels=levels,
            tally=Tally(*tally),
            provider_counts={name: Tally(*mine) for name, mine in own[levels].items()},
        )
        for levels, tally in counts.items()
    )
    return Block(
        indicator=indicator,
        cohort_year=cohort_year,
        dimensions=dimensions,
        cells=cells,
        tables=tables,
        complete=complete,
    )


def small_county(
    seed: int, *, people: int = 115, complete: bool = False, indicator: str = "reading",
    enrolment: Sequence[int] = ENROLMENT, areas: int = 4,
) -> Block:  # fmt: skip
    """A cohort of the small demonstration county, or of a larger place: star-shaped tables, a hierarchy, a linked
    dimension."""
    chance = random.Random(seed)
    districts = {f"district-{number:02d}": size for number, size in enumerate(enrolment)}
    dimensions = (
        Dimension(
            name="district",
            levels=tuple(districts),
            parents={name: f"area-{number % areas}" for number, name in enumerate(districts)},
        ),
        Dimension(name="race", levels=tuple(RACES)),
        Dimension(name="gender", levels=("F", "M", "X")),
        Dimension(name="ses", levels=("disadvantaged", "not-disadvantaged")),
        Dimension(name="preschool", levels=("yes", "no", "unknown"), linked=True),
    )
    tables = tuple(
        TableDeclaration(name="-by-".join(names) or "total", dimensions=names, priority=priority)
        for priority, names in enumerate(
            [(), ("ses",), ("race",), ("gender",), ("district",), ("race", "ses"), ("preschool", "ses")]
        )
    )
    persons = []
    for _ in range(people):
        district, race = draw(chance, districts), draw(chance, RACES)
        poor = chance.random() < (0.6 if race in ("hispanic", "black") else 0.2)
        preschool = draw(chance, {"yes": 50, "no": 30, "unknown": 20})
        providers = (district, f"preschool-{chance.randrange(3)}") if preschool == "yes" else (district,)
        gender = draw(chance, {"F": 49, "M": 50, "X": 1})
        levels = (district, race, gender, "disadvantaged" if poor else "not-disadvantaged", preschool)
        persons.append((levels, chance.random() < 0.92, chance.random() < (0.35 if poor else 0.75), providers))
    return block_of(
        persons, dimensions=dimensions, tables=tables, indicator=indicator, cohort_year=2000 + seed, complete=complete
    )


def report_card(people: int, *, seed: int = 1, ways: int = 2, cohort_year: int = 2026, plain: bool = False) -> Block:
    """Every district by each attribute, the county by every two; with `ways` 3 every three dimensions.

    A `plain` card has 462 cells: eight races, none of them unknown, and two genders.
    """
    chance = random.Random(seed)
    districts = {f"district-{number:02d}": size for number, size in enumerate(ENROLMENT)}
    hispanic = {name: chance.betavariate(3, 6) for name in districts}
    races = {name: share for name, share in RACES.items() if not plain or name != "not-reported"}
    genders = {"F": 488, "M": 508} if plain else {"F": 488, "M": 508, "X": 4}
    attributes = {
        "race": tuple(races),
        "gender": tuple(genders),
        "ses": ("disadvantaged", "not-disadvantaged"),
        "english": ("learner", "was-learner", "never"),
        "disability": ("yes", "no"),
    }
    persons = []
    for _ in range(people):
        district = draw(chance, districts)
        race = "hispanic" if chance.random() < hispanic[district] else draw(chance, races)
        poor = chance.random() < (0.65 if race in ("hispanic", "black") else 0.2)
        english = draw(chance, {"learner": 35, "was-learner": 30, "never": 35} if race == "hispanic" else
                       {"learner": 5, "was-learner": 5, "never": 90})  # fmt: skip
        gender = draw(chance, genders)
        disability = "yes" if chance.random() < 0.13 else "no"
        levels = (district, race, gender, "disadvantaged" if poor else "not-disadvantaged", english, disability)
        persons.append((levels, True, chance.random() < (0.35 if poor else 0.75), (district,)))
    names = [(), ("district",), *(("district", name) for name in attributes), *combinations(attributes, 2)]
    if ways == 3:
        names += list(combinations(("district", *attributes), 3))
    return block_of(
        persons,
        dimensions=(
            Dimension(name="district", levels=tuple(districts)),
            *(Dimension(name=name, levels=levels) for name, levels in attributes.items()),
        ),
        tables=tuple(
            TableDeclaration(name="-by-".join(n) or "total", dimensions=n, priority=len(n) + ("district" not in n))
            for n in names
        ),
        cohort_year=cohort_year,
        complete=True,
    )


def rows_of(cells: tuple[ReleasedCell, ...], dimensions: tuple[str, ...]) -> list[dict[str, str]]:
    """Released cells as the rows of `cells.csv`."""
    rows = []
    for cell in cells:
        shown = {
            "indicator": cell.indicator, "cohort_year": cell.cohort_year, "vintage": cell.vintage, "table": cell.table,
            **dict.fromkeys(dimensions), **dict(cell.levels), "n": cell.n, "known": cell.known, "k": cell.k,
            "rate": cell.rate, "rate_low": cell.rate_low, "rate_high": cell.rate_high,
            "coverage_low": cell.coverage_low, "coverage_high": cell.coverage_high, "status": cell.status,
        }  # fmt: skip
        rows.append({name: "" if value is None else str(value) for name, value in shown.items()})
    return rows


def hierarchies_of(block: Block) -> dict[str, dict[str, str | list[str]]]:
    """The levels of a block's dimensions with the level above."""
    found = {}
    for dimension in block.dimensions:
        ways = (dimension.parents, *dimension.crossing)
        levels = {*dimension.levels, *(parent for parents in ways for parent in parents.values())}
        above = {level: [parents.get(level, "Total") for parents in ways] for level in levels}
        found[dimension.name] = {level: above[level][0] if len(ways) == 1 else above[level] for level in sorted(levels)}
    return found


def truth_of(block: Block, cells: tuple[ReleasedCell, ...]) -> list[dict[str, str]]:
    """The true counts of every cell, as the rows of `truth.csv`."""
    place = {dimension.name: number for number, dimension in enumerate(block.dimensions)}
    parents = {dimension.name: dimension.parents for dimension in block.dimensions}

    def under(name: str, leaf: str, level: str) -> bool:
        while leaf not in (level, "Total"):
            leaf = parents[name].get(leaf, "Total")
        return level in (leaf, "Total")

    rows = []
    for cell in cells:
        tally = Tally(0, 0, 0)
        for base in block.cells:
            if all(under(name, base.levels[place[name]], level) for name, level in cell.levels):
                tally = tally + base.tally
        place_of = {"indicator": cell.indicator, "cohort_year": str(cell.cohort_year), "table": cell.table}
        counts = {"n": str(tally.n), "known": str(tally.known), "k": str(tally.k)}
        rows.append({**place_of, **dict(cell.levels), **counts})
    return rows


def attacked(blocks: list[Block], result: Protected) -> int:
    """What the independent attacker finds in a result."""
    found = 0
    for block in blocks:
        cells = tuple(c for c in result.cells if (c.indicator, c.cohort_year) == (block.indicator, block.cohort_year))
        rows = rows_of(cells, tuple(dimension.name for dimension in block.dimensions))
        found += attack_release(rows, hierarchies_of(block))[1]["recovered"]
    return found


def kept(blocks: list[Block], result: Protected) -> float:
    """The part shown of the distinct cells of at least 11."""
    large, shown = set(), set()
    for block in blocks:
        cells = tuple(c for c in result.cells if (c.indicator, c.cohort_year) == (block.indicator, block.cohort_year))
        for cell, row in zip(cells, truth_of(block, cells), strict=True):
            if int(row["known"]) >= 11:
                key = (block.indicator, block.cohort_year, frozenset(p for p in cell.levels if p[1] != "Total"))
                large.add(key)
                if cell.status == "F":
                    shown.add(key)
    return len(shown) / len(large) if large else 1.0


def small_blocks() -> list[Block]:
    """Seven outcomes of eight cohorts of the small demonstration county."""
    names = ("a", "b", "c", "d", "e", "f", "g")
    return [small_county(20 * y + i, indicator=name) for i, name in enumerate(names) for y in range(8)]


def small_release() -> Iterator[Row]:
    """The small county, insiders audited."""
    blocks = small_blocks()
    start = time.process_time()
    result = protect(blocks, rules=Rules())
    yield at_most("small county, 56 blocks: seconds of one core to protect", time.process_time() - start, 5.0)
    yield at_most("small county: withheld numbers found by the attacker", attacked(blocks, result), 0)
    yield at_least("small county: kept share of cells of 11 or more", kept(blocks, result), 0.6)


def insiders() -> Iterator[Row]:
    """A cohort of the small county against every provider, and every two together."""
    block = small_county(5)
    start = time.process_time()
    result = protect([block], rules=Rules(pairs=True))
    yield at_most("every two providers, one block: seconds of one core to protect", time.process_time() - start, 2.0)
    providers = sorted({name for cell in block.cells for name in cell.provider_counts})
    rows = rows_of(result.cells, tuple(dimension.name for dimension in block.dimensions))
    truth = truth_of(block, result.cells)
    for size, who in ((1, "every provider"), (2, "every two providers")):
        found = 0
        for group in combinations(providers, size):
            owned = [("district", name) for name in group if name.startswith("district")]
            own = own_rows(block, group)
            found += attack_release(rows, hierarchies_of(block), insider=own, owned=owned, truth=truth)[1]["recovered"]
        yield at_most(f"{who}, one block: withheld numbers found by the attacker", found, 0)


def every_outcome() -> Iterator[Row]:
    """Seven outcomes of ten cohorts of 2,400, every two providers audited."""
    names = ("a", "b", "c", "d", "e", "f", "g")
    blocks = [small_county(20 * y + i, people=2_400, indicator=name) for i, name in enumerate(names) for y in range(10)]
    start = time.process_time()
    result = protect(blocks, rules=Rules(pairs=True))
    yield at_most("seven outcomes, ten years: seconds of one core to protect", time.process_time() - start, 300)
    yield at_least("seven outcomes, ten years: clean", float(result.verdict.clean), 1)
    yield at_least("seven outcomes, ten years: kept share of cells of 11 or more", kept(blocks, result), 0.7)


def random_table(seed: int) -> Block:
    """Some tables of a small county with a hierarchy."""
    chance = random.Random(seed)
    made = small_county(seed, people=chance.randrange(10, 160), complete=chance.random() < 0.5)
    return replace(made, tables=tuple(chance.sample(made.tables, chance.randrange(1, len(made.tables)))))


def random_tables(seeds: range) -> Iterator[Row]:
    """Random tables, attacked by the outsider."""
    found = unclean = 0
    start = time.process_time()
    for seed in seeds:
        block = random_table(seed)
        result = protect([block], rules=Rules(insiders=False))
        told = attacked([block], result)
        found, unclean = found + told, unclean + (not result.verdict.clean)
        if told or not result.verdict.clean:
            print(f"seed {seed}: {told} found, clean: {result.verdict.clean}", file=sys.stderr, flush=True)
    name = f"random tables {seeds.start} to {seeds.stop - 1} ({time.process_time() - start:.0f} s of one processor)"
    yield at_most(f"{name}: withheld numbers found by the attacker", found, 0)
    yield at_most(f"{name}: not clean", unclean, 0)


def report_cards(people: int, *, share: float, seconds: float, ways: int = 2, plain: bool = True) -> Iterator[Row]:
    """A whole report card of one cohort year."""
    block = report_card(people, ways=ways, plain=plain)
    compile_searches()
    start = time.process_time()
    result = protect([block], rules=Rules(insiders=False))
    taken = time.process_time() - start
    cells = len({frozenset(pair for pair in cell.levels if pair[1] != "Total") for cell in result.cells})
    name = f"report card, {people} students, {cells} cells"
    yield at_most(f"{name}: seconds of one core to protect and audit", taken, seconds)
    yield at_least(f"{name}: kept share of cells of 11 or more", kept([block], result), share)
    yield at_least(f"{name}: clean", float(result.verdict.clean), 1)


def compile_searches() -> None:
    """Protect a small card first: compiled code is made once for an installation, which takes some seconds."""
    protect([report_card(300, plain=True)], rules=Rules(insiders=False))


def answered() -> Iterator[Row]:
    """How fast a release answers, 95 of 100 times."""
    from tests.bench.answers import p95_rows

    yield from p95_rows()


def main() -> int:
    parser = argparse.ArgumentParser(description="Hold disclosure control to its bars.")
    parser.add_argument("--summary", type=Path, help="write the rows as JSON")
    parser.add_argument("--tables", type=int, default=200, help="how many random tables (the bar: 10000)")
    parser.add_argument("--catalogues", type=int, default=8, help="how many random catalogues (the bar: 1000)")
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="SEED", help="the first random one")
    parser.add_argument("--quick", action="store_true", help="leave out the report cards of the whole county")
    parser.add_argument("--only", metavar="PART", default="", help="parts with this in their name")
    options = parser.parse_args()
    from tests.bench.attacked_cards import attacked_card
    from tests.bench.catalogues import random_catalogues
    from tests.bench.refreshed import refresh

    parts = {
        "small": small_release,
        "insiders": insiders,
        "outcomes": every_outcome,
        "refresh": lambda: refresh(small_blocks()),
        "answers": answered,
        "tables": lambda: random_tables(range(options.first, options.first + options.tables)),
        "catalogues": lambda: random_catalogues(range(options.first, options.first + options.catalogues)),
    }
    if not options.quick:
        parts |= {
            "card-2400": lambda: report_cards(2_400, share=0.82, seconds=5),
            "card-33000": lambda: report_cards(33_000, share=0.94, seconds=15),
            "attacked-2400": lambda: attacked_card(2_400),
            "attacked-33000": lambda: attacked_card(33_000),
            "card-three-ways": lambda: report_cards(2_400, share=0.0, seconds=120, ways=3),
        }
    chosen = {name: part for name, part in parts.items() if options.only in name}
    if not chosen:
        parser.error(f"no part of that name; there are: {', '.join(parts)}")
    return tell((row for part in chosen.values() for row in part()), options.summary)


if __name__ == "__main__":
    sys.exit(main())
