"""Advice on hidden rows is worked out from released cells alone."""

from hub.release.advice import advice_on, joined_years, wider_group
from hub.release.slices import PublishedCell
from hub.release.words import level_parents

PARENTS = {"district": {"zzq-one": "north", "zzq-two": "north"}}


def cell(year: int, level: str, known: int | None, *, dimension: str = "district") -> PublishedCell:
    status = "C" if known is None else "F"
    empty = (None,) * 6
    return PublishedCell(
        "i", year, "final", 0, dimension, {dimension: level}, None, known, *empty, status, "", "1"
    )  # fmt: skip


def year_of(year: int, left: int) -> list[PublishedCell]:
    return [cell(year, "Total", 100 + left), cell(year, "south", 100), cell(year, "north", None)]


def test_a_shown_group_that_holds_a_hidden_one_is_named() -> None:
    cells = [cell(2026, "zzq-one", None), cell(2026, "zzq-two", None), cell(2026, "north", 40), cell(2026, "south", 60)]

    assert wider_group(cells, parents=PARENTS) == "Hidden groups are part of groups that are shown: North."
    assert wider_group(cells[2:], parents=PARENTS) == ""
    assert advice_on(cells[2:], parents=PARENTS) == ()


def test_groups_hidden_year_after_year_may_be_shown_together_where_there_is_room() -> None:
    cells = [*year_of(2025, 6), *year_of(2026, 6)]

    assert joined_years(cells).startswith("1 group is hidden in each of the 2 years; with years joined")
    assert joined_years([*year_of(2025, 4), *year_of(2026, 6)]) == ""
    assert joined_years(year_of(2026, 40)) == ""
    assert joined_years([*cells, cell(2025, "west", None), cell(2026, "west", None)]) == ""


def test_a_group_hidden_in_some_years_only_needs_no_advice() -> None:
    cells = [*year_of(2025, 20), cell(2026, "Total", 130), cell(2026, "south", 100), cell(2026, "north", 30)]

    assert joined_years(cells) == ""


def test_the_levels_above_come_from_the_declared_hierarchies() -> None:
    assert level_parents()["district"]["san-rafael-elementary"].startswith("area-")
