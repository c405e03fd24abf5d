"""What a person at a terminal sees while a program of the demonstration runs."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "deploy"))

from waiting_line import EVERY_SECONDS, Waiting


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_what_runs_how_far_it_is_and_then_the_line_that_stays(tmp_path: Path) -> None:
    stream, told = Terminal(), tmp_path / "told"
    waiting = Waiting(stream)

    with waiting.on("push", told):
        told.write_text("3 12\n")
        time.sleep(EVERY_SECONDS * 1.5)
    waiting.say("push 1.0 s")

    assert "push 3 of 12, 0 s" in stream.getvalue() or "push 3 of 12, 1 s" in stream.getvalue()
    assert stream.getvalue().endswith("push 1.0 s\n")
    assert not told.exists()


def test_programs_side_by_side_stand_in_one_line(tmp_path: Path) -> None:
    waiting = Waiting(io.StringIO())

    with waiting.on("one", tmp_path / "a"), waiting.on("other", tmp_path / "b"):
        shown = waiting.line()

    assert shown == "  ... one 0 s, other 0 s"


def test_a_file_gets_only_the_lines_that_stay(tmp_path: Path) -> None:
    stream = io.StringIO()
    waiting = Waiting(stream)

    with waiting.on("push", tmp_path / "told"):
        time.sleep(EVERY_SECONDS * 1.2)
    waiting.say("push 1.0 s")

    assert stream.getvalue() == "push 1.0 s\n"
