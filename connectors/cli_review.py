"""The command of `promise-edge` by which an office verifies records that the hub asks about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from connectors.batches import batches, inbox_files, inbox_years, last_day, read_reports
from connectors.workspace import Workspace, open_workspace

commands = typer.Typer()
LIST_FILE = "to-verify.csv"


@commands.command()
def review(
    folder: Annotated[Path, typer.Argument(help="the workspace folder")],
    answers: Annotated[Path | None, typer.Option(help="the list, filled in: sends the answers")] = None,
) -> None:
    """Fetches the list of records to verify, or sends the answers. The list holds local numbers and stays here."""
    from connectors.review import fetch_list, send_answers
    from connectors.submitting import connection

    workspace = open_workspace(folder)
    with connection(workspace, clock=_now) as hub:
        if answers is not None:
            typer.echo(f"{send_answers(hub, answers)} lines answered.")
            typer.echo("next: another person of the office approves them on the hub's page 'Records to verify'")
            return
        out = workspace.folder / LIST_FILE
        listed = fetch_list(hub, local_ids=_local_ids(workspace), key=workspace.keys.reference(), out=out)
    typer.echo(f"{listed.lines} records to verify, in {out.name}; {listed.unknown} of them are not in the inbox.")
    typer.echo(f"next: write right or corrected beside each field, then `promise-edge review {folder} --answers {out}`")


def _local_ids(workspace: Workspace) -> Iterator[str]:
    """Every local number of the inbox, of any year."""
    from connectors.roster import build_roster

    for year in inbox_years(workspace.inbox):
        paths = inbox_files(workspace.inbox, year)
        reports = read_reports(
            paths, source_map=workspace.source_map(), school_year=year, latest=last_day(year, _now().date())
        )
        for batch in batches(reports, school_year=year):
            yield from build_roster(batch.readings).local_ids


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
