"""No vintage tells more than another: everything ever told of a cohort, attacked together, tells nothing withheld."""

import pytest

from tests.bench.catalogues import always_alone, found_by, providers_of, random_catalogue


@pytest.mark.parametrize("seed", (1, 3, 9, 11, 13, 15))
def test_all_vintages_of_a_corrected_catalogue_joined_tell_an_outsider_nothing(seed: int) -> None:
    catalogue = random_catalogue(seed, insiders=False)

    assert all(result.verdict.clean for result in catalogue.results)
    assert found_by(catalogue) == (0, 0)


@pytest.mark.parametrize("seed", range(2, 10, 2))
def test_nor_a_provider_who_knows_its_own_children(seed: int) -> None:
    catalogue = random_catalogue(seed, insiders=True)
    provider = providers_of(catalogue.blocks[2])[seed // 2 % 3]

    assert all(result.verdict.clean for result in catalogue.results)
    assert found_by(catalogue, provider=provider) == (0, 0)


def test_a_provider_whose_own_children_were_corrected_keeps_its_final_release_and_learns_nothing() -> None:
    catalogue = random_catalogue(568, insiders=True)

    assert all(result.verdict.clean for result in catalogue.results)
    assert any(cell.status == "F" for cell in catalogue.results[2].cells)
    assert [found_by(catalogue, provider=name) for name in ("district-00", "preschool-0", "preschool-1")] == [
        (0, 0)
    ] * 3


def test_a_provider_alone_in_its_area_may_learn_that_it_is_alone_and_nothing_of_any_child() -> None:
    catalogue = random_catalogue(944, insiders=True)

    assert all(result.verdict.clean for result in catalogue.results)
    assert found_by(catalogue, provider="district-00") == (0, 0)
    assert {row.get("district") for row in always_alone(catalogue, "district-00")} >= {"area-0", "district-04"}


def test_where_what_still_holds_of_two_vintages_tells_a_count_nothing_new_is_told_and_nothing_stopped() -> None:
    catalogue = random_catalogue(818, insiders=False)

    assert all(result.verdict.clean for result in catalogue.results)
    assert not any(cell.status == "F" for cell in catalogue.results[2].cells)
    assert found_by(catalogue) == (0, 0)
