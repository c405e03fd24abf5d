"""Which dimensions must be held together so that tables agree, and no more.

Tables whose dimensions form a decomposable hypergraph agree with some table of persons exactly when they agree on
what they share (Dobra and Fienberg, PNAS 97:11885, 2000). So the county need not be crossed by every dimension.
"""

from itertools import combinations

Clique = tuple[int, ...]


def cliques(tables: list[tuple[int, ...]]) -> tuple[Clique, ...]:
    """The fewest sets of dimensions, chordal, that hold every table; an empty set if there is no dimension at all."""
    neighbours: dict[int, set[int]] = {d: set() for table in tables for d in table}
    for table in tables:
        for a, b in combinations(table, 2):
            neighbours[a].add(b)
            neighbours[b].add(a)
    found: list[set[int]] = []
    while neighbours:
        node = min(neighbours, key=lambda d: (_fill(neighbours, d), len(neighbours[d]), d))
        around = neighbours.pop(node)
        found.append(around | {node})
        for a in around:
            neighbours[a] |= around - {a}
            neighbours[a].discard(node)
    kept = [clique for clique in found if not any(clique < other for other in found)]
    return tuple(sorted({tuple(sorted(clique)) for clique in kept})) or ((),)


def separators(found: tuple[Clique, ...]) -> tuple[tuple[int, int, Clique], ...]:
    """A junction tree: pairs of cliques with what they share, a spanning tree of greatest overlap."""
    edges = sorted(
        (-len(set(a) & set(b)), i, j, tuple(sorted(set(a) & set(b))))
        for (i, a), (j, b) in combinations(enumerate(found), 2)
    )
    root = list(range(len(found)))
    tree = []
    for _, i, j, shared in edges:
        if root[i] != root[j]:
            root = [root[i] if r == root[j] else r for r in root]
            tree.append((i, j, shared))
    return tuple(tree)


def _fill(neighbours: dict[int, set[int]], node: int) -> int:
    return sum(b not in neighbours[a] for a, b in combinations(sorted(neighbours[node]), 2))
