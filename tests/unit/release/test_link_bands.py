"""How firm the links are: what holds at every threshold, from released cells, and a withheld year without a bar."""

import pytest

from hub.release.charts import draw
from hub.release.link_bands import LinkBand, _band, bands_chart
from hub.release.slices import HIDDEN_REASON, PublishedCell


def published(*, known=None, k=None, rate=None, rate_low=None, rate_high=None):
    """A released cell of all students; withheld where nothing is given."""
    status, reason = ("F", "") if known else ("C", HIDDEN_REASON)
    return PublishedCell(
        "linked-share", 2026, "final", 0, "total", {}, None, known, k, rate, rate_low, rate_high, None, None, status,
        reason, "1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("linked", "settled", "band"),
    [
        ({"known": 400, "k": 360, "rate": 90}, {"known": 400, "k": 388, "rate": 97}, (87, 6, 7)),
        ({"known": 400, "rate_low": 95, "rate_high": 100}, {"known": 400, "k": 388, "rate": 97}, (92, 8, 0)),
        ({"known": 400, "k": 4, "rate": 1}, {"known": 400, "k": 380, "rate": 95}, (0, 6, 94)),
        ({"known": 400, "k": 360, "rate": 90}, {}, (None, None, None)),
        ({}, {"known": 400, "k": 388, "rate": 97}, (None, None, None)),
        ({"known": 400, "k": 360, "rate": 90}, None, (None, None, None)),
    ],
)
def test_a_year_tells_what_is_linked_and_what_is_not_at_every_threshold(linked, settled, band):
    found = _band(published(**linked), None if settled is None else published(**settled))

    assert (found.linked, found.between, found.apart) == band
    assert found.linked is None or found.linked + found.between + found.apart == 100


def test_a_withheld_year_has_words_and_no_number_in_the_chart():
    bands = (LinkBand(2025, None, None, None), LinkBand(2026, 87, 6, 7))

    spec = bands_chart(bands)
    drawn = draw(spec)

    parts = [row for layer in spec["layer"] for row in layer["data"]["values"] if "from" in row]
    assert {row["step"] for row in parts} == {"2026"}
    assert HIDDEN_REASON in drawn
    assert "87 % linked, 6 % open, 7 % not linked" in drawn
