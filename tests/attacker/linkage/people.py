"""Made-up people for the attacks: names skewed as real ones are, two surnames, twins, siblings, and a second file.

Nobody in it exists: common names are the lists of the synthetic county, rare ones are syllables.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources

import numpy as np
import yaml
from numpy.typing import NDArray

from linkage.encode.person import ClearPerson

FIRST_DAY = dt.date(1998, 1, 1)
DAYS = 365 * 20
GROUPS = ("anglo", "hispanic", "east_asian", "hyphen")
GROUP_SHARES = (0.55, 0.27, 0.12, 0.06)
TWINS, SIBLINGS = 0.016, 0.25
COMMON_SURNAME, COMMON_GIVEN = 0.65, 0.9
TYPO, MOVED, SURNAME_CUSTOM, NO_VALUE = 0.03, 0.12, 0.3, 0.02
ABSENT = ""
_ONSETS = "b c d f g h k l m n p r s t v w br ch cl dr fr gr sh st th tr"
_VOWELS = "a e i o u ai ea ou"
_ENDS = "n r s l ck ll ng rd son ton ski man ley field er ez"


@dataclass(frozen=True, repr=False)
class People:
    """Columns of text, "" where a value is absent; `person` numbers the child, the same in every file."""

    person: NDArray[np.int64]
    group: NDArray[np.object_]
    given: NDArray[np.object_]
    middle: NDArray[np.object_]
    surname: NDArray[np.object_]
    birth_date: NDArray[np.object_]
    sex: NDArray[np.object_]
    postcode: NDArray[np.object_]
    ssid: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.person)

    def take(self, places: NDArray[np.int64]) -> People:
        return People(**{column.name: getattr(self, column.name)[places] for column in fields(self)})

    def clear(self) -> list[ClearPerson]:
        """What the encoder of the product reads; the record number is the place in this file."""
        columns = (self.given, self.middle, self.surname, self.birth_date, self.sex, self.postcode, self.ssid)
        return [
            ClearPerson(
                number, given=given or None, middle=middle or None, surname=surname or None, birth_date=date or None,
                sex=sex or None, postcode=postcode or None, ssid=ssid or None,
            )
            for number, (given, middle, surname, date, sex, postcode, ssid) in enumerate(zip(*columns, strict=True))
        ]  # fmt: skip


def made_up_people(count: int, *, seed: int = 1) -> People:
    """A school population of twenty birth years."""
    rng = np.random.default_rng(seed)
    group = rng.choice(np.array(GROUPS, dtype=object), count, p=GROUP_SHARES)
    sex = rng.choice(np.array(["F", "M"], dtype=object), count)
    surname, second = _surnames(group, rng), _surnames(group, rng)
    days = rng.integers(0, DAYS, count)
    places = max(60, count // 2500)
    postcode = _zipf(places, 0.5, count, rng)
    draw = rng.random(count)
    for of_household, same_date in ((draw < TWINS, True), ((draw >= TWINS) & (draw < TWINS + SIBLINGS), False)):
        for child in np.flatnonzero(of_household):
            if child:
                for column in (surname, second, postcode, group):
                    column[child] = column[child - 1]
                if same_date:
                    days[child] = days[child - 1]
    written = [
        f"{one} {two}" if kind == "hispanic" else f"{one}-{two}" if kind == "hyphen" else one
        for one, two, kind in zip(surname, second, group, strict=True)
    ]
    middle = _given(group, sex, rng)
    middle[rng.random(count) < 0.4] = ABSENT
    return People(
        person=np.arange(count),
        group=group,
        given=_given(group, sex, rng),
        middle=middle,
        surname=np.array(written, dtype=object),
        birth_date=np.array([(FIRST_DAY + dt.timedelta(int(day))).isoformat() for day in days], dtype=object),
        sex=sex,
        postcode=np.array([f"{90000 + int(place)}" for place in postcode], dtype=object),
        ssid=np.array([str(number) for number in rng.choice(9 * 10**9, count, replace=False) + 10**9], dtype=object),
    )


def another_file(people: People, *, share: float, seed: int = 2) -> People:
    """The same children as another provider writes some of them: customs, typos, moves, gaps."""
    rng = np.random.default_rng(seed)
    theirs = people.take(np.sort(rng.choice(len(people), int(share * len(people)), replace=False)))
    count = len(theirs)
    columns = {name: getattr(theirs, name).copy() for name in ("given", "surname", "birth_date", "postcode", "middle")}
    for place in np.flatnonzero((theirs.group != "anglo") & (rng.random(count) < SURNAME_CUSTOM)):
        parts = columns["surname"][place].replace("-", " ").split()
        columns["surname"][place] = parts[int(rng.integers(len(parts)))]
    for name in ("given", "surname", "birth_date"):
        for place in np.flatnonzero(rng.random(count) < TYPO):
            columns[name][place] = _mistyped(columns[name][place], rng)
    moved = np.flatnonzero(rng.random(count) < MOVED)
    columns["postcode"][moved] = columns["postcode"][rng.permutation(count)[: len(moved)]]
    for name in ("middle", "postcode"):
        columns[name][rng.random(count) < NO_VALUE] = ABSENT
    return replace(theirs, **columns)


def _mistyped(text: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(len(text)))
    if text[place].isdigit():
        return f"{text[:place]}{rng.integers(10)}{text[place + 1 :]}"
    return text[:place] + ("", text[place] * 2, "e", "n")[int(rng.integers(4))] + text[place + 1 :]


def _given(group: NDArray[np.object_], sex: NDArray[np.object_], rng: np.random.Generator) -> NDArray[np.object_]:
    drawn = _tail(len(group), rng)
    for kind in ("", "hispanic", "east_asian"):
        for letter, word in (("F", "girl"), ("M", "boy")):
            pool = _pool(f"given_{kind}_{word}") or _pool(f"given_{word}")
            here = (sex == letter) & ((group == kind) if kind else ~np.isin(group, ("hispanic", "east_asian")))
            here &= rng.random(len(group)) < COMMON_GIVEN
            drawn[here] = _from_pool(pool, int(here.sum()), rng)
    return drawn


def _surnames(group: NDArray[np.object_], rng: np.random.Generator) -> NDArray[np.object_]:
    drawn = _tail(len(group), rng)
    for kind in GROUPS:
        pool = _pool(f"surname_{kind}") or _pool("surname_anglo")
        here = (group == kind) & (rng.random(len(group)) < (COMMON_SURNAME if kind != "hispanic" else 0.9))
        drawn[here] = _from_pool(pool, int(here.sum()), rng)
    return drawn


@cache
def _pool(name: str) -> tuple[str, ...]:
    names = yaml.safe_load(resources.files("connectors.synthetic").joinpath("names.yaml").read_text("utf-8"))
    return tuple(str(names.get(name, "")).split())


def _from_pool(pool: tuple[str, ...], count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    return np.array(pool, dtype=object)[_zipf(len(pool), 0.9, count, rng)]


def _tail(count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Rare names: 60,000 made of syllables, the same for every seed."""
    own = np.random.default_rng(99)
    syllables = np.array([onset + vowel for onset in _ONSETS.split() for vowel in _VOWELS.split()], dtype=object)
    ends = np.array(_ENDS.split(), dtype=object)
    names = own.choice(syllables, 60_000) + own.choice(syllables, 60_000) + own.choice(ends, 60_000)
    return np.array(names, dtype=object)[_zipf(60_000, 0.8, count, rng, head=20)]


def _zipf(size: int, power: float, count: int, rng: np.random.Generator, *, head: int = 1) -> NDArray[np.int64]:
    weights = 1 / np.arange(head, size + head) ** power
    return rng.choice(size, count, p=weights / weights.sum())
