"""`promise-hub release ...`: the operator's commands over releases."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hub.console import console, in_a_folder
from hub.release.reports.commands import check, protect

app = typer.Typer(name="release", help="Prepare, publish, show and export releases.", no_args_is_help=True)

app.command()(check)
app.command()(protect)

HomeOption = Annotated[Path, typer.Option("--home", help="Folder of the hub.", envvar="PROMISE_HUB_HOME")]
OutOption = Annotated[Path, typer.Option("--out", help="File to write.", callback=in_a_folder)]


@app.command()
def prepare(home: HomeOption) -> None:
    """Count, protect and audit what is new; the release waits to be published."""
    from hub.release.publishing import prepare_from_facts
    from hub.stores import facts_store
    from policies.catalogue_files import catalogue

    with console(home, "release prepare") as hub:
        store = facts_store(hub.settings)
        release = prepare_from_facts(hub.database, analysis=store, catalogue=catalogue(), audit=hub.trail())
    print(f"Release {release.id} is prepared: {release.shown} cells shown, {release.withheld} withheld.")


@app.command()
def withdraw(home: HomeOption) -> None:
    """Take back the release that waits; a published one stays."""
    from hub.release.service import pending_release, prepared_release, withdraw_prepared

    with console(home, "release withdraw") as hub, hub.database.transaction() as session:
        waiting = prepared_release(session) or pending_release(session)
        if waiting is not None:
            withdraw_prepared(session, waiting.id, audit=hub.trail())
    print("No release waits." if waiting is None else f"Release {waiting.id} is taken back.")


@app.command()
def show(home: HomeOption) -> None:
    """List releases, newest first, and the figures of the current one."""
    from hub.audit.events import EventType
    from hub.audit.service import append
    from hub.release.service import published_releases
    from hub.release.summary import summarise
    from policies.catalogue_files import catalogue

    with console(home, "release show") as hub, hub.database.transaction() as session:
        releases = published_releases(session)
        current = summarise(session, releases[0], catalogue=catalogue()) if releases else None
        append(session, hub.trail(), EventType.RELEASE_READ, resource="releases")
    for release in releases:
        print(f"{release.id}  {release.state}  {release.shown} shown  {release.withheld} withheld")
    print("Nothing has been released yet." if current is None else current.gap["sentence"])


@app.command()
def quality(
    home: HomeOption,
    summary: Annotated[Path | None, typer.Option(help="Write the figures as JSON.", callback=in_a_folder)] = None,
) -> None:
    """Say what the release cost beside simpler ways on the same counts; for the officer, not to be published."""
    from hub.release.measuring import measure_release
    from hub.release.quality import as_text
    from hub.stores import facts_store
    from policies.catalogue_files import catalogue

    with console(home, "release quality") as hub:
        store = facts_store(hub.settings)
        found = measure_release(hub.database, analysis=store, catalogue=catalogue(), audit=hub.trail())
    if summary is not None:
        summary.write_text(json.dumps(asdict(found), indent=1) + "\n", "utf-8")
    print(as_text(found))


@app.command()
def requests(home: HomeOption) -> None:
    """List the requests for further tables that wait for a decision."""
    from hub.audit.events import EventType
    from hub.audit.service import append
    from hub.release.requests.service import open_request, undecided

    with console(home, "release requests") as hub, hub.database.transaction() as session:
        waiting = [(number, open_request(session, number)) for number in undecided(session)]
        append(session, hub.trail(), EventType.TABLE_REQUESTS_READ, resource="table-requests")
    for number, wanted in waiting:
        print(f"{number}  {wanted[0]} by {', '.join(wanted[1])}" if wanted else number)
    print("Decide at /requests, signed in as compliance officer." if waiting else "No request waits.")


@app.command()
def cost(home: HomeOption) -> None:
    """Work out what each waiting request would cost the other tables; a running resolver does it by itself."""
    from hub.release.requests.cost import work_out
    from hub.release.requests.service import record_cost, undecided
    from hub.stores import facts_store
    from policies.catalogue_files import catalogue

    with console(home, "release cost") as hub:
        with hub.database.reading() as session:
            waiting = undecided(session)
        for number in waiting:
            store = facts_store(hub.settings)
            found = work_out(hub.database, number, analysis=store, catalogue=catalogue(), audit=hub.trail())
            if found is not None:
                with hub.database.transaction() as session:
                    record_cost(session, number, found, audit=hub.trail())
    print(f"{len(waiting)} requests worked out.")


@app.command()
def content(home: HomeOption, out: OutOption) -> None:
    """Write release.json of the current release: the same inputs give the same bytes."""
    from hub.audit.events import EventType
    from hub.audit.service import append
    from hub.release.service import current_release, release_file

    with console(home, "release content") as hub, hub.database.transaction() as session:
        release = current_release(session)
        written = release_file(session, release.id)
        append(session, hub.trail(), EventType.RELEASE_EXPORTED, resource=f"release/{release.id}")
    out.write_bytes(written)
    print(f"{out.name}: {release.content_sha256}")


@app.command()
def export(home: HomeOption, out: OutOption = Path("cells.csv")) -> None:
    """Write every cell ever published, with hierarchies.json and links.json: what an outsider could collect."""
    from hub.release.export import export_published
    from policies.catalogue_files import catalogue

    with console(home, "release export") as hub, hub.database.transaction() as session:
        exported = export_published(session, catalogue=catalogue(), audit=hub.trail())
    files = {out: exported.cells}
    files |= {out.with_name("hierarchies.json"): exported.hierarchies, out.with_name("links.json"): exported.links}
    for file, text in files.items():
        file.write_text(text, "utf-8")
    print(", ".join(file.name for file in files))


@app.command()
def report(
    home: HomeOption,
    out: OutOption = Path("report.html"),
    language: Annotated[str, typer.Option(help="Language of the card: en or es.")] = "en",
) -> None:
    """Write the report card as one file and as two printed pages, and its figures as JSON beside them."""
    from hub.audit.events import EventType
    from hub.audit.service import append
    from hub.languages import language_named
    from hub.release.printed_card import printed_card
    from hub.release.report_card import render, report_card
    from hub.release.service import current_release
    from hub.release.summary import summarise
    from policies.catalogue_files import catalogue

    spoken = language_named(language)
    if spoken is None:
        raise typer.BadParameter("The card speaks en and es.", param_hint="--language")
    with console(home, "release report") as hub:
        with hub.database.reading() as session:
            release = current_release(session)
            summary = summarise(session, release, catalogue=catalogue())
            made_up = hub.home.synthetic_mark.is_file()
            card = report_card(session, release, catalogue=catalogue(), made_up=made_up, language=spoken)
        with hub.database.transaction() as session:
            append(session, hub.trail(), EventType.RELEASE_EXPORTED, resource=f"report-card/{release.id}")
    out.write_text(render(card), "utf-8")
    out.with_suffix(".pdf").write_bytes(printed_card(card))
    out.with_suffix(".json").write_text(json.dumps(asdict(summary), indent=1) + "\n", "utf-8")
    print(f"{out.name}, {out.with_suffix('.pdf').name}: {summary.gap['sentence']}")
