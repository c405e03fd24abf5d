"""What a name keeps and loses before it is encoded, as tables a reader can check."""

from __future__ import annotations

import pytest

from linkage.encode.forms import given_forms, surname_forms
from linkage.encode.normalise import (
    date_parts,
    name_parts,
    postcode_value,
    sex_value,
    ssid_value,
    without_particles,
)
from linkage.encode.phonetic import phonetic_code
from linkage.encode.tables import name_tables
from linkage.schema import current_schema

TABLES = name_tables(current_schema())


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("Quzamira", ("quzamira",)),
        ("QUZÁMIRA", ("quzamira",)),
        ("Ñuqo", ("nuqo",)),
        ("Đøłx", ("dolx",)),
        ("O'Quzam", ("oquzam",)),
        ("Quz-Amira", ("quz", "amira")),
        ("Quz  Amira", ("quz", "amira")),
        ("Quzam Jr.", ("quzam",)),
        ("Quzam III", ("quzam",)),
        ("Jr", ("jr",)),
        ("Иqu", ("иqu",)),
        ("", ()),
        ("  ", ()),
        ("123", ()),
        (None, ()),
        ("TEST", ()),
        ("Baby Boy", ()),
        ("unknown", ()),
        ("Unknown Unknown", ()),
        ("Unknown Quzam", ("unknown", "quzam")),
    ],
)
def test_a_name_keeps_its_letters_and_loses_case_accents_and_marks(written: str | None, parts: tuple[str, ...]) -> None:
    found = name_parts(written, tables=TABLES)

    assert found == parts


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        (("de", "la", "quzam"), ("quzam",)),
        (("van", "quzam", "amir"), ("quzam", "amir")),
        (("van",), ("van",)),
        (("de", "la"), ("de", "la")),
    ],
)
def test_particles_are_dropped_from_a_surname_unless_nothing_else_is_there(
    parts: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    found = without_particles(parts, tables=TABLES)

    assert found == kept


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2015-02-03", (2015, 2, 3)),
        (" 2015-2-3 ", (2015, 2, 3)),
        ("2015-25-03", (2015, 25, 3)),
        ("2015-44-03", (2015, None, 3)),
        ("2015-02-44", (2015, 2, None)),
        ("201-02-03", (None, 2, 3)),
        ("1900-01-01", (None, None, None)),
        ("03/02/2015", (None, None, None)),
        ("", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_a_date_gives_its_parts_and_a_placeholder_gives_none(
    written: str | None, found: tuple[int | None, int | None, int | None]
) -> None:
    parts = date_parts(written, tables=TABLES)

    assert parts == found


@pytest.mark.parametrize(
    ("written", "found"),
    [("94901", "94901"), ("94901-1234", "94901"), ("949011234", "94901"), (" k1a 0b1", "K1A0B1"), ("00000", None),
     ("99999", None), ("-", None), (None, None)],
)  # fmt: skip
def test_a_postcode_is_its_first_five_digits(written: str | None, found: str | None) -> None:
    assert postcode_value(written) == found


@pytest.mark.parametrize(
    ("written", "found"), [("12-345", "12345"), ("0000000000", None), ("none", None), ("", None), (None, None)]
)
def test_a_state_identifier_is_its_digits(written: str | None, found: str | None) -> None:
    assert ssid_value(written) == found


@pytest.mark.parametrize(
    ("written", "found"), [("F", "F"), (" male", "M"), ("x", "X"), ("9", None), ("", None), (None, None)]
)
def test_sex_is_a_letter_or_absent(written: str | None, found: str | None) -> None:
    assert sex_value(written) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ximenez", "jimenez"),
        ("gimenez", "jimenez"),
        ("catherine", "katherine"),
        ("hernandez", "ernandez"),
        ("vaca", "baca"),
        ("philip", "filip"),
        ("gonzalez", "gonzales"),
        ("knit", "nit"),
        ("quiqo", "kiko"),
        ("wrqz", "rqz"),
    ],
)
def test_names_that_sound_alike_have_one_code(one: str, other: str) -> None:
    assert phonetic_code(one) == phonetic_code(other)


@pytest.mark.parametrize(
    ("name", "code"), [("a", "a"), ("wei", "w"), ("yu", "y"), ("иqu", "и2"), ("bcdlmrs", "b234"), ("", "")]
)
def test_a_code_is_defined_for_every_sequence_of_letters(name: str, code: str) -> None:
    assert phonetic_code(name) == code


@pytest.mark.parametrize(
    ("given", "aliases", "texts"),
    [
        ("Quzam", (), ["quzam"]),
        ("Bill", (), ["bill", "guillermo", "william"]),
        ("Quz Amira", (), ["quzamira", "quz"]),
        ("Quzam", ("Amira",), ["quzam", "amira"]),
        (None, ("Amira",), ["amira"]),
        ("Wong", (), ["wong", "huang", "wang"]),
        (None, (), [""]),
    ],
)
def test_a_given_name_is_encoded_as_written_and_in_its_other_forms(
    given: str | None, aliases: tuple[str, ...], texts: list[str]
) -> None:
    forms = given_forms(given, aliases, tables=TABLES)

    assert [form.text for form in forms] == texts


@pytest.mark.parametrize(
    ("surname", "aliases", "forms"),
    [
        ("Quzam", (), [("quzam", 0)]),
        ("Quzam Amir", (), [("quzamamir", 0), ("quzam", 1), ("amir", 1)]),
        ("Quzam-Amir", (), [("quzamamir", 0), ("quzam", 1), ("amir", 1)]),
        ("de la Quzam", (), [("quzam", 0), ("delaquzam", 4)]),
        ("Wong", (), [("wong", 0), ("huang", 4), ("wang", 4)]),
        ("Quzam", ("Amir",), [("quzam", 0), ("amir", 4)]),
        (None, (), [("", 0)]),
    ],
)
def test_a_surname_is_encoded_as_written_in_parts_and_in_its_other_spellings(
    surname: str | None, aliases: tuple[str, ...], forms: list[tuple[str, int]]
) -> None:
    found = surname_forms(surname, aliases, tables=TABLES)

    assert [(form.text, form.variant) for form in found] == forms
