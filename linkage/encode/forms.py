"""The forms of a name that are encoded besides the name as written: at the edge, after normalisation.

A name is never replaced: surname parts, nicknames' formal names and leading romanisations are further
rows, and the score of a pair is the best over its rows. Every form carries one phonetic code; a compound
surname carries that of its first part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from linkage.encode.normalise import name_parts, without_particles
from linkage.encode.phonetic import phonetic_code
from linkage.encode.tables import NameTables
from linkage.rows import VARIANT_GIVEN, VARIANT_SURNAME, VARIANT_SURNAME_PART


class NameForm(NamedTuple):
    """One spelling to encode, the name whose phonetic code it is found by, and what was done to the name to get it."""

    text: str
    coded_by: str
    variant: int

    def __repr__(self) -> str:
        return "NameForm(masked)"

    @property
    def code(self) -> str:
        """The phonetic code, worked out when a view asks for it."""
        return phonetic_code(self.coded_by)


ABSENT_FORM = NameForm(text="", coded_by="", variant=0)


def given_forms(given: str | None, aliases: Sequence[str], *, tables: NameTables) -> tuple[NameForm, ...]:
    """The given name as written, then its further forms; one absent form when there is none."""
    forms: dict[str, NameForm] = {}
    for raw in (given, *aliases):
        parts = name_parts(raw, tables=tables)
        if not parts:
            continue
        whole = "".join(parts)
        _add(forms, whole, coded_by=whole, variant=VARIANT_GIVEN if forms else 0)
        for name in dict.fromkeys((whole, parts[0])):
            _add(forms, name, coded_by=name, variant=VARIANT_GIVEN)
            _add_all(forms, _given_spellings(name, tables=tables), variant=VARIANT_GIVEN)
    return tuple(forms.values()) or (ABSENT_FORM,)


def surname_forms(surname: str | None, aliases: Sequence[str], *, tables: NameTables) -> tuple[NameForm, ...]:
    """The surname as written, then its parts and further spellings; one absent form when there is none."""
    forms: dict[str, NameForm] = {}
    for raw in (surname, *aliases):
        written = name_parts(raw, tables=tables)
        if not written:
            continue
        parts = without_particles(written, tables=tables)
        _add(forms, "".join(parts), coded_by=parts[0], variant=VARIANT_SURNAME if forms else 0)
        if len(parts) > 1:
            _add_all(forms, parts, variant=VARIANT_SURNAME_PART)
        if written != parts:
            _add_all(forms, ["".join(written)], variant=VARIANT_SURNAME)
        for part in parts:
            _add_all(forms, tables.surname_variants.get(part, ()), variant=VARIANT_SURNAME)
    return tuple(forms.values()) or (ABSENT_FORM,)


def _given_spellings(name: str, *, tables: NameTables) -> tuple[str, ...]:
    """Formal names of a nickname; and of a surname in the given name's place, its leading spelling."""
    return tables.given_variants.get(name, ()) + tables.surname_variants.get(name, ())


def _add_all(forms: dict[str, NameForm], names: Iterable[str], *, variant: int) -> None:
    for name in names:
        _add(forms, name, coded_by=name, variant=variant)


def _add(forms: dict[str, NameForm], name: str, *, coded_by: str, variant: int) -> None:
    if name not in forms:
        forms[name] = NameForm(text=name, coded_by=coded_by, variant=variant)
