"""`promise-hub operations ...`: what keeps the hub's stores in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hub.console import console
from hub.settings import MIGRATION
from hub.stores import places_of

app = typer.Typer(name="operations", help="Keep the hub's stores in order.", no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]


@app.command("open")
def open_stores(home: HomeOption, out: Annotated[Path, typer.Option(help="A new folder.")]) -> None:
    """Write every stored file in clear, to be searched for identities; only where the people are made up."""
    from hub.operations.opening import open_every_file

    with console(home, "operations open") as opened:
        opened.home.check_synthetic()
        count = open_every_file(opened.settings, opened.database, out=out, audit=opened.trail())
    print(f"{count} files opened.")


@app.command("agree-made-up")
def agree_made_up(home: HomeOption) -> None:
    """Let made-up persons approve every agreement that its parties have signed; only where the people are made up."""
    from hub.operations.made_up import activate_all

    with console(home, "operations agree-made-up") as opened:
        opened.home.check_synthetic()
        with opened.database.transaction() as session:
            count = activate_all(session, audit=opened.trail())
    print(f"{count} agreements hold.")


@app.command("approve-made-up")
def approve_made_up(home: HomeOption) -> None:
    """Let made-up persons approve every act that waits; only where the people are made up."""
    from hub.operations.made_up import approve_waiting

    with console(home, "operations approve-made-up") as opened:
        opened.home.check_synthetic()
        with opened.database.transaction() as session:
            count = approve_waiting(session, audit=opened.trail())
    print(f"{count} acts are approved.")


@app.command()
def destroy(home: HomeOption) -> None:
    """Delete the files of every destruction that two persons approved, and write its certificate."""
    from hub.operations.destruction import complete_destruction, waiting_destructions

    with console(home, "operations destroy", login=MIGRATION) as opened:
        with opened.database.reading() as session:
            waiting = waiting_destructions(session)
        for one in waiting:
            certificate = complete_destruction(
                opened.database, opened.home, one, audit=opened.trail(), places=places_of(opened.settings)
            )
            print(json.dumps(certificate, indent=1))
        if not waiting:
            print("Nothing waits for destruction. Next: promise-hub agreements status")


@app.command()
def retry(home: HomeOption) -> None:
    """Set the jobs going again that were given up, once their cause is mended; a linkage run is run anew instead."""
    from hub.operations.unfinished import retry_given_up

    with console(home, "operations retry") as opened, opened.database.transaction() as session:
        count = retry_given_up(session, audit=opened.trail())
    print(f"{count} jobs wait again. Next: see on the page Administration whether they end.")


@app.command()
def environment() -> None:
    """Print every setting with its default and meaning, as a file of environment variables."""
    from hub.operations.environment import reference

    print(reference(), end="")
