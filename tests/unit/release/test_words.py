"""Words beside the numbers: never a code where a reader expects a name, never a number where one is hidden."""

import pytest

from hub.release.words import dimension_title, indicator_title, level_label, range_words


@pytest.mark.parametrize(
    ("rate", "low", "high", "words"),
    [
        (58, None, None, "58 %"),
        (None, 80, 100, "80 % or more"),
        (None, 0, 20, "20 % or less"),
        (None, 40, 60, "40 to 60 %"),
        (None, 0, 100, "hidden to protect students"),
        (None, None, None, "hidden to protect students"),
    ],
)
def test_a_rate_is_told_exactly_as_a_range_or_not_at_all(
    rate: int | None, low: int | None, high: int | None, words: str
) -> None:
    assert range_words(rate, low, high=high) == words


def test_titles_and_labels_are_those_of_the_definitions() -> None:
    found = [
        indicator_title("third-grade-reading"),
        dimension_title("race"),
        dimension_title("district"),
        level_label("race", "white"),
        level_label("district", "novato"),
        level_label("district", "area-west-marin"),
        level_label("district", "west-marin-small"),
        level_label("race", "Total"),
    ]

    assert found == [
        "Third grade reading",
        "Race and ethnicity",
        "District",
        "White",
        "Novato Unified",
        "West Marin area",
        "West Marin small districts",
        "All",
    ]


def test_what_has_no_definition_is_named_by_its_own_word() -> None:
    found = [indicator_title("sea-level"), dimension_title("shoe-size"), level_label("race", "sea-green")]

    assert found == ["Sea level", "Shoe size", "Sea green"]
