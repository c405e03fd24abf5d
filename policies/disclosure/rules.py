"""The numbers of disclosure control, each with its source; between counting and release on the road."""

from dataclasses import dataclass

from policies.disclosure_floor import MINIMUM_N

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

BANDS = (10, 20, 100)
"""Widths in per cent of the bands that tell a rate whose numerator is withheld to protect another cell."""

COVERAGE_BANDS = (5, 10, 20, 25, 50, 100)
"""Widths in per cent of the bands that tell which part of a group has a known outcome."""


class RulesError(ValueError):
    """Rules weaker than the floor: says which rule."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of one release: the strictest of its agreements; none may be weaker than the default."""

    min_n: int = MINIMUM_N
    numerator_min: int = NUMERATOR_MIN
    zero_shown: bool = False
    width: int = PROTECTION_WIDTH
    ladder: tuple[tuple[int, int], ...] = LADDER
    not_reported: frozenset[str] = NOT_REPORTED
    strict: bool = False
    insiders: bool = True
    pairs: bool = False

    def __post_init__(self) -> None:
        if self.min_n < MINIMUM_N:
            raise RulesError("min_n is below the floor of 11")
        if self.width < PROTECTION_WIDTH:
            raise RulesError("width is below the floor of 3")


DEFAULT_RULES = Rules()


def rung(known: int, rules: Rules) -> int:
    """The per cent at either end of a rate that is coded for a group of `known`: leaves k at least `width` wide."""
    ladder = next((percent for least, percent in rules.ladder if known >= least), RUNGS[-1])
    room = max(rules.width, rules.numerator_min - 1)
    return next((r for r in RUNGS if r >= ladder and r * known // 100 >= room), RUNGS[-1])


def coded(known: int, k: int, rules: Rules) -> tuple[int, int] | None:
    """The band that an extreme rate is told by, or None when the rate may be shown."""
    percent = rung(known, rules)
    if 100 * k <= percent * known:
        return (0, percent)
    if 100 * (known - k) <= percent * known:
        return (100 - percent, 100)
    return None


def wider(band: tuple[int, int] | None, known: int, *, k: int, rules: Rules) -> tuple[int, int]:
    """The next band that tells less of k / known than `band` (None: shown) does, and holds it."""
    if band is None:
        return next(found for width in BANDS if _room(found := _band(width, k, known), known) >= rules.width)
    low, high = band
    if low == 0 and high < 100:
        return (0, next(r for r in RUNGS if r > high))
    if high == 100 and low > 0:
        return (100 - next(r for r in RUNGS if r > 100 - low), 100)
    return next((b for w in BANDS if (b := _band(w, k, known))[1] - b[0] > high - low), (0, 100))


def coverage(known: int, n: int, rules: Rules) -> tuple[int, int]:
    """The band that tells known / n: its width depends on `known` only and leaves n at least `width` wide."""
    width = next(w for w in COVERAGE_BANDS if w == 100 or known * w // (100 - w) >= rules.width)
    return _band(width, known, n)


def numerators(band: tuple[int, int], known: int) -> tuple[int, int]:
    """Least and greatest k that a band allows."""
    return -(-band[0] * known // 100), band[1] * known // 100


def populations(band: tuple[int, int], known: int) -> tuple[int, int | None]:
    """Least and greatest n that a coverage band allows; None when it sets no bound."""
    return -(-100 * known // band[1]), 100 * known // band[0] if band[0] else None


def _band(width: int, part: int, whole: int) -> tuple[int, int]:
    low = min(100 * part // (width * whole), 100 // width - 1) * width
    return (low, low + width)


def _room(band: tuple[int, int], known: int) -> int:
    low, high = numerators(band, known)
    return high - low
