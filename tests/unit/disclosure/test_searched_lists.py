"""Large blocks: lists of persons are searched before programs are solved. Held here on small blocks, where the
independent attacker is quick."""

import importlib
import random
import sys
from collections.abc import Iterator
from types import ModuleType

import numba
import numpy as np
import pytest

from policies.disclosure.audit import Audit
from policies.disclosure.engine import _links, observers
from policies.disclosure.frame import frame
from policies.disclosure.standing import sheets
from policies.disclosure.system import system
from policies.disclosure.types import Block, Dimension, ReleasedCell, Rules, TableDeclaration
from tests.attacker.attack_release import attack_release
from tests.bench.disclosure import block_of, hierarchies_of, rows_of

COMPILED = ("swaps", "wander", "people", "search")


@pytest.fixture
def written() -> Iterator[ModuleType]:
    """The search over functions as they are written, not compiled, so that each line is seen."""
    names = [f"policies.disclosure.{name}" for name in COMPILED]
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    numba.config.DISABLE_JIT = True
    try:
        yield importlib.import_module("policies.disclosure.search")
    finally:
        numba.config.DISABLE_JIT = False
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def ring(seed: int, people: int, *, complete: bool = True, leaves: int = 3) -> Block:
    """Three tables that turn in a circle, a hierarchy and providers."""
    chance = random.Random(seed)
    names = ("area", "colour", "size")
    dimensions = tuple(
        Dimension(
            name=name,
            levels=tuple(f"{name}-{i}" for i in range(leaves)),
            parents={f"{name}-{i}": f"{name}-half-{i % 2}" for i in range(leaves)} if name == "area" else {},
        )
        for name in names
    )
    weights = [[chance.random() ** 2 for _ in range(leaves)] for _ in names]
    persons = []
    for _ in range(people):
        levels = tuple(chance.choices(d.levels, w)[0] for d, w in zip(dimensions, weights, strict=True))
        providers = (levels[0], *(("preschool",) if chance.random() < 0.2 else ()))
        persons.append((levels, chance.random() < 0.9, chance.random() < 0.6, providers))
    tables = tuple(
        TableDeclaration(name="-".join(pair), dimensions=pair, priority=i)
        for i, pair in enumerate([(names[0], names[1]), (names[1], names[2]), (names[0], names[2])])
    )
    return block_of(persons, dimensions=dimensions, tables=tables, complete=complete)


def searched(blocks: list[Block], rules: Rules) -> tuple[list[tuple[ReleasedCell, ...]], list]:
    """The cells that are shown, by block, and what could not be repaired."""
    frames = tuple(frame(block, not_reported=rules.not_reported) for block in blocks)
    built = system(frames, _links(frames))
    stands = sheets(built, rules, ledger={}, earlier={})
    findings = Audit(built, stands, rules, searched_from=0).protect(observers(built, rules))
    cells = []
    for sheet in stands:
        block = sheet.frame.block
        shown = []
        for table, levels, group in sheet.frame.cells:
            cell = ReleasedCell(indicator=block.indicator, cohort_year=block.cohort_year, table=table, levels=levels)
            standing = sheet.groups[group]
            shown.append(cell if standing.hidden else standing.release(cell, complete=block.complete))
        cells.append(tuple(shown))
    return cells, findings


def found(block: Block, cells: tuple[ReleasedCell, ...], **insider) -> list:
    rows = rows_of(cells, tuple(dimension.name for dimension in block.dimensions))
    return attack_release(rows, hierarchies_of(block), **insider)[0]


@pytest.mark.parametrize(("seed", "people", "complete"), [(1, 30, True), (2, 60, True), (4, 40, False)])
def test_what_a_search_leaves_shown_withstands_the_attacker(seed: int, people: int, complete: bool) -> None:
    block = ring(seed, people, complete=complete)

    (cells,), findings = searched([block], Rules(insiders=False))

    assert findings == []
    assert any(cell.status == "F" for cell in cells)
    assert found(block, cells) == []


def test_what_a_search_leaves_shown_withstands_each_insider() -> None:
    block = ring(7, 60)

    (cells,), findings = searched([block], Rules())

    assert findings == []
    for provider in ("area-0", "area-1", "preschool"):
        own = [
            {
                "indicator": block.indicator, "cohort_year": str(block.cohort_year),
                **{d.name: level for d, level in zip(block.dimensions, cell.levels, strict=True)},
                "n": str(tally.n), "known": str(tally.known), "k": str(tally.k),
            }
            for cell in block.cells
            if (tally := cell.provider_counts.get(provider))
        ]  # fmt: skip
        owned = [("area", provider)] if provider != "preschool" else []
        assert not own or found(block, cells, insider=own, owned=owned) == []


def test_the_search_as_written_finds_what_agrees_and_names_what_stands_in_the_way(written: ModuleType) -> None:
    rules = Rules(insiders=False)
    for seed, people, complete in ((1, 24, True), (4, 24, False)):
        block = ring(seed, people, complete=complete)
        frames = (frame(block, not_reported=rules.not_reported),)
        built = system(frames)
        stands = sheets(built, rules, ledger={}, earlier={})
        search = written.search_of(built, rules)
        secret = restated(search, built, stands)
        (outsider,) = observers(built, rules)

        search.watch(outsider)
        nought = np.zeros(built.matrix.shape[0], dtype=np.int64)
        found = search.widen(secret[::9], nought, nought, reach=nought, steps=2)
        ways = [search.cheapest(int(row), change) for row in secret[::40] for change in (1, -1)]

        assert found.count
        assert found.admitted(outsider, built.truth).all()
        assert all(relaxation.cost >= 0 for relaxation, _ in ways)


def restated(search, built, stands) -> np.ndarray:
    """Tells the search what is shown; gives back the rows that must not be told."""
    secret = []
    for number, sheet in enumerate(stands):
        for group, standing in enumerate(sheet.groups):
            rows = [built.row(number, group, kind) for kind in range(3 if sheet.frame.block.complete else 5)]
            limits = [standing.limits(kind) for kind in range(len(rows))]
            low = [float(least) for least, _ in limits]
            high = [np.inf if most is None else float(most) for _, most in limits]
            search.allow(rows, low, high, [np.inf if standing.hidden else 1.0] * len(rows))
            secret += [rows[kind] for kind in standing.secret(complete=sheet.frame.block.complete)]
    return np.array(sorted(secret))
