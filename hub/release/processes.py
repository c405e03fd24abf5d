"""Protects independent groups of blocks in several processes, where there is much to protect and more than one
processor; under `hub.release.publishing`. What crosses to them are counts, in memory alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from policies.disclosure.types import Block

if TYPE_CHECKING:
    from policies.disclosure.engine import Each, Result, Together

CELLS_MIN = 6_000
"""Fewer base cells are protected sooner than a process starts."""
PROCESSES_MAX = 4


@contextmanager
def processes_for(blocks: Sequence[Block], *, cells_min: int = CELLS_MIN) -> Iterator[Each]:
    """What does the same with each of many, in their order: in this process alone, or in several new ones."""
    processes = min(os.cpu_count() or 1, PROCESSES_MAX)
    if processes == 1 or sum(len(block.cells) for block in blocks) < cells_min:
        yield map
        return
    # Started anew, not forked: this process may have threads of the engines that counted.
    _let_mappings_travel()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_let_mappings_travel) as pool:
        yield partial(_largest_first, pool)


def _largest_first(pool: Executor, work: Callable[[Together], Result], each: Iterable[Together], /) -> Iterable[Result]:
    """The results in order, the largest group begun first, so that no process is left with it at the end."""
    together = list(each)
    sizes = [sum(len(frame.block.cells) for frame in one.frames) for one in together]
    begun = {at: pool.submit(work, together[at]) for at in sorted(range(len(together)), key=lambda at: -sizes[at])}
    return [begun[at].result() for at in range(len(together))]


def _let_mappings_travel() -> None:
    """Blocks hold mappings that cannot be changed, which have no form of their own to travel in."""
    ForkingPickler.register(MappingProxyType, _travelling)


def _travelling(mapping: MappingProxyType[Any, Any]) -> tuple[Any, tuple[dict[Any, Any]]]:
    return _arrived, (dict(mapping),)


def _arrived(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)
