"""A hidden number is absent in every form of an answer, whatever else stands in the row."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from hub.release.formats import csv_text
from hub.release.slices import HIDDEN_REASON, PublishedCell, hide_below

NUMBERS = ("n", "known", "k", "rate", "rate_low", "rate_high", "coverage_low", "coverage_high")
counts = st.one_of(st.none(), st.integers(0, 5000))


@given(st.lists(st.tuples(counts, counts, counts), min_size=1, max_size=8), st.integers(0, 60))
def test_no_row_has_a_number_that_stands_for_hidden(rows: list[tuple[int | None, ...]], min_n: int) -> None:
    cells = [
        PublishedCell(
            "reading", 2026, "final", place, "race", {"race": "white"}, n, known, k, *(None,) * 5,
            "C" if known is None else "F", HIDDEN_REASON if known is None else "", "1",
        )
        for place, (n, known, k) in enumerate(rows)
    ]  # fmt: skip

    told = [cell.row("2026-11-22.1") for cell in hide_below(cells, min_n=min_n, numerator_min=0)]
    read = list(csv.DictReader(io.StringIO(csv_text(told))))

    for row, line in zip(told, read, strict=True):
        assert all((row[name] is None) == (line[name] == "") for name in NUMBERS)
        assert all(row[name] is None or row[name] >= 0 for name in NUMBERS)  # type: ignore[operator]
        assert (row["status"] == "C") == (row["status_reason"] == HIDDEN_REASON)
        assert row["known"] is None or row["status"] == "C" or row["known"] >= min_n  # type: ignore[operator]
