"""The languages of the public pages: English as the code writes it, Spanish from the catalogue beside this file.

The catalogue (`hub/locale/es/LC_MESSAGES/hub.po`) is gettext's and is read as it stands: there is no step to compile
it. A test holds that it is complete. The API, commands and signed-in pages speak English.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from io import BytesIO
from typing import Literal

Code = Literal["en", "es"]
DOMAIN = "hub.po"


@dataclass(frozen=True)
class Language:
    """One language; `locale` gives its forms of numbers and days.

    Spanish is that of families in the United States and Mexico, who write 1,234.5 as English does (CLDR es-US).
    """

    code: Code
    locale: str
    name: str

    def say(self, message: str, **values: object) -> str:
        """A message in this language, its places filled; English where the catalogue lacks it."""
        told = _translations(self.code).gettext(message) if message else ""
        return told.format(**values) if values else told

    def say_many(self, one: str, many: str, *, count: int, **values: object) -> str:
        """A message in the form that a count asks for; the count fills the place `count`."""
        told = _translations(self.code).ngettext(one, many, count)
        return told.format(count=self.number(count), **values)

    def number(self, number: float) -> str:
        """A number as this language writes it."""
        from babel.numbers import format_decimal

        return str(format_decimal(number, locale=self.locale))

    def day(self, day: dt.date) -> str:
        """A day in words."""
        from babel.dates import format_date

        return str(format_date(day, "d MMMM y" if self.code == "en" else "long", locale=self.locale))


ENGLISH = Language("en", "en_US", "English")
SPANISH = Language("es", "es_US", "Español")
LANGUAGES = (ENGLISH, SPANISH)


def message(text: str) -> str:
    """Marks a constant as a message of the catalogue; it is said later."""
    return text


def language_named(code: str) -> Language | None:
    """The language of a code, None for one that the pages do not speak."""
    return next((one for one in LANGUAGES if one.code == code), None)


def preferred_language(accepted: str) -> Language:
    """The language that an Accept-Language header prefers among ours (RFC 9110, 12.5.4); English without one."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:200].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        wishes.append((-_quality(quality), place, tag.strip().lower().partition("-")[0]))
    named = (language_named(code) for weight, _, code in sorted(wishes) if weight < 0)
    return next((one for one in named if one is not None), ENGLISH)


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


@cache
def _translations(code: Code) -> NullTranslations:
    if code == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    place = resources.files("hub").joinpath("locale", code, "LC_MESSAGES", DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(place.read_bytes()), locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)
