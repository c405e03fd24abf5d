"""Made-up people that pad a small roster up to its minimum size: at the edge only.

A file of one new pupil is a known plaintext, so small rosters are padded. Dummies have view rows and
span rows but no facts, so that no count holds one; their names are random syllables, which no table of
real names predicts and no real record is likely to match, and the matcher sees only tokens and filters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from linkage.encode.person import GRADE_UNKNOWN, ClearPerson, SpanFacts

_CONSONANTS = "bcdfghjklmnprstvwz"
_VOWELS = "aeiou"
_FIRST_YEAR = 2000
_MONTHS_A_YEAR = 12


def with_dummies(
    people: Sequence[ClearPerson], *, spans: Sequence[SpanFacts], minimum_records: int, rng: np.random.Generator
) -> tuple[list[ClearPerson], list[SpanFacts]]:
    """The roster with as many dummies as the minimum size asks for; each borrows the shape of a real record."""
    missing = max(0, minimum_records - len(people))
    everyone, all_spans = list(people), list(spans)
    first = max((person.local_record for person in people), default=-1) + 1
    for number in range(first, first + missing):
        pattern = people[int(rng.integers(len(people)))] if people else ClearPerson(0, sex="X", postcode="00001")
        everyone.append(_dummy(number, pattern=pattern, rng=rng))
        shape = spans[int(rng.integers(len(spans)))] if spans else None
        all_spans.append(_dummy_span(number, shape=shape, rng=rng))
    return everyone, all_spans


def _dummy(number: int, *, pattern: ClearPerson, rng: np.random.Generator) -> ClearPerson:
    """Absent where the pattern is absent, so that dummies show no other share of gaps than the roster."""
    year = (pattern.birth_date or "2010")[:4]
    date = f"{year}-{int(rng.integers(1, 13)):02d}-{int(rng.integers(1, 29)):02d}"
    return ClearPerson(
        number,
        given=_made_up_name(rng) if pattern.given else None,
        middle=_made_up_name(rng) if pattern.middle else None,
        surname=_made_up_name(rng) if pattern.surname else None,
        birth_date=date if pattern.birth_date else None,
        sex=pattern.sex,
        postcode=pattern.postcode,
        ssid=str(int(rng.integers(10**9, 10**10))) if pattern.ssid else None,
    )


def _dummy_span(number: int, *, shape: SpanFacts | None, rng: np.random.Generator) -> SpanFacts:
    reference = rng.bytes(16)
    if shape is None:
        return SpanFacts(number, reference, _FIRST_YEAR, GRADE_UNKNOWN, False, 0, _MONTHS_A_YEAR - 1)
    return SpanFacts(
        number,
        reference,
        shape.school_year,
        shape.grade,
        shape.full_time,
        shape.start_month,
        shape.end_month,
    )


def _made_up_name(rng: np.random.Generator) -> str:
    syllables = int(rng.integers(2, 5))
    return "".join(
        _CONSONANTS[int(rng.integers(len(_CONSONANTS)))] + _VOWELS[int(rng.integers(len(_VOWELS)))]
        for _ in range(syllables)
    )
