"""The county that the demonstration makes: complete, deterministic, in real layouts, with its truth apart."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from connectors.synthetic.__main__ import main
from connectors.synthetic.calibration import load_pool
from connectors.synthetic.county import make_county
from connectors.synthetic.forms import forms
from connectors.synthetic.organisations import SEARCHING
from connectors.synthetic.people import Span
from connectors.synthetic.world import MARKED
from policies.dictionary import dictionary
from policies.organisation_files import organisations

SPAN = Span(2019, 2026)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    make_county(folder, people=3000, seed=1, span=SPAN, file_faults=False)
    return folder


@pytest.fixture(scope="module")
def records(county: Path) -> list[dict[str, str]]:
    return table(county / "truth" / "records.csv")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def state_rows(county: Path, record_type: str, year: int) -> dict[str, list[list[str]]]:
    """The lines of one kind of state file of one year, by provider."""
    found = {}
    for path in sorted((county / "providers").glob(f"*/inbox/{year}/{record_type}_*.txt")):
        content = path.read_bytes()
        assert content.endswith(b"\r\n")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = content.decode("cp1252")
        found[path.parents[2].name] = [line.split("^") for line in text.split("\r\n")[:-1]]
    return found


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_county(tmp_path / name, people=400, seed=7, span=Span(2022, 2026))

    files = [
        sorted(p.relative_to(tmp_path / name) for p in (tmp_path / name).rglob("*") if p.is_file())
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
    assert all((tmp_path / "one" / p).read_bytes() == (tmp_path / "two" / p).read_bytes() for p in files[0])


def test_another_seed_gives_another_county(tmp_path: Path) -> None:
    for seed in (1, 2):
        make_county(tmp_path / str(seed), people=400, seed=seed, span=Span(2022, 2026))

    truths = [(tmp_path / str(seed) / "truth" / "people.csv").read_bytes() for seed in (1, 2)]
    assert truths[0] != truths[1]


def test_every_provider_of_the_partnership_submits_in_every_school_year_of_its_life(county: Path) -> None:
    expected = {}
    for one in organisations().members:
        years = [year for year in SPAN.years if one.exists_in(year)]
        if one.kind != "hub":
            expected[one.id] = years[1:] if one.id == "wage-authority" else years

    told = json.loads((county / "county.json").read_text("utf-8"))

    assert {one["id"]: one["years"] for one in told["providers"]} == expected
    clearinghouse = [one["id"] for one in told["providers"] if "clearinghouse" in one["kinds"]]
    assert sorted(clearinghouse) == sorted(SEARCHING)


@pytest.mark.parametrize(
    ("record_type", "year", "fields"),
    [
        ("SENR", 2019, 39),
        ("SENR", 2026, 40),
        ("SINF", 2019, 38),
        ("SINF", 2026, 50),
        ("SELA", 2026, 15),
        ("SPRG", 2026, 25),
        ("STAS", 2026, 21),
    ],
)
def test_a_state_file_has_the_fields_of_its_year_and_no_header(
    county: Path, record_type: str, year: int, fields: int
) -> None:
    rows = state_rows(county, record_type, year)

    assert rows
    assert {len(row) for lines in rows.values() for row in lines} == {fields}
    assert {row[0] for lines in rows.values() for row in lines} == {record_type}


def test_fields_of_an_enrollment_stand_in_their_places(county: Path) -> None:
    elements = dictionary().tables["enrollment"].elements
    for year, shift in ((2019, 0), (2026, 1)):
        for row in (row for lines in state_rows(county, "SENR", year).values() for row in lines):
            told = {
                "school": row[4],
                "start_date": f"{row[21][:4]}-{row[21][4:6]}-{row[21][6:]}",
                "enrollment_status": row[22],
                "grade": row[23],
                "exit_reason": row[25 + shift],
                "completion_status": row[26 + shift],
                "uc_csu_met": row[28 + shift],
            }

            assert row[6] == f"{year - 1}-{year}"
            assert all(elements[name].may_hold(value) for name, value in told.items() if value)
            assert bool(row[24 + shift]) == bool(row[25 + shift])
            assert not row[26 + shift] or row[25 + shift] == "E230"


def test_titles_of_files_with_a_header_are_those_of_their_form(county: Path) -> None:
    for name, form in forms().items():
        if not form.titles:
            continue
        paths = list((county / "providers").glob("*/inbox/*/" + form.name.format(cds="*", year="*")))

        assert paths, name
        for path in paths:
            lines = path.read_bytes().decode("utf-8-sig").split(form.end)
            titles = form.titles if lines[0] == form.titles else form.titles.replace(form.separator, ",")
            separator = form.separator if lines[0] == form.titles else ","
            assert lines[0] == titles
            assert {line.count(separator) for line in lines[1:-1]} <= {titles.count(separator)}


def test_some_offices_save_the_score_file_again_from_a_spreadsheet(county: Path) -> None:
    files = sorted((county / "providers").glob("*/inbox/2026/*_CAASPP_*"))
    resaved = [path.read_text("utf-8").splitlines() for path in files]
    comma = [lines for lines in resaved if lines[0].startswith("RecordType,")]

    assert 0 < len(comma) < len(files) / 2
    assert {line.split(",")[0] for lines in comma for line in lines[1:]} == {"1", "2"}
    assert all("2.1" in line and "E+13" in line for lines in comma for line in lines[1:])


def test_a_district_has_under_eleven_pupils_in_a_grade(county: Path) -> None:
    grades = {provider: Counter(row[23] for row in rows) for provider, rows in state_rows(county, "SENR", 2026).items()}

    assert any(count < 11 for counts in grades.values() for count in counts.values())
    assert sum(grades["laguna-joint"].values()) < 11


def test_no_tests_were_taken_in_the_year_without_tests(county: Path) -> None:
    years = {path.parent.name for path in (county / "providers").glob("*/inbox/*/*_CAASPP_*")}

    assert years == {str(year) for year in SPAN.years} - {"2020"}


def test_preschools_college_and_partner_know_no_state_number(county: Path, records: list[dict[str, str]]) -> None:
    numbers = {row["ssid"] for row in records if row["ssid"]}
    outside = ("community-action-marin", "north-bay-childrens-center", "college-of-marin", "canal-alliance")

    assert not any(row["ssid"] for row in records if row["provider"] in outside)
    for provider in outside:
        for path in (county / "providers" / provider).rglob("*.csv"):
            words = set(path.read_text("utf-8").replace("\n", ",").split(","))
            assert not words & numbers


def test_every_local_number_is_one_childs(records: list[dict[str, str]]) -> None:
    assert len({(row["provider"], row["local_id"]) for row in records}) == len(records)


def test_some_children_have_two_local_numbers_in_one_district(records: list[dict[str, str]]) -> None:
    numbers = Counter((row["provider"], row["person"]) for row in records)

    assert 5 <= sum(count > 1 for count in numbers.values()) <= 60


def test_a_child_keeps_the_state_number_across_districts_but_for_a_few_errors(records: list[dict[str, str]]) -> None:
    numbers = defaultdict(set)
    for row in records:
        if row["ssid"]:
            numbers[row["person"]].add(row["ssid"])

    several = sum(len(found) > 1 for found in numbers.values())
    assert 0 < several < len(numbers) * 0.03


def test_two_groups_at_least_have_three_hundred_true_pairs_across_providers(records: list[dict[str, str]]) -> None:
    own = defaultdict(list)
    for row in records:
        own[row["person"], row["custom"]].append(row["provider"])
    pairs: Counter[str] = Counter()
    for (_, custom), providers in own.items():
        for i, one in enumerate(providers):
            pairs[custom] += sum(one != other for other in providers[:i])

    assert sum(count >= 300 for count in pairs.values()) >= 2
    assert set(pairs) == {"anglo", "hispanic", "east_asian", "hyphen", "other"}


def test_two_hundred_people_have_names_that_no_list_holds(county: Path, records: list[dict[str, str]]) -> None:
    marked = {row["person"] for row in records if row["marked"] == "yes"}
    spellings = [row for row in table(county / "truth" / "people.csv") if row["person"] in marked]
    pools = ("given_girl", "given_boy", "surname_anglo", "surname_hispanic", "given_hispanic_girl", "surname_other")
    known = {word.casefold() for name in pools for word in load_pool(name).words}

    assert len(marked) == MARKED
    assert {row["marked"] for row in spellings} == {"yes"}
    assert not any(row["surname"].casefold() in known for row in spellings)
    names = {(row["given"].casefold(), row["surname"].casefold()[:6]) for row in spellings}
    assert len(names) >= MARKED


def test_every_spelling_that_a_file_holds_is_in_the_truth(county: Path) -> None:
    spellings = table(county / "truth" / "people.csv")
    known = {(row["given"], row["surname"], row["birth_date"].replace("-", "")) for row in spellings}

    for year in (2019, 2026):
        for rows in state_rows(county, "SENR", year).values():
            assert all((row[9], row[11], row[16]) in known for row in rows)


def test_the_truth_lies_apart_from_what_providers_hold(county: Path) -> None:
    entries = {path.name for path in county.iterdir()}
    held = {path.name for path in (county / "providers").rglob("*.csv")}

    assert entries == {"providers", "bad", "truth", "county.json"}
    assert not held & {path.name for path in (county / "truth").iterdir()}


def test_three_bad_deliveries_say_what_should_become_of_them(county: Path) -> None:
    told = {path.parent.name: json.loads(path.read_text("utf-8")) for path in (county / "bad").glob("*/bad.json")}

    assert {name: (one["expect"], one["code"]) for name, one in told.items()} == {
        "sds-users": ("refused", "FIL-005"),
        "dragged-birth-dates": ("refused", "FIL-010"),
        "third-gone": ("held", "HOLD-001"),
    }
    for name, one in told.items():
        assert all((county / "bad" / name / file).is_file() for file in one["files"])


def test_the_roster_cut_short_lacks_a_third_of_the_students(county: Path) -> None:
    told = json.loads((county / "bad" / "third-gone" / "bad.json").read_text("utf-8"))
    name = next(file for file in told["files"] if file.startswith("SENR"))
    whole = county / "providers" / told["provider"] / "inbox" / str(told["school_year"]) / name

    left = [len(path.read_bytes().split(b"\r\n")) - 1 for path in (county / "bad" / "third-gone" / name, whole)]

    assert 0.6 < left[0] / left[1] < 0.72


def test_wages_are_counts_in_the_full_cross_of_groups(county: Path) -> None:
    rows = table(county / "providers" / "wage-authority" / "inbox" / "2026" / "employment_aggregate_2026.csv")
    cells = Counter((row["completion_year"], row["years_after"]) for row in rows)

    assert set(cells) == {(str(year), str(2026 - year)) for year in range(2019, 2026)}
    assert set(cells.values()) == {4 * 9 * 3}
    assert all(int(row["employed"]) <= int(row["matchable"]) <= int(row["persons"]) for row in rows)


def test_a_return_field_says_nothing_about_the_student_and_is_new_every_year(county: Path) -> None:
    inbox = county / "providers" / "novato" / "inbox"
    maps = {year: table(inbox / str(year) / "clearinghouse_request_map.csv") for year in (2025, 2026)}
    report = table(inbox / "2026" / "studenttracker_detail_2026.csv")

    fields = {year: {row["Requester Return Field"] for row in rows} for year, rows in maps.items()}

    assert not fields[2025] & fields[2026]
    assert {row["Requester Return Field"] for row in report} == fields[2026]
    blocked = {row["Requester Return Field"] for row in maps[2026] if row["FERPA Block"] == "Y"}
    assert {row["Record Found Y/N"] for row in report if row["Requester Return Field"] in blocked} == {"N"}


def test_the_command_will_not_write_into_a_folder_that_holds_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("kept", "utf-8")

    status = main(["make", "--people", "300", "--out", str(tmp_path)])

    assert status == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_command_makes_a_county_and_says_how_much_there_is_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["make", "--people", "300", "--out", str(tmp_path / "new"), "--first-year", "2023"])

    assert status == 0
    assert "300 people" in capsys.readouterr().out
    assert (tmp_path / "new" / "county.json").is_file()
