"""What goes into disclosure control and what comes out: counts of persons in, released cells and a verdict out.

On the road: between counting (`hub.outcomes`) and release (`hub.release`). No person is known here, only counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from policies.disclosure.rules import DEFAULT_RULES, Rules

__all__ = [
    "CONFIDENTIAL",
    "DEFAULT_RULES",
    "FREE",
    "TOTAL",
    "BaseCell",
    "Block",
    "BlockError",
    "Dimension",
    "Evidence",
    "Protected",
    "Rate",
    "ReleasedCell",
    "Rules",
    "Status",
    "TableDeclaration",
    "Tally",
    "Verdict",
]

TOTAL = "Total"
"""The level of a cell that is summed over a dimension."""

Status = Literal["F", "C"]
"""Free or confidential, from the SDMX code list CL_CONF_STATUS; never A or D, which would tell why."""
FREE: Status = "F"
CONFIDENTIAL: Status = "C"


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


class BlockError(ValueError):
    """A block that contradicts itself: says which rule and where, never a count."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One way to split a cohort.

    `levels` are the leaves. `parents` leads from a leaf to its group, from a group to its group, up to but without
    the total; `crossing` are further such hierarchies of the same leaves, with groups of other names: schools by
    district, and by their kind. Ways to split that say nothing of each other are dimensions of their own. `linked`
    says that the level comes from another provider's records; `minimum` is then the least count shown for a level
    with few sources.
    """

    name: str
    levels: tuple[str, ...]
    parents: Mapping[str, str] = field(default_factory=_nothing)
    crossing: tuple[Mapping[str, str], ...] = ()
    linked: bool = False
    minimum: Mapping[str, int] = field(default_factory=_nothing)


@dataclass(frozen=True)
class Tally:
    """Persons (`n`), those whose outcome is known (`known`), those who reached it (`k`)."""

    n: int
    known: int
    k: int

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.n + other.n, self.known + other.known, self.k + other.k)


@dataclass(frozen=True, kw_only=True)
class BaseCell:
    """Persons alike in every dimension of the block: `levels` in the order of `Block.dimensions`.

    `provider_counts` holds, for each provider, its own children among them; a child may have several providers.
    `shared_counts` holds the children that two providers (in order of their names) both have; None if that is not
    known: then two providers together know at most all that both could, and at least what one of them does.
    """

    levels: tuple[str, ...]
    tally: Tally
    provider_counts: Mapping[str, Tally] = field(default_factory=_nothing)
    shared_counts: Mapping[tuple[str, str], Tally] | None = None


@dataclass(frozen=True, kw_only=True)
class TableDeclaration:
    """A table to publish with all its margins; a lower `priority` is kept before a higher one.

    Of a dimension named in `coarse` only the highest groups stand in it: attended any preschool or none, not which.
    """

    name: str
    dimensions: tuple[str, ...]
    priority: int
    coarse: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Block:
    """One indicator in one cohort year: its counts, and the tables to be made of them.

    Base cells without persons need not be given. `complete` says that the definition of the indicator leaves no
    outcome unknown: then `n` equals `known` everywhere and both are shown; else `known` is the denominator that is
    shown, and `n` is told by the coverage band only. Blocks of one cohort year that name the same `population` count
    the same persons (equal `n`); `part_of` names the indicator whose numerator is this block's population.
    """

    indicator: str
    cohort_year: int
    dimensions: tuple[Dimension, ...]
    cells: tuple[BaseCell, ...]
    tables: tuple[TableDeclaration, ...]
    complete: bool = False
    population: str = ""
    part_of: str = ""


@dataclass(frozen=True)
class Rate:
    """A coded rate: whole per cents between which the rate lies, ends included."""

    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class ReleasedCell:
    """A cell as everybody outside sees it. None is "not shown", with status C or a coded rate; it is never zero.

    `levels` has one pair for each dimension of the table, `Total` where summed. With status F the denominator
    `known` is shown; `k` and `rate` are shown together or are both coded by `rate_low` and `rate_high` (0 and 100
    when nothing is told). `coverage_low` and `coverage_high` bound known / n in whole per cents.
    """

    indicator: str
    cohort_year: int
    table: str
    levels: tuple[tuple[str, str], ...]
    n: int | None = None
    known: int | None = None
    k: int | None = None
    rate: int | None = None
    rate_low: int | None = None
    rate_high: int | None = None
    coverage_low: int | None = None
    coverage_high: int | None = None
    status: Status = CONFIDENTIAL
    vintage: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """For the officer alone: why one cell is as it is."""

    indicator: str
    cohort_year: int
    levels: tuple[tuple[str, str], ...]
    reason: Literal["small", "linked-minimum", "not-reported", "protective", "coded", "coded-protective", "frozen"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the release may go out, and what it costs. `reasons` are for the officer alone.

    `exact`, `narrow`, `attribute` count withheld numbers that could be computed exactly, told within less than the
    protection width, or told to be none or all of a group. `shown` and `withheld` count rows of the tables.
    `kept_share` is, by table, the part shown of the cells at or above the threshold.
    """

    clean: bool
    shown: int
    withheld: int
    exact: int
    narrow: int
    attribute: int
    kept_share: Mapping[str, float]
    seconds: float = field(compare=False)
    reasons: tuple[Evidence, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Protected:
    """The cells that may be released if the verdict is clean, in a fixed order."""

    cells: tuple[ReleasedCell, ...] = field(repr=False)
    verdict: Verdict
