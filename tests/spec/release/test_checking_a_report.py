"""Somebody's report of counts: what can be computed back from it, from which lines, and what a protected one keeps."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.errors import Conflict, Invalid
from hub.release.commands import app
from hub.release.reports.finding import Found, check_report
from hub.release.reports.protecting import protect_report
from hub.release.reports.reading import Wanted, read_hierarchies, read_report
from policies.disclosure.types import Rules

PAGE = (Path(__file__).parents[3] / "docs" / "check-a-report.md").read_text("utf-8")
ALONE = Rules(insiders=False)


def found(text: str, **wanted) -> list[Found]:
    return list(check_report(read_report(text, Wanted(**wanted))).found)


def told(text: str, **wanted) -> list[tuple[str, int, str, int, int]]:
    return [(one.kind, one.line, one.number, one.low, one.high) for one in found(text, **wanted)]


def fenced(name: str) -> str:
    match = re.search(rf"<!-- {re.escape(name)} -->\n```\n(.*?)```", PAGE, re.DOTALL)
    assert match is not None
    return match[1]


@pytest.mark.parametrize("command", ["check report.csv", "protect counts.csv"])
def test_the_example_of_the_manual_runs_as_it_is_written(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("report.csv", "counts.csv"):
        (tmp_path / name).write_text(fenced(name), "utf-8")
    line, expected = fenced(command).split("\n", 1)
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, line.split()[3:])

    assert done.output == expected
    assert done.exit_code == (1 if command.startswith("check") else 0)


def test_a_difference_to_the_total_is_written_out_with_its_lines() -> None:
    [one] = found("group,n\nTotal,100\na,60\nb,*\nc,32\n")

    assert one.sentence == (
        "Line 4 (group b): the number of persons is exactly 8: 100 (line 2) − 60 (line 3) − 32 (line 5)."
    )
    assert one.lines == (2, 3, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Two hidden groups cover each other.
        ("group,n\nTotal,100\na,60\nb,*\nc,*\n", []),
        # Unless what is left for them is next to nothing.
        ("group,n\nTotal,62\na,60\nb,*\nc,*\n", [("narrow", 4, "n", 0, 2), ("narrow", 5, "n", 0, 2)]),
        # A mark may say how many there are at most.
        ("group,n\nTotal,79\na,60\nb,<11\nc,<11\n", [("narrow", 4, "n", 9, 10), ("narrow", 5, "n", 9, 10)]),
        ("group,n\nTotal,72\na,60\nb,1-10\nc,10 or fewer\n", []),
        ("group,n\nTotal,100\na,60\nb,≥ 38\nc,n/a\n", [("narrow", 4, "n", 38, 40), ("narrow", 5, "n", 0, 2)]),
        # A rate tells the numerator of its count.
        ("group,n,rate\nTotal,15,67%\n", [("exact", 2, "k", 10, 10)]),
        ("group,n,k,rate\nTotal,1000,*,66.6\n", [("exact", 2, "k", 666, 666)]),
        # And a numerator with its rate tells the count.
        ("group,n,k,rate\nTotal,*,10,67\n", [("exact", 2, "n", 15, 15), ("exact", 2, "n - k", 5, 5)]),
        # Nobody reached it: that tells it of each of them.
        ("group,n,k\nTotal,40,20\na,20,20\nb,20,*\n", [("exact", 4, "k", 0, 0)]),
        # Years part a file; subtraction does not cross them.
        ("year,group,n\n2025,Total,100\n2025,a,60\n2026,b,*\n", []),
    ],
)
def test_what_can_be_computed_back(text: str, expected: list[tuple[str, int, str, int, int]]) -> None:
    assert told(text) == expected


def test_a_star_that_stands_for_ten_or_fewer_tells_more() -> None:
    report = "group,n\nTotal,79\na,60\nb,*\nc,*\n"

    assert told(report) == []
    assert told(report, hidden_at_most=10) == [("narrow", 4, "n", 9, 10), ("narrow", 5, "n", 9, 10)]


def test_small_counts_that_stand_there_openly_are_named() -> None:
    [one] = found("group,n\nTotal,30\na,4\nb,26\nc,0\n")

    assert (one.kind, one.sentence) == ("small", "Line 3 (group a) shows 4 persons; fewer than 11 are few.")


def test_hierarchies_carry_a_subtraction_from_school_to_district() -> None:
    report = "school,n\nTotal,300\nnorth,100\nsouth,200\nzzq-one,91\nzzq-two,*\nzzq-three,*\n"
    parents = {"zzq-one": "north", "zzq-two": "north", "zzq-three": "south", "north": "Total", "south": "Total"}

    assert told(report, hierarchies={"school": parents}) == [("exact", 6, "n", 9, 9), ("exact", 7, "n", 200, 200)]


COUNTIES = {"A": "county-1", "B": "county-2", "C": "county-2", "D": "county-1", "E": "county-3", "F": "county-3"}
SIZES = {"A": "big", "B": "big", "C": "big", "D": "small", "E": "small", "F": "small"}
CROSSED = {"region": {name: [COUNTIES[name], SIZES[name]] for name in COUNTIES}}
"""Six regions in counties, and by their size; neither says the other (`test_crossing_hierarchies.py`)."""

REGIONS = "region,n\nTotal,307\nA,104\nB,51\nC,73\nD,14\nE,61\nF,4\n"
IN_COUNTIES, BY_SIZE = "county-1,118\ncounty-2,124\ncounty-3,65\n", "big,228\nsmall,79\n"


def test_hierarchies_that_cross_give_away_together_what_neither_tells_alone() -> None:
    hidden = re.sub(r"(?m)^([A-F]),\d+", r"\1,*", REGIONS)

    assert told(hidden + IN_COUNTIES, hierarchies={"region": COUNTIES}) == []
    assert told(hidden + BY_SIZE, hierarchies={"region": SIZES}) == []
    both = told(hidden + IN_COUNTIES + BY_SIZE, hierarchies=CROSSED)
    assert both == [("exact", 3, "n", 104, 104), ("exact", 6, "n", 14, 14)]


def test_a_report_whose_hierarchies_cross_is_protected_in_all_of_them() -> None:
    wanted = Wanted(hierarchies=CROSSED)

    protected = protect_report(read_report(REGIONS + IN_COUNTIES + BY_SIZE, wanted), rules=ALONE)

    counts = {row["region"]: row["n"] for row in csv.DictReader(io.StringIO(protected.text))}
    assert counts["Total"] == "307"
    assert counts["F"] == ""
    assert sum(bool(count) for count in counts.values()) >= 4
    assert check_report(read_report(protected.text, wanted)).safe


def test_tables_that_meet_in_a_dimension_are_solved_together() -> None:
    rows = ["sex,group,n", "Total,Total,100", "f,Total,50", "m,Total,50", "Total,a,95", "Total,b,*", "f,a,*", "f,b,*"]
    rows += ["m,a,47", "m,b,*"]

    assert told("\n".join(rows)) == [
        ("exact", 6, "n", 5, 5),
        ("exact", 7, "n", 48, 48),
        ("exact", 8, "n", 2, 2),
        ("exact", 10, "n", 3, 3),
    ]


def test_a_circle_of_three_tables_is_solved_as_one() -> None:
    text = "a,b,c,n\nTotal,Total,Total,40\n" + "".join(
        f"{x},{y},Total,10\nTotal,{x},{y},10\n{x},Total,{y},10\n" for x in "pq" for y in "pq"
    )

    assert [one[3] for one in told(text.replace("p,p,Total,10", "p,p,Total,*")) if one[0] == "exact"] == [10]


def test_one_column_of_groups_is_read_by_its_hierarchies() -> None:
    report = "group,n\nAll,100\nfemale,60\nmale,*\nzzq,95\nzzr,*\n"
    hierarchies = {"sex": {"female": "Total", "male": "Total"}, "race": {"zzq": "Total", "zzr": "Total"}}

    assert told(report, groups="group", hierarchies=hierarchies) == [("exact", 4, "n", 40, 40), ("exact", 6, "n", 5, 5)]
    with pytest.raises(Invalid) as refused:
        told(report + "other,12\n", groups="group", hierarchies=hierarchies)
    assert refused.value.faults[0].at == "line 7, column group"


def test_groups_that_leave_somebody_out_are_no_contradiction() -> None:
    assert told("group,n\nTotal,100\na,60\nb,30\n") == []


def test_groups_that_overlap_cannot_be_told() -> None:
    with pytest.raises(Conflict) as refused:
        found("group,n\nTotal,100\na,60\nb,70\n")

    assert refused.value.code == "report-contradicts"


def test_too_many_crossed_groups_cannot_be_told() -> None:
    names = [f"d{number}" for number in range(3)]
    lines = [",".join([*names, "n"]), *(f"x{one},x{one},x{one},20" for one in range(80)), "Total,Total,Total,1600"]

    with pytest.raises(Conflict) as refused:
        found("\n".join(lines))

    assert refused.value.code == "report-too-large"


@pytest.mark.parametrize(
    ("text", "wanted", "place"),
    [
        ("", {}, "file"),
        ("group,n\n", {}, "file"),
        ("group,size\na,12\n", {}, "header"),
        ("group,n\na,12\n", {"count": "size"}, "size"),
        ("group,n\na,zzq\n", {}, "line 2, column n"),
        ("group,n,rate\na,12,zzq\n", {}, "line 2, column rate"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place_and_never_a_value(
    text: str, wanted: dict[str, str], place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        found(text, **wanted)

    assert (refused.value.code, refused.value.faults[0].at) == ("report-wrong", place)
    assert "zzq" not in str(refused.value) + refused.value.next_step


@pytest.mark.parametrize(
    "text", ["[1]", "{", '{"a": 1}', '{"a": {"b": 1}}', '{"a": {"b": [1]}}', '{"a": {"b": "c", "c": ["Total", "b"]}}']
)
def test_hierarchies_in_another_form_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_hierarchies(text)


def test_rates_with_signs_and_our_own_bands_bound_the_numerator() -> None:
    banded = "group,n,k,rate,rate_low,rate_high\nTotal,20,,,0,10\n"
    signed = "group,n,rate\nTotal,20,<5%\n"

    assert told(banded) == [("narrow", 2, "k", 0, 2)]
    assert told(signed) == [("narrow", 2, "k", 0, 1)]
    assert told("group,n,rate\nTotal,20,>95\n") == [("narrow", 2, "k", 19, 20)]


def test_a_provisional_count_of_our_own_is_read_as_rounded() -> None:
    rows = "group,vintage,n\nTotal,provisional-1,100\na,provisional-1,60\nb,provisional-1,\n"

    assert told(rows) == []


COUNTS = """district,race,n,k
Total,Total,210,120
north,Total,120,70
zzq-one,Total,112,66
zzq-two,Total,8,4
south,Total,90,50
Total,zzq,140,90
Total,zzr,62,27
Total,zzs,8,3
"""
PARENTS = {"district": {"zzq-one": "north", "zzq-two": "north", "north": "Total", "south": "Total"}}


def test_a_protected_report_keeps_its_lines_and_withstands_the_check() -> None:
    wanted = Wanted(hierarchies=PARENTS)

    protected = protect_report(read_report(COUNTS, wanted), rules=ALONE)
    rows = list(csv.DictReader(io.StringIO(protected.text)))

    assert [(row["district"], row["race"]) for row in rows] == [
        tuple(line.split(",")[:2]) for line in COUNTS.splitlines()[1:]
    ]
    assert {row["status"] for row in rows if row["n"] == ""} == {"C"}
    assert rows[3]["n"] == rows[2]["n"] == rows[7]["n"] == ""
    assert rows[0]["n"] == "210"
    assert check_report(read_report(protected.text, wanted)).safe


def test_a_report_of_counts_alone_is_protected_without_rates() -> None:
    report = "group,year,n\nTotal,2025,100\na,2025,60\nb,2025,32\nc,2025,8\nTotal,2026,40\na,2026,20\nb,2026,20\n"

    protected = protect_report(read_report(report, Wanted()), rules=ALONE)

    assert protected.text.splitlines()[0] == "group,year,n,status"
    assert protected.text.splitlines()[4] == "c,2025,,C"
    assert protected.text.splitlines()[-1] == "b,2026,20,F"


@pytest.mark.parametrize(("text", "code"), [("group,n\nTotal,*\n", "report-hidden"), ("group,n\nTotal,5\na,6\n", "")])
def test_only_true_counts_that_agree_can_be_protected(text: str, code: str) -> None:
    with pytest.raises((Invalid, Conflict)) as refused:
        protect_report(read_report(text, Wanted()), rules=ALONE)

    assert refused.value.code == (code or "report-contradicts")


def test_the_commands_end_with_their_codes_and_write_their_summaries(tmp_path: Path) -> None:
    def run(*words: str) -> int:
        return CliRunner().invoke(app, [str(word) for word in words]).exit_code

    counts, report, parents = (tmp_path / name for name in ("counts.csv", "report.csv", "parents.json"))
    counts.write_text(COUNTS, "utf-8")
    parents.write_text(json.dumps(PARENTS), "utf-8")
    summary, wrong = tmp_path / "summary.json", tmp_path / "wrong.csv"
    wrong.write_bytes(b"group,n\n\xff,1\n")
    (tmp_path / "overlap.csv").write_text("group,n\nTotal,100\na,60\nb,70\n", "utf-8")

    codes = [
        run("check", counts, "--hierarchies", parents, "--summary", summary),
        run("protect", counts, "--out", report, "--hierarchies", parents, "--summary", tmp_path / "protected.json"),
        run("check", report, "--hierarchies", parents),
        run("check", wrong),
        run("check", tmp_path / "overlap.csv"),
        run("check", tmp_path / "nothing.csv"),
        run("protect", report, "--out", tmp_path / "again.csv"),
        run("protect", counts, "--out", tmp_path / "nowhere" / "report.csv"),
        run("check", counts, "--hierarchies", tmp_path / "nothing.json"),
    ]

    assert codes == [1, 0, 0, 2, 3, 2, 2, 2, 2]
    assert json.loads(summary.read_text())["small"] == 2
    assert json.loads((tmp_path / "protected.json").read_text())["found"] == []
    assert not (tmp_path / "again.csv").exists()


def test_an_error_of_a_file_is_told_once_with_its_place_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "wrong.csv").write_text("group,n\na,zzq\n", "utf-8")

    told_here = CliRunner().invoke(app, ["check", str(tmp_path / "wrong.csv")]).stderr.splitlines()

    assert told_here[0].startswith("report-wrong: ")
    assert told_here[1] == "  at line 2, column n"
    assert told_here[2].startswith("Next step: ")


def test_of_many_findings_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    lines = "".join(f"g{number},{number % 9 + 1}\n" for number in range(60))
    (tmp_path / "small.csv").write_text(f"group,n\nTotal,*\n{lines}", "utf-8")

    told_here = CliRunner().invoke(app, ["check", str(tmp_path / "small.csv")]).output

    assert "... and 21 more; --summary writes them all." in told_here
