"""Random catalogues told provisionally and then finally, with random corrections between; for the bench and the tests.

There is no person behind them.
"""

import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from policies.disclosure.engine import protect, protect_provisionally
from policies.disclosure.types import BaseCell, Block, Protected, ReleasedCell, Rules, Tally
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import hierarchies_of, rows_of, small_county, truth_of
from tests.bench.measures import Row, at_most

VINTAGES = ("provisional-1", "provisional-2", "final", "final-2")
"""What is told first, and at each of three refreshes; the last meets corrections of what is final."""

PROVISIONAL = VINTAGES[:2]
"""Those told of the children as they were; from the final one on, what is told stays that of its children."""


@dataclass(frozen=True)
class Catalogue:
    """The block as it was at each telling, and what was told of it."""

    blocks: tuple[Block, ...]
    results: tuple[Protected, ...]

    @property
    def told(self) -> tuple[ReleasedCell, ...]:
        """Everything ever told, by vintage."""
        return tuple(
            replace(cell, vintage=vintage)
            for vintage, result in zip(VINTAGES, self.results, strict=True)
            for cell in result.cells
        )

    @property
    def rows(self) -> list[dict[str, str]]:
        """The same as rows of `cells.csv`."""
        return rows_of(self.told, tuple(dimension.name for dimension in self.blocks[0].dimensions))


def random_catalogue(seed: int, *, insiders: bool) -> Catalogue:
    """Some tables of a small county, told at four times, with corrections between."""
    chance = random.Random(seed)
    block = small_county(seed, people=chance.randrange(20, 160), complete=chance.random() < 0.5)
    block = replace(block, tables=tuple(chance.sample(block.tables, chance.randrange(1, len(block.tables)))))
    rules, share = Rules(insiders=insiders), chance.choice((0.01, 0.05, 0.2))
    blocks: list[Block] = []
    results: list[Protected] = []
    ledger: tuple[ReleasedCell, ...] = ()
    for vintage in VINTAGES:
        earlier = {name: (then,) for name, then in zip(VINTAGES, blocks, strict=False)}
        if vintage.startswith("provisional"):
            result = protect_provisionally([block], vintage=vintage, rules=rules, ledger=ledger, earlier=earlier)
        else:
            result = protect([block], rules=rules, ledger=ledger, earlier=earlier)
        blocks.append(block)
        results.append(result)
        ledger += tuple(replace(cell, vintage=vintage) for cell in result.cells)
        block = corrected(block, chance, share=share)
    return Catalogue(tuple(blocks), tuple(results))


def corrected(block: Block, chance: random.Random, *, share: float = 0.05) -> Block:
    """The block after a late submission: in a share of its cells a child came, went, or had its outcome corrected."""
    changes = {"came": (1, 1, 0), "went": (-1, -1, 0), "reached": (0, 0, 1), "": (0, 0, 0)}
    cells = []
    for cell in block.cells:
        change = chance.choice(("came", "went", "reached")) if chance.random() < share else ""
        if change in ("went", "reached") and cell.tally.known == cell.tally.k:
            change = ""
        cells.append(_changed(cell, changes[change]))
    return replace(block, cells=tuple(cells))


def _changed(cell: BaseCell, change: tuple[int, int, int]) -> BaseCell:
    """The cell with its district's own children changed alike, and of a preschool's own at most what is left."""
    tally = _sum(cell.tally, change)
    own = {}
    for name, mine in cell.provider_counts.items():
        theirs = _sum(mine, change) if mine == cell.tally else mine
        missed = min(theirs.known - theirs.k, tally.known - tally.k)
        own[name] = Tally(theirs.n - (theirs.known - theirs.k) + missed, theirs.k + missed, theirs.k)
    return replace(cell, tally=tally, provider_counts=own)


def _sum(tally: Tally, change: tuple[int, int, int]) -> Tally:
    n, known, k = change
    return Tally(tally.n + n, tally.known + known, tally.k + k)


def own_rows(block: Block, provider: str, *, vintage: str = "") -> list[dict[str, str]]:
    """A provider's own children, as the attacker reads them; `vintage` where they are those of an earlier telling."""
    return [
        {
            "indicator": block.indicator, "cohort_year": str(block.cohort_year), "vintage": vintage,
            **{d.name: level for d, level in zip(block.dimensions, cell.levels, strict=True)},
            "n": str(tally.n), "known": str(tally.known), "k": str(tally.k),
        }
        for cell in block.cells
        if (tally := cell.provider_counts.get(provider)) and tally.n
    ]  # fmt: skip


def found_by(catalogue: Catalogue, *, provider: str = "") -> tuple[int, int]:
    """What the attacker finds who joins every vintage, and how much of it is exact; the outsider, or a provider with
    its own children as they were at each telling."""
    final = catalogue.blocks[VINTAGES.index("final")]
    owned = [("district", provider)] if provider in final.dimensions[0].levels else []
    told = [*zip(PROVISIONAL, catalogue.blocks, strict=False), ("", final)] if provider else []
    insider = [row for vintage, block in told for row in own_rows(block, provider, vintage=vintage)]
    truth = always_alone(catalogue, provider) if provider else ()
    summary = attack_release(catalogue.rows, hierarchies_of(final), insider=insider, owned=owned, truth=truth)[1]
    return summary["recovered"], summary["exact"]


def always_alone(catalogue: Catalogue, provider: str) -> list[dict[str, str]]:
    """True counts of the groups that held a provider's children and nobody else at every telling: that nobody else was
    there is told of no child."""
    cells = catalogue.results[-1].cells
    alone = set(range(len(cells)))
    for block in catalogue.blocks:
        own = replace(block, cells=tuple(_of_provider(cell, provider) for cell in block.cells))
        pairs = zip(truth_of(block, cells), truth_of(own, cells), strict=True)
        alone &= {number for number, (all_of_it, mine) in enumerate(pairs) if all_of_it == mine}
    final = truth_of(catalogue.blocks[VINTAGES.index("final")], cells)
    return [row for number, row in enumerate(final) if number in alone]


def _of_provider(cell: BaseCell, provider: str) -> BaseCell:
    mine = cell.provider_counts.get(provider, Tally(0, 0, 0))
    return replace(cell, tally=mine, provider_counts={provider: mine})


def providers_of(block: Block) -> Sequence[str]:
    """Who has children in the block, those with most first."""
    sizes: dict[str, int] = {}
    for cell in block.cells:
        for name, tally in cell.provider_counts.items():
            sizes[name] = sizes.get(name, 0) + tally.n
    return sorted(sizes, key=lambda name: (-sizes[name], name))


def random_catalogues(seeds: range) -> Iterator[Row]:
    """Every vintage attacked together, by the outsider and every eighth time by every provider too."""
    exact = narrow = unclean = attacks = 0
    start = time.process_time()
    for seed in seeds:
        catalogue = random_catalogue(seed, insiders=seed % 8 == 0)
        attackers = ["", *(providers_of(catalogue.blocks[2]) if seed % 8 == 0 else [])]
        clean = all(result.verdict.clean for result in catalogue.results)
        told = [found_by(catalogue, provider=provider) for provider in attackers]
        exact, narrow = exact + sum(e for _, e in told), narrow + sum(recovered - e for recovered, e in told)
        attacks, unclean = attacks + len(told), unclean + (not clean)
        if not clean or any(recovered for recovered, _ in told):
            print(f"seed {seed}: {told} found, clean: {clean}", file=sys.stderr, flush=True)
    seconds = f"{time.process_time() - start:.0f} s of one processor"
    name = f"random catalogues {seeds.start} to {seeds.stop - 1}, three refreshes, {attacks} attacks ({seconds})"
    yield at_most(f"{name}: withheld numbers told exactly", exact, 0)
    yield at_most(f"{name}: withheld numbers told within less than three", narrow, 0)
    yield at_most(f"{name}: not clean", unclean, 0)
