"""Shows how far a long piece of work has come: a bar to a person at a terminal, a file to a program that started us."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PROGRESS_FILE = "PROMISE_PROGRESS_FILE"
"""Names a file that a program which starts another may read: one line, the steps done and all of them."""


@contextmanager
def progress(words: str, steps: int, *, console: Console | None = None) -> Iterator[Callable[[], None]]:
    """A bar on the terminal's error stream while the block runs; call what is given after each step."""
    told = _told_to(os.environ.get(PROGRESS_FILE, ""), steps)
    shown = console or Console(stderr=True)
    if not shown.is_terminal:
        yield told
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task(words, total=steps)

        def step() -> None:
            bar.advance(task)
            told()

        yield step


def _told_to(name: str, steps: int) -> Callable[[], None]:
    """Writes each step to the file of that name; a name of nothing is nobody who reads."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if name:
            Path(name).write_text(f"{done} {steps}\n", "ascii")

    return step
