"""`promise-hub outcomes ...`: the operator's commands over snapshots and outcomes."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hub.console import REFUSED, console

app = typer.Typer(name="outcomes", help="Snapshots of the linked facts, held to a truth.", no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", help="Folder of the hub.", envvar="PROMISE_HUB_HOME")]


@app.command()
def snapshot(home: HomeOption) -> None:
    """Take a snapshot of the facts under the linkage that holds."""
    from hub.outcomes.service import take_snapshot
    from hub.stores import facts_store

    with console(home, "outcomes snapshot") as hub:
        taken = take_snapshot(hub.database, analysis=facts_store(hub.settings), audit=hub.trail())
        print(f"Snapshot {taken.id[:12]} under linkage {taken.linkage_version}.")


@app.command("import-state")
def import_state(
    home: HomeOption, files: Annotated[list[Path], typer.Argument(help="Public files of the state, as published.")]
) -> None:
    """Import the state's public figures, to stand beside ours: each file whole, or refused with the reason."""
    from hub.outcomes.state import import_state_file

    with console(home, "outcomes import-state") as hub:
        for file in files:
            with hub.database.transaction() as session:
                read = import_state_file(session, file, audit=hub.trail())
            years = ", ".join(str(year) for year in read.years) or "no year of ours"
            hidden = sum(figure.hidden for figure in read.figures)
            print(f"{file.name}: {read.title}, {years}. {len(read.figures)} figures, {hidden} of them hidden;")
            print(f"  {read.other_rows} of {read.rows} rows are of other places or part of the schools.")


@app.command()
def compare(
    home: HomeOption,
    truth: Annotated[
        Path, typer.Option(exists=True, help="CSV: indicator, cohort_year, person, outcome, race, gender, ses.")
    ],
    references: Annotated[Path, typer.Option(exists=True, help="CSV: provider, record_reference, person.")],
    summary: Annotated[Path | None, typer.Option(help="Write every cell as JSON.")] = None,
    within_points: Annotated[
        float | None, typer.Option(help="Exit 1 when a rate is further from the truth than this.")
    ] = None,
) -> None:
    """Hold the outcomes to a truth; only where the people are made up."""
    from hub.outcomes import compare as comparing
    from hub.stores import facts_store

    with console(home, "outcomes compare") as hub:
        hub.home.check_synthetic()
        compared = comparing.compare_outcomes(
            hub.database,
            analysis=facts_store(hub.settings),
            truth=truth,
            references=references,
            audit=hub.trail(),
        )
    if summary is not None:
        summary.write_text(json.dumps(comparing.summary(compared), indent=1) + "\n", encoding="utf-8")
    print("Reached of known, over all cohorts, made-up people only: truth | facts under true links | under our links")
    for name, one in comparing.totals(compared).items():
        counts = (one.truth, one.true_links, one.linked)
        print(f"  {name:26}" + " | ".join(f"{t.k:5} of {t.known:5} = {comparing.rate(t)} %" for t in counts))
    widest = comparing.widest_difference(compared)
    print(f"Widest difference between a rate under our links and the truth: {widest} points.")
    if within_points is not None and widest > within_points:
        raise typer.Exit(REFUSED)
