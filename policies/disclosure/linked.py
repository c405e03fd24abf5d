"""Which blocks are protected together, and how their persons hang together; under the engine."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from policies.disclosure.frame import Frame
from policies.disclosure.system import ALL, REACHED
from policies.disclosure.types import Block, BlockError


def linked(frames: list[Frame]) -> Iterator[tuple[Frame, ...]]:
    """Blocks of one cohort year that count the same persons, or one of them the other's numerator, together."""
    root = list(range(len(frames)))
    for (i, a), (j, b) in combinations(enumerate(frames), 2):
        if are_linked(a.block, b.block):
            root = [root[i] if r == root[j] else r for r in root]
    together: dict[int, list[Frame]] = defaultdict(list)
    for number, f in enumerate(frames):
        together[root[number]].append(f)
    for group in together.values():
        if len({tuple((axis.name, axis.leaves) for axis in f.axes) for f in group}) > 1:
            raise BlockError("linked blocks must have the same dimensions and levels")
        yield tuple(group)


def are_linked(a: Block, b: Block) -> bool:
    """Whether two blocks count the same persons, or one of them the other's numerator."""
    same = a.cohort_year == b.cohort_year
    shared = bool(a.population) and a.population == b.population
    return same and (shared or a.part_of == b.indicator or b.part_of == a.indicator)


def links(frames: tuple[Frame, ...]) -> tuple[tuple[int, int, int], ...]:
    """Which kind of count of one block is another's number of persons: (block, kind, other block)."""
    found = []
    for (i, a), (j, b) in combinations(enumerate(frames), 2):
        if a.block.part_of == b.block.indicator:
            found.append((j, REACHED, i))
        elif b.block.part_of == a.block.indicator:
            found.append((i, REACHED, j))
        elif a.block.population and a.block.population == b.block.population:
            found.append((i, ALL, j))
    return tuple(found)
