"""How much of a refresh is protected again where little has changed; part of `bench disclosure`.

There is no person behind the counts.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from hub.release.kept import KeptProtections
from policies.disclosure.engine import protect
from policies.disclosure.types import Block, Rules, Tally
from tests.bench.measures import Row, at_least, at_most


def one_more(block: Block) -> Block:
    """The block with one child more, whom its providers know."""
    first, *others = block.cells
    own = {name: tally + Tally(1, 1, 1) for name, tally in first.provider_counts.items()}
    return replace(block, cells=(replace(first, tally=first.tally + Tally(1, 1, 1), provider_counts=own), *others))


def refresh(blocks: list[Block]) -> Iterator[Row]:
    """One of many blocks corrected: what is protected again, and that it comes out as from nothing."""
    rules = Rules()
    before = KeptProtections({}, rules=rules, name_of=_name_of)
    protect(blocks, rules=rules, each=before)
    corrected = [one_more(blocks[0]), *blocks[1:]]
    again = KeptProtections(before.found, rules=rules, name_of=_name_of)
    start = time.process_time()
    refreshed = protect(corrected, rules=rules, each=again)
    taken = time.process_time() - start
    start = time.process_time()
    scratch = protect(corrected, rules=rules)
    whole = time.process_time() - start
    name = f"refresh, one of {len(blocks)} blocks corrected"
    yield at_most(f"{name}: blocks protected again", len(blocks) - again.taken_over, 1)
    yield at_most(f"{name}: seconds as a part of those from nothing", taken / whole, 0.1)
    same = refreshed.cells == scratch.cells and refreshed.verdict == scratch.verdict
    yield at_least(f"{name}: the same as from nothing", float(same), 1)


def _name_of(content: bytes) -> str:
    return sha256(content).hexdigest()
