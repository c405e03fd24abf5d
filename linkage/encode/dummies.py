"""Made-up people that pad a small roster up to its minimum size: at the edge only.

A file of one new pupil is a known plaintext, so small rosters are padded. Dummies have view rows and
span rows but no facts, so that no count holds one; their names are random syllables, which no table of
real names predicts and no real record is likely to match, and the matcher sees only tokens and filters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from linkage.encode.person import GRADE_UNKNOWN, ClearPerson, SpanFacts

_CONSONANTS = "bcdfghjklmnprstvwz"
_VOWELS = "aeiou"
_FIRST_YEAR = 2000
_MONTHS_A_YEAR = 12
_USUAL_BIRTH_YEAR = "2010"


def with_dummies(
    people: Sequence[ClearPerson], *, spans: Sequence[SpanFacts], minimum_records: int, rng: np.random.Generator
) -> tuple[list[ClearPerson], list[SpanFacts]]:
    """The roster with as many dummies as the minimum size asks for; each borrows the shape of a real record.

    Absent where the real record is absent, so that dummies show no other share of gaps than the roster.
    """
    missing = max(0, minimum_records - len(people))
    first = max((person.local_record for person in people), default=-1) + 1
    patterns = people or (ClearPerson(0, given="-", surname="-", birth_date="-", sex="X"),)
    shapes = spans or (SpanFacts(0, b"", _FIRST_YEAR, GRADE_UNKNOWN, False, 0, _MONTHS_A_YEAR - 1),)
    draws = rng.random((missing, 2)).tolist()
    names = _made_up_names(3 * missing, rng=rng)
    dates = rng.integers((1, 1), (13, 29), size=(missing, 2)).tolist()
    ssids = rng.integers(10**9, 10**10, size=missing).tolist()
    references = rng.bytes(16 * missing)
    dummies, dummy_spans = [], []
    for number in range(missing):
        pattern = patterns[int(draws[number][0] * len(patterns))]
        given, middle, surname = names[3 * number : 3 * number + 3]
        year = pattern.birth_date[:4] if pattern.birth_date and len(pattern.birth_date) > 4 else _USUAL_BIRTH_YEAR
        dummies.append(
            ClearPerson(
                first + number,
                given=given if pattern.given else None,
                middle=middle if pattern.middle else None,
                surname=surname if pattern.surname else None,
                birth_date=f"{year}-{dates[number][0]:02d}-{dates[number][1]:02d}" if pattern.birth_date else None,
                sex=pattern.sex,
                postcode=pattern.postcode,
                ssid=str(ssids[number]) if pattern.ssid else None,
            )
        )
        shape = shapes[int(draws[number][1] * len(shapes))]
        reference = references[16 * number : 16 * number + 16]
        dummy_spans.append(replace(shape, local_record=first + number, reference=reference))
    return [*people, *dummies], [*spans, *dummy_spans]


def _made_up_names(count: int, *, rng: np.random.Generator) -> list[str]:
    """Two to four random syllables each."""
    lengths = rng.integers(2, 5, size=count).tolist()
    picks = rng.integers((0, 0), (len(_CONSONANTS), len(_VOWELS)), size=(4 * count, 2)).tolist()
    syllables = [_CONSONANTS[consonant] + _VOWELS[vowel] for consonant, vowel in picks]
    return ["".join(syllables[4 * place : 4 * place + length]) for place, length in enumerate(lengths)]
