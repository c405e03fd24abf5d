"""The state's public files are recognised by their titles, read for our county, and refused with a reason."""

import pytest

from policies.state_figures.layouts import layouts
from policies.state_figures.reading import StateFigure, StateFileError, read_state_rows
from policies.state_figures.targets import Target, county_targets

ACGR = (
    "AcademicYear\tAggregateLevel\tCountyCode\tDistrictCode\tSchoolCode\tCountyName\tDistrictName\tSchoolName\t"
    "CharterSchool\tDASS\tReportingCategory\tCohortStudents\tRegular HS Diploma Graduates (Count)\t"
    "Regular HS Diploma Graduates (Rate)\tMet UC/CSU Grad Req's (Count)\tMet UC/CSU Grad Req's (Rate)"
)
CGR = (
    "AcademicYear\tAggregateLevel\tCountyCode\tDistrictCode\tSchoolCode\tCountyName\tDistrictName\tSchoolName\t"
    "CharterSchool\tAlternativeSchoolAccountabilityStatus\tReportingCategory\tCompleterType\tHigh School Completers\t"
    "Enrolled In College - Total ({0} Months)\tCollege Going Rate - Total ({0} Months)"
)
CAASPP = (
    "County Code^District Code^School Code^Filler^Test Year^Test Type^Test ID^Student Group ID^Grade^"
    "Total Students Enrolled^Total Students Tested^Total Students Tested with Scores^Mean Scale Score^"
    "Percentage Standard Exceeded^Percentage Standard Met^Percentage Standard Met and Above"
)
UPC = (
    "Academic Year|County Code|District Code|School Code|County Name|District Name|School Name|Total Enrollment|"
    "Free & Reduced Meal Program|Foster|Homeless|Migrant Program|Unduplicated FRPM Eligible Count|"
    "English Learner (EL)|CALPADS Unduplicated Pupil Count (UPC)"
)


def rows(*lines: str, by: str = "\t") -> list[list[str]]:
    return [line.split(by) for line in lines]


def graduation(level: str, district: str, group: str, *numbers: str, county: str = "21", charter: str = "All") -> str:
    place = [level, county, district, "0000000", "A", "B", "C", charter, "All"]
    return "\t".join(["2021-22", *place, group, *numbers])


def test_the_graduation_file_tells_graduation_of_the_cohort_and_requirements_met_of_the_graduates() -> None:
    read = read_state_rows(
        rows(ACGR, graduation("C", "00000", "TA", "2500", "2300", "92.0", "1500", "65.2"),
             graduation("D", "65417", "SS", "300", "270", "90.0", "135", "50.0"))
    )  # fmt: skip

    assert (read.layout, read.years, read.rows, read.other_rows) == ("acgr", (2022,), 2, 0)
    assert read.figures == (
        StateFigure("a-g-completion", 2022, "county", n=2300, k=1500, rate=65.2),
        StateFigure("a-g-completion", 2022, "novato", "economic-status", "disadvantaged", 270, 135, 50.0),
        StateFigure("high-school-graduation", 2022, "county", n=2500, k=2300, rate=92.0),
        StateFigure("high-school-graduation", 2022, "novato", "economic-status", "disadvantaged", 300, 270, 90.0),
    )


def test_what_the_state_hides_stays_hidden_and_so_does_a_group_of_ten_or_fewer() -> None:
    read = read_state_rows(
        rows(ACGR, graduation("C", "00000", "RB", "*", "*", "*", "*", "*"),
             graduation("C", "00000", "RI", "10", "9", "90.0", "4", "44.4"))
    )  # fmt: skip

    assert {figure.level for figure in read.figures} == {"black", "american-indian"}
    assert all(figure.hidden and figure.n is figure.k is figure.rate is None for figure in read.figures)


def test_rows_of_other_counties_schools_charters_and_unknown_groups_are_left_out() -> None:
    read = read_state_rows(
        rows(ACGR, graduation("C", "00000", "TA", "2500", "2300", "92.0", "1500", "65.2", county="01"),
             graduation("S", "65417", "TA", "300", "270", "90.0", "135", "50.0"),
             graduation("C", "00000", "TA", "100", "90", "90.0", "45", "50.0", charter="Yes"),
             graduation("D", "99999", "TA", "100", "90", "90.0", "45", "50.0"),
             graduation("C", "00000", "SD", "100", "90", "90.0", "45", "50.0"),
             graduation("T", "00000", "TA", "500,000", "450,000", "90.0%", "225,000", "50", county="00"))
    )  # fmt: skip

    assert [(figure.measure, figure.place, figure.n) for figure in read.figures] == [
        ("a-g-completion", "state", 450_000),
        ("high-school-graduation", "state", 500_000),
    ]
    assert (read.rows, read.other_rows) == (6, 3)


@pytest.mark.parametrize(("months", "measure"), [("12", "postsecondary-enrollment"), ("16", "college-going-16-months")])
def test_the_college_file_is_told_apart_by_its_months(months: str, measure: str) -> None:
    line = "2019-2020\tC\t21\t00000\t0000000\tA\tB\tC\tAll\tAll\tTA\t{}\t2400\t1800\t75.0"

    read = read_state_rows(rows(CGR.format(months), line.format("TA"), line.format("AGY"), ""))

    assert read.figures == (StateFigure(measure, 2020, "county", n=2400, k=1800, rate=75.0),)
    assert read.other_rows == 1


def test_the_test_file_tells_a_grade_of_one_test_and_numerators_stay_untold() -> None:
    line = "21^{}^0000000^^2023^B^{}^{}^{}^2100^2050^2000^2440.1^30.05^31.66^{}"
    read = read_state_rows(
        rows(CAASPP, line.format("00000", "1", "1", "3", "61.71"), line.format("00000", "2", "111", "08", "70.4"),
             line.format("65334", "1", "31", "13", "*"), line.format("00000", "1", "1", "5", "60.0"),
             line.format("00000", "1", "128", "3", "20.0"), by="^")
    )  # fmt: skip

    assert read.figures == (
        StateFigure("eighth-grade-math", 2023, "county", "economic-status", "not-disadvantaged", 2000, None, 70.4),
        StateFigure("reading-all-grades", 2023, "kentfield", "economic-status", "disadvantaged", hidden=True),
        StateFigure("third-grade-reading", 2023, "county", n=2000, rate=61.7),
    )


def test_the_entities_file_is_known_and_has_no_figure() -> None:
    header = "County Code^District Code^School Code^Type ID^Test Year^County Name^District Name^School Name^Zip Code"

    read = read_state_rows(rows(header, "21^00000^0000000^05^2023^Marin^^^", by="^"))

    assert (read.layout, read.figures) == ("caaspp-entities", ())


def pupils(district: str, school: str, *numbers: int, county: str = "21") -> str:
    return "|".join(["2023-24", county, district, school, "A", "B", "C", *(str(number) for number in numbers)])


def test_the_pupil_count_file_has_agencies_alone_and_the_county_is_their_sum() -> None:
    read = read_state_rows(
        rows("A title over the sheet", UPC,
             pupils("65417", "0000000", 7474, 2800, 1, 200, 2, 2700, 1295, 2934),
             pupils("65342", "0000000", 9, 8, 0, 0, 0, 8, 6, 8),
             pupils("65417", "6113229", 266, 30, 0, 1, 0, 30, 20, 40),
             pupils("99999", "0000000", 100, 30, 0, 1, 0, 30, 20, 40, county="01"), by="|")
    )  # fmt: skip

    enrolled = {figure.place: figure for figure in read.figures if figure.measure == "enrolled"}
    assert enrolled["county"].n == 7474 + 9 + 266
    assert enrolled["novato"].n == 7474
    assert enrolled["laguna-joint"].hidden
    assert next(f for f in read.figures if f.measure == "homeless" and f.place == "county").k == 201


def test_a_county_of_which_a_part_is_hidden_is_hidden() -> None:
    line = pupils("65417", "0000000", 7474, 2800, 1, 200, 2, 2700, 1295, 2934).split("|")
    line[10] = "*"

    read = read_state_rows([UPC.split("|"), line])

    homeless = [figure for figure in read.figures if figure.measure == "homeless"]
    assert [(figure.place, figure.hidden) for figure in homeless] == [("county", True), ("novato", True)]


def test_an_agency_without_a_pupil_has_no_rate() -> None:
    read = read_state_rows(rows(UPC, pupils("65417", "0000000", *[0] * 8), by="|"))

    assert all(figure.hidden and figure.rate is None for figure in read.figures)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["one\ttwo", "1\t2"], "state-layout-unknown"),
        ([ACGR], "state-file-empty"),
        ([ACGR, graduation("C", "00000", "TA", "many", "1", "1", "1", "1")], "state-number-wrong"),
        ([ACGR, graduation("C", "00000", "TA", "20", "1", "101", "1", "1")], "state-number-wrong"),
        ([ACGR, graduation("C", "00000", "TA", "20", "10", "50", "5", "50").replace("2021-22", "2021-25")],
         "state-year-wrong"),
        ([ACGR, graduation("C", "00000", "TA", "20", "10", "50", "5", "50"),
          graduation("C", "00000", "TA", "21", "10", "50", "5", "50")], "state-figure-twice"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_a_code_and_a_next_step(lines: list[str], code: str) -> None:
    with pytest.raises(StateFileError) as caught:
        read_state_rows(rows(*lines))

    assert caught.value.code == code
    assert caught.value.next_step.endswith(".")


def test_the_sheet_of_schools_is_refused_for_it_would_count_pupils_twice() -> None:
    with pytest.raises(StateFileError) as caught:
        read_state_rows(rows(UPC, pupils("65417", "6113229", 266, 30, 0, 1, 0, 30, 20, 40), by="|"))

    assert caught.value.code == "state-file-of-schools"


def test_a_short_row_is_read_as_if_its_last_cells_were_blank() -> None:
    read = read_state_rows(rows(ACGR, graduation("C", "00000", "TA", "2500", "2300", "92.0")))

    assert [figure.hidden for figure in read.figures] == [True, False]


def test_every_layout_names_where_it_is_published_and_every_measure_is_told_by_one_layout_alone() -> None:
    found = layouts().layouts

    measures = [measure for layout in found.values() for measure in layout.measures]
    assert len(set(measures)) == len(measures)
    assert all("California Department of Education" in layout.source for layout in found.values())


def test_the_countys_latest_shown_figures_are_targets_by_the_names_of_the_calibration() -> None:
    figures = [
        StateFigure("enrolled", 2024, "county", n=30239, k=30239, rate=100.0),
        StateFigure("unduplicated-pupils", 2024, "county", n=30239, k=10605, rate=35.1),
        StateFigure("unduplicated-pupils", 2024, "novato", n=7474, k=2934, rate=39.3),
        StateFigure("third-grade-reading", 2022, "county", n=2000, rate=61.7),
        StateFigure("third-grade-reading", 2023, "county", n=2000, rate=63.4),
        StateFigure("third-grade-reading", 2024, "county", hidden=True),
        StateFigure("homeless", 2024, "county", n=30239, k=1202),
        StateFigure("math-all-grades", 2024, "county", n=30239),
        StateFigure("third-grade-reading", 2023, "county", "gender", "female", n=2000, rate=63.4),
    ]

    found = county_targets(figures)

    assert {name: (target.value, target.year) for name, target in found.items()} == {
        "enrollment": (30239.0, 2024),
        "upc": (0.3507, 2024),
        "third-grade-reading": (0.634, 2023),
        "homeless": (0.0397, 2024),
    }
    assert "CALPADS Unduplicated Pupil Count" in found["upc"].source
    assert county_targets(figures, until=2022) == {
        "third-grade-reading": Target(0.617, 2022, found["third-grade-reading"].source)
    }
