"""What the edge knows of one student in the clear: the only input of the encoder, never leaves the edge.

A clear person shows nothing of itself when printed or logged and refuses to be pickled, so that no
name slips into an error, a cache or another process.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import NoReturn

GRADE_UNKNOWN = -128
_GRADES = {"PS": -2, "TK": -1, "KN": 0} | {f"{grade:02d}": grade for grade in range(1, 13)}


@dataclass(frozen=True, slots=True, repr=False)
class ClearPerson:
    """One local student as the source says; absent is None. Aliases also hold preferred and earlier names."""

    local_record: int
    _: KW_ONLY
    given: str | None = None
    middle: str | None = None
    surname: str | None = None
    suffix: str | None = None
    alias_given: tuple[str, ...] = ()
    alias_surname: tuple[str, ...] = ()
    birth_date: str | None = None
    sex: str | None = None
    postcode: str | None = None
    ssid: str | None = None
    guardian: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "ClearPerson(masked)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a clear person is never pickled")


@dataclass(frozen=True, slots=True)
class SpanFacts:
    """One enrolment of one record: months count from January 2000, both ends included."""

    local_record: int
    reference: bytes
    school_year: int
    grade: int
    full_time: bool
    start_month: int
    end_month: int


def grade_number(code: str) -> int:
    """The grade as a number that grows by one a year (PS -2, TK -1, KN 0, 01 to 12), else GRADE_UNKNOWN."""
    return _GRADES.get(code, GRADE_UNKNOWN)
