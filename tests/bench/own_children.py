"""The children of one or two providers in the blocks of a benchmark, as the attacker reads them.

There is no person behind them.
"""

from collections.abc import Sequence

from policies.disclosure.types import BaseCell, Block, Tally


def own_rows(block: Block, who: Sequence[str]) -> list[dict[str, str]]:
    """The children of some providers, each counted once, as the attacker reads them."""
    found = []
    for cell in block.cells:
        no, yes, unknown = own_outcomes(cell, who)
        if no + yes + unknown:
            place = {"indicator": block.indicator, "cohort_year": str(block.cohort_year)}
            levels = zip((dimension.name for dimension in block.dimensions), cell.levels, strict=True)
            counts = {"n": str(no + yes + unknown), "known": str(no + yes), "k": str(yes)}
            found.append({**place, **dict(levels), **counts})
    return found


def own_outcomes(cell: BaseCell, who: Sequence[str]) -> tuple[int, ...]:
    """How many of the children of one or two providers did not, did, and are unknown; whom both have, once. Where it
    is not known how many that are, as many as there may be."""
    mine = [outcomes(cell.provider_counts[name]) for name in who if name in cell.provider_counts]
    both = (cell.shared_counts or {}).get((who[0], who[-1])) if len(mine) > 1 else None
    less = outcomes(both) if both is not None else (0, 0, 0)
    return tuple(min(sum(one[at] for one in mine) - less[at], outcomes(cell.tally)[at]) for at in range(3))


def outcomes(tally: Tally) -> tuple[int, int, int]:
    """How many did not, did, and are unknown."""
    return tally.known - tally.k, tally.k, tally.n - tally.known
