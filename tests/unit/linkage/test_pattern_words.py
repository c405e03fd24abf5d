"""What a pattern shows is said in words that tell every pattern from every other."""

import numpy as np

from linkage.match.patterns import (
    ABSENT,
    AGREES,
    DATE_SIZE,
    DAY_AGREES,
    DAY_SIZE,
    DIFFERS,
    GIVEN_ABSENT,
    LEVEL_TOP,
    NAMES_CROSSED,
    PATTERNS,
    SIZES,
    SURNAME_ABSENT,
    SURNAME_SIZE,
    YEAR_AGREES,
)
from linkage.match.words import pattern_words


def pattern(names, date, *, sex=ABSENT, postcode=ABSENT, middle=ABSENT, ssid=ABSENT):
    return np.ravel_multi_index((names, date, sex, postcode, middle, ssid), SIZES)


def test_every_pattern_has_words_of_its_own():
    patterns = np.arange(PATTERNS, dtype=np.int32)

    words = pattern_words(patterns)

    assert len(set(words)) == PATTERNS


def test_words_say_what_agrees_and_leave_out_what_is_absent():
    same = pattern(LEVEL_TOP * SURNAME_SIZE + LEVEL_TOP, YEAR_AGREES * DAY_SIZE + DAY_AGREES, postcode=DIFFERS)
    swapped = pattern(NAMES_CROSSED, DATE_SIZE - 1, ssid=AGREES)
    nothing = pattern(GIVEN_ABSENT * SURNAME_SIZE + SURNAME_ABSENT, DATE_SIZE - 1)

    words = pattern_words(np.array([same, swapped, nothing, same], dtype=np.int32))

    assert words == [
        "given name same, surname same, birth year same, month and day same, postcode differs",
        "given name and surname swapped, SSID same",
        "nothing to compare",
        "given name same, surname same, birth year same, month and day same, postcode differs",
    ]


def test_no_pairs_need_no_words():
    assert pattern_words(np.empty(0, dtype=np.int32)) == []
