"""The Clearinghouse's StudentTracker detail report and the request map that was kept when it was asked.

A row is joined by its Requester Return Field, or by the unique identifier where that held the random number of the
request (graduates files have no return field); never by a name. A student who is not found, or whose record is
blocked, is unknown, not "did not enrol" (docs/sources/clearinghouse.md).
"""

from __future__ import annotations

import re

from connectors.rows import Fact, RowReading, Values, fact, word

# Words of degree titles, first that fits wins. The titles are the colleges' own.
_LEVELS = (
    ("graduate", re.compile(r"MASTER|DOCTOR|JURIS|PH\.?D|\bM\.?[AS]\b|\bMBA\b|GRADUATE CERT")),
    ("certificate", re.compile(r"CERT|DIPLOMA")),
    ("associate", re.compile(r"ASSOC|\bA\.?[AS]\.?(-T)?\b|\bAAT\b|\bAST\b")),
    ("bachelor", re.compile(r"BACH|BACC|\bB\.?[AS]\b|\bBFA\b|\bBSN\b")),
)


def request(values: Values) -> RowReading:
    """One line of the request map: whose return field it is, and whether the record was blocked."""
    asked: Fact = ("college_search", {"result": "blocked"} if values.get("blocked") == "Y" else {})
    dated: Fact = (asked[0], {**asked[1], **_dated(values)})
    return RowReading(
        local_id=word(values, "local_id"), return_field=word(values, "return_field"), facts=(dated,), named_by="map"
    )


def detail(values: Values) -> RowReading:
    """One line of the report: not found, one enrollment period, or one degree."""
    found = values.get("record_found") == "Y"
    search: Fact = ("college_search", {"result": "found" if found else "not-found", **_dated(values)})
    facts: list[Fact] = [search]
    codes: list[str] = []
    if found and values.get("graduated") == "Y":
        facts.append(_award(values, codes))
    elif found:
        facts.append(_enrollment(values))
    needed = ("college", "award_date" if values.get("graduated") == "Y" else "begin_date")
    if found and any(name not in values for name in needed):
        codes.append("NSC-002")
    asked_by = word(values, "return_field") or word(values, "unique_id")
    if asked_by is None:
        codes.append("NSC-001")
    return RowReading(return_field=asked_by, facts=tuple(facts), codes=tuple(codes))


def award_level(title: str, college_type: str) -> tuple[str, bool]:
    """The level of a degree title, and whether the title told it; else the usual degree of the college's type."""
    upper = title.upper()
    for level, words in _LEVELS:
        if words.search(upper):
            return level, True
    return ("associate" if college_type == "2-year" else "bachelor"), False


def _award(values: Values, codes: list[str]) -> Fact:
    level, told = award_level(word(values, "degree_title") or "", word(values, "college_type") or "")
    if not told:
        codes.append("NSC-003")
    return fact(
        "award", {**values, "award_level": level}, college="college", award_level="award_level", award_date="award_date"
    )


def _enrollment(values: Values) -> Fact:
    return fact(
        "college_enrollment",
        values,
        college="college",
        college_type="college_type",
        begin_date="begin_date",
        end_date="end_date",
        enrollment_status="enrollment_status",
    )


def _dated(values: Values) -> Values:
    return {"searched_on": values["searched_on"]} if "searched_on" in values else {}
