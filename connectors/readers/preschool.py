"""Early-learning rosters: the monthly CDD-801A file, Head Start rosters, DRDP exports; rarely with a state number."""

from __future__ import annotations

from connectors.readers.calpads import race_ethnicity
from connectors.rows import RowReading, Values, fact, person_of, word

_FUNDING = {"CSPP": "CSPP", "CPRE": "CSPP", "HEAD-START": "HEAD-START", "HEADSTART": "HEAD-START", "HS": "HEAD-START"}
_DEFAULT_SITE = "main"
_STATE_NUMBER_DIGITS = 10


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


def head_start_child(values: Values) -> RowReading:
    """One child of a Head Start roster."""
    return child({**values, "program_code": "HEAD-START"})


def observed_child(values: Values) -> RowReading:
    """One child of a DRDP export, at the first day of its term where no enrollment is dated; one observation a term."""
    number = str(values.get("number", ""))
    of_state = len(number) == _STATE_NUMBER_DIGITS and number.isascii() and number.isdigit()
    told = {**values, "program_code": _program(values)}
    if of_state:
        told["ssid"] = number
    local_id = number if number and not of_state else word(values, "icode") or number
    if local_id:
        told["local_id"] = local_id
    if "start_date" not in told and "term" in told:
        told["start_date"] = told["term"]
    reading = child(told)
    dated = () if "start_date" in told else ("DAT-056",)
    return RowReading(
        local_id=reading.local_id,
        ssid=word(told, "ssid"),
        person=reading.person,
        facts=reading.facts,
        codes=reading.codes + dated,
        named_by="itself",
    )


def _program(values: Values) -> str:
    """The funding that the export's flags name; Head Start before the state's programme."""
    if "Y" in (values.get("head_start_full"), values.get("head_start_part"), values.get("head_start_early")):
        return "HEAD-START"
    return "CSPP" if "Y" in (values.get("state_full"), values.get("state_part")) else "OTHER"


def _site(values: Values) -> str:
    site = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in str(values.get("site", "")))
    return site[:24] or _DEFAULT_SITE


def _family_member(values: Values) -> str | None:
    """A number for a child whom the file numbers only by family: family case, birth date and first name."""
    family = word(values, "family_case")
    return f"{family}/{values.get('birth_date', '')}/{values.get('given', '')}" if family else None
