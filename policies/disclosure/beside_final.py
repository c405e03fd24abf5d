"""What final figures tell of the blocks that are linked to them; under the engine.

A count that a final figure tells, since both count the same persons, is public for good: a linked block that withholds
it cannot make it secret again, and is not held to that.
"""

from collections.abc import Iterator

from policies.disclosure.frame import Frame
from policies.disclosure.linked import links
from policies.disclosure.standing import Ledger, Sheet
from policies.disclosure.system import ALL, KNOWN, REACHED
from policies.disclosure.types import ReleasedCell


def mark_public(frames: tuple[Frame, ...], stands: tuple[Sheet, ...], ledger: Ledger) -> None:
    """Note in every group which of its counts a final figure of a linked block tells."""
    for block, group, kind in _public(frames, ledger):
        standing = stands[block].groups[group]
        standing.public = (*standing.public, kind)


def _public(frames: tuple[Frame, ...], ledger: Ledger) -> Iterator[tuple[int, int, int]]:
    numbers = [{(g.axes, g.leaves): number for number, g in enumerate(f.groups)} for f in frames]
    for left, kind, right in links(frames):
        for (told, of), (other, same) in (((left, kind), (right, ALL)), ((right, ALL), (left, kind))):
            for place, group in numbers[other].items():
                cell = ledger.get((told, numbers[told].get(place, -1)))
                if cell is not None and _tells(frames[told], cell, of):
                    yield other, group, _row_kind(frames[other], same)


def _tells(one: Frame, cell: ReleasedCell, kind: int) -> bool:
    """Whether a released cell tells a kind of count exactly."""
    if kind == REACHED:
        return cell.k is not None
    return cell.n is not None or (one.block.complete and cell.known is not None)


def _row_kind(one: Frame, kind: int) -> int:
    """Persons of a complete block are those with a known outcome."""
    return KNOWN if kind == ALL and one.block.complete else kind
