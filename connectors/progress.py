"""Shows a person at a terminal how far a long piece of work has come; silent where nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(words: str, steps: int, *, console: Console | None = None) -> Iterator[Callable[[], None]]:
    """A bar on the terminal's error stream while the block runs; call what is given after each step."""
    shown = console or Console(stderr=True)
    if not shown.is_terminal:
        yield _unseen
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task(words, total=steps)
        yield lambda: bar.advance(task)


def _unseen() -> None:
    return None
