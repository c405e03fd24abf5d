"""The public pages speak English and Spanish: whose wish is heard, how numbers look, and that no word is missing."""

import datetime as dt
import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import hub
from hub.languages import ENGLISH, LANGUAGES, SPANISH, language_named, preferred_language
from tests.messages import messages_of_rules, written_messages

CATALOGUE = Path(hub.__file__).parent / "locale" / "es" / "LC_MESSAGES" / "hub.po"


@pytest.fixture(scope="module")
def spanish():
    with CATALOGUE.open("rb") as file:
        read = read_po(file, locale="es")
    return {one.id: one.string for one in read if one.id}


@pytest.fixture(scope="module")
def said():
    return {**messages_of_rules(), **written_messages()}


def forms(text):
    return text if isinstance(text, tuple) else (text,)


def places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_message_of_a_public_page_has_its_spanish(spanish, said):
    missing = [f"{place}: {text}" for text, place in said.items() if not all(forms(spanish.get(text, "")))]

    assert missing == []


def test_the_catalogue_holds_no_message_that_nobody_says(spanish, said):
    assert [text for text in spanish if text not in said] == []


def test_a_message_keeps_its_places_in_spanish(spanish):
    wrong = [
        text
        for text, told in spanish.items()
        if any(places(form) - set.union(*map(places, forms(text))) for form in forms(told))
        or places(forms(text)[-1]) - places(forms(told)[-1])
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("fr-FR, es;q=0.4", "es"),
        ("es;q=0, en", "en"),
        ("de;q=wrong,;q=", "en"),
        ("vi", "en"),
    ],
)
def test_the_browser_s_first_wish_that_we_speak_is_heard(accepted, code):
    assert preferred_language(accepted).code == code


def test_a_language_is_named_by_its_code_and_no_other_is_spoken():
    assert [language_named(code) for code in ("en", "es", "fr", "")] == [ENGLISH, SPANISH, None, None]


def test_numbers_and_days_are_written_as_families_here_write_them():
    told = [(one.number(12345.5), one.day(dt.date(2026, 11, 22))) for one in LANGUAGES]

    assert told == [("12,345.5", "22 November 2026"), ("12,345.5", "22 de noviembre de 2026")]


def test_a_count_takes_its_form_in_each_language():
    told = [one.say_many("1 point", "{count} points", count=count) for one in LANGUAGES for count in (1, 1200)]

    assert told == ["1 point", "1,200 points", "1 punto", "1,200 puntos"]
