"""`promise-hub`: what the operator does on the machine of the hub.

Exit codes: 0 done, 1 refused or found wrong, 2 wrong use, 3 cannot tell.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from hub.console import console, telling_errors
from hub.db import utc_now
from hub.settings import MIGRATION

app = typer.Typer(
    name="promise-hub", no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__.split("\n", 1)[0]
)
roster, submissions, linkage = (typer.Typer(no_args_is_help=True) for _ in range(3))
for name, commands, says in (
    ("roster", roster, "The agents that may send."),
    ("submissions", submissions, "What providers sent."),
    ("linkage", linkage, "Runs of the linkage."),
):
    app.add_typer(commands, name=name, help=says)
for name, module in (
    ("epochs", "hub.epochs.commands"),
    ("agreements", "hub.agreements.commands"),
    ("outcomes", "hub.outcomes.commands"),
    ("release", "hub.release.commands"),
    ("messages", "hub.submissions.message_commands"),
    ("operations", "hub.operations.commands"),
    ("database", "hub.operations.database_commands"),
    ("audit", "hub.operations.audit_commands"),
    ("people", "hub.operations.people_commands"),
):
    app.add_typer(import_module(module).app, name=name)

for name in ("backup", "restore", "doctor"):
    app.command(name)(getattr(import_module("hub.operations.upkeep_commands"), name))
app.command("sign-in-link")(import_module("hub.operations.people_commands").sign_in_link)
asking = import_module("hub.operations.asking")
app.command("token")(asking.token)
roster.command("load")(asking.load_agents)
linkage.command("accept")(asking.accept)
linkage.command("revert")(asking.revert)

HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]
SummaryOption = Annotated[Path | None, typer.Option("--summary", help="Write the figures as JSON.")]


@app.command()
def init(
    home: Annotated[Path, typer.Argument(help="A new folder.")],
    synthetic: Annotated[bool, typer.Option(help="Mark the home as made of made-up people only.")] = False,
) -> None:
    """Make a hub: keys for each role, the database, and hub.json for the edges."""
    from hub.operations.installation import make_home

    with telling_errors():
        made = make_home(home, clock=utc_now, synthetic=synthetic)
    print(f"A hub stands in {made.path.name}. Next: load the roster and the agreements, then serve.")


@app.command()
def migrate(home: HomeOption) -> None:
    """Bring the database to the newest revision."""
    from hub.operations.installation import add_missing_keys
    from hub.operations.installation import migrate as run

    with console(home, "migrate", login=MIGRATION) as opened:
        run(opened.database.url, clock=opened.clock)
        add_missing_keys(opened.home, opened.database)
    print("The database is at the newest revision.")


@app.command()
def serve(
    home: HomeOption,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8400,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the hub: API, matcher, resolver and the signer of the log. Ends with Ctrl-C."""
    from hub.serve import supervise
    from hub.settings import Settings

    with telling_errors():
        code = supervise(Settings(home=home, host=host, port=port), announce=lambda url: print(url, flush=True))
    sys.exit(code)


@app.command()
def work(
    home: HomeOption,
    role: Annotated[str, typer.Option(help="matcher, resolver or messenger")],
) -> None:
    """Do a role's due jobs once and end, where no server runs."""
    from hub.log import Log
    from hub.operations import roles

    workers = {"matcher": roles.matcher, "resolver": roles.resolver, "messenger": roles.messenger}
    if role not in workers:
        raise typer.BadParameter("matcher, resolver or messenger", param_hint="--role")
    with console(home, "work") as opened:
        worker = workers[role](opened.settings, log=Log())
        print(f"{worker.run_until_idle()} jobs done.")
        worker.close()


@app.command()
def decide(
    home: HomeOption,
    who: Annotated[str, typer.Option("--as", help="ROLE@ORGANISATION, such as partner@canal-alliance")],
    ask: Annotated[str, typer.Option(help="What is asked: 'INDICATOR by DIMENSION under AGREEMENT for PURPOSE', ...")],
    on: Annotated[str, typer.Option(help="The day, YYYY-MM-DD; today when left out.")] = "",
) -> None:
    """Say whether somebody may do something, by which rule and why; exit 1 when it is refused."""
    from hub.agreements.explaining import explain

    with console(home, "decide") as opened:
        try:
            day = date.fromisoformat(on) if on else opened.clock().date()
        except ValueError:
            raise typer.BadParameter("YYYY-MM-DD", param_hint="--on") from None
        with opened.database.transaction() as session:
            found = explain(session, who, ask, day=day, audit=opened.trail())
    print(found.told())
    sys.exit(0 if found.decision.permitted else 1)


@submissions.command("approve")
def submissions_approve(home: HomeOption, submission: Annotated[str, typer.Argument()]) -> None:
    """Accept a held submission."""
    from hub.submissions.decisions import approve

    with console(home, "submissions approve") as opened:
        with opened.database.transaction() as session:
            approve(session, submission, audit=opened.trail())
        print("Accepted.")


@submissions.command("discard")
def submissions_discard(home: HomeOption, submission: Annotated[str, typer.Argument()]) -> None:
    """Drop a held submission; what stood before stays."""
    from hub.submissions.decisions import discard

    with console(home, "submissions discard") as opened:
        with opened.database.transaction() as session:
            discard(session, submission, audit=opened.trail())
        print("Discarded.")


@linkage.command("run")
def linkage_run(
    home: HomeOption,
    accept: Annotated[bool, typer.Option(help="Ask two persons to let the run hold.")] = False,
    from_nothing: Annotated[bool, typer.Option(help="Compare everything again, and not only what is new.")] = False,
    timeout_seconds: Annotated[float, typer.Option(help="Give up waiting after this long.")] = 600.0,
) -> None:
    """Link what is accepted; a running server's matcher and resolver do the work."""
    from hub.linking import service
    from hub.linking.waiting import wait_for

    with console(home, "linkage run") as opened:
        with opened.database.transaction() as session:
            version = service.request_run(session, audit=opened.trail(), from_nothing=from_nothing)
        run = wait_for(opened.database, version, timeout_seconds=timeout_seconds)
        told = {name: value for name, value in run.quality.items() if name != "by_providers"}
        print(f"Run {version} over {run.submissions} submissions: {json.dumps(told)}")
        if not accept:
            print(f"Next: promise-hub linkage accept {version}")
    if accept:
        asking.accept(home, version)


@linkage.command("compile")
def linkage_compile() -> None:
    """Compile beforehand what a run needs, once on each machine, so that the first run does not wait for it."""
    from linkage.match.readiness import compile_kernels

    compile_kernels()
    print("Compiled. Next: promise-hub linkage run")


@linkage.command("evaluate")
def linkage_evaluate(
    home: HomeOption,
    truth: Annotated[Path, typer.Option(exists=True, help="CSV: provider, record_reference, person, custom.")],
    summary: SummaryOption = None,
) -> None:
    """Compare the links that hold with a truth; only where the people are made up."""
    from hub.linking.evaluation import evaluate_links, read_truth

    with console(home, "linkage evaluate") as opened:
        opened.home.check_synthetic()
        with opened.database.transaction() as session:
            found = evaluate_links(session, read_truth(truth), audit=opened.trail())
        _write(summary, found)
        print(json.dumps(found))


@app.command()
def link(
    files: Annotated[list[Path], typer.Argument(help="Files that promise-edge encode made.")],
    *,
    out: Annotated[Path, typer.Option(help="A new CSV file for the pairs.")],
    persons: Annotated[Path, typer.Option(help="A new CSV file for the persons.")],
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Records of one file may be one person too.")] = False,
    views: Annotated[str, typer.Option(help="Views to compare, comma between them; all when left out.")] = "",
    engine: Annotated[str, typer.Option(help="embedded or spark")] = "embedded",
    spark_master: Annotated[str, typer.Option(help="Where Spark runs: local[2], spark://HOST:7077")] = "local[*]",
    spark_folder: Annotated[Path | None, typer.Option(help="A folder that all workers of Spark reach.")] = None,
    summary: SummaryOption = None,
) -> None:
    """Link files of encoded people without a hub: this process is matcher and resolver in one."""
    from hub.engine_choice import EngineChoice
    from hub.linking import standalone
    from hub.linking.engine import started

    work = standalone.link_files_and_duplicates if dedupe else standalone.link_files
    chosen = [view.strip() for view in views.split(",") if view.strip()]
    with telling_errors():
        standalone.check_new(out)
        standalone.check_new(persons)
        with started(EngineChoice(engine, spark_master, spark_folder)) as running:
            linked = work(files, engine=running, views=chosen)
        pairs = standalone.write_table(out, standalone.PAIR_COLUMNS, standalone.pair_rows(linked))
        standalone.write_table(persons, standalone.PERSON_COLUMNS, standalone.person_rows(linked))
    quality = linked.quality
    print(f"{quality.records:,} records from {', '.join(linked.files)}; views {', '.join(linked.views)}")
    print(f"{quality.persons:,} persons, {quality.links:,} links, {quality.possible:,} possible matches")
    print(f"expected precision {quality.expected_precision:.4f}, expected recall {quality.expected_recall:.4f}")
    print(f"{out.name}: {pairs:,} pairs; {persons.name}: the person of every record")
    told = {name: getattr(quality, name) for name in ("records", "persons", "links", "possible")}
    expected = {name: getattr(quality, name) for name in ("expected_precision", "expected_recall")}
    _write(summary, {**told, **expected, "views": list(linked.views), "engine": engine})


def _write(summary: Path | None, found: object) -> None:
    if summary is not None:
        summary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """The program."""
    app()


if __name__ == "__main__":
    main()
