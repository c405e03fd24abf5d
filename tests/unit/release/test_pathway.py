"""A class through the outcomes: reached, not reached and not observed are three things."""

from hub.release.pathway import stages
from hub.release.slices import HIDDEN_REASON, PublishedCell
from policies.catalogue_files import PathwayStep

STEPS = (PathwayStep("ready", 0), PathwayStep("reading", 3), PathwayStep("done", 12))


def cell(
    indicator: str, year: int, *, status: str = "F", n: int | None = 50, known: int | None = 45, k: int | None = 30
) -> PublishedCell:
    reason = HIDDEN_REASON if status == "C" else ""
    return PublishedCell(
        indicator, year, "final", 0, "total", {}, n, known, k, 67, None, None, 90, 95, status, reason, "1"
    )


def test_a_shown_outcome_tells_who_reached_it_who_did_not_and_who_is_not_observed() -> None:
    road = stages(STEPS, kindergarten_year=2020, cells={"ready": cell("ready", 2020)}, years={"ready": [2020]})

    ready = road[0]
    assert (ready.state, ready.reached, ready.not_reached, ready.not_observed) == ("observed", 30, 15, 5)
    assert [stage.cohort_year for stage in road] == [2020, 2023, 2032]


def test_what_the_release_does_not_tell_stays_untold() -> None:
    untold = cell("ready", 2020, n=None, k=None)

    ready = stages(STEPS, kindergarten_year=2020, cells={"ready": untold}, years={"ready": [2020]})[0]

    assert (ready.known, ready.reached, ready.not_reached, ready.not_observed) == (45, None, None, None)


def test_a_hidden_outcome_is_hidden_and_says_why() -> None:
    hidden = cell("ready", 2020, status="C", n=None, known=None, k=None)

    ready = stages(STEPS, kindergarten_year=2020, cells={"ready": hidden}, years={"ready": [2020]})[0]

    assert (ready.state, ready.status, ready.status_reason) == ("hidden", "C", HIDDEN_REASON)


def test_a_year_without_a_record_is_never_counted_as_not_reached() -> None:
    years = {"ready": [2021, 2022], "reading": [2022, 2024]}

    road = stages(STEPS, kindergarten_year=2020, cells=dict.fromkeys(step.indicator for step in STEPS), years=years)

    assert [stage.state for stage in road] == ["before the records begin", "no record of this year", "not yet observed"]
    assert all(stage.reached is None and stage.not_reached is None for stage in road)


def test_an_outcome_without_a_table_of_these_children_says_so() -> None:
    road = stages(STEPS[:1], kindergarten_year=2020, cells={}, years={"ready": [2020]})

    assert [(stage.state, stage.reached, stage.known) for stage in road] == [
        ("no table for these children", None, None)
    ]
