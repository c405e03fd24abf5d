"""Each figure that the county is calibrated to, beside the one it produces."""

from __future__ import annotations

import numpy as np
import pytest

from connectors.synthetic.calibration import load_calibration
from connectors.synthetic.learning import READY_SCORE
from connectors.synthetic.outcomes import outcome_rows
from connectors.synthetic.people import Flags, Span
from connectors.synthetic.schooling import census_day
from connectors.synthetic.services import FREE_MEALS, HOMELESS, REDUCED_MEALS
from connectors.synthetic.world import World, make_world

FIGURES = load_calibration()
# Three standard errors of a share of some 16,500 enrolled are a point; tests, of a grade or two subjects, up to four.
OF_ALL, OF_TESTED, OF_ASSESSED = 0.02, 0.03, 0.09


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(30_000, seed=1, span=Span(2019, 2026))


def on_census(world: World, year: int) -> Flags:
    one = world.enrollments
    return (one.year == year) & one.present_on(np.full(len(one), census_day(year)))


def with_program(world: World, *codes: str) -> Flags:
    flags = np.zeros(len(world.enrollments), dtype=bool)
    flags[world.services.row[np.isin(world.services.code.astype(str), codes)]] = True
    return flags


def proficient(world: World, subject: str, year: int, grade: int | None = None) -> float:
    one, tests = world.enrollments, world.tests
    mine = (tests.subject == subject) & (one.year[tests.row] == year) & tests.valid
    if grade is not None:
        mine &= one.grade[tests.row] == grade
    return float((tests.level[mine] >= 3).mean())


def test_who_is_enrolled_is_who_is_enrolled_in_marin(world: World) -> None:
    here = on_census(world, 2024)
    meals = with_program(world, FREE_MEALS, REDUCED_MEALS)[here]
    homeless = with_program(world, HOMELESS)[here]
    learners = world.services.language[here] == "EL"

    assert meals.mean() == pytest.approx(FIGURES["frpm"], abs=OF_ALL)
    assert homeless.mean() == pytest.approx(FIGURES["homeless"], abs=OF_ALL)
    assert learners.mean() == pytest.approx(FIGURES["english-learners"], abs=OF_ALL)
    assert (meals | homeless | learners).mean() == pytest.approx(FIGURES["upc"], abs=OF_ALL)


def test_districts_have_their_size_and_their_share_of_low_income_pupils(world: World) -> None:
    here, one = on_census(world, 2024), world.enrollments
    total = sum(settings["enrollment"] for settings in FIGURES.districts.values())
    poor = with_program(world, FREE_MEALS, REDUCED_MEALS, HOMELESS) | (world.services.language == "EL")

    for place, organisation in enumerate(world.county.organisations):
        settings = FIGURES.districts.get(organisation.name)
        if settings is None or organisation.last_year < 2024:
            continue
        mine = here & (one.organisation == place)
        assert mine.sum() / here.sum() == pytest.approx(settings["enrollment"] / total, rel=0.15, abs=0.004)
        if settings["enrollment"] > 1000:
            assert poor[mine].mean() == pytest.approx(settings["upc"] / settings["enrollment"], abs=0.07)


def test_reading_and_mathematics_are_as_published(world: World) -> None:
    assert proficient(world, "ELA", 2019) == pytest.approx(FIGURES["reading-all"], abs=OF_TESTED)
    assert proficient(world, "ELA", 2022) == pytest.approx(FIGURES["reading-all-2022"], abs=OF_TESTED)
    assert proficient(world, "MATH", 2019) == pytest.approx(FIGURES["math-all"], abs=OF_TESTED)
    assert proficient(world, "MATH", 2022) == pytest.approx(FIGURES["math-all-2022"], abs=OF_TESTED)
    assert proficient(world, "ELA", 2019, 3) == pytest.approx(FIGURES["third-grade-reading"], abs=0.06)


def test_children_come_to_kindergarten_as_ready_as_published(world: World) -> None:
    one, readiness = world.enrollments, world.readiness
    mine = one.year[readiness.row] == 2019
    ready = readiness.score[mine] >= READY_SCORE
    hispanic = world.people.race[one.person[readiness.row[mine]]] == "500"
    kindergarten = on_census(world, 2019) & (one.grade == 0)

    assert ready.mean() == pytest.approx(FIGURES["kindergarten-ready"], abs=OF_ASSESSED)
    assert ready[hispanic].mean() == pytest.approx(FIGURES["kindergarten-ready-hispanic"], abs=OF_ASSESSED)
    assert hispanic.mean() == pytest.approx(FIGURES["kindergarten-screened-hispanic"], abs=0.06)
    assert mine.sum() / kindergarten.sum() == pytest.approx(FIGURES["kindergarten-screened"], abs=0.05)


def test_graduates_and_the_clearinghouse_are_as_published(world: World) -> None:
    graduates = world.enrollments.completion == "100"

    assert (world.enrollments.uc_csu[graduates] == "Y").mean() == pytest.approx(FIGURES["uc-csu-met"], abs=0.03)
    assert world.completions.blocked.mean() == pytest.approx(FIGURES["college-blocked"], abs=0.02)


def test_gaps_by_economic_status_are_wide_and_narrow_over_the_years(world: World) -> None:
    rates: dict[tuple[int, str], list[bool]] = {}
    for indicator, year, _, outcome, _, _, status in outcome_rows(world):
        if indicator == "third-grade-reading" and outcome != "unknown":
            rates.setdefault((int(year), status), []).append(outcome == "yes")
    gap = {
        year: float(np.mean(rates[year, "not-disadvantaged"]) - np.mean(rates[year, "disadvantaged"]))
        for year in (2019, 2026)
    }

    assert gap[2019] == pytest.approx(FIGURES["reading-third-N"] - FIGURES["reading-third-D"], abs=0.08)
    assert 0.2 < gap[2026] < gap[2019]


def test_every_figure_has_a_year_and_a_source_or_is_marked_as_assumed() -> None:
    assert all(figure.source and 2000 < figure.year < 2030 for figure in FIGURES.figures.values())
    assert sum(not figure.assumed for figure in FIGURES.figures.values()) >= 15
