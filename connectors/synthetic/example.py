"""Two small files of made-up children and their maps: the example of docs/link-your-own-files.md. Nobody exists.

A school and a club know 140 children both, and write them differently: other titles and orders, one of two surnames,
typing errors, names or month and day swapped, moves. The club has six children twice. Ten pairs are twins.
The last digits of `Student` and `Member` tell who is who, so that the outcome can be checked.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.errors import WorkspaceError

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_CHILDREN, _IN_SCHOOL, _FIRST_IN_CLUB, _TWICE, _TWINS = 260, 200, 60, 6, 10
_SEED = 8
SCHOOL_TITLES = ("Student", "First Name", "Last Name", "Birthdate", "Sex", "ZIP")
CLUB_TITLES = ("Member", "SURNAME", "GIVEN", "DOB", "CHILD IS A", "POST CODE")
SCHOOL_MAP = """columns:
  given: First Name
  surname: Last Name
  birth_date: Birthdate
  sex: Sex
  postcode: ZIP
"""
CLUB_MAP = """columns:
  given: GIVEN
  surname: SURNAME
  birth_date: DOB
  sex: CHILD IS A
  postcode: POST CODE
date_order: month-day-year
codes:
  sex: {girl: F, boy: M}
"""


@dataclass(frozen=True)
class _Child:
    given: str
    surnames: tuple[str, ...]
    year: int
    month: int
    day: int
    sex: str
    postcode: str


def write_example(folder: Path) -> tuple[str, ...]:
    """Writes school.csv, school.yaml, club.csv and club.yaml into a new folder; their names. WorkspaceError ENC-003."""
    try:
        folder.mkdir(parents=True)
    except OSError:
        raise WorkspaceError("ENC-003", f"{folder.name} stands already.", "Give a folder that is not there.") from None
    rng = random.Random(_SEED)
    children = _children(rng)
    in_school, in_club = list(range(_IN_SCHOOL)), list(range(_FIRST_IN_CLUB, _CHILDREN))
    rng.shuffle(in_school)
    rng.shuffle(in_club)
    in_club += rng.sample(in_club, _TWICE)
    school = [(f"S{n:04d}", *_as_the_school_writes(children[n])) for n in in_school]
    club = [(f"C{n:04d}", *_as_the_club_writes(children[n], rng=rng)) for n in in_club]
    _write_table(folder / "school.csv", SCHOOL_TITLES, school)
    _write_table(folder / "club.csv", CLUB_TITLES, club)
    (folder / "school.yaml").write_text(SCHOOL_MAP, "utf-8")
    (folder / "club.yaml").write_text(CLUB_MAP, "utf-8")
    return tuple(sorted(path.name for path in folder.iterdir()))


def _children(rng: random.Random) -> list[_Child]:
    children = [_child(rng) for _ in range(_CHILDREN)]
    for n in range(0, 2 * _TWINS, 2):
        children[n + 1] = replace(children[n], given=children[n + 1].given, sex=children[n + 1].sex)
    return children


def _child(rng: random.Random) -> _Child:
    return _Child(
        given=_word(rng, rng.choice((2, 2, 3))) + "q",
        surnames=tuple(_word(rng, 2) + "x" for _ in range(2 if rng.random() < 0.25 else 1)),
        year=rng.randint(2004, 2012),
        month=rng.randint(1, 12),
        day=rng.randint(1, 28),
        sex=rng.choice("FM"),
        postcode=_postcode(rng),
    )


def _word(rng: random.Random, syllables: int) -> str:
    return "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(syllables)).capitalize()


def _postcode(rng: random.Random) -> str:
    return f"9{rng.randint(4900, 4929)}"


def _as_the_school_writes(child: _Child) -> tuple[str, ...]:
    date = f"{child.year}-{child.month:02d}-{child.day:02d}"
    return child.given, " ".join(child.surnames), date, child.sex, child.postcode


def _as_the_club_writes(child: _Child, *, rng: random.Random) -> tuple[str, ...]:
    """The same child by somebody else's hand; each kind of difference at its own share."""
    given, year, month, day = child.given, child.year, child.month, child.day
    one_of_two = len(child.surnames) == 2 and rng.random() < 0.5
    surname = rng.choice(child.surnames) if one_of_two else "-".join(child.surnames)
    slip = rng.random()
    if slip < 0.08:
        surname = _mistyped(rng, surname)
    elif slip < 0.14:
        given = _mistyped(rng, given)
    elif slip < 0.17:
        given, surname = surname, given
    elif slip < 0.21 and day <= 12:
        month, day = day, month
    elif slip < 0.24:
        year += rng.choice((-1, 1))
    postcode = _postcode(rng) if rng.random() < 0.1 else child.postcode
    date = f"{month}/{day}/{year}" if rng.random() > 0.03 else ""
    return surname.upper(), given, date, "girl" if child.sex == "F" else "boy", postcode


def _mistyped(rng: random.Random, word: str) -> str:
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + rng.choice(_CONSONANTS) + word[place + 1 :]


def _write_table(path: Path, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(titles)
        writer.writerows(rows)
