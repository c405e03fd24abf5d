"""The shape of a block, apart from its counts: axes, groups (distinct sets of persons that tables show), lines.

Everything is put in one canonical order here, so that the order of rows, categories and tables cannot matter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from policies.disclosure.types import TOTAL, Block, BlockError, Dimension

Leaves = tuple[int, ...]


@dataclass(frozen=True)
class Axis:
    """A dimension in canonical order: nodes by name with the leaves under them, and parents with their children."""

    name: str
    leaves: tuple[str, ...]
    nodes: Mapping[str, Leaves]
    families: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Group:
    """Persons that a cell counts: restricted axes with the leaves allowed. `rank` orders by importance."""

    axes: tuple[int, ...]
    leaves: tuple[Leaves, ...]
    levels: tuple[tuple[str, str], ...]
    rank: tuple[int, int]


@dataclass(frozen=True)
class Line:
    """A cell and the cells that sum to it; `residual` are the children named as not reported."""

    parent: int
    children: tuple[int, ...]
    residual: tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """A block's axes, groups, lines, and the group behind each table cell."""

    block: Block
    axes: tuple[Axis, ...]
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    cells: tuple[tuple[str, tuple[tuple[str, str], ...], int], ...]


def frame(block: Block, *, not_reported: frozenset[str]) -> Frame:
    """The canonical shape of `block`; raises BlockError when it contradicts itself."""
    _check_cells(block)
    axes = tuple(_axis(dimension) for dimension in sorted(block.dimensions, key=lambda d: d.name))
    tables = sorted({(t.priority, t.name, tuple(sorted(t.dimensions)), tuple(sorted(t.coarse))) for t in block.tables})
    index = {axis.name: number for number, axis in enumerate(axes)}
    unknown = {name for _, _, names, _ in tables for name in names} - set(index)
    if unknown:
        raise BlockError("a table names a dimension that the block lacks")
    groups: dict[tuple[tuple[int, ...], tuple[Leaves, ...]], Group] = {}
    numbers: dict[tuple[tuple[int, ...], tuple[Leaves, ...]], int] = {}
    cells, lines = [], set()
    for rank, (_, table, names, coarse) in enumerate(tables):
        dimensions = tuple(index[name] for name in names)
        seen = tuple(_coarse(axis) if axis.name in coarse else axis for axis in axes)
        for levels in product(*(seen[number].nodes for number in dimensions)):
            key = _key(axes, dimensions, levels)
            if key not in groups:
                pairs = tuple((axes[d].name, level) for d, level in zip(dimensions, levels, strict=True))
                shown = tuple(pair for pair in pairs if pair[1] != TOTAL)
                groups[key] = Group(key[0], key[1], shown, (len(key[0]) and rank + 1, len(key[0])))
                numbers[key] = len(numbers)
            cells.append((table, tuple(zip(names, levels, strict=True)), numbers[key]))
        lines |= set(_lines(seen, dimensions, numbers, not_reported))
    ordered = tuple(sorted(lines, key=lambda line: (line.parent, line.children)))
    return Frame(block, axes, tuple(groups.values()), ordered, tuple(cells))


def _check_cells(block: Block) -> None:
    names = [dimension.name for dimension in block.dimensions]
    if len(set(names)) < len(names):
        raise BlockError("two dimensions of a block have one name")
    for cell in block.cells:
        tally = cell.tally
        if len(cell.levels) != len(names):
            raise BlockError("a base cell does not have one level for each dimension")
        if not 0 <= tally.k <= tally.known <= tally.n or (block.complete and tally.known != tally.n):
            raise BlockError("a base cell breaks 0 <= k <= known <= n, or has unknowns in a complete block")
        for own in cell.provider_counts.values():
            if not (0 <= own.k <= tally.k and 0 <= own.known - own.k <= tally.known - tally.k):
                raise BlockError("a provider has more children in a base cell than the cell")
            if not 0 <= own.n - own.known <= tally.n - tally.known:
                raise BlockError("a provider has more children in a base cell than the cell")
        for level, dimension in zip(cell.levels, block.dimensions, strict=True):
            if level not in dimension.levels:
                raise BlockError(f"a base cell has a level that dimension {dimension.name} lacks")


def _axis(dimension: Dimension) -> Axis:
    leaves = tuple(sorted(dimension.levels))
    if len(set(leaves)) < len(leaves) or not leaves or TOTAL in leaves:
        raise BlockError(f"dimension {dimension.name} needs distinct levels, none of them {TOTAL}")
    under: dict[str, set[int]] = {TOTAL: set(range(len(leaves)))}
    families: set[tuple[str, tuple[str, ...]]] = set()
    for number, parents in enumerate((dimension.parents, *dimension.crossing)):
        mine = _under(dimension.name, leaves, parents)
        if number and any(name in under for name in mine.keys() - {TOTAL, *leaves}):
            raise BlockError(f"two hierarchies of dimension {dimension.name} have a group of one name")
        under |= mine
        children: dict[str, set[str]] = {}
        for node in mine.keys() - {TOTAL}:
            children.setdefault(parents.get(node, TOTAL), set()).add(node)
        families |= {(parent, tuple(sorted(nodes))) for parent, nodes in children.items()}
    names = [TOTAL, *sorted(set(under) - {TOTAL})]
    return Axis(dimension.name, leaves, {name: tuple(sorted(under[name])) for name in names}, tuple(sorted(families)))


def _coarse(axis: Axis) -> Axis:
    """The axis with the total and the groups right below it alone."""
    families = tuple(family for family in axis.families if family[0] == TOTAL)
    kept = {TOTAL, *(child for _, children in families for child in children)}
    return replace(axis, nodes={name: leaves for name, leaves in axis.nodes.items() if name in kept}, families=families)


def _under(name: str, leaves: tuple[str, ...], parents: Mapping[str, str]) -> dict[str, set[int]]:
    """By level of one hierarchy, the leaves under it."""
    under: dict[str, set[int]] = {TOTAL: set(range(len(leaves)))}
    for number, leaf in enumerate(leaves):
        node, seen = leaf, {leaf}
        under.setdefault(node, set()).add(number)
        while (parent := parents.get(node, TOTAL)) != TOTAL:
            if parent in seen or parent in leaves:
                raise BlockError(f"the hierarchy of dimension {name} turns in a circle or ends in a leaf")
            under.setdefault(parent, set()).add(number)
            seen.add(parent)
            node = parent
    return under


def _key(
    axes: tuple[Axis, ...], dimensions: tuple[int, ...], levels: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[Leaves, ...]]:
    """What tells two sets of persons apart: a level that holds all leaves is the total."""
    kept = [(d, axes[d].nodes[level]) for d, level in zip(dimensions, levels, strict=True)]
    kept = [(d, leaves) for d, leaves in kept if len(leaves) < len(axes[d].leaves)]
    return tuple(d for d, _ in kept), tuple(leaves for _, leaves in kept)


def _lines(
    axes: tuple[Axis, ...],
    dimensions: tuple[int, ...],
    numbers: Mapping[tuple[tuple[int, ...], tuple[Leaves, ...]], int],
    not_reported: frozenset[str],
) -> Iterator[Line]:
    for place, dimension in enumerate(dimensions):
        others = [axes[d].nodes if d != dimension else (TOTAL,) for d in dimensions]
        for levels in product(*others):

            def at(level: str, *, place: int = place, levels: tuple[str, ...] = levels) -> int:
                return numbers[_key(axes, dimensions, (*levels[:place], level, *levels[place + 1 :]))]

            for parent, children in axes[dimension].families:
                residual = tuple(at(child) for child in children if child in not_reported)
                if len(children) > 1:
                    yield Line(at(parent), tuple(sorted(at(child) for child in children)), residual)
