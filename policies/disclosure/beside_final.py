"""New blocks beside final figures of the same persons; under the engine.

A count that a final figure tells, since both count the same persons, is public for good: a linked block that withholds
it cannot make it secret again, and is not held to that.

Where the final figures were corrected since, they stand as one more vintage told before, and of the new block is shown
only what agrees with them, for everybody: a corrected number beside the released one would tell the correction.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from policies.disclosure.agreeing import contradicting
from policies.disclosure.believers import Crowd, Observers, all_together, place_of, seen
from policies.disclosure.frame import Frame
from policies.disclosure.linked import links
from policies.disclosure.moves import nobody
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Ledger, Sheet, State, frozen_sheets
from policies.disclosure.system import ALL, KNOWN, REACHED, System, kinds
from policies.disclosure.types import ReleasedCell
from policies.disclosure.vintages import system_with


def mark_public(frames: tuple[Frame, ...], stands: tuple[Sheet, ...], ledger: Ledger) -> None:
    """Note in every group which of its counts a final figure of a linked block tells."""
    for block, group, kind in _public(frames, ledger):
        standing = stands[block].groups[group]
        standing.public = (*standing.public, kind)


def withdraw_final(built: System, stands: tuple[Sheet, ...], ledger: Ledger) -> None:
    """Tell nothing of the blocks that are final, and hold secret of them what their released figures withhold."""
    final = {block for block, _ in ledger}
    for block, frozen in enumerate(frozen_sheets(built, ledger=ledger)):
        complete = frozen.frame.block.complete
        for standing, told in zip(stands[block].groups if block in final else (), frozen.groups, strict=False):
            standing.state, standing.zero, standing.fixed = State(True, None, None, "frozen"), False, True
            secret = told.secret(complete=complete)
            standing.public = tuple(kind for kind in range(kinds(frozen.frame)) if kind not in secret)


def withhold_contradictions(
    stands: tuple[Sheet, ...], crowds: Iterable[Crowd], *, rules: Rules, observers: Observers
) -> bool:
    """Withhold what does not agree with the final figures, the last that every crowd was told, for somebody who knows
    what any of a crowd knows; False where that is not enough, or it was not found out."""
    return all(_agree(stands, crowd, rules=rules, observers=observers) for crowd in crowds)


def _agree(stands: tuple[Sheet, ...], crowd: Crowd, *, rules: Rules, observers: Observers) -> bool:
    told = crowd.told[-1]
    built = system_with(tuple(sheet.frame for sheet in stands), told)
    everybody = all_together((nobody(built), *crowd.among(observers)(built, rules)))
    copies = tuple(Sheet(sheet.frame, [replace(one) for one in sheet.groups]) for sheet in stands)
    rows = contradicting(built, seen(copies, built, told), everybody)
    if rows is None:
        return False
    for block, group in sorted({place_of(built, row) for row in rows.tolist()}):
        stands[block].groups[group].hide("frozen")
    for sheet in stands:
        sheet.settle(rules)
    return True


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
