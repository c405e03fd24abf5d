"""Every two providers against everything that was released: what they tell when they lay their own children together.

    python3 run.py bench coalitions [--home HOME] [--indicator NAME] [--share S] [--summary FILE]

With `--home`, the release that was published from the newest snapshot of a hub of made-up people, such as the
demonstration's, counted again to know whose children stand where; without, the small county of `bench disclosure`. Each
pair that stands in a cohort attacks it, with all cohorts that count the same persons; so does each provider alone. With
`--share`, of the pairs only such a part, drawn by a seed.
"""

import argparse
import csv
import io
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hub.console import console
from hub.outcomes.service import blocks as counted_blocks
from hub.outcomes.service import newest_snapshot
from hub.release.export import export_published
from hub.release.publishing import declared_tables
from hub.release.requests.service import catalogue_to_count
from hub.release.service import ledger
from hub.stores import facts_store
from policies.catalogue_files import catalogue
from policies.disclosure.engine import protect
from policies.disclosure.types import TOTAL, Block, Rules, Tally
from tests.attacker.attack_release import attack_together, joined_blocks
from tests.attacker.release_equations import Dimensions
from tests.bench.disclosure import hierarchies_of, rows_of, small_blocks
from tests.bench.measures import Row, at_least, at_most, tell
from tests.bench.own_children import own_rows

Cells = dict[tuple[str, str], list[dict[str, str]]]


@dataclass(frozen=True)
class Told:
    """A release as anybody can hold it, and the blocks that it was made of."""

    cells: Cells
    hierarchies: Mapping[str, Mapping[str, str | list[str]]]
    links: Sequence[Mapping[str, object]]
    blocks: Mapping[tuple[str, str], Block]


@dataclass
class Found:
    """What coalitions of one size found."""

    attacks: int = 0
    numbers: int = 0
    exact: int = 0
    narrow: int = 0
    contradictions: int = 0


def released_from(home: Path) -> Told:
    """The export of a hub's release, and the counts of the blocks that became final from its newest snapshot."""
    with console(home, "release quality") as hub:
        store, declared = facts_store(hub.settings), catalogue()
        with hub.database.transaction() as session:
            exported = export_published(session, catalogue=declared, audit=hub.trail())
        with hub.database.reading() as session:
            snapshot, known = newest_snapshot(session), ledger(session)
            tables = declared_tables(catalogue_to_count(session, declared))
        if snapshot is None:
            raise SystemExit("This hub has no snapshot: run the demonstration first.")
        counted = counted_blocks(
            hub.database, snapshot, analysis=store, tables=tables, audit=hub.trail(), told=known.snapshots
        )
    final = {key for key, made_of in known.snapshots.items() if made_of == snapshot.id}
    kept = {name_of(block): block for block in counted if (block.indicator, block.cohort_year) in final}
    cells: Cells = {}
    for row in csv.DictReader(io.StringIO(exported.cells)):
        cells.setdefault((row["indicator"], row["cohort_year"]), []).append(row)
    return Told(cells, json.loads(exported.hierarchies), json.loads(exported.links), kept)


def small_release() -> Told:
    """The blocks of the small county as `bench disclosure` draws them, protected against every two providers."""
    blocks = small_blocks()
    protected = protect(blocks, rules=Rules(pairs=True))
    cells: Cells = {}
    for row in rows_of(protected.cells, tuple(dimension.name for dimension in blocks[0].dimensions)):
        cells.setdefault((row["indicator"], row["cohort_year"]), []).append(row)
    return Told(cells, hierarchies_of(blocks[0]), (), {name_of(block): block for block in blocks})


def name_of(block: Block) -> tuple[str, str]:
    """Indicator and cohort year as the attacker reads them."""
    return block.indicator, str(block.cohort_year)


def coalitions(told: Told, *, indicator: str = "", share: float = 1.0) -> Iterator[Row]:
    """Each provider and each two against every cohort in which they stand, with all that is linked to it."""
    chance = random.Random(20261123)
    found = {1: Found(), 2: Found()}
    dimensions, start, uncounted = Dimensions(told.hierarchies), time.process_time(), 0
    for together, links in joined_blocks(told.cells, told.links):
        blocks = [told.blocks[name] for name in together if name in told.blocks]
        uncounted += len(together) - len(blocks)
        if any(indicator in block.indicator for block in blocks):
            names = sorted({name for block in blocks for cell in block.cells for name in cell.provider_counts})
            pairs = [pair for pair in combinations(names, 2) if chance.random() < share]
            by = [*((name,) for name in names), *pairs]
            attack_by_all(together, blocks, by=by, links=links, dimensions=dimensions, found=found)
    taken = time.process_time() - start
    for size, who in ((1, "every provider"), (2, "every two providers")):
        one = found[size]
        name = f"{who}, {one.attacks} attacks on {one.numbers} withheld numbers ({taken:.0f} s of one processor in all)"
        yield at_least(f"{name}: attacks", one.attacks, 1)
        yield at_most(f"{name}: told exactly", one.exact, 0)
        yield at_most(f"{name}: told within less than three", one.narrow, 0)
        yield at_most(f"{name}: contradictions", one.contradictions, 0)
    yield at_most("cohorts released and not counted again", uncounted, 0)


def attack_by_all(
    together: Cells,
    blocks: Sequence[Block],
    *,
    by: Sequence[tuple[str, ...]],
    links: Sequence[object],
    dimensions: Dimensions,
    found: dict[int, Found],
) -> None:
    """Some providers and pairs against linked blocks."""
    truth = {name_of(block): true_rows(block, together[name_of(block)], dimensions) for block in blocks}
    for who in by:
        own = {name_of(block): own_rows(block, who) for block in blocks}
        items, numbers = attack_together(
            together, dimensions, links=links, insider=own, owned=owned_levels(blocks, who), truth=truth
        )
        counted = found[len(who)]
        counted.attacks, counted.numbers = counted.attacks + 1, counted.numbers + numbers
        for name, told in sorted(items.items()):
            for item in told:
                print(f"found in {name} by {who}: {item}", file=sys.stderr, flush=True)
                counted.exact += item["kind"] == "exact"
                counted.narrow += item["kind"] == "narrow"
                counted.contradictions += item["kind"] == "contradiction"
    print(f"{time.process_time():8.0f} s  {sorted(together)[0]}: {found}", file=sys.stderr, flush=True)


def owned_levels(blocks: Sequence[Block], who: Sequence[str]) -> list[tuple[str, str]]:
    """Levels that bear the name of one of them, where there are none but its own children."""
    found: set[tuple[str, str]] = set()
    false: set[tuple[str, str]] = set()
    for block in blocks:
        for at, dimension in enumerate(block.dimensions):
            for name in set(who) & set(dimension.levels):
                cells = [cell for cell in block.cells if cell.levels[at] == name]
                whole = all(cell.provider_counts.get(name, Tally(0, 0, 0)).n == cell.tally.n for cell in cells)
                (found if whole else false).add((dimension.name, name))
    return sorted(found - false)


def true_rows(block: Block, rows: Sequence[Mapping[str, str]], dimensions: Dimensions) -> list[dict[str, str]]:
    """How many children each printed group has in truth: a group that holds an insider's alone is not told it."""
    place = {dimension.name: at for at, dimension in enumerate(block.dimensions)}
    found = []
    for row in rows:
        split = [(place[name], row[name]) for name in place if row.get(name, TOTAL) not in ("", TOTAL)]
        inside = [(at, leaves_of(block.dimensions[at].name, level, dimensions)) for at, level in split]
        of = [cell.tally for cell in block.cells if all(cell.levels[at] in leaves for at, leaves in inside)]
        tally = sum(of, start=Tally(0, 0, 0))
        found.append({**row, "n": str(tally.n), "known": str(tally.known), "k": str(tally.k)})
    return found


def leaves_of(name: str, level: str, dimensions: Dimensions) -> set[str]:
    """The finest levels under a level."""
    return {dimensions.leaves[name][number] for number in dimensions.sets[name][level]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="folder of a hub of made-up people")
    parser.add_argument("--indicator", default="", help="only indicators with this in their name")
    parser.add_argument("--share", type=float, default=1.0, help="the part of the pairs that attacks")
    parser.add_argument("--summary", type=Path)
    options = parser.parse_args()
    told = small_release() if options.home is None else released_from(options.home)
    return tell(coalitions(told, indicator=options.indicator, share=options.share), options.summary)


if __name__ == "__main__":
    sys.exit(main())
