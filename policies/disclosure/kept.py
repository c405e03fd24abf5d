"""Protection that need not be done again: what a result depends on, and the result without its counts.

Protection is a function of the blocks' counts, the rules and what was told before, and of nothing else, so that what
is taken over is what would come out again. Above the engine; who keeps it gives `protect` an `each` of its own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from policies.disclosure.engine import Result, Together
from policies.disclosure.frame import Frame
from policies.disclosure.rules import Rules
from policies.disclosure.standing import Band, Sheet, counted_in
from policies.disclosure.types import Block
from policies.disclosure.vintages import system_with, told_finally

States = list[list[list[Any]]]
"""By block and group: whether it is withheld, empty and shown as such; its bands, and why. No count."""


def content(together: Together, rules: Rules) -> bytes | None:
    """All that the result depends on, in one order whatever the order of rows; None for what must not be kept.

    Blocks with final figures are never kept: what they show was settled when it was released.
    """
    if told_finally(together.frames, together.told.cells):
        return None
    blocks = [_block(f) for f in together.frames]
    told = list(dict.fromkeys(_telling(together, vintage) for vintage in _vintages(together)))
    said = {"blocks": blocks, "told": told, "provisional": bool(together.vintage), "rules": _plain(rules)}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def states(result: Result) -> States | None:
    """What is told of each group; None where the result is not clean."""
    if result.findings:
        return None
    return [
        [[one.hidden, one.zero, _pair(one.band), _pair(one.cover), one.reason] for one in result.sheets[name].groups]
        for name in sorted(result.sheets)
    ]


def restored(together: Together, kept: States) -> Result:
    """The result that was kept, with the counts as they are."""
    built = system_with(together.frames, {})
    sheets = {}
    named = {(f.block.indicator, f.block.cohort_year): number for number, f in enumerate(together.frames)}
    for (name, number), groups in zip(sorted(named.items()), kept, strict=True):
        sheet = Sheet(together.frames[number])
        for group, (hidden, zero, band, cover, reason) in enumerate(groups):
            standing = counted_in(built, number, group)
            standing.hidden, standing.zero, standing.reason = hidden, zero, reason
            standing.band = band and (band[0], band[1])
            standing.cover = cover and (cover[0], cover[1])
            sheet.groups.append(standing)
        sheets[name] = sheet
    return Result(sheets, [])


def _pair(band: Band | None) -> list[int] | None:
    return band and list(band)


def _vintages(together: Together) -> list[str]:
    """Vintages in the engine's order; which name one has does not matter, nor that it was told again as it was."""
    return sorted({cell.vintage for cell in together.told.cells})


def _telling(together: Together, vintage: str) -> str:
    """What one vintage told, and the counts that it was told of."""
    cells = [replace(cell, vintage="") for cell in together.told.cells if cell.vintage == vintage]
    counted = [
        [one.indicator, one.cohort_year, _counts(one)]
        for one in sorted(together.told.blocks.get(vintage, ()), key=lambda block: (block.indicator, block.cohort_year))
    ]
    return json.dumps([sorted(_plain(cells), key=json.dumps), counted])


def _counts(block: Block) -> list[Any]:
    order = sorted(range(len(block.dimensions)), key=lambda number: block.dimensions[number].name)
    counts = [
        [[cell.levels[n] for n in order], *(_plain(x) for x in (cell.tally, cell.provider_counts, cell.shared_counts))]
        for cell in block.cells
    ]
    return sorted(counts, key=json.dumps)


def _block(f: Frame) -> dict[str, Any]:
    block = f.block
    return {
        "block": [block.indicator, block.cohort_year, block.complete, block.population, block.part_of],
        "axes": [_plain(axis) for axis in f.axes],
        "minima": sorted([d.name, _plain(d.minimum)] for d in block.dimensions),
        "groups": [[group.levels, group.rank] for group in f.groups],
        "cells": f.cells,
        "counts": _counts(block),
    }


def _plain(value: Any) -> Any:
    """The same value of JSON's types alone, in one order."""
    if is_dataclass(value) and not isinstance(value, type):
        return [_plain(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return sorted([str(name), _plain(item)] for name, item in value.items())
    if isinstance(value, frozenset):
        return sorted(str(item) for item in value)
    return [_plain(item) for item in value] if isinstance(value, Sequence) and not isinstance(value, str) else value
