"""Names as a family writes them, by its community's custom, and the marked names that no word is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.synthetic.calibration import Text, load_pool

_ONSETS = [
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
    "cl",
    "dr",
    "fr",
    "gr",
    "sh",
    "st",
    "th",
    "tr",
]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
_ENDINGS = ["n", "r", "s", "l", "ck", "ll", "ng", "rd", "son", "ton", "ski", "man", "ley", "field", "er", "ez"]
# Letter runs that no name or word of the lists holds, so that a leak of a marked name can be found by searching.
_RARE_STARTS = ["Zqv", "Xqu", "Vxo", "Qzy", "Jxw", "Kqz", "Wvx"]
_RARE_ENDS = ["zqex", "vxuq", "qyzzo", "jxawq", "kvixz"]


@dataclass(frozen=True, repr=False)
class Names:
    """Columns of names: `second` given name, `surname_2` a second surname, `*_other` another romanisation."""

    given: Text
    second: Text
    surname: Text
    surname_2: Text
    surname_other: Text
    guardian: Text


def make_names(custom: Text, gender: Text, household: NDArray[np.int64], *, rng: np.random.Generator) -> Names:
    """Canonical names: one surname (or two) a household, given names different for its children."""
    first_of = np.unique(household, return_index=True)[1]
    surname, surname_2, surname_other = (column[household] for column in _surnames(custom[first_of], rng))
    given = _given(custom, gender, rng)
    _tell_siblings_apart(given, household, custom, gender, rng)
    second = _second(custom, gender, rng)
    guardian = _given(custom[first_of], np.full(len(first_of), "F", dtype=object), rng)[household]
    return Names(given, second, surname, surname_2, surname_other, guardian)


def _surnames(custom: Text, rng: np.random.Generator) -> tuple[Text, Text, Text]:
    """Surname, second surname, the same surname in another romanisation; "" where there is none."""
    count = len(custom)
    common = load_pool("surname_anglo").draw(rng, count)
    surname = np.where(rng.random(count) < 0.6, common, _rare_surnames(count, rng)).astype(object)
    second = np.full(count, "", dtype=object)
    hispanic = np.flatnonzero(custom == "hispanic")
    pool = load_pool("surname_hispanic", 0.55)
    surname[hispanic] = pool.draw(rng, len(hispanic))
    two = rng.random(len(hispanic)) < 0.72
    second[hispanic] = np.where(two, pool.draw(rng, len(hispanic)), "")
    hyphen = np.flatnonzero(custom == "hyphen")
    second[hyphen] = load_pool("surname_anglo").draw(rng, len(hyphen))
    other = np.flatnonzero(custom == "other")
    surname[other] = load_pool("surname_other", 0.4).draw(rng, len(other))
    romanised = surname.copy()
    asian = np.flatnonzero(custom == "east_asian")
    pairs = [str(word).split("/") for word in load_pool("surname_east_asian", 0.5).draw(rng, len(asian))]
    turned = rng.random(len(asian)) < 0.3
    surname[asian] = [pair[int(turn)] for pair, turn in zip(pairs, turned, strict=True)]
    romanised[asian] = [pair[1 - int(turn)] for pair, turn in zip(pairs, turned, strict=True)]
    return surname, second, romanised


def _rare_surnames(count: int, rng: np.random.Generator) -> Text:
    """Made of syllables: the long tail that every name list has."""
    syllables = [onset + vowel for onset in _ONSETS for vowel in _VOWELS]
    parts = rng.integers(0, len(syllables), (count, 2))
    ends = rng.integers(0, len(_ENDINGS), count)
    made = [
        (syllables[a] + syllables[b] + _ENDINGS[c]).capitalize()
        for (a, b), c in zip(parts.tolist(), ends.tolist(), strict=True)
    ]
    return np.array(made, dtype=object)


def _given(custom: Text, gender: Text, rng: np.random.Generator) -> Text:
    count = len(custom)
    girl = (gender == "F") | ((gender == "X") & (rng.random(count) < 0.5))
    given = np.where(girl, load_pool("given_girl").draw(rng, count), load_pool("given_boy").draw(rng, count)).astype(
        object
    )
    spanish = np.where(
        girl, load_pool("given_hispanic_girl").draw(rng, count), load_pool("given_hispanic_boy").draw(rng, count)
    )
    hispanic = (custom == "hispanic") & (rng.random(count) < 0.82)
    given[hispanic] = spanish[hispanic]
    other = (custom == "other") & (rng.random(count) < 0.75)
    given[other] = load_pool("given_other", 0.3).draw(rng, count)[other]
    asian = (custom == "east_asian") & (rng.random(count) < 0.5)
    given[asian] = _asian_given(count, rng)[asian]
    return given


def _asian_given(count: int, rng: np.random.Generator) -> Text:
    """Two syllables, written as two words; offices join, hyphen or split them."""
    pool = load_pool("given_east_asian", 0.2)
    return np.array(
        [f"{a} {b}" for a, b in zip(pool.draw(rng, count), pool.draw(rng, count), strict=True)], dtype=object
    )


def _second(custom: Text, gender: Text, rng: np.random.Generator) -> Text:
    """A second given name, which stands in the middle or is left out."""
    count = len(custom)
    second = _given(np.where(custom == "east_asian", "anglo", custom).astype(object), gender, rng)
    hispanic = custom == "hispanic"
    second[hispanic] = load_pool("second_hispanic").draw(rng, count)[hispanic]
    chance = np.where(hispanic, 0.5, np.where(custom == "east_asian", 0.25, 0.75))
    second[rng.random(count) >= chance] = ""
    return second


def _tell_siblings_apart(
    given: Text, household: NDArray[np.int64], custom: Text, gender: Text, rng: np.random.Generator
) -> None:
    for _ in range(3):
        same = np.flatnonzero((household[1:] == household[:-1]) & (given[1:] == given[:-1])) + 1
        given[same] = _given(custom[same], gender[same], rng)


def mark_names(names: Names, marked: NDArray[np.bool_]) -> Names:
    """The names with those of the marked replaced, by rule from a running number: all different."""
    columns = [getattr(names, name).copy() for name in Names.__annotations__]
    given, second, surname, surname_2, surname_other, guardian = columns
    for number, i in enumerate(np.flatnonzero(marked)):
        given[i] = guardian[i] = _marked_word(number, 0)
        surname[i] = surname_other[i] = _marked_word(number, 1)
        surname_2[i] = _marked_word(number, 2) if surname_2[i] else ""
        second[i] = ""
    return Names(*columns)


def _marked_word(number: int, part: int) -> str:
    start = _RARE_STARTS[(number + part * 3) % len(_RARE_STARTS)]
    middle = _ONSETS[number % len(_ONSETS)] + _VOWELS[number // len(_ONSETS) % len(_VOWELS)]
    return start + middle + _RARE_ENDS[(number + part) % len(_RARE_ENDS)]
