"""The commands of `promise-edge` that look at source files or get them: check, sample, map, fetch, request.

None of them needs a hub, a key of ours or an agreement; what they read and write stays with the steward.
"""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path
from typing import Annotated

import typer

from connectors.batches import inbox_files, last_day, read_reports
from connectors.error_extract import write_extract
from connectors.errors import MappingError, WorkspaceError
from connectors.history import compare_all
from connectors.joining import joined
from connectors.layout_files import layouts
from connectors.opening import open_source
from connectors.reports import FileReport, as_json, as_lines
from connectors.samples import SETS, sample, sample_sets
from connectors.source_map import EMPTY, MappedFile, SourceMap, read_source_map
from connectors.workspace import SETTINGS_FILE, open_workspace, write_json

commands = typer.Typer()
YearOption = Annotated[int | None, typer.Option("--year", help="the school year by its ending year, 2026 for 2025-26")]


def _after_check(files: list[Path]) -> str:
    """How to go on, with the workspace in whose inbox the files lie."""
    around = next((folder for folder in files[0].absolute().parents if (folder / SETTINGS_FILE).is_file()), None)
    return "promise-edge prepare" if around is None else f"promise-edge prepare {around}"


@commands.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="source files, archives or folders of a set", exists=True)],
    *,
    source: Annotated[str | None, typer.Option(help="insist on this layout instead of finding it out")] = None,
    sources: Annotated[Path | None, typer.Option(help="a sources.yaml for files with titles of their own")] = None,
    year: YearOption = None,
    summary: Annotated[Path | None, typer.Option(help="write the result as JSON")] = None,
    errors: Annotated[Path | None, typer.Option(help="a folder for lists of errors to open beside the files")] = None,
    history: Annotated[Path | None, typer.Option(help="a file of earlier years' counts to compare with")] = None,
) -> None:
    """Says for each file what it is, how many rows may be used, and what to mend. Needs no hub, key or agreement."""
    source_map = source_map_of(source, sources)
    reports = read_reports(files, source_map=source_map, school_year=year, latest=last_day(year, _today()))
    moved = compare_all(reports, history) if history is not None else []
    reports, apart = joined(reports, school_year=year)
    for line in (*as_lines(reports), *(f"note: {words}" for words in apart), *(f"moved: {words}" for words in moved)):
        typer.echo(line)
    if errors is not None:
        _write_extracts(reports, errors)
    if summary is not None:
        write_json(summary, as_json(reports))
    wrong = [report for report in reports if report.refusal or report.rejected]
    typer.echo(f"next: {'mend what is listed and check again' if wrong else _after_check(files)}")
    raise typer.Exit(1 if wrong else 0)


@commands.command("sample")
def print_sample(
    layout: Annotated[str | None, typer.Argument(help="a layout; all are listed when left out")] = None,
    out: Annotated[Path | None, typer.Option(help="a new folder, for a set of files")] = None,
) -> None:
    """Prints a sample file of a layout, with made-up people; lists all layouts when none is named."""
    if layout is None:
        for one in layouts().values():
            typer.echo(f"{one.id:28} {one.name}" + (" (of a set)" if one.id in SETS else ""))
        for name in sample_sets():
            typer.echo(f"{name:28} set of files: give --out FOLDER")
    elif layout in sample_sets():
        if out is None:
            raise WorkspaceError("EDGE-012", "A set of files needs a folder.", "Give --out FOLDER.")
        out.mkdir(parents=True)
        for name, text in sample_sets()[layout].items():
            (out / name).write_text(text, encoding="utf-8", newline="")
        typer.echo(f"{len(sample_sets()[layout])} files in {out}\nnext: promise-edge check {out}")
    elif layout in layouts() and layout not in SETS:
        typer.echo(sample(layouts()[layout]), nl=False)
    else:
        known = sorted({*layouts(), *sample_sets()} - SETS)
        raise WorkspaceError("EDGE-010", "No such layout.", f"Use one of: {', '.join(known)}.")


@commands.command("map")
def map_titles(
    file: Annotated[Path, typer.Argument(help="a table with titles of its own", exists=True)],
    *,
    kind: Annotated[str, typer.Option(help="kind of submission: preschool, k12, college, programme ...")],
    table: Annotated[str, typer.Option(help="what a row is: a table of the dictionary, or person")],
    out: Annotated[Path | None, typer.Option(help="a sources.yaml to add the entry to")] = None,
) -> None:
    """Suggests what the titles of a table mean, with reasons, as an entry for sources.yaml."""
    from connectors.suggestions import date_format, entry_text, suggest

    grid, *others = open_source(file)
    if others or grid.said:
        raise MappingError("MAP-006", "A set of files is read as it is and needs no map.", "Check it.")
    suggestions = suggest(grid, kind=kind, table=table, latest=_today())
    for one in suggestions:
        typer.echo(f"  {one.title:32} {one.element or '-':24} {one.reason}")
    if not any(one.element for one in suggestions):
        raise MappingError("MAP-005", "No title of this file sounds like an element.", "Write the entry by hand.")
    text = entry_text(file.name, suggestions, kind=kind, table=table, order=date_format(grid, suggestions))
    if out is None:
        typer.echo(f"version: 1\nfiles:\n{text}", nl=False)
        return
    _add_entry(out, text)
    typer.echo(f"added to {out}; read it before you trust it\nnext: promise-edge check {file} --sources {out}")


@commands.command()
def fetch(
    folder: Annotated[Path, typer.Argument(help="the workspace folder")],
    *,
    year: Annotated[int, typer.Option("--year", help="the school year by its ending year")],
    whole: Annotated[bool, typer.Option("--whole", help="everything again, not only what changed")] = False,
) -> None:
    """Fetches Ed-Fi resources into the inbox; the next fetch asks only for what changed since."""
    import httpx

    from connectors.edfi_api import Store, read_settings
    from connectors.edfi_api import fetch as fetch_resources

    workspace = open_workspace(folder)
    settings, secret = read_settings(workspace.folder)
    target = workspace.inbox / str(year) / "edfi"
    target.parent.mkdir(parents=True, exist_ok=True)
    with httpx.Client(timeout=60.0, follow_redirects=False) as client:
        fetched = fetch_resources(Store(client, settings, secret), target, whole=whole)
    for resource, count in fetched.kept.items():
        typer.echo(f"  {resource:44} {count:,}")
    for resource in fetched.forbidden:
        typer.echo(f"  {resource:44} this client may not read it")
    typer.echo(f"{fetched.changed:,} objects came, {fetched.deleted:,} were deleted\nnext: promise-edge check {target}")


@commands.command("request")
def request_clearinghouse(
    folder: Annotated[Path, typer.Argument(help="the workspace folder")],
    *,
    year: Annotated[int, typer.Option("--year", help="the school year in which they completed, by its ending year")],
    account: Annotated[str, typer.Option(help="the Clearinghouse account's code")],
    account_name: Annotated[str, typer.Option(help="the account's name")],
    school_name: Annotated[str, typer.Option(help="the high school's name")],
    school_code: Annotated[str, typer.Option(help="its ACT code, six digits")],
    blocked: Annotated[Path | None, typer.Option(help="local numbers of students who blocked it, one a line")] = None,
    period: Annotated[str | None, typer.Option(help="the diploma period's words in the header")] = None,
) -> None:
    """Writes the graduates file for the Clearinghouse, and the map without which its report cannot be read."""
    from connectors.clearinghouse_request import RETURN_NUMBER_BYTES, Account, write_request

    workspace = open_workspace(folder)
    reports = read_reports(
        inbox_files(workspace.inbox, year), source_map=workspace.source_map(), school_year=year, latest=_today()
    )
    asked = write_request(
        [report.reading for report in reports if report.reading is not None and report.reading.kind == "k12"],
        account=Account(account, account_name, school_name, school_code, period or f"{year - 1}-{year}"),
        day=_today(),
        blocked=frozenset(blocked.read_text("utf-8").split()) if blocked is not None else frozenset(),
        random_number=lambda: secrets.token_hex(RETURN_NUMBER_BYTES),
    )
    kept = workspace.folder / "requests" / f"{year}-{_today():%Y%m%d}"
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    (kept / "graduates.txt").write_text(asked.graduates, encoding="utf-8", newline="")
    (kept / "request_map.csv").write_text(asked.return_map, encoding="utf-8", newline="")
    typer.echo(f"{asked.count:,} graduates in {kept / 'graduates.txt'}; {asked.left_out:,} without name or birth date")
    typer.echo(f"keep {kept / 'request_map.csv'}: lay it beside the report when that comes back")


def source_map_of(source: str | None, sources: Path | None) -> SourceMap:
    """The map of the options --source and --sources; raises WorkspaceError EDGE-010 or MappingError."""
    if sources is not None:
        return read_source_map(sources)
    if source is None:
        return EMPTY
    if source not in layouts():
        raise WorkspaceError("EDGE-010", "No such layout.", f"Use one of: {', '.join(sorted(layouts()))}.")
    return SourceMap(files=(MappedFile(pattern="*", layout=source),))


def _write_extracts(reports: list[FileReport], folder: Path) -> None:
    for report in reports:
        if report.causes or report.refusal is not None:
            typer.echo(f"errors of {report.name}: {write_extract(report, folder)}")


def _add_entry(path: Path, text: str) -> None:
    """Adds the entry at the end of the list; raises MappingError where the result could not be followed."""
    before = path.read_text("utf-8").rstrip() + "\n" if path.exists() else "version: 1\nfiles:\n"
    trial = path.with_name(f".{path.name}.part")
    trial.write_text(before + text, encoding="utf-8")
    try:
        read_source_map(trial)
    except MappingError:
        trial.unlink()
        raise
    trial.replace(path)


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
