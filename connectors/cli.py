"""`promise-edge`: the steward's program inside a district, preschool, college or partner.

    setup     makes a workspace with its own keys               check     says what is wrong with files; needs no hub
    status    says where everything stands and who acts next    schedule  prints what the machine's scheduler is given
    watch     takes in what is laid into a folder, sends it
    prepare   reads the inbox, encodes, lays into the outbox    push      sends what was prepared, may be interrupted
    receipt   shows what the hub answered and proves  sample    prints a sample of a layout
    map       suggests what titles mean               fetch     gets Ed-Fi resources into the inbox
    request   writes the file for the Clearinghouse   review    fetches records to verify, sends the answers
    witness   cosigns the hub's log, every day        fork      says what the proof of a rewritten log proves
    keys      keys and epochs: show, give, accept, begin, wrap, new; and the roster
    encode    encodes any file of people, without a hub     example   makes made-up files to try that on

Exit status: 0 done, 1 refused or something found wrong, 2 wrong use, 3 cannot tell (no answer from the hub).
"""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectors import agreement_commands, key_commands
from connectors.batches import batches, inbox_files, inbox_years, last_day, read_reports
from connectors.cli_doors import commands as door_commands
from connectors.cli_parents import commands as parents_commands
from connectors.cli_review import commands as review_commands
from connectors.cli_setup import commands as setup_commands
from connectors.cli_sources import commands as source_commands
from connectors.collection import collection_paused
from connectors.errors import EdgeError, FileRefusedError, WorkspaceError
from connectors.log_commands import add_to as add_log_commands
from connectors.progress import progress
from connectors.reports import FileReport, as_json, as_lines
from connectors.workspace import LAST_FOLDER, open_workspace, write_json

if TYPE_CHECKING:
    from connectors.changes import Changes

app = typer.Typer(
    name="promise-edge",
    help="Checks, encodes and sends a provider's files. Names never leave; nothing is sent before `push`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for commands in (setup_commands, source_commands, review_commands, parents_commands, door_commands):
    app.registered_commands.extend(commands.registered_commands)
app.add_typer(key_commands.app, name="keys")
app.add_typer(agreement_commands.app, name="agreements")
add_log_commands(app)
DirArgument = Annotated[Path, typer.Argument(help="the workspace folder")]
YearOption = Annotated[int | None, typer.Option("--year", help="the school year by its ending year, 2026 for 2025-26")]


def main() -> None:
    """Runs the program; an error of the edge is told in a sentence and a next step."""
    try:
        app()
    except EdgeError as error:
        typer.echo(f"{error.code}  {error.sentence}\n  next: {error.next_step}", err=True)
        sys.exit(error.exit_code)


@app.command()
@collection_paused()
def prepare(
    folder: DirArgument,
    year: YearOption = None,
    summary: Annotated[Path | None, typer.Option(help="write the result as JSON")] = None,
    test: Annotated[bool, typer.Option("--test", help="a test run: everything is done and nothing is kept")] = False,
) -> None:
    """Reads the inbox, drops what is not agreed, encodes, seals and signs into the outbox. Sends nothing."""
    from connectors.submitting import Preparation  # numpy and the encoder load only when they are needed
    from connectors.watching import prepared_as_it_is

    workspace = open_workspace(folder)
    years = [year] if year is not None else inbox_years(workspace.inbox)
    if not years:
        raise WorkspaceError("EDGE-008", "The inbox holds no year.", f"Lay files into {workspace.inbox}/YEAR.")
    preparation = Preparation.of(workspace, now=_now())
    outcomes = []
    made: list[Path] = []
    for school_year in _shown("preparing", years):
        paths = inbox_files(workspace.inbox, school_year)
        reports = read_reports(
            paths,
            source_map=workspace.source_map(),
            school_year=school_year,
            latest=last_day(school_year, _today()),
        )
        outcomes.extend(reports)
        _stop_if_refused(reports)
        for batch in batches(reports, school_year=school_year):
            prepared, changes = preparation.prepare_and_compare(batch)
            made.append(prepared.folder)
            facts = sum(prepared.manifest.facts.values())
            typer.echo(f"{batch.kind} {school_year}: {facts:,} facts, {len(prepared.manifest.chunks)} chunks")
            for element, count in prepared.dropped.items():
                typer.echo(f"  not agreed, left out: {element} ({count:,})")
            if changes is not None:
                _tell_changes(changes, changes.keep(folder, kind=batch.kind, school_year=school_year))
    if summary is not None:
        write_json(summary, as_json(outcomes))
    for school_year in () if test else years:
        prepared_as_it_is(workspace, school_year)
    if test:
        _forget(made)
        typer.echo("A test run: nothing was kept.")
    typer.echo(f"next: promise-edge {'prepare' if test else 'push'} {folder}")


@app.command()
def push(
    folder: DirArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be sent, and send nothing")] = False,
    page_file: Annotated[Path | None, typer.Option("--file", help="a submission file of the encoder page")] = None,
) -> None:
    """Sends every prepared submission that has no receipt yet, and waits for the hub's word."""
    from connectors.push import describe, parts_of
    from connectors.submitting import connection, unsent

    workspace = open_workspace(folder)
    if page_file is not None:
        from connectors.page_file import take_page_file

        take_page_file(workspace, page_file)
    waiting = unsent(workspace)
    if not waiting:
        typer.echo("Nothing to send.  next: promise-edge prepare")
        return
    if dry_run:
        for submission in waiting:
            typer.echo(f"would send {submission.name[:12]}: {describe(submission)}")
        typer.echo(f"A dry run: nothing was sent.\nnext: promise-edge push {folder}")
        return
    from connectors.log_commands import visit_after_push
    from connectors.push import push as push_one

    states = []
    with connection(workspace, clock=_now) as hub:
        for number, submission in enumerate(waiting, start=1):
            with progress(f"sending {number} of {len(waiting)}", parts_of(submission)) as step:
                answer = push_one(hub, submission, receipts=workspace.receipts, step=step)
            states.append(answer.state)
            typer.echo(f"[{number}/{len(waiting)}] {answer.submission[:12]} {answer.state}: {answer.next_step}")
        typer.echo(visit_after_push(hub, workspace))
    typer.echo(f"next: promise-edge receipt {folder}, or promise-edge status {folder}")
    raise typer.Exit(1 if {"refused"} & set(states) else 0)


@app.command()
def example(folder: Annotated[Path, typer.Argument(help="a new folder")]) -> None:
    """Makes two small files of made-up children and their maps, to try `encode` and `promise-hub link` on."""
    from connectors.synthetic.example import write_example

    typer.echo(f"{', '.join(write_example(folder))} stand in {folder}: two hundred made-up children each.")
    typer.echo("next: promise-edge keys new KEY")


@app.command()
def encode(
    people: Annotated[Path, typer.Argument(help="text file or workbook with one line of titles")],
    *,
    columns: Annotated[Path, typer.Option("--map", help="map.yaml: which column holds what")],
    key: Annotated[Path, typer.Option(help="the linkage key that `promise-edge keys new` made")],
    out: Annotated[Path, typer.Option(help="a new file for the encoded people")],
    views: Annotated[str, typer.Option(help="views to use, comma between them; the default views when left out")] = "",
) -> None:
    """Encodes any file of people, to be linked by `promise-hub link` without a hub. Nothing is sent."""
    from connectors.keystore import LinkageSecret, read_key
    from connectors.people_map import read_people_map
    from connectors.standalone import encode_file

    chosen = [view.strip() for view in views.split(",") if view.strip()]
    done = encode_file(
        people, people_map=read_people_map(columns), secret=LinkageSecret(read_key(key)), out=out, views=chosen
    )
    typer.echo(f"{people.name}: {done.records:,} records (record 1 is the first row under the titles)")
    for name, count in done.filled.items():
        typer.echo(f"  {name:14} in {count:,}")
    if done.dates_unread:
        typer.echo(f"  birth dates not understood: {done.dates_unread:,}, first in line {done.first_unread_line}")
    for warning in done.warnings:
        typer.echo(f"  note: {warning}")
    for view, count in done.rows.items():
        typer.echo(f"  view {view}: {count:,} rows")
    typer.echo(f"{out.name} carries its own submission key: keep it as you keep {people.name}.")
    typer.echo(f"next: promise-hub link {out.name} OTHER.rows --out pairs.csv --persons persons.csv")


def _shown(words: str, years: list[int]) -> Iterator[int]:
    """The years one after another, with a bar at a terminal."""
    with progress(words, len(years)) as step:
        for year in years:
            yield year
            step()


def _forget(made: list[Path]) -> None:
    """Takes what a test run laid out away again."""
    for submission in made:
        shutil.rmtree(submission)
        (submission.parents[1] / LAST_FOLDER / f"{submission.name}.json").unlink(missing_ok=True)


def _tell_changes(changes: Changes, path: Path) -> None:
    """Says what is different from the last accepted one, and where the list to look at before sending lies."""
    typer.echo(f"  {changes}; see {path}")
    if changes.hold:
        typer.echo(f"  ! the hub will hold it ({changes.hold}): look at the list before you push")


def _stop_if_refused(reports: list[FileReport]) -> None:
    refused = [report for report in reports if report.refusal is not None]
    if refused:
        for line in as_lines(refused):
            typer.echo(line, err=True)
        raise FileRefusedError(
            "EDGE-011",
            "A file of this year is refused, so nothing was prepared.",
            "Mend it or take it out of the inbox.",
        )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _today() -> dt.date:
    return _now().date()


if __name__ == "__main__":
    main()
