"""Voices beside numbers: short notes of partners, families and young people, attached to an indicator.

A number says that a gap is there; a voice says what it is like, and what helps. It shows after two persons of other
organisations have read it. It never names a child, and tells no number: numbers are told by releases alone, which
are protected together (docs/disclosure.md); a voice with a count would go past that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

TEXT_MIN, TEXT_MAX = 20, 600
"""The shortest and longest voice, in characters: two to five sentences."""

REVIEWERS = 2
"""So many persons approve before a voice shows; none of them of the organisation that wrote it."""

LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Español"}


class Speaker(StrEnum):
    """Whose voice it is. Never a name: who speaks is told by kind alone."""

    PARTNER = "partner"
    FAMILY = "family"
    YOUTH = "youth"


SPEAKERS: Mapping[str, str] = {
    Speaker.PARTNER: "Somebody who works with children",
    Speaker.FAMILY: "A family",
    Speaker.YOUTH: "A young person",
}


class VoiceState(StrEnum):
    """Where a voice stands. The words of one that is declined or withdrawn are erased."""

    WAITING = "waiting"
    SHOWN = "shown"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


FAULTS: Mapping[str, str] = {
    "VOICE-001": f"write {TEXT_MIN} to {TEXT_MAX} characters",
    "VOICE-002": "leave numbers out, but for years: released tables tell numbers, with nobody recognisable in them",
    "VOICE-003": "leave addresses, telephone numbers and links out",
    "VOICE-004": "do not count children, in words neither: say what happened, not to how many",
    "VOICE-005": "leave the name out: say 'my son', 'a student', 'our teacher'",
}
"""Every code for which a voice is not taken, with its next step."""

GUIDANCE = (
    "Say what schools, programmes and neighbours did or did not provide; a gap is in what is offered, not in children.",
    "Say what helped, so that somebody else can do it.",
    "Speak of 'children who were not offered preschool', not of 'unprepared children'.",
    "Let nobody be recognised: no name, no single event that a neighbour would know.",
)
"""How to write a voice, against reading gaps as faults of children (C2C: gaps in opportunity, not achievement)."""

DEFICIT_WORDS = (
    "achievement gap", "at-risk", "at risk youth", "bad parents", "broken home", "failing students",
    "disadvantaged kids", "lazy", "less able", "low achievers", "low-performing", "low performers", "uneducated",
    "unmotivated", "unprepared", "underachieving", "underachievers", "underprivileged",
    "bajo rendimiento", "en riesgo", "flojos", "hogares rotos", "malos padres", "sin educación", "perezosos",
)  # fmt: skip
"""Words that put the fault on children and families; reviewers are shown them, nothing is refused for them."""

_NUMBER = re.compile(r"\d+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_REACH = re.compile(r"@|https?:|www\.|\b\w+\.(?:com|org|net|edu|gov|us|mx)\b", re.IGNORECASE)
_COUNTS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|half|single|only|"
    "un|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|docena|mitad|único|única|sólo|solo"
)
_CHILDREN = (
    "child|children|kid|kids|boy|boys|girl|girls|student|students|pupil|pupils|"
    "niño|niños|niña|niñas|estudiante|estudiantes|alumno|alumnos|alumna|alumnas|hijos|hijas"
)
_COUNTED = re.compile(rf"\b(?:{_COUNTS})\b(?:\W+\w+){{0,3}}?\W+(?:{_CHILDREN})\b", re.IGNORECASE)
_PERSONS = (
    "son|daughter|child|boy|girl|student|brother|sister|niece|nephew|friend|grandson|granddaughter|teacher|"
    "hijo|hija|niño|niña|hermano|hermana|sobrino|sobrina|amigo|amiga|nieto|nieta|maestra|maestro"
)
_INTRODUCED = re.compile(
    r"\b(?i:named|called|name is|me llamo|se llama|llamado|llamada|nombre es)\s+[^\W\d_a-zß-ÿ]"
    rf"|\b(?i:{_PERSONS}),?\s+[^\W\d_a-zß-ÿ][^\W\d_]+"
)
_CAPITALISED = re.compile(r"(?<![.!?¡¿\"'«“]\s)(?<!^)(?<![.!?¡¿\"'«“])\b[^\W\d_a-zß-ÿ][^\W\d_]+")
_KNOWN = frozenset(
    word
    for line in (
        "Alliance American Asian Black California Canal Center City College Community County District English Filipino",
        "German Hispanic Indian Kentfield Kindergarten Larkspur Latina Latino Latinx Marin Native Novato Pacific",
        "Partnership Preschool Promise Rafael Reed Ross San Sausalito School Spanish Valley White",
        "January February March April May June July August September October November December Christmas",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday Condado Distrito Escuela Español Inglés",
    )
    for word in line.split()
)
"""Capitalised words that are places, groups or times, and no child's name."""


def faults_of(text: str) -> tuple[str, ...]:
    """The codes of FAULTS for which these words are not taken; none when a person may look at them."""
    broken = (
        ("VOICE-001", not TEXT_MIN <= len(text) <= TEXT_MAX),
        ("VOICE-002", any(not _YEAR.fullmatch(found) for found in _NUMBER.findall(text))),
        ("VOICE-003", _REACH.search(text) is not None),
        ("VOICE-004", _COUNTED.search(text) is not None),
        ("VOICE-005", _INTRODUCED.search(text) is not None),
    )
    return tuple(code for code, holds in broken if holds)


def to_look_at(text: str) -> tuple[str, ...]:
    """Words that a reviewer looks at twice: what may be a name, and what reads a gap as a fault of children."""
    names = [word for word in _CAPITALISED.findall(text) if word not in _KNOWN]
    low = text.casefold()
    return tuple(dict.fromkeys([*names, *(words for words in DEFICIT_WORDS if words in low)]))


def may_review(organisation: str | None, *, wrote: str) -> bool:
    """Whether somebody of this organisation may look at a voice that another one wrote."""
    return organisation is not None and organisation != wrote


def may_show(approved_by: Collection[str]) -> bool:
    """Whether so many persons have approved that the voice shows."""
    return len(set(approved_by)) >= REVIEWERS
