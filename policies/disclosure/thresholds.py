"""Rules raised step by step from the floor, so that stricter ones never show what laxer ones hide; under the engine.

Every pair of a threshold and a minimum for numerators begins with all that the pairs right below it withhold, and
withholds what is then needed. So of two pairs the stricter one shows nothing that the laxer one does not, whichever of
the two numbers were raised.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

from policies.disclosure.audit import Finding
from policies.disclosure.rules import NUMERATOR_MIN, Rules
from policies.disclosure.standing import Sheet, State, raise_numerators, raise_threshold
from policies.disclosure_floor import MINIMUM_N

Protecting = Callable[[Rules], list[Finding]]
"""Withholds on the sheets what an observer could tell under some rules; gives back what could not be mended."""


@dataclass(frozen=True)
class Point:
    """What is told under one pair of numbers, group by group, and what could not be mended."""

    states: tuple[tuple[State, bool], ...]
    findings: list[Finding]


def floor_of(rules: Rules) -> Rules:
    """The rules before threshold and minimum are raised."""
    return replace(rules, min_n=MINIMUM_N, numerator_min=NUMERATOR_MIN)


def raise_rules(sheets: tuple[Sheet, ...], rules: Rules, *, found: list[Finding], protect: Protecting) -> list[Finding]:
    """From sheets that are safe under the floor to sheets that are under `rules`; gives back what was not mended."""
    points = {(MINIMUM_N, NUMERATOR_MIN): Point(_states(sheets), found)}
    pairs = product(range(MINIMUM_N, rules.min_n + 1), range(NUMERATOR_MIN, rules.numerator_min + 1))
    for min_n, numerator_min in pairs:
        below = [points[at] for at in ((min_n - 1, numerator_min), (min_n, numerator_min - 1)) if at in points]
        if below:
            step = replace(rules, min_n=min_n, numerator_min=numerator_min)
            points[min_n, numerator_min] = _raised(sheets, step, below=below, protect=protect)
    return points[rules.min_n, rules.numerator_min].findings


def _raised(sheets: tuple[Sheet, ...], step: Rules, *, below: list[Point], protect: Protecting) -> Point:
    """One pair of numbers, from what the pairs below it withhold."""
    first, *others = below
    _put_back(sheets, first)
    changed = sum(_tell_no_more(sheets, other) for other in others) > 0
    changed |= raise_threshold(sheets, step)
    changed |= raise_numerators(sheets, step)
    findings = protect(step) if changed or step.strict else first.findings
    return Point(_states(sheets), findings)


def _states(sheets: tuple[Sheet, ...]) -> tuple[tuple[State, bool], ...]:
    return tuple((standing.state, standing.zero) for sheet in sheets for standing in sheet.groups)


def _put_back(sheets: tuple[Sheet, ...], point: Point) -> None:
    standings = [standing for sheet in sheets for standing in sheet.groups]
    for standing, (state, zero) in zip(standings, point.states, strict=True):
        standing.state, standing.zero = state, zero


def _tell_no_more(sheets: tuple[Sheet, ...], point: Point) -> bool:
    """Withhold what is withheld at a point; whether anything changed."""
    standings = [standing for sheet in sheets for standing in sheet.groups]
    told = zip(standings, point.states, strict=True)
    return sum(standing.tell_no_more_than(state) for standing, (state, _) in told) > 0
