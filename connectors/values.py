"""Reads single cells: text in, a value of our own form or the code of the fault out; never an exception.

One parser for each column type of the layouts. Faults are rules of `policies/rules/values.yaml` and `identity.yaml`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

Value = str | int | float
Parsed = tuple[Value | None, str | None]
"""The value, or None; and the code of what was found, or None."""
Parser = Callable[[str], Parsed]

TEXT_CHARACTERS_MAX = 120
BIRTH_YEAR_MIN = 1940
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{2}:\d{2}.*)?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: \d{1,2}:\d{2}.*)?", re.ASCII)
_DASHED = re.compile(r"(\d{1,2})[-.](\d{1,2})[-.](\d{4})", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,6})?", re.ASCII)
_SPREADSHEET_YEARS = (1899, 1900)
_FLAGS = {
    "y": "Y", "yes": "Y", "true": "Y", "1": "Y", "t": "Y",
    "n": "N", "no": "N", "false": "N", "0": "N", "f": "N",
}  # fmt: skip
_GENDERS = {
    "m": "M", "male": "M", "boy": "M", "f": "F", "female": "F", "girl": "F", "x": "X",
    "nonbinary": "X", "non-binary": "X",
}  # fmt: skip
_GRADE_WORDS = {"K": "KN", "KG": "KN", "0": "KN", "00": "KN", "PK": "PS", "PRE-K": "PS"}
_GRADES = frozenset({"PS", "TK", "KN", "UE", "US", "AD", *(f"{grade:02d}" for grade in range(1, 13))})
_COLLEGE_TYPES = {"2": "2-year", "2-year": "2-year", "l": "2-year", "4": "4-year", "4-year": "4-year"}


def text(cell: str) -> Parsed:
    """The text as it stands, if it is short and holds no control sign."""
    if len(cell) > TEXT_CHARACTERS_MAX or not cell.isprintable():
        return None, "TXT-001"
    return cell, None


def local_id(cell: str) -> Parsed:
    """A local number; a trailing underscore, which the Clearinghouse adds, is not part of it."""
    return text(cell.rstrip("_"))


def ssid(cell: str) -> Parsed:
    """A state student number of exactly ten digits (data guide, element 1.08)."""
    if len(cell) == 10 and cell.isascii() and cell.isdigit():
        return cell, None
    return None, "IDN-002"


def school(cell: str) -> Parsed:
    """The seven digits of a school; of a whole county-district-school code the last seven; lost zeros are put back."""
    if not (cell.isascii() and cell.isdigit()) or len(cell) not in (5, 6, 7, 14):
        return None, "COD-001"
    return cell[-7:].zfill(7), "COD-003" if len(cell) < 7 else None


def postcode(cell: str) -> Parsed:
    """The five digits of a ZIP or ZIP+4; one lost zero is put back."""
    digits = cell.replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (4, 5, 8, 9):
        return None, "COD-001"
    note = "COD-003" if len(digits) in (4, 8) else None
    return digits.zfill(5 if len(digits) < 8 else 9)[:5], note


def gender(cell: str) -> Parsed:
    return _word(cell.casefold(), _GENDERS)


def flag(cell: str) -> Parsed:
    return _word(cell.casefold(), _FLAGS)


def college_type(cell: str) -> Parsed:
    return _word(cell.casefold().replace(" ", ""), _COLLEGE_TYPES)


def grade(cell: str) -> Parsed:
    """A CALPADS grade level; a lost zero is put back and said."""
    word = cell.upper()
    if word in _GRADES:
        return word, None
    if word in _GRADE_WORDS:
        return _GRADE_WORDS[word], None
    if word.isascii() and word.isdigit() and word.zfill(2) in _GRADES:
        return word.zfill(2), "COD-003"
    return None, "COD-001"


def race(cell: str) -> Parsed:
    """A CALPADS race code or one of the state's reporting categories, as category 100 to 800.

    201 to 299 are Asian, 301 to 399 Pacific Islander in the code list (CALPADS code sets); 999 is not reported.
    """
    code = cell.zfill(3) if cell.isascii() and cell.isdigit() else RACE_WORDS.get(_squeezed(cell), "")
    if code == "999" or cell.casefold() in ("not reported", "unknown", "declined"):
        return None, None
    if code in ("100", "400", "500", "600", "700", "800"):
        return code, None
    if len(code) == 3 and code[0] in "23":
        return f"{code[0]}00", None
    return None, "COD-001"


def races(cell: str) -> Parsed:
    """The category of a list of races: Hispanic first, then two or more, then the one race."""
    found: set[str] = set()
    for part in re.split(r"[;,|/]", cell):
        if part.strip():
            code, fault = race(part.strip())
            if fault is not None:
                return None, fault
            found.update([str(code)] if code is not None else [])
    if not found:
        return None, None
    return "500" if "500" in found else "800" if len(found) > 1 else found.pop(), None


def race_flag_parser(code: str) -> Parser:
    """A parser for a yes-or-no column of one race."""

    def parse(cell: str) -> Parsed:
        told, fault = flag(cell)
        return (code if told == "Y" else None), fault

    return parse


_TERM_BEGINS = {"fall": "-07-01", "winter": "-01-01", "spring": "-01-01", "summer": "-06-01"}
_TERM = re.compile(r"(fall|winter|spring|summer)\s*(20\d\d)", re.ASCII)


def term(cell: str) -> Parsed:
    """The day from which a term such as "Spring 2021" can have begun, by halves of a calendar year (our own choice)."""
    match = _TERM.fullmatch(cell.casefold())
    return (None, "DAT-001") if match is None else (match[2] + _TERM_BEGINS[match[1]], None)


RACE_WORDS = {
    "americanindian": "100", "americanindianalaskanative": "100", "americanindianoralaskanative": "100",
    "alaskanative": "100", "nativeamerican": "100",
    "asian": "200", "pacificislander": "300", "nativehawaiianorpacificislander": "300",
    "nativehawaiianorotherpacificislander": "300", "filipino": "400", "hispanic": "500", "latino": "500",
    "hispanicorlatino": "500", "hispaniclatino": "500", "black": "600", "blackorafricanamerican": "600",
    "africanamerican": "600", "white": "700", "twoormore": "800", "twoormoreraces": "800", "multiracial": "800",
    "multiple": "800", "nativehawaiianpacificislander": "300", "demographicracetwoormoreraces": "800",
}  # fmt: skip


def _squeezed(cell: str) -> str:
    return "".join(sign for sign in cell.casefold() if sign.isalnum())


def _word(word: str, words: Mapping[str, str]) -> Parsed:
    value = words.get(word)
    return (value, None) if value is not None else (None, "COD-001")


def code_parser(
    *,
    codes: frozenset[str] = frozenset(),
    pattern: str | None = None,
    width: int = 0,
    aliases: Mapping[str, str] | None = None,
) -> Parser:
    """A parser for one code list or pattern; codes narrower than width get their zeros back, and that is said."""
    shape = re.compile(pattern) if pattern else None
    renamed = dict(aliases or {})

    def known(word: str) -> bool:
        return word in codes or (shape is not None and shape.fullmatch(word) is not None) or not (codes or shape)

    def parse(cell: str) -> Parsed:
        word = renamed.get(cell, cell)
        if width and len(word) < width and word.isdigit() and known(word.zfill(width)):
            return word.zfill(width), "COD-003"
        if known(word):
            return text(word)
        upper = renamed.get(cell.upper(), cell.upper())
        return (upper, None) if known(upper) else (None, "COD-001")

    return parse


def number_parser(*, minimum: float | None, maximum: float | None, whole: bool) -> Parser:
    """A parser for numbers within limits; whole numbers only, where `whole`."""

    def parse(cell: str) -> Parsed:
        bare = cell.replace(",", "") if "," in cell else cell
        if _NUMBER.fullmatch(bare) is None:
            return None, "NUM-001"
        number = float(bare)
        if (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
            return None, "NUM-002"
        if number.is_integer():
            return int(number), None
        return (None, "NUM-001") if whole else (number, None)

    return parse


@lru_cache(maxsize=64)
def date_parser(formats: tuple[str, ...] = (), *, birth: bool = False, latest: dt.date) -> Parser:
    """A parser to YYYY-MM-DD. Without formats: ISO, CCYYMMDD, month/day/year; 10-08-2020 is ambiguous and refused.

    A birth date must lie between BIRTH_YEAR_MIN and latest; another date may lie up to three years after latest.
    """
    last_year = latest.year if birth else latest.year + 3
    first_year = BIRTH_YEAR_MIN if birth else 1980

    @lru_cache(maxsize=50_000)
    def parse(cell: str) -> Parsed:
        day, fault = _by_formats(cell, formats) if formats else _by_shape(cell)
        if day is None:
            return None, fault
        if day.year in _SPREADSHEET_YEARS:
            return None, "DAT-002"
        if not first_year <= day.year <= last_year or (birth and day > latest):
            return None, "DAT-004"
        return day.isoformat(), None

    return parse


def _by_formats(cell: str, formats: Sequence[str]) -> tuple[dt.date | None, str | None]:
    for one in formats:
        try:
            return dt.datetime.strptime(cell, one).replace(tzinfo=dt.UTC).date(), None
        except ValueError:
            continue
    return None, "DAT-001"


def _by_shape(cell: str) -> tuple[dt.date | None, str | None]:
    if match := _ISO.fullmatch(cell) or _COMPACT.fullmatch(cell):
        return _day(match[1], match[2], match[3])
    if match := _SLASHED.fullmatch(cell):
        return _day(match[3], match[1], match[2])
    if match := _DASHED.fullmatch(cell):
        return _dashed(match[3], match[1], match[2])
    return None, "DAT-001"


def _dashed(year: str, first: str, second: str) -> tuple[dt.date | None, str | None]:
    """Month and day in either order: told apart only when one of them is above twelve or both are the same."""
    if int(first) > 12:
        return _day(year, second, first)
    if int(second) > 12 or first.zfill(2) == second.zfill(2):
        return _day(year, first, second)
    return None, "DAT-003"


def _day(year: str, month: str, day: str) -> tuple[dt.date | None, str | None]:
    try:
        return dt.date(int(year), int(month), int(day)), None
    except ValueError:
        return None, "DAT-001"
