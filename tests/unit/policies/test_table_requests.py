"""Requested tables stand behind all others of the catalogue, under the words of the dimensions."""

import pytest

from policies.catalogue_files import catalogue
from policies.table_requests import kin, splits_of, table_beside, with_tables


def test_a_requested_table_gives_way_before_all_others_and_is_for_partners() -> None:
    every = [table for tables in catalogue().tables.values() for table in tables]

    first = with_tables(catalogue(), [("third-grade-reading", ("gender", "district")), ("employment", ("race",))])
    table = first.table_split_by("third-grade-reading", dimensions=("district", "gender"))

    assert table is not None
    assert (table.name, table.title, table.audience) == ("gender-by-district", "Gender by district", "partner")
    assert table.priority == 1 + max(one.priority for one in every)
    assert first.tables["employment"] == catalogue().tables["employment"]


def test_later_requests_give_way_before_earlier_ones_and_unknown_indicators_are_left_out() -> None:
    asked = [("a-g-completion", ("race", "gender")), ("height", ("race",)), ("chronic-absence", ("race", "gender"))]

    found = with_tables(catalogue(), asked)

    earlier, later = (found.table("a-g-completion", name="race-by-gender"), found.tables["chronic-absence"][-1])
    assert earlier is not None
    assert (later.name, later.priority) == ("race-by-gender", earlier.priority + 1)
    assert "height" not in found.tables


def test_a_split_of_another_indicator_keeps_its_name_and_words() -> None:
    known = catalogue().table_split_by("third-grade-reading", dimensions=("race", "economic-status"))

    table = table_beside(catalogue(), ("economic-status", "race"))

    assert known is not None
    assert (table.name, table.title, table.dimensions) == (known.name, known.title, known.dimensions)
    assert table.priority > known.priority


def test_an_indicator_of_aggregates_is_split_by_its_own_columns_only() -> None:
    assert splits_of("employment") == ("economic-status", "gender", "race")
    assert {"district", "preschool", "race"} <= set(splits_of("third-grade-reading"))


@pytest.mark.parametrize(
    ("indicator", "others"),
    [
        ("third-grade-reading", set()),
        ("a-g-completion", {"high-school-graduation"}),
        ("postsecondary-completion", {"postsecondary-enrollment"}),
    ],
)
def test_indicators_that_count_the_same_persons_are_kin(indicator: str, others: set[str]) -> None:
    found = kin(indicator)

    assert {indicator, *others} <= set(found)
    assert all(indicator in kin(name) for name in found)
