"""Sizes of storage are told in bands that are wider than any submission."""

import pytest

from policies.size_bands import GIGABYTE, size_band
from policies.submission import CHUNK_BYTES_MAX


@pytest.mark.parametrize(
    ("size", "band"),
    [
        (0, "under 1 GB"), (GIGABYTE - 1, "under 1 GB"), (GIGABYTE, "1 to 2 GB"), (4_999_999_999, "2 to 5 GB"),
        (5 * GIGABYTE, "5 to 10 GB"), (1_500 * GIGABYTE, "1000 to 2000 GB"), (500_000 * GIGABYTE, "500000 GB or more"),
    ],
)  # fmt: skip
def test_a_size_is_told_as_the_band_that_holds_it(size, band):
    assert size_band(size) == band


def test_a_hundred_full_chunks_fit_into_the_lowest_band():
    assert size_band(100 * CHUNK_BYTES_MAX) == "under 1 GB"
