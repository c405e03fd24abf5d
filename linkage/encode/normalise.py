"""Normalisation of clear values before encoding: at the edge, first step of the encoder.

What a name keeps and loses is fixed here and by the tables of the schema, and held by a table of
vectors in the tests: two providers that normalise differently never match.
"""

from __future__ import annotations

import re
import unicodedata

from linkage.encode.tables import NameTables

_SEPARATOR = re.compile(r"[\s\-‐-―_/,.;]+")
_DATE = re.compile(r"(\d{1,4})-(\d{1,2})-(\d{1,2})")
_ZIP_PLUS_FOUR = re.compile(r"(\d{5})-?\d{4}")
_ONE_CHARACTER = re.compile(r"(.)\1*")


def name_parts(raw: str | None, *, tables: NameTables) -> tuple[str, ...]:
    """The letters of a name, accents and case gone, split at spaces and hyphens; empty when it is a placeholder."""
    if raw is None:
        return ()
    plain = _plain(raw, tables=tables)
    words = [plain] if plain.isalpha() else [letters for word in _SEPARATOR.split(plain) if (letters := _letters(word))]
    parts = tuple(word for word in words if word not in tables.suffixes) or tuple(words)
    if "".join(parts) in tables.absent_names or all(part in tables.absent_names for part in parts):
        return ()
    return parts


def _plain(raw: str, *, tables: NameTables) -> str:
    if raw.isascii():
        return raw.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", raw).casefold()).translate(tables.letters)
    return "".join(character for character in folded if not unicodedata.combining(character))


def _letters(word: str) -> str:
    return word if word.isalpha() else "".join(letter for letter in word if letter.isalpha())


def without_particles(parts: tuple[str, ...], *, tables: NameTables) -> tuple[str, ...]:
    """Surname parts that carry the name; all of them when every part is a particle."""
    kept = tuple(part for part in parts if part not in tables.particles)
    return kept or parts


def date_parts(raw: str | None, *, tables: NameTables) -> tuple[int | None, int | None, int | None]:
    """Year, month and day, each None when absent or impossible; no check that the three fit together."""
    match = _DATE.fullmatch(raw.strip()) if raw else None
    if match is None or match.group() in tables.absent_dates:
        return None, None, None
    year, month, day = (int(part) for part in match.groups())
    return (
        year if len(match.group(1)) == 4 else None,
        month if 1 <= month <= 31 else None,
        day if 1 <= day <= 31 else None,
    )


def postcode_value(raw: str | None) -> str | None:
    """Letters and digits in capitals; of a ZIP+4 the first five digits; None when nothing is left."""
    plain = "".join(character for character in raw.upper() if character.isalnum() or character == "-") if raw else ""
    zip_code = _ZIP_PLUS_FOUR.fullmatch(plain)
    plain = zip_code.group(1) if zip_code else plain.replace("-", "")
    return plain if plain and not _only_zeros_or_nines(plain) else None


def ssid_value(raw: str | None) -> str | None:
    """The digits of a statewide student identifier; None when absent or one digit throughout."""
    digits = "".join(character for character in raw if character.isdigit()) if raw else ""
    return digits if digits and not _ONE_CHARACTER.fullmatch(digits) else None


def sex_value(raw: str | None) -> str | None:
    """F, M or X; None for anything else."""
    letter = raw.strip().upper()[:1] if raw else ""
    return letter if letter and letter in "FMX" else None


def _only_zeros_or_nines(plain: str) -> bool:
    return set(plain) <= {"0"} or set(plain) <= {"9"}
