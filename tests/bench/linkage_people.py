"""Made-up people for the benchmarks of linkage: two rosters with name customs, errors and known truth. Nobody exists.

Customs: `plain`; `two_surnames` (one often dropped or hyphenated); `romanised` (short names, spelled in two
ways, sometimes swapped); `hyphen` (two names joined, sometimes one dropped). Households have twins and siblings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage.encode.person import ClearPerson
from linkage.encode.tables import name_tables
from linkage.schema import current_schema

CUSTOMS = ("plain", "two_surnames", "romanised", "hyphen")
_SHARES = (0.55, 0.27, 0.12, 0.06)
_TWINS, _SIBLINGS = 0.016, 0.25
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Side:
    """One roster: people by record number, the true person and the custom of each."""

    people: list[ClearPerson]
    truth: list[int]
    custom: list[str]


def two_rosters(count: int, *, overlap: float = 0.7, seed: int = 1) -> tuple[Side, Side]:
    """Two rosters of `count` people each, of whom a share is in both."""
    rng = np.random.default_rng(seed)
    extra = int(count * (1 - overlap))
    written, other, custom = _population(count + extra, rng=rng)
    sides = [(np.arange(count), 0), (np.arange(extra, count + extra), 0)]
    first, second = (_side(chosen, written, other, custom, rng=rng) for chosen, _ in sides)
    return first, second


def _names(rng: np.random.Generator, *, kinds: int, syllables: Sequence[int]) -> NDArray[np.object_]:
    starts = (
        "b",
        "c",
        "d",
        "f",
        "g",
        "h",
        "k",
        "l",
        "m",
        "n",
        "p",
        "r",
        "s",
        "t",
        "v",
        "w",
        "br",
        "ch",
        "dr",
        "sh",
        "tr",
    )
    parts = [start + vowel for start in starts for vowel in ("a", "e", "i", "o", "u", "ai", "ea")]
    ends = ("n", "r", "s", "l", "ck", "ll", "ng", "rd", "son", "ton", "man", "ley", "er", "ez")
    made = ("".join(rng.choice(parts, rng.choice(syllables))) + str(rng.choice(ends)) for _ in range(kinds))
    return np.array(list(dict.fromkeys(made)), dtype=object)


def _drawn(rng: np.random.Generator, names: NDArray[np.object_], count: int, power: float) -> NDArray[np.object_]:
    share = 1 / np.arange(8, len(names) + 8) ** power
    return names[rng.choice(len(names), count, p=share / share.sum())]


def _population(
    count: int, *, rng: np.random.Generator
) -> tuple[dict[str, NDArray[np.object_]], NDArray[np.object_], NDArray[np.object_]]:
    tables = name_tables(current_schema())
    formal = np.array(sorted({leading for forms in tables.given_variants.values() for leading in forms}), dtype=object)
    given_names = np.concatenate([rng.permutation(formal), _names(rng, kinds=1500, syllables=(1, 2))])
    surnames, latin = _names(rng, kinds=40_000, syllables=(1, 2, 2)), _names(rng, kinds=900, syllables=(2, 3))
    spellings = [(name, forms[0]) for name, forms in sorted(tables.surname_variants.items()) if len(name) <= 6]
    custom = rng.choice(np.array(CUSTOMS, dtype=object), count, p=_SHARES)
    given = _drawn(rng, given_names, count, 0.9)
    surname = _drawn(rng, surnames, count, 0.8)
    other = surname.copy()
    for i in np.flatnonzero(custom == "two_surnames"):
        one, two = _drawn(rng, latin, 2, 0.9)
        surname[i] = f"{one} {two}"
        other[i] = (one, one, one, two, f"{one}-{two}")[rng.integers(5)]
    short = [
        a + b
        for a in ["wei", "min", "jun", "ling", "hao", "yan", "mei", "jin", "xin", "yu"]
        for b in ["wei", "min", "jun", "thanh", "anh", "linh", "soo", "kai"]
    ]
    for i in np.flatnonzero(custom == "romanised"):
        surname[i], other[i] = spellings[int(len(spellings) * rng.random() ** 2)]
        given[i] = short[rng.integers(len(short))] if rng.random() < 0.5 else given[i]
    for i in np.flatnonzero(custom == "hyphen"):
        other[i] = surname[i]
        surname[i] = f"{surname[i]}-{_drawn(rng, surnames, 1, 0.8)[0]}"
    day = rng.integers(0, 365 * 20, count)
    place = np.minimum(rng.geometric(0.03, count), max(60, count // 2500))
    draw = rng.random(count)
    for i in np.flatnonzero(draw < _TWINS + _SIBLINGS)[1:]:
        for column in (surname, other, place, custom):
            column[i] = column[i - 1]
        if draw[i] < _TWINS:
            day[i] = day[i - 1]
    dates = np.array([(dt.date(1998, 1, 1) + dt.timedelta(int(days))).isoformat() for days in day], dtype=object)
    columns = {
        "given": given,
        "surname": surname,
        "birth_date": dates,
        "sex": rng.choice(np.array(["F", "M"], dtype=object), count),
        "postcode": np.array([f"{90000 + number}" for number in place], dtype=object),
    }
    return columns, other, custom


def _typo(text: str, *, rng: np.random.Generator) -> str:
    place, kind = int(rng.integers(len(text))), int(rng.integers(4))
    letter = str(rng.integers(10)) if text[place].isdigit() else _LETTERS[rng.integers(26)]
    if kind == 3:
        place = max(0, min(place, len(text) - 2))
        return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]
    return text[:place] + ("", letter, letter)[kind] + text[place + (kind != 1) :]


def _side(
    chosen: NDArray[np.int64],
    written: dict[str, NDArray[np.object_]],
    other: NDArray[np.object_],
    custom: NDArray[np.object_],
    *,
    rng: np.random.Generator,
) -> Side:
    """The chosen people as one office wrote them: other spellings, nicknames, typing errors, gaps, moves."""
    columns = {name: values[chosen].copy() for name, values in written.items()}
    count = len(chosen)
    nicknames = _nicknames()
    spelled = rng.random(count) < 0.3
    columns["surname"][spelled] = other[chosen][spelled]
    for i in np.flatnonzero((custom[chosen] == "romanised") & (rng.random(count) < 0.04)):
        columns["given"][i], columns["surname"][i] = columns["surname"][i], columns["given"][i]
    for i in np.flatnonzero(rng.random(count) < 0.08):
        columns["given"][i] = nicknames.get(columns["given"][i], columns["given"][i])
    for name, share in (("given", 0.04), ("surname", 0.04), ("birth_date", 0.02), ("postcode", 0.02)):
        for i in np.flatnonzero(rng.random(count) < share):
            columns[name][i] = _typo(columns[name][i], rng=rng)
    for i in np.flatnonzero(rng.random(count) < 0.012):
        year, month, day = (f"{columns['birth_date'][i]}--").split("-")[:3]
        columns["birth_date"][i] = f"{year}-{day}-{month}" if day.isdigit() and int(day) <= 12 else f"{year}-01-01"
    moved = np.flatnonzero(rng.random(count) < 0.12)
    columns["postcode"][moved] = columns["postcode"][rng.permutation(count)[: len(moved)]]
    for name, share in (("given", 0.003), ("surname", 0.002), ("birth_date", 0.01), ("postcode", 0.03)):
        columns[name][rng.random(count) < share] = None
    order = rng.permutation(count)
    people = [
        ClearPerson(n, **{name: values[i] for name, values in columns.items()}) for n, i in enumerate(order.tolist())
    ]
    return Side(people, chosen[order].tolist(), custom[chosen][order].tolist())


def _nicknames() -> dict[str, str]:
    """From a formal name to one of its short forms."""
    variants = name_tables(current_schema()).given_variants
    return {leading: short for short, forms in sorted(variants.items()) for leading in forms}
