"""Facts that share their elements are written once around the reference, and read as if each were written by itself."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.fact_rows import FactRow, fact_lines_of
from policies.submission import canonical_json

TABLES, NAMES = ("attendance", "q", "r2", "u"), ("a", "days", "q", "ra", "s", "subject", "té", "zone")
VALUES = st.one_of(st.text(max_size=4), st.integers(0, 400), st.decimals(0, 9, places=2).map(float))
ELEMENTS = st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), min_size=1, max_size=4)
REFERENCES = st.one_of(st.none(), st.binary(min_size=2, max_size=2).map(bytes.hex), st.just('a"b'))


@given(ELEMENTS, st.data())
def test_every_line_is_the_canonical_json_of_its_row(elements, data):
    row = st.builds(FactRow, st.sampled_from(TABLES), REFERENCES, st.sampled_from(elements))
    rows = data.draw(st.lists(row, max_size=12))

    lines = list(fact_lines_of(rows))

    assert lines == [canonical_json(row.told()) for row in rows]


def test_a_row_that_is_printed_shows_no_element():
    assert repr(FactRow("attendance", "00", {"school": "Zzyqlmor"})) == "FactRow(attendance)"
