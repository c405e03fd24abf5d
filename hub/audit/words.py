"""The officer's question to the log: `qualifier:value` and free words, as they are typed into one field.

district:novato event:release.* -actor:system after:2026-07-01 "words together"
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from hub.errors import Fault, Invalid

QUERY_CHARACTERS_MAX = 400
TERMS_MAX = 30
QUALIFIERS: Mapping[str, str] = {
    "event": "event",
    "actor": "actor",
    "person": "actor",
    "who": "actor",
    "organisation": "organisation",
    "district": "organisation",
    "agreement": "agreement",
    "purpose": "purpose",
    "resource": "resource",
    "decision": "decision",
    "rule": "rule",
    "outcome": "outcome",
    "method": "method",
}
DAYS = ("after", "before", "on")
_TERM = re.compile(r'(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True)
class Term:
    """One condition: a column and what stands in it, or words anywhere (column empty); or that it does not."""

    column: str
    value: str
    negated: bool


@dataclass(frozen=True)
class LogQuery:
    """What is looked for: conditions that all hold, days in UTC (until is excluded), and the hours of the day."""

    terms: tuple[Term, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    out_of_hours: bool = False
    request_id: str | None = None


def read_query(text: str) -> LogQuery:
    """The question of a text; raises Invalid naming the word that cannot be read by its number."""
    if len(text) > QUERY_CHARACTERS_MAX:
        raise _wrong(0, f"Ask in at most {QUERY_CHARACTERS_MAX} characters.")
    terms: list[Term] = []
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    out_of_hours, request_id = False, None
    for number, found in enumerate(_TERM.finditer(text), start=1):
        negated, qualifier, quoted, plain = found[1] == "-", found[2], found[3], found[4]
        value = quoted if quoted is not None else plain
        if qualifier in DAYS and not negated:
            since, until = _days(qualifier, value, number, since=since, until=until)
        elif (qualifier, value, negated) == ("hours", "out", False):
            out_of_hours = True
        elif qualifier == "request" and not negated:
            request_id = value
        elif qualifier is None or qualifier in QUALIFIERS:
            terms.append(Term(QUALIFIERS.get(qualifier or "", ""), value, negated))
        elif quoted is None and not _looks_like_a_qualifier(qualifier):
            terms.append(Term("", f"{qualifier}:{value}", negated))
        else:
            known = ", ".join([*QUALIFIERS, *DAYS, "request", "hours:out"])
            raise _wrong(number, f"Use one of: {known}; or put the words into quotes.")
    if len(terms) > TERMS_MAX:
        raise _wrong(0, f"Ask with at most {TERMS_MAX} words.")
    return LogQuery(tuple(terms), since, until, out_of_hours, request_id)


def _days(
    qualifier: str, value: str, number: int, *, since: dt.datetime | None, until: dt.datetime | None
) -> tuple[dt.datetime | None, dt.datetime | None]:
    try:
        day = dt.datetime.combine(dt.date.fromisoformat(value), dt.time.min, dt.UTC)
    except ValueError:
        raise _wrong(number, "Write a day as 2026-07-01.") from None
    if qualifier == "before":
        return since, day
    return day, day + dt.timedelta(days=1) if qualifier == "on" else until


def _looks_like_a_qualifier(word: str) -> bool:
    """Values of the log have colons too (submission:..., person:...); those are free words."""
    return word not in ("submission", "person", "agent", "checkpoint", "log", "command", "serve", "release")


def _wrong(number: int, next_step: str) -> Invalid:
    return Invalid(
        "A word of the search cannot be read.",
        code="search-wrong",
        next_step=next_step,
        faults=[Fault(f"word {number}", "search-wrong")],
    )
