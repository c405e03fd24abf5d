"""The commands of `promise-edge` with which a steward begins and looks where things stand: setup, status, schedule.

Setup asks for what was not given, and each step says the next one.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from connectors.errors import WorkspaceError
from connectors.installing import Given, install
from connectors.workspace import Workspace, make_workspace, open_workspace, write_json

commands = typer.Typer()
DirArgument = Annotated[Path, typer.Argument(help="the workspace folder")]


@commands.command()
def setup(
    folder: DirArgument,
    *,
    organisation: Annotated[
        str | None, typer.Option(help="this provider's id in the partnership's list; asked for when left out")
    ] = None,
    hub: Annotated[str | None, typer.Option(help="address of the hub, https://...; asked for when left out")] = None,
    given_in: Annotated[
        Path | None, typer.Option("--from", help="the partnership's folder: hub.json, agreements, signatories.json")
    ] = None,
    hub_keys: Annotated[Path | None, typer.Option(help="hub.json as the hub's operator gave it")] = None,
    agreements: Annotated[Path | None, typer.Option(help="folder of the partnership's agreements")] = None,
    signatories: Annotated[Path | None, typer.Option(help="public keys of the partnership's signatories")] = None,
    secret: Annotated[Path | None, typer.Option(help="a linkage secret given by hand instead of a ceremony")] = None,
) -> None:
    """Makes the workspace and its keys, or completes one: keys, roster, agreement, sources."""
    from connectors.ceremony import member_of
    from connectors.standing import ENTRY_FILE, next_step, set_up

    known = _known(folder)
    asked = organisation is None and known is None
    organisation = organisation or (known.settings.organisation if known else _asked("This provider's id"))
    hub = hub or (known.settings.hub if known else _asked("Address of the hub, https://..."))
    if asked and given_in is None and _nothing_named(hub_keys, agreements, signatories):
        given_in = _folder_asked()
    given = Given(hub_keys, agreements, signatories, secret)
    given = given if given_in is None else given.filled_from(given_in)
    given.check()
    workspace = make_workspace(folder, organisation=organisation, hub=hub)
    missing = install(workspace, given)
    write_json(folder / ENTRY_FILE, member_of(workspace).model_dump())
    typer.echo(f"Workspace of {organisation} in {folder}")
    for line in set_up(workspace, today=_now().date()):
        typer.echo(line)
    typer.echo(f"  next: run setup again with {', '.join(missing)}" if missing else f"  next: {next_step(workspace)}")


@commands.command()
def status(
    folder: DirArgument,
    *,
    everything: Annotated[bool, typer.Option("--all", help="replaced and withdrawn ones too")] = False,
) -> None:
    """Says in plain words where everything stands: what is set up, what waits, what the hub says, who acts next."""
    from connectors.standing import as_lines, next_step, set_up, states
    from connectors.submitting import connection, unsent

    workspace = open_workspace(folder)
    typer.echo(f"Workspace of {workspace.settings.organisation} in {folder}")
    for line in set_up(workspace, today=_now().date()):
        typer.echo(line)
    typer.echo(f"  prepared   {len(unsent(workspace))} not sent yet")
    typer.echo("At the hub")
    with connection(workspace, clock=_now) as hub:
        told = states(replace(hub, tries=1), workspace)
    for line in as_lines(told, everything=everything):
        typer.echo(line)
    typer.echo(f"next: {next_step(workspace)}")


@commands.command()
def schedule(
    folder: DirArgument,
    *,
    at: Annotated[str, typer.Option(help="time of day, 02:15")] = "02:15",
    system: Annotated[str | None, typer.Option(help="linux, cron, macos or windows; else this one")] = None,
) -> None:
    """Prints what to hand to this machine's own scheduler, so that every night is taken in by itself."""
    from connectors.schedules import lines_for

    workspace = open_workspace(folder)
    for line in lines_for(
        system or sys.platform, folder=workspace.folder.resolve(), at=at, python=Path(sys.executable)
    ):
        typer.echo(line)


def _known(folder: Path) -> Workspace | None:
    try:
        return open_workspace(folder)
    except WorkspaceError as error:
        if error.code == "EDGE-001":
            return None
        raise


def _asked(words: str) -> str:
    """What the person types; raises WorkspaceError EDGE-041 where nobody answers."""
    try:
        return str(typer.prompt(words)).strip()
    except typer.Abort:
        raise WorkspaceError(
            "EDGE-041", "Something is left out and nobody answers.", "Give --organisation, --hub and --from."
        ) from None


def _folder_asked() -> Path | None:
    typed = typer.prompt("The partnership's folder (empty: later)", default="", show_default=False).strip()
    return Path(typed).expanduser() if typed else None


def _nothing_named(*parts: Path | None) -> bool:
    return all(part is None for part in parts)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
