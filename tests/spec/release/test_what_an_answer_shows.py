"""What an answer shows, in a table: how a released cell reads as a row, and what a licence may hide of it."""

from dataclasses import replace

import pytest

from hub.release.draft import status_reason
from hub.release.slices import HIDDEN_REASON, RANGE_REASON, PublishedCell, hide_below
from hub.release.words import rate_words
from policies.disclosure.types import ReleasedCell

SHOWN = PublishedCell(
    "reading", 2026, "final", 0, "race", {"race": "white"}, None, 40, 25, 62, None, None, 90, 95, "F", "", "1"
)

# what is released                                             status  reason         in words
READS = [
    ({"known": 40, "k": 25, "rate": 62}, "F", "", "62 %"),
    ({"known": 15, "rate_low": 80, "rate_high": 100}, "F", RANGE_REASON, "80 % or more"),
    ({"known": 15, "rate_low": 0, "rate_high": 20}, "F", RANGE_REASON, "20 % or less"),
    ({"known": 15, "rate_low": 0, "rate_high": 100}, "F", RANGE_REASON, HIDDEN_REASON),
    ({}, "C", HIDDEN_REASON, HIDDEN_REASON),
]


@pytest.mark.parametrize(("numbers", "status", "reason", "words"), READS)
def test_a_released_cell_reads_the_same_in_status_reason_and_words(
    numbers: dict[str, int], status: str, reason: str, words: str
) -> None:
    released = ReleasedCell(
        indicator="reading",
        cohort_year=2026,
        table="race",
        levels=(("race", "white"),),
        status="F" if numbers else "C",
        **numbers,
    )
    nothing = dict.fromkeys(("known", "k", "rate", "rate_low", "rate_high"))
    cell = replace(SHOWN, **{**nothing, **numbers}, status=released.status, status_reason=status_reason(released))

    assert (released.status, status_reason(released), rate_words(cell)) == (status, reason, words)


# known  k     licence: at least, numerator at least   shown
HIDES = [
    (40, 25, 11, 0, True),
    (40, 25, 41, 0, False),
    (40, 25, 40, 25, True),
    (40, 25, 11, 26, False),
    (40, None, 11, 26, True),
    (None, None, 11, 0, True),
]


@pytest.mark.parametrize(("known", "k", "min_n", "numerator_min", "shown"), HIDES)
def test_a_licence_hides_whole_cells_below_its_own_thresholds(
    known: int | None, k: int | None, min_n: int, numerator_min: int, shown: bool
) -> None:
    cell = replace(SHOWN, known=known, k=k)

    found = hide_below([cell], min_n=min_n, numerator_min=numerator_min)[0]

    assert (found == cell) is shown
    assert shown or (found.status, found.status_reason, found.known, found.k, found.rate, found.coverage_low) == (
        "C",
        HIDDEN_REASON,
        None,
        None,
        None,
        None,
    )


def test_a_licence_never_shows_what_the_release_hides() -> None:
    hidden = replace(SHOWN, known=None, k=None, rate=None, status="C", status_reason=HIDDEN_REASON)

    found = hide_below([hidden], min_n=1, numerator_min=0)

    assert found == (hidden,)
