"""The numbers of disclosure control, each with its source; between counting and release on the road."""

from dataclasses import dataclass

MIN_N = 11
"""California withholds counts of 10 or fewer (CDE, cohort files; SOURCES: California Department of Education)."""

NUMERATOR_MIN = 0
"""California sets no minimum for numerators; an agreement may."""

PROTECTION_WIDTH = 3
"""The feasible interval of a withheld count is at least this wide (Fischetti and Salazar 2001, section 2)."""

NOT_REPORTED = frozenset({"not-reported"})
"""Levels withheld whenever another level of their line is (CDE: race "Not Reported")."""

LADDER = ((300, 1), (100, 2), (40, 5), (20, 10), (11, 20))
"""Least group size and the per cent at either end that is coded (NCES 2011-603, Statistical Methods)."""

RUNGS = (1, 2, 5, 10, 20, 30, 40, 50, 100)
"""Widths to step to, in per cent, where the ladder's own would tell the numerator within less than the protection."""

BANDS = (20, 50, 100)
"""Widths in per cent of the bands that tell a rate whose numerator is withheld to protect another cell."""

COVERAGE_BANDS = (5, 10, 20, 25, 50, 100)
"""Widths in per cent of the bands that tell which part of a group has a known outcome."""


class RulesError(ValueError):
    """Rules weaker than the floor: says which rule."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of one release: the strictest of its agreements; none may be weaker than the default."""

    min_n: int = MIN_N
    numerator_min: int = NUMERATOR_MIN
    zero_shown: bool = False
    width: int = PROTECTION_WIDTH
    ladder: tuple[tuple[int, int], ...] = LADDER
    not_reported: frozenset[str] = NOT_REPORTED
    strict: bool = False
    insiders: bool = True
    pairs: bool = False

    def __post_init__(self) -> None:
        if self.min_n < MIN_N:
            raise RulesError("min_n is below the floor of 11")
        if self.width < PROTECTION_WIDTH:
            raise RulesError("width is below the floor of 3")


DEFAULT_RULES = Rules()
