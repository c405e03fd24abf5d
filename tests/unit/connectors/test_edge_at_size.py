"""What makes the edge fast enough for a county changes nothing of what it reads."""

from __future__ import annotations

import datetime as dt
import gc
import io
import pickle
from pathlib import Path

import pytest
from rich.console import Console

from connectors import row_parsing
from connectors.collection import collection_paused
from connectors.county_edges import Outcome
from connectors.errors import FileRefusedError, WorkspaceError
from connectors.findings import Findings
from connectors.grids import read_grid
from connectors.layout_files import IDENTITY_STANDS, READERS
from connectors.lines import Line
from connectors.progress import progress
from connectors.recognition import recognise
from connectors.row_parsing import RowParser
from tests.spec.connectors import source_files as made

LATEST = dt.date(2026, 6, 30)


def described(reading):
    """Everything that a reading holds, which its repr does not show."""
    if reading is None:
        return None
    person = reading.person and {name: getattr(reading.person, name) for name in reading.person.__slots__}
    return {name: getattr(reading, name) for name in reading.__slots__ if name != "person"} | {"person": person}


def rows_of_each_kind():
    names = [(f"L{n % 7}", f"{10**9 + n % 5}", f"{made.GIVEN}{'aeiou'[n % 5]}") for n in range(40)]
    yield "senr", [made.senr(f9=i, f8=s, f10=g, f24=["03", "3", "99"][k % 3]) for k, (i, s, g) in enumerate(names)]
    yield "sinf", [made.sinf(f10=i, f9=s, f11=g, f18=["20160401", ""][k % 2]) for k, (i, s, g) in enumerate(names)]
    yield "sela", [made.sela(f12=i, f7=s if k % 3 else "") for k, (i, s, _) in enumerate(names)]
    yield "sprg", [made.sprg(f8=i if k % 4 else "", f7=s) for k, (i, s, _) in enumerate(names)]
    yield "stas", [made.stas(f8=i, f7=s) for i, s, _ in names]
    yield (
        "toms",
        [
            "^".join(made.TOMS_TITLES),
            *(made.toms(SSID=s, AchievementLevels=str(k % 5)) for k, (_, s, _) in enumerate(names)),
        ],
    )


@pytest.mark.parametrize(
    ("name", "rows"), list(rows_of_each_kind()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_rows_that_share_what_they_state_are_read_as_if_each_stood_alone(
    name: str, rows: list[str], tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.txt"
    path.write_text(made.lines(*rows), encoding="utf-8", newline="")
    grid = read_grid(path)
    layout = recognise(grid)
    shared, found_shared, found_alone = RowParser(layout, year=2026, latest=LATEST), Findings(), Findings()

    together = [described(shared.read(line, found_shared)) for line in grid.lines[layout.first_row :]]
    alone = [
        described(RowParser(layout, year=2026, latest=LATEST).read(line, found_alone))
        for line in grid.lines[layout.first_row :]
    ]

    assert layout.read in IDENTITY_STANDS
    assert together == alone
    assert list(found_shared) == list(found_alone)
    assert any(reading is not None for reading in together)


def test_rows_that_state_the_same_share_one_statement(tmp_path: Path) -> None:
    path = tmp_path / "stas.txt"
    path.write_text(made.lines(made.stas(f8="L1"), made.stas(f8="L2")), encoding="utf-8", newline="")
    grid = read_grid(path)
    layout = recognise(grid)
    parser = RowParser(layout, year=2026, latest=LATEST)

    first, second = [parser.read(line, Findings()) for line in grid.lines]

    assert first is not None
    assert second is not None
    assert (first.local_id, second.local_id) == ("L1", "L2")
    assert first.facts is second.facts


def test_a_connector_that_makes_a_number_of_its_own_is_not_shared() -> None:
    assert READERS["preschool.child"] not in IDENTITY_STANDS
    assert {"local_id", "ssid", "birth_date", "given", "surname"} <= row_parsing.IDENTITY
    assert "gender" not in row_parsing.IDENTITY


@pytest.mark.parametrize(
    "text",
    [
        "a^ b\nc^d\n",
        "a^b \nc^d\n",
        " a^b\nc^d\n",
        "a^b\nc^d ",
        "a\u00a0^b\nc^d",
        "a^b\r\nc^d\r\n",
        "a^b\rc^d",
        "a^b\n\n \nc^d",
    ],
)
def test_cells_are_trimmed_wherever_white_space_stands(text: str, tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text(text, encoding="utf-8", newline="")

    grid = read_grid(path)

    assert [list(line.cells) for line in grid.lines] == [["a", "b"], ["c", "d"]]


def test_white_space_inside_a_cell_stays(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("a b^c\nd^e f\n", encoding="utf-8", newline="")

    assert [list(line.cells) for line in read_grid(path).lines] == [["a b", "c"], ["d", "e f"]]


def test_a_line_shows_no_cell() -> None:
    assert made.GIVEN not in repr(Line(3, [made.GIVEN]))


def test_the_collector_is_paused_and_runs_again_even_after_an_error() -> None:
    with pytest.raises(ValueError, match="stopped"), collection_paused():
        with collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise ValueError("stopped")

    assert gc.isenabled()


def test_an_error_of_another_process_arrives_whole() -> None:
    for error in (
        WorkspaceError("EDGE-001", "No workspace.", "Make one."),
        FileRefusedError("FIL-001", "Empty.", "Export."),
    ):
        arrived = pickle.loads(pickle.dumps(error))

        assert type(arrived) is type(error)
        assert (arrived.code, arrived.sentence, arrived.next_step) == (error.code, error.sentence, error.next_step)


def test_what_was_counted_in_several_places_is_added_up() -> None:
    total, one = Outcome(), Outcome()
    for outcome in (total, one):
        outcome.files["rejected"] += 1
        outcome.rows.update(rows=5, accepted=4, rejected=1)
        outcome.findings["COD-003", "grade"] += 2

    total.add(one)

    assert total.files == {"rejected": 2}
    assert total.rows == {"rows": 10, "accepted": 8, "rejected": 2}
    assert total.findings == {("COD-003", "grade"): 4}


def test_progress_is_shown_at_a_terminal_and_nowhere_else() -> None:
    seen, unseen = (Console(file=io.StringIO(), force_terminal=shown) for shown in (True, False))

    for console in (seen, unseen):
        with progress("preparing", 2, console=console) as step:
            step()
            step()

    assert "preparing" in seen.file.getvalue()
    assert unseen.file.getvalue() == ""


def test_progress_is_told_to_the_program_that_asks_for_it(tmp_path, monkeypatch) -> None:
    told = tmp_path / "progress"
    monkeypatch.setenv("PROMISE_PROGRESS_FILE", str(told))

    for shown in (True, False):
        with progress("preparing", 2, console=Console(file=io.StringIO(), force_terminal=shown)) as step:
            step()
            half = told.read_text()
            step()

        assert (half, told.read_text()) == ("1 2\n", "2 2\n")
