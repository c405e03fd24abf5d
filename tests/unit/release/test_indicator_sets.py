"""The partnership's core and contributing sets: one file, each indicator in one set, each toward a core outcome."""

import pytest
from pydantic import ValidationError

from hub.release.gaps import ReleasedRate, gap_point_lower_is_better
from policies.catalogue_files import catalogue
from policies.indicator_files import LINKAGE_QUALITY, indicators
from policies.indicator_sets import indicator_sets, read_sets

SMALL = """
version: 1
reviewed_on: 2026-11-22
review_every_months: 12
core: [reading, work]
contributing: [{indicator: absence, toward: reading}]
"""


def test_the_core_set_is_the_seven_outcomes_and_the_catalogue_publishes_both_sets_and_linkage_quality() -> None:
    sets = indicator_sets()
    quality = [name for name in catalogue().indicators if indicators()[name].outcome == LINKAGE_QUALITY]

    assert set(sets.core) == {name for name, one in indicators().items() if one.core}
    assert catalogue().indicators == (*sets.core, *(one.indicator for one in sets.contributing), *quality)


def test_each_indicator_is_in_one_set_or_in_neither() -> None:
    sets = read_sets(SMALL)

    assert [sets.set_of(name) for name in ("reading", "absence", "spelling")] == ["core", "contributing", None]
    assert [sets.toward(name) for name in ("reading", "absence")] == [None, "reading"]


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [("absence, toward", "work, toward", "named twice"), ("toward: reading", "toward: spelling", "no core outcome")],
)
def test_a_file_that_names_an_indicator_twice_or_leads_nowhere_is_refused(
    written: str, instead: str, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        read_sets(SMALL.replace(written, instead))


def test_where_lower_is_better_a_gap_is_what_the_group_has_more() -> None:
    point = gap_point_lower_is_better(2026, ReleasedRate(100, 10, None, None), group=ReleasedRate(100, 25, None, None))

    assert point.gap == 15
    assert point.reference.rate == 10
    assert point.low is not None and point.high is not None and point.low < 15 < point.high
