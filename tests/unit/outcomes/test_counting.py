"""Counting: persons in, blocks of counts out, with the providers that know each person."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from hub.outcomes.counting import count_blocks, count_together, district_dimension
from hub.outcomes.querying import QueryError
from hub.outcomes.rows import CountingError, make_levels, make_outcome_rows, open_counter
from hub.outcomes.schema import snapshot_schemas
from policies.disclosure.types import BaseCell, TableDeclaration, Tally
from policies.indicator_files import dimensions, indicators
from policies.organisation_files import organisations

MARKED = "zzqmarkedperson"
READING = indicators()["third-grade-reading"]
TOTAL_TABLE = TableDeclaration(name="total", dimensions=(), priority=1)


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = snapshot_schemas()[name]
    return pa.Table.from_pylist([{column: row.get(column) for column in schema.names} for row in rows], schema=schema)


def score(person: str, provider: str, *, year: int = 2023, level: str | None = "3") -> dict[str, Any]:
    return {
        "person_id": person, "provider": provider, "kind": "k12", "school_year": year, "subject": "ELA",
        "grade_assessed": "03", "achievement_level": level, "valid": "Y" if level else "N",
    }  # fmt: skip


def county() -> Mapping[str, pa.Table]:
    scores = [
        score("a", "novato", level="4"),
        score("b", "novato", level="1"),
        score("c", "novato", level=None),
        score("d", "kentfield", level="3"),
        score("d", "kentfield", year=2024, level="3"),
    ]
    genders = [("a", "F", "novato"), ("b", "F", "novato"), ("c", "M", "novato"), ("d", "F", "kentfield")]
    demographics = [
        {"person_id": person, "provider": provider, "kind": "k12", "school_year": 2023, "gender": gender}
        for person, gender, provider in genders
    ]
    preschool = [
        {
            "person_id": "a", "provider": "community-action-marin", "kind": "preschool", "school_year": 2019,
            "site": "s", "funding": "HEAD-START",
        }
    ]  # fmt: skip
    return {
        "assessment": table("assessment", scores),
        "demographics": table("demographics", demographics),
        "preschool": table("preschool", preschool),
    }


def test_a_block_is_made_for_each_cohort_year_with_one_base_cell_for_each_combination_of_levels() -> None:
    tables = (TOTAL_TABLE, TableDeclaration(name="both", dimensions=("gender", "district"), priority=2))

    with open_counter(county(), organisations=organisations()) as counter:
        blocks = count_blocks(counter, READING, tables=tables)

    assert [(block.indicator, block.cohort_year) for block in blocks] == [(READING.id, 2023), (READING.id, 2024)]
    assert blocks[0].tables == tables
    assert [dimension.name for dimension in blocks[0].dimensions] == ["gender", "district"]
    novato = {"novato": Tally(2, 2, 1), "community-action-marin": Tally(1, 1, 1)}
    both = {("community-action-marin", "novato"): Tally(1, 1, 1)}
    kentfield, boy = {"kentfield": Tally(1, 1, 1)}, {"novato": Tally(1, 0, 0)}
    assert blocks[0].cells == (
        BaseCell(levels=("female", "kentfield"), tally=Tally(1, 1, 1), provider_counts=kentfield, shared_counts={}),
        BaseCell(levels=("female", "novato"), tally=Tally(2, 2, 1), provider_counts=novato, shared_counts=both),
        BaseCell(levels=("male", "novato"), tally=Tally(1, 0, 0), provider_counts=boy, shared_counts={}),
    )


def test_a_linked_dimension_carries_its_sums_and_least_counts() -> None:
    tables = (TableDeclaration(name="preschool", dimensions=("preschool",), priority=1),)

    with open_counter(county(), organisations=organisations()) as counter:
        block = count_blocks(counter, READING, tables=tables)[0]

    (dimension,) = block.dimensions
    assert dimension.linked
    assert dimension.parents["head-start"] == "any"
    assert dimension.minimum["any"] == 30
    assert {cell.levels: cell.tally.n for cell in block.cells} == {("head-start",): 1, ("none",): 3}


def test_totals_are_the_same_whatever_the_split() -> None:
    tables = (TableDeclaration(name="all", dimensions=("gender", "race", "preschool", "district"), priority=1),)

    with open_counter(county(), organisations=organisations()) as counter:
        blocks = count_blocks(counter, READING, tables=tables)
        totals = count_blocks(counter, READING, tables=(TOTAL_TABLE,))

    summed = {block.cohort_year: sum((cell.tally for cell in block.cells), Tally(0, 0, 0)) for block in blocks}
    assert {block.cohort_year: block.cells[0].tally for block in totals} == summed
    assert summed == {2023: Tally(4, 3, 2), 2024: Tally(1, 1, 1)}


def test_the_order_of_rows_does_not_matter() -> None:
    tables = (TableDeclaration(name="all", dimensions=("gender", "race", "district"), priority=1),)
    turned = {name: rows.take(list(reversed(range(rows.num_rows)))) for name, rows in county().items()}

    with open_counter(county(), organisations=organisations()) as counter:
        straight = count_blocks(counter, READING, tables=tables)
    with open_counter(turned, organisations=organisations()) as counter:
        reversed_rows = count_blocks(counter, READING, tables=tables)

    assert straight == reversed_rows


def test_an_empty_snapshot_gives_no_blocks() -> None:
    with open_counter({}, organisations=organisations()) as counter:
        found = [count_blocks(counter, indicator, tables=(TOTAL_TABLE,)) for indicator in indicators().values()]

    assert found == [()] * len(indicators())


def aggregate(gender: str, race: str, *, years_after: int = 6, persons: int, matchable: int, employed: int) -> Any:
    return {
        "provider": "wage-authority", "kind": "employment", "school_year": 2026, "completion_year": 2020,
        "years_after": years_after, "gender": gender, "race_ethnicity": race, "economic_disadvantage": "Y",
        "persons": persons, "matchable": matchable, "employed": employed,
    }  # fmt: skip


def test_employment_is_counted_from_the_groups_of_the_wage_authority() -> None:
    rows = [
        aggregate("F", "500", persons=10, matchable=8, employed=6),
        aggregate("U", "999", persons=5, matchable=5, employed=1),
        aggregate("F", "500", years_after=5, persons=99, matchable=99, employed=99),
    ]
    tables = (TableDeclaration(name="by", dimensions=("gender", "race", "economic-status"), priority=1),)

    with open_counter(
        {"employment_aggregate": table("employment_aggregate", rows)}, organisations=organisations()
    ) as counter:
        (block,) = count_blocks(counter, indicators()["employment"], tables=tables)

    assert block.cohort_year == 2020
    assert block.cells == (
        BaseCell(levels=("female", "hispanic", "disadvantaged"), tally=Tally(10, 8, 6), shared_counts={}),
        BaseCell(levels=("not-reported", "not-reported", "disadvantaged"), tally=Tally(5, 5, 1), shared_counts={}),
    )


def test_an_aggregate_that_contradicts_itself_is_not_counted() -> None:
    rows = [aggregate("F", "500", persons=5, matchable=8, employed=6)]
    tables = {"employment_aggregate": table("employment_aggregate", rows)}

    with open_counter(tables, organisations=organisations()) as counter, pytest.raises(CountingError):
        make_outcome_rows(counter, indicators()["employment"])


@pytest.mark.parametrize(("indicator", "name"), [("third-grade-reading", "shoe-size"), ("employment", "district")])
def test_a_dimension_that_an_indicator_does_not_have_is_refused(indicator: str, name: str) -> None:
    tables = (TableDeclaration(name="wrong", dimensions=(name,), priority=1),)

    with open_counter(county(), organisations=organisations()) as counter, pytest.raises(CountingError) as caught:
        count_blocks(counter, indicators()[indicator], tables=tables)

    assert caught.value.code == "dimension-unknown"


FORM = "2023 AS cohort_year, provider AS district"
WRONG_QUERIES = {
    "twice": f"SELECT person_id, {FORM}, 'yes' AS outcome, 1 AS weight FROM assessment",
    "no outcome": f"SELECT DISTINCT person_id, {FORM}, '' AS outcome, 1 AS weight FROM demographics",
    "failing": f"SELECT CAST('{MARKED}' AS INTEGER)",
}


@pytest.mark.parametrize("sql", WRONG_QUERIES.values(), ids=WRONG_QUERIES)
def test_a_query_that_does_not_keep_the_form_stops_the_count_without_telling_a_value(sql: str) -> None:
    wrong = replace(READING, sql=sql)

    with open_counter(county(), organisations=organisations()) as counter, pytest.raises(CountingError) as caught:
        make_outcome_rows(counter, wrong)

    assert READING.id in caught.value.detail
    assert MARKED not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT person_id, cohort_year, 'purple' AS level FROM cohort",
        "SELECT person_id, cohort_year, 'female' AS level FROM cohort UNION ALL"
        " SELECT person_id, cohort_year, 'male' AS level FROM cohort",
    ],
)
def test_a_dimension_that_gives_two_levels_or_an_undeclared_one_stops_the_count(sql: str) -> None:
    wrong = replace(dimensions()["gender"], sql=sql)

    with open_counter(county(), organisations=organisations()) as counter:
        make_outcome_rows(counter, READING)
        with pytest.raises(CountingError):
            make_levels(counter, READING, wrong)


def test_the_engine_can_open_no_file() -> None:
    with open_counter(county(), organisations=organisations()) as counter:
        for query in ("SELECT * FROM read_csv('/etc/hostname')", "COPY assessment TO 'zzq.csv'"):
            with pytest.raises(QueryError, match="PermissionException"):
                counter.engine.rows(query)


def test_a_counter_tells_nothing_of_what_it_holds() -> None:
    with open_counter(
        {"assessment": table("assessment", [score(MARKED, "novato")])}, organisations=organisations()
    ) as counter:
        shown = repr(counter)

    assert MARKED not in shown


def test_small_districts_are_counted_as_their_group() -> None:
    scores = [score("a", "nicasio"), score("b", "laguna-joint"), score("c", "ross")]
    tables = (TableDeclaration(name="district", dimensions=("district",), priority=1),)

    with open_counter({"assessment": table("assessment", scores)}, organisations=organisations()) as counter:
        (block,) = count_blocks(counter, READING, tables=tables)

    assert {cell.levels: cell.tally.n for cell in block.cells} == {("southern-small",): 1, ("west-marin-small",): 2}
    assert block.cells[1].provider_counts.keys() == {"nicasio", "laguna-joint"}


def test_only_districts_that_serve_the_grade_and_exist_stand_in_the_district_dimension() -> None:
    reading = district_dimension(organisations(), READING, 2022).levels
    graduation = district_dimension(organisations(), indicators()["high-school-graduation"], 2023).levels

    assert "tamalpais-high" not in reading
    assert "nicasio" not in reading
    assert graduation == ("marin-coe", "novato", "san-rafael-high", "tamalpais-high", "shoreline")


def graduate(person: str) -> dict[str, Any]:
    return {
        "person_id": person, "provider": "novato", "kind": "k12", "school_year": 2019, "school": "2199999",
        "grade": "12", "enrollment_status": "10", "start_date": dt.date(2018, 8, 20), "exit_date": dt.date(2019, 6, 10),
        "exit_reason": "E230", "completion_status": "100",
    }  # fmt: skip


def college(person: str, **more: Any) -> dict[str, Any]:
    return {"person_id": person, "provider": "novato", "kind": "clearinghouse", "school_year": 2026, **more}


def test_indicators_that_share_persons_are_split_alike_and_one_s_numerator_is_the_other_s_cohort() -> None:
    begin = {"college": "001178-00", "college_type": "2-year", "begin_date": dt.date(2019, 8, 20)}
    search = {"searched_on": dt.date(2025, 11, 15), "result": "found"}
    snapshot = {
        "enrollment": table("enrollment", [graduate(person) for person in "abc"]),
        "college_search": table("college_search", [college(person, **search) for person in "abc"]),
        "college_enrollment": table("college_enrollment", [college(person, **begin) for person in "ab"]),
    }
    tables = {
        "postsecondary-enrollment": (TableDeclaration(name="g", dimensions=("gender",), priority=1),),
        "postsecondary-completion": (TableDeclaration(name="f", dimensions=("first-college-type",), priority=1),),
        "third-grade-reading": (TOTAL_TABLE,),
    }

    with open_counter(snapshot, organisations=organisations()) as counter:
        enrolled, completed = count_together(counter, tables)

    assert enrolled.dimensions == completed.dimensions
    assert [dimension.name for dimension in enrolled.dimensions] == ["gender", "first-college-type"]
    assert completed.part_of == enrolled.indicator
    reached = {cell.levels: cell.tally.k for cell in enrolled.cells if cell.tally.k}
    assert reached == {cell.levels: cell.tally.n for cell in completed.cells} == {("not-reported", "2-year"): 2}
