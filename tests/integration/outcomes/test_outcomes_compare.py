"""The comparison with a truth, on made-up people only: counts come out, no record does."""

import json

import pytest
from typer.testing import CliRunner

from hub.audit.tables import Detail
from hub.errors import Invalid
from hub.outcomes.commands import app
from hub.outcomes.compare import Cell, Compared, compare_outcomes, rate, summary, totals, widest_difference
from policies.disclosure.types import Tally

READING = "third-grade-reading"


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "outcomes.csv"
    path.write_text(
        "indicator,cohort_year,person,outcome,race,gender,ses\n"
        f"{READING},2023,P1,yes,hispanic,female,not-disadvantaged\n"
        f"{READING},2023,P2,no,hispanic,male,not-disadvantaged\n"
        f"{READING},2023,P4,unknown,hispanic,male,not-disadvantaged\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def references(tmp_path):
    path = tmp_path / "references.csv"
    rows = [("novato", "a", "P1"), ("novato", "b", "P2"), ("kentfield", "c", "P1")]
    lines = [f"{provider},{reference * 32},{person},other" for provider, reference, person in rows]
    path.write_text("\n".join(["provider,record_reference,person,custom", *lines, ""]), encoding="utf-8")
    return path


def test_each_cell_is_counted_by_truth_by_true_links_and_by_our_links_and_no_person_is_told(
    filled, trail, truth, references
) -> None:
    compared = compare_outcomes(
        filled.database, analysis=filled.analysis, truth=truth, references=references, audit=trail
    )

    with filled.database.reading() as session:
        assert [row.event for row in session.query(Detail)] == ["outcomes.compared"]
    found = {one.cell: one for one in compared}
    everybody = Cell(READING, 2023)
    assert found[everybody] == Compared(everybody, Tally(3, 2, 1), Tally(2, 2, 1), Tally(3, 3, 2))
    girls = Cell(READING, 2023, "gender=female")
    assert found[girls] == Compared(girls, Tally(1, 1, 1), Tally(1, 1, 1), Tally(2, 2, 2))
    whole, rows = totals(compared)[READING], summary(compared)
    assert (rate(whole.truth), rate(whole.true_links), rate(whole.linked)) == (50.0, 50.0, 66.7)
    assert rows[0]["group"] == "all"
    assert "P1" not in json.dumps(rows)


@pytest.mark.parametrize("missing", ["truth", "references"])
def test_a_truth_without_its_columns_is_refused(filled, trail, truth, references, missing) -> None:
    files = {"truth": truth, "references": references}
    files[missing].write_text("a,b\n1,2\n", encoding="utf-8")

    with pytest.raises(Invalid) as caught:
        compare_outcomes(filled.database, analysis=filled.analysis, audit=trail, **files)

    assert caught.value.code == "truth-columns"


def test_the_command_refuses_a_home_that_is_not_of_made_up_people(home, truth, references) -> None:
    from hub.settings import Home

    Home(home).synthetic_mark.unlink()

    answer = CliRunner().invoke(
        app, ["compare", "--home", str(home), "--truth", str(truth), "--references", str(references)]
    )

    assert answer.exit_code == 1
    assert "home-not-synthetic" in answer.stderr


def test_the_commands_say_what_is_missing_before_the_first_linkage_run(home, truth, references) -> None:
    compare = ["compare", "--home", str(home), "--truth", str(truth), "--references", str(references)]

    answers = [CliRunner().invoke(app, command) for command in (compare, ["snapshot", "--home", str(home)])]

    assert [answer.exit_code for answer in answers] == [1, 1]
    assert all("not-linked" in answer.stderr for answer in answers)


def test_the_commands_take_a_snapshot_and_print_counts_beside_the_truth(
    filled_home, truth, references, tmp_path
) -> None:
    rows = tmp_path / "compared.json"
    compare = ["compare", "--home", str(filled_home), "--truth", str(truth), "--references", str(references)]

    answer = CliRunner().invoke(app, [*compare, "--summary", str(rows), "--within-points", "17"])
    strict = CliRunner().invoke(app, [*compare, "--within-points", "16"])
    taken = CliRunner().invoke(app, ["snapshot", "--home", str(filled_home)])

    assert (answer.exit_code, strict.exit_code) == (0, 1), answer.stderr
    assert "1 of     2 = 50.0 % |     1 of     2 = 50.0 % |     2 of     3 = 66.7 %" in answer.stdout
    assert json.loads(rows.read_text("utf-8"))[0]["linked_k"] == 2
    assert taken.stdout.startswith("Snapshot ")


def test_nobody_known_has_no_rate() -> None:
    assert rate(Tally(3, 0, 0)) is None


def test_an_indicator_that_only_the_truth_or_only_the_hub_counts_differs_by_everything() -> None:
    somebody, nobody = Tally(2, 2, 1), Tally(0, 0, 0)
    only_true = Compared(Cell(READING, 2023), somebody, nobody, nobody)
    nothing_known = Compared(Cell(READING, 2023), Tally(1, 0, 0), nobody, nobody)

    assert widest_difference([only_true]) == 100.0
    assert widest_difference([nothing_known]) == 0.0
