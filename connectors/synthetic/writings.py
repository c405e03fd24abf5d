"""How each office writes each child: one record a registration, with that office's habits and slips.

Different offices write the same child differently; inside one office the writing stays, but for corrections and
changes of name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from connectors.synthetic.calibration import Calibration, Floats, Text, load_pool
from connectors.synthetic.organisations import HEAD_START, PARTNER, County
from connectors.synthetic.people import EPOCH, NEVER, Flags, Ints, People, Span

_LETTERS = "abcdefghilmnoprstuv"


@dataclass(frozen=True, repr=False)
class Spelling:
    """Columns of a person's writing, one row a record."""

    given: Text
    middle: Text
    surname: Text
    alias: Text
    birth: Text
    gender: Text


@dataclass(frozen=True, repr=False)
class Records:
    """One row a registration of a person with an organisation; from `switch` on the second spelling holds."""

    person: Ints
    organisation: Ints
    registration: Ints
    local_id: Text
    ssid: Text
    number_late: Flags
    switch: Ints
    before: Spelling
    after: Spelling
    keys: Ints

    def __len__(self) -> int:
        return len(self.person)

    def find(self, person: Ints, organisation: Ints, registration: Ints) -> Ints:
        """The records of these registrations."""
        return np.searchsorted(self.keys, registration_keys(person, organisation, registration))

    def column(self, name: str, record: Ints, year: Ints) -> Text:
        """A column of the spelling that holds in a school year."""
        late = year >= self.switch[record]
        return np.asarray(np.where(late, getattr(self.after, name)[record], getattr(self.before, name)[record]))


@dataclass(frozen=True, repr=False)
class Addresses:
    """Where a person lives, by school year."""

    street: Text
    city_zip: Text
    moves: Ints
    other_street: Text
    other_zip: Text

    def at(self, person: Ints, year: Ints) -> tuple[Text, Text]:
        """Street and ZIP code in a school year."""
        moved = year >= self.moves[person]
        street = np.where(moved, self.other_street[person], self.street[person])
        return street, np.where(moved, self.other_zip[person], self.city_zip[person])


def registration_keys(person: Ints, organisation: Ints, registration: Ints) -> Ints:
    """One number a registration, in order of organisation and person."""
    return np.asarray((organisation * 10_000_000 + person) * 10 + np.minimum(registration, 9), dtype=np.int64)


def write_people(
    people: People, keys: Ints, *, county: County, span: Span, calibration: Calibration, rng: np.random.Generator
) -> Records:
    """The records of all registrations, `keys` sorted and distinct."""
    organisation, person, registration = keys // 100_000_000, keys // 10 % 10_000_000, keys % 10
    rates = calibration.writing
    informal = np.isin(organisation, [county.index(name) for name in (HEAD_START, PARTNER)])
    clean = _by_custom(people, person, informal=informal, rates=rates, rng=rng)
    house = _HouseStyle.of(county)
    slipped = _with_slips(clean, person, people, rates=rates, rng=rng)
    corrected = rng.random(len(keys)) < rates["corrected_later"]
    renamed = (rng.random(len(keys)) < rates["surname_changed"]) & ~people.marked[person]
    after = _corrected(clean, slipped, corrected, renamed, rng)
    later = corrected | renamed
    return Records(
        person=person,
        organisation=organisation,
        registration=registration,
        local_id=_local_ids(organisation, registration, county=county, rng=rng),
        ssid=_ssids(people, person, organisation, county=county, rates=rates, rng=rng),
        number_late=rng.random(len(keys)) < rates["ssid_missing"],
        switch=np.where(later, rng.integers(span.first + 1, span.last + 2, len(keys)), NEVER),
        before=house.write(slipped, organisation),
        after=house.write(after, organisation),
        keys=keys,
    )


def live(
    people: People, *, county: County, span: Span, calibration: Calibration, rng: np.random.Generator
) -> Addresses:
    """Addresses by household in the ZIP codes of the catchment; some move."""
    households = int(people.household.max()) + 1
    homes = np.zeros(households, dtype=np.int64)
    homes[people.household] = people.home
    zips = [_zip_codes(homes, county, rng), _zip_codes(rng.permutation(homes), county, rng)]
    streets = [_streets(households, rng), _streets(households, rng)]
    moves = rng.random(households) < min(1.0, calibration.writing["address_moved"] * len(span.years))
    when = np.where(moves, rng.integers(span.first + 1, span.last + 2, households), NEVER)
    one = people.household
    return Addresses(streets[0][one], zips[0][one], when[one], streets[1][one], zips[1][one])


def _zip_codes(homes: Ints, county: County, rng: np.random.Generator) -> Text:
    pick = rng.integers(0, 6, len(homes))
    zips = [one.zips for one in county.catchments]
    return np.array(
        [zips[h][p % len(zips[h])] for h, p in zip(homes.tolist(), pick.tolist(), strict=True)], dtype=object
    )


def _streets(count: int, rng: np.random.Generator) -> Text:
    first, second = load_pool("street_first", 0.0).draw(rng, count), load_pool("street_second", 0.0).draw(rng, count)
    numbers = rng.integers(2, 980, count).tolist()
    return np.array([f"{n} {a} {b}" for n, a, b in zip(numbers, first, second, strict=True)], dtype=object)


@dataclass
class _Draft:
    """Writings in the making."""

    given: Text
    middle: Text
    surname: Text
    alias: Text
    birth: Text
    gender: Text

    def copy(self) -> _Draft:
        return _Draft(*(getattr(self, name).copy() for name in _Draft.__annotations__))


def _by_custom(
    people: People, person: Ints, *, informal: Flags, rates: Mapping[str, float], rng: np.random.Generator
) -> _Draft:
    """The name as this office takes it down, by the custom of the family."""
    names = people.names
    count = len(person)
    custom = people.custom[person]
    one, two, other = names.surname[person], names.surname_2[person], names.surname_other[person]
    draft = _Draft(
        names.given[person],
        names.second[person],
        one.copy(),
        np.full(count, "", dtype=object),
        _iso(people.birth[person]),
        people.gender[person].copy(),
    )
    for i in np.flatnonzero(two != ""):
        draft.surname[i] = f"{one[i]} {two[i]}" if custom[i] == "hispanic" else f"{one[i]}-{two[i]}"
    draw = rng.random(count)
    form = rng.random(count)
    for i in np.flatnonzero((two != "") & (custom == "hispanic") & (draw < rates["two_surnames_otherwise"])):
        draft.surname[i] = one[i] if form[i] < 0.62 else f"{one[i]}-{two[i]}" if form[i] < 0.93 else two[i]
    for i in np.flatnonzero((two != "") & (custom != "hispanic") & (draw < rates["hyphen_otherwise"])):
        draft.surname[i] = f"{one[i]} {two[i]}" if form[i] < 0.45 else one[i] if form[i] < 0.8 else two[i]
    romanised = (custom == "east_asian") & (draw < rates["romanised_otherwise"])
    draft.surname[romanised] = other[romanised]
    _write_syllables(draft, np.flatnonzero(custom == "east_asian"), form)
    draft.middle[rng.random(count) < rates["second_given_dropped"]] = ""
    initial = rng.random(count) < 0.2
    for i in np.flatnonzero(initial & (draft.middle != "")):
        draft.middle[i] = draft.middle[i][0]
    _nickname(draft, rng.random(count) < np.where(informal, rates["nickname_informal"], rates["nickname"]), form)
    turned = rng.random(count) < np.where(
        custom == "east_asian", rates["order_swapped_east_asian"], rates["order_swapped"]
    )
    draft.given[turned], draft.surname[turned] = draft.surname[turned], draft.given[turned]
    return draft


def _write_syllables(draft: _Draft, places: Ints, form: Floats) -> None:
    """A given name of two syllables: apart, joined, hyphened, or the second in the middle."""
    for i in places:
        first, _, second = str(draft.given[i]).partition(" ")
        if not second:
            continue
        if form[i] < 0.10:
            draft.given[i], draft.middle[i] = first, second
        elif form[i] < 0.75:
            draft.given[i] = first + second.lower()
        elif form[i] < 0.88:
            draft.given[i] = f"{first}-{second}"


def _nickname(draft: _Draft, chosen: Flags, form: Floats) -> None:
    known = _nicknames()
    for i in np.flatnonzero(chosen):
        short = known.get(str(draft.given[i]))
        if short is None:
            continue
        if form[i] < 0.4:
            draft.alias[i] = short
        else:
            draft.given[i] = short


@cache
def _nicknames() -> dict[str, str]:
    pairs = (str(word).split("/") for word in load_pool("nicknames").words)
    return {pair[0]: pair[1] for pair in pairs}


def _with_slips(
    clean: _Draft, person: Ints, people: People, *, rates: Mapping[str, float], rng: np.random.Generator
) -> _Draft:
    """Slips of the keyboard; missing values."""
    draft, count = clean.copy(), len(person)
    for name in ("given", "surname"):
        column = getattr(draft, name)
        for i in np.flatnonzero(rng.random(count) < rates[f"typo_{name}"]):
            column[i] = _slip(str(column[i]), rng)
    for i in np.flatnonzero(rng.random(count) < rates["typo_birth_date"]):
        draft.birth[i] = _iso(people.birth[person[i : i + 1]] + _wrong_days(rng))[0]
    for i in np.flatnonzero(rng.random(count) < rates["day_month_swapped"]):
        year, month, day = str(draft.birth[i]).split("-")
        draft.birth[i] = f"{year}-{day}-{month}" if int(day) <= 12 else f"{year}-{month}-{day}"
    draft.birth[rng.random(count) < rates["birth_date_missing"]] = ""
    draft.gender[rng.random(count) < rates["gender_missing"]] = ""
    return draft


def _wrong_days(rng: np.random.Generator) -> int:
    """A wrong day, month or year."""
    return int(rng.choice([1, -1, 2, 7, 10, -10, 30, -31, 365, -365, 366]))


def _slip(word: str, rng: np.random.Generator) -> str:
    """One letter left out, put in, replaced, or two turned."""
    if len(word) < 3:
        return word
    place, kind = int(rng.integers(1, len(word))), int(rng.integers(0, 4))
    letter = _LETTERS[int(rng.integers(0, len(_LETTERS)))]
    if kind == 0:
        return word[:place] + word[place + 1 :]
    if kind == 1:
        return word[:place] + letter + word[place:]
    if kind == 2:
        return word[:place] + letter + word[place + 1 :]
    place = min(place, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _corrected(clean: _Draft, slipped: _Draft, corrected: Flags, renamed: Flags, rng: np.random.Generator) -> _Draft:
    """Later spelling: slips mended, or a new surname before the old one's place."""
    after = slipped.copy()
    for name in _Draft.__annotations__:
        getattr(after, name)[corrected] = getattr(clean, name)[corrected]
    added = load_pool("surname_anglo").draw(rng, len(renamed))
    for i in np.flatnonzero(renamed):
        after.surname[i] = f"{after.surname[i]}-{added[i]}" if i % 2 else added[i]
    return after


def _iso(days: Ints) -> Text:
    return np.datetime_as_string(EPOCH + days.astype("timedelta64[D]"), unit="D").astype(object)


@dataclass(frozen=True)
class _HouseStyle:
    """What an office's system does to every name: capitals without apostrophes, accents kept or not."""

    upper: tuple[bool, ...]
    accents: tuple[bool, ...]

    @classmethod
    def of(cls, county: County) -> _HouseStyle:
        return cls(tuple(o.upper for o in county.organisations), tuple(o.accents for o in county.organisations))

    def write(self, draft: _Draft, organisation: Ints) -> Spelling:
        """The draft as the office's system stores it."""
        styled = {
            name: self._style(getattr(draft, name), organisation) for name in ("given", "middle", "surname", "alias")
        }
        return Spelling(**styled, birth=draft.birth, gender=draft.gender)

    def _style(self, column: Text, organisation: Ints) -> Text:
        words = []
        for word, place in zip(column.tolist(), organisation.tolist(), strict=True):
            kept = word if self.accents[place] or word.isascii() else _unaccented(word)
            words.append(kept.replace("'", "").upper() if self.upper[place] else kept)
        return np.array(words, dtype=object)


def _unaccented(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", word) if not unicodedata.combining(sign))


def _local_ids(organisation: Ints, registration: Ints, *, county: County, rng: np.random.Generator) -> Text:
    """Numbers as each office gives them: random order, all different within the office."""
    local = np.empty(len(organisation), dtype=object)
    for place, one in enumerate(county.organisations):
        here = np.flatnonzero(organisation == place)
        numbers = rng.choice(900_000, len(here), replace=False) + 100_000
        prefix = {"preschool": "PK", "college": "C00", "partner": "CA-"}.get(one.kind, "")
        local[here] = [f"{prefix}{number}" for number in numbers.tolist()]
    return local


def _ssids(
    people: People,
    person: Ints,
    organisation: Ints,
    *,
    county: County,
    rates: Mapping[str, float],
    rng: np.random.Generator,
) -> Text:
    """The state's number, in districts only; rarely missing, mistyped, or a second one."""
    ssid = people.ssid[person].copy()
    count = len(person)
    for i in np.flatnonzero(rng.random(count) < rates["ssid_wrong"]):
        ssid[i] = ssid[i][:-2] + f"{(int(ssid[i][-2:]) + 37) % 100:02d}"
    for i in np.flatnonzero(rng.random(count) < rates["ssid_second"]):
        ssid[i] = f"{9_900_000_000 + int(rng.integers(0, 99_999_999))}"
    ssid[~np.isin(organisation, county.districts)] = ""
    return ssid
