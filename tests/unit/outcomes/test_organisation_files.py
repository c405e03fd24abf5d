"""Organisations as law: who exists when, and how districts are summed."""

from policies.organisation_files import LOCAL_EDUCATION_AGENCIES, area_level, district_parents, organisations


def serving(*kinds: str, school_year: int) -> tuple[str, ...]:
    return tuple(member.id for member in organisations().serving(frozenset(kinds), school_year))


def test_a_closed_district_serves_until_its_last_year() -> None:
    before, after = (serving("elementary", school_year=year) for year in (2021, 2022))

    assert set(before) - set(after) == {"lincoln"}


def test_a_name_is_that_of_the_year() -> None:
    (miller_creek,) = (member for member in organisations().members if member.id == "miller-creek")

    assert miller_creek.name_in(2019) == "Dixie Elementary"
    assert miller_creek.name_in(2020) == "Miller Creek Elementary"


def test_an_organisation_without_a_name_in_a_year_bears_its_latest() -> None:
    (lincoln,) = (member for member in organisations().members if member.id == "lincoln")
    renamed = type(lincoln)("later", "elementary", "West Marin", None, (("Renamed", 2024, None),), None, None)

    assert renamed.name_in(2020) == "Renamed"


def test_small_districts_are_published_as_their_group_and_summed_into_its_area() -> None:
    members = organisations().serving(frozenset(LOCAL_EDUCATION_AGENCIES), 2020)
    levels = {member.id: member.published_as for member in members}

    parents = district_parents(members, among=organisations().districts())

    assert levels["nicasio"] == levels["laguna-joint"] == "west-marin-small"
    assert levels["kentfield"] == "kentfield"
    assert parents["west-marin-small"] == parents["shoreline"] == "area-west-marin"
    assert parents["kentfield"] == parents["ross-valley"] == "area-ross-valley"
    assert "nicasio" not in parents


def test_a_group_over_two_areas_and_a_district_alone_in_its_area_are_summed_into_the_county_only() -> None:
    members = organisations().serving(frozenset(LOCAL_EDUCATION_AGENCIES), 2020)

    parents = district_parents(members, among=organisations().districts())

    assert {member.published_as for member in members if member.id in ("ross", "sausalito-marin-city")} == {
        "southern-small"
    }
    assert not {"southern-small", "novato", "marin-coe"} & set(parents)


def test_every_level_of_the_district_dimension_has_a_title() -> None:
    known = organisations()
    members = known.serving(frozenset(LOCAL_EDUCATION_AGENCIES), 2020)
    levels = {member.published_as for member in members} | set(
        district_parents(members, among=organisations().districts()).values()
    )

    titles = {level: known.title_of(level, 2020) for level in levels}

    assert titles["area-west-marin"] == "West Marin"
    assert titles["west-marin-small"] == "West Marin small districts"
    assert titles["novato"] == "Novato Unified"
    assert area_level("Ross Valley") == "area-ross-valley"


def test_a_district_has_one_parent_whoever_else_serves_the_grades() -> None:
    known = organisations()
    everybody = district_parents(known.districts(), among=known.districts())

    high_schools = district_parents(known.serving(frozenset({"high", "unified"}), 2026), among=known.districts())

    assert high_schools["san-rafael-high"] == "area-san-rafael"
    assert high_schools.items() <= everybody.items()
