"""The monthly early-learning roster (CDD-801A): children without any state number, with their head of household."""

from __future__ import annotations

from connectors.readers.calpads import race_ethnicity
from connectors.rows import RowReading, Values, fact, person_of, word

_FUNDING = {"CSPP": "CSPP", "CPRE": "CSPP", "HEAD-START": "HEAD-START", "HEADSTART": "HEAD-START", "HS": "HEAD-START"}
_DEFAULT_SITE = "main"


def child(values: Values) -> RowReading:
    """One child enrolled: the person, the enrollment and, where the file has them, the days attended."""
    told = {
        **values,
        "funding": _FUNDING.get(str(values.get("program_code", "")).upper().replace(" ", "-"), "OTHER"),
        "site": _site(values),
    }
    race = race_ethnicity(values)
    if race is not None:
        told["race_ethnicity"] = race
    facts = [
        fact("preschool", told, site="site", funding="funding", start_date="start_date", end_date="end_date"),
        fact("demographics", told, gender="gender", race_ethnicity="race_ethnicity"),
    ]
    if "days_expected" in values and "days_attended" in values:
        facts.append(
            fact("attendance", told, school="site", days_expected="days_expected", days_attended="days_attended")
        )
    local_id = word(values, "local_id") or _family_member(values)
    codes = (() if race else ("DEM-001",)) + (() if local_id else ("IDN-001",))
    person = person_of(values, as_of=word(values, "start_date") or "")
    return RowReading(local_id=local_id, person=person, facts=tuple(facts), codes=codes, named_by="itself")


def _site(values: Values) -> str:
    site = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in str(values.get("site", "")))
    return site[:24] or _DEFAULT_SITE


def _family_member(values: Values) -> str | None:
    """A number for a child whom the file numbers only by family: family case, birth date and first name."""
    family = word(values, "family_case")
    return f"{family}/{values.get('birth_date', '')}/{values.get('given', '')}" if family else None
