"""What a command of the operator has at hand: the home, its database, the audit trail, and clean exits.

Exit codes: 0 done, 1 refused or found wrong, 2 wrong use, 3 cannot tell.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from hub.audit.events import AuditTrail
from hub.db import Clock, Database, open_database, utc_now
from hub.errors import HubError
from hub.settings import OPERATOR, Home, Settings

DONE, REFUSED, WRONG_USE, CANNOT_TELL = 0, 1, 2, 3


@dataclass(frozen=True)
class Console:
    """An opened home; close it by leaving `console(...)`."""

    settings: Settings
    home: Home
    database: Database
    clock: Clock
    command: str

    def trail(self) -> AuditTrail:
        """The trail of this command; the operator acts."""
        return AuditTrail("operator", None, "command", f"promise-hub {self.command}", self.clock)


@contextmanager
def console(home: Path, command: str, *, login: str = OPERATOR, clock: Clock = utc_now) -> Iterator[Console]:
    """Open a home for one command; an error of ours ends it with code, reason and next step on standard error."""
    with telling_errors():
        settings = Settings(home=home)
        opened = Home(home)
        opened.public_facts()
        database = open_database(settings, login)
        try:
            yield Console(settings, opened, database, clock, command)
        finally:
            database.close()


@contextmanager
def telling_errors() -> Iterator[None]:
    """An error of ours ends the command with exit code 1 and is told on standard error."""
    try:
        yield
    except HubError as error:
        say_error(error)
        raise SystemExit(REFUSED) from error


def in_a_folder(file: Path | None) -> Path | None:
    """The file to write, if its folder is there: said before any work, not after it."""
    if file is not None and not file.parent.is_dir():
        raise typer.BadParameter("there is no such folder to write the file in")
    return file


def say_error(error: HubError) -> None:
    """Code, reason, places (each with its own code where it has one) and next step, in that order."""
    lines = [f"{error.code}: {error.detail}"]
    lines += [f"  at {one.at}" + ("" if one.code == error.code else f": {one.code}") for one in error.faults]
    print("\n".join([*lines, f"Next step: {error.next_step}"]), file=sys.stderr)
