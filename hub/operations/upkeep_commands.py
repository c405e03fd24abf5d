"""`promise-hub backup`, `restore` and `doctor`: what the operator does before and after a bad day."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hub.console import DONE, REFUSED, Console, console, telling_errors
from hub.db import open_database, utc_now
from hub.settings import MIGRATION, OPERATOR, Home, Settings
from policies.agreement_dates import BACKUP_DAYS

HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]


def backup(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the backups, on another disk.")],
    home: HomeOption,
    keep_days: Annotated[
        int, typer.Option(min=1, max=BACKUP_DAYS, help="Older backups in the folder are deleted.")
    ] = BACKUP_DAYS,
) -> None:
    """Copy the database as of one moment and every stored file; the hub may go on working. Keys are not in it."""
    from hub.operations.backup import expired_backups, make_backup, remove_backups
    from hub.stores import places_of

    with console(home, "backup") as opened:
        places = places_of(opened.settings)
        made = make_backup(opened.home, opened.database, folder, audit=opened.trail(), places=places)
        expired = expired_backups(folder, today=opened.clock().date(), keep_days=keep_days)
        remove_backups(expired)
    rows = sum(int(table["rows"]) for table in made.tables.values())
    print(f"{made.folder.name}: {len(made.tables)} tables, {rows:,} rows, {len(made.files)} files.")
    if expired:
        print(f"{len(expired)} backups older than {keep_days} days are deleted.")
    print("Not in it: HOME/keys and HOME/signer. Keep the keys in a safe, on another medium; see the operations page.")


def restore(
    folder: Annotated[Path, typer.Argument(help="One backup: a folder promise-hub-...", exists=True, file_okay=False)],
    home: HomeOption,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only try it in a temporary database, and change nothing.")
    ] = False,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A checkpoint that a district's agent keeps."),
    ] = None,
    behind: Annotated[
        bool, typer.Option("--behind", help="There is no newer backup; events that were signed are lost.")
    ] = False,
) -> None:
    """Fill an empty database and the home from a backup; every row, file and log entry is held against it."""
    from hub.operations.backup import open_backup
    from hub.operations.restoring import restore as restore_backup
    from hub.operations.restoring import try_backup
    from hub.stores import places_of

    notes = [path.read_text("utf-8") for path in checkpoint or []]
    with telling_errors():
        settings, place = Settings(home=home), Home(home)
        opened = open_backup(place, folder)
        if verify:
            found = try_backup(place, opened, notes=notes)
        else:
            database = open_database(settings, MIGRATION)
            trail = Console(settings, place, database, utc_now, "restore").trail()
            try:
                found = restore_backup(
                    place, opened, database, notes=notes, behind=behind, audit=trail, places=places_of(settings)
                )
            finally:
                database.close()
    done = "can be restored" if verify else "is restored"
    print(
        f"{folder.name} {done}: {found.rows:,} rows of {found.tables} tables and {found.files} files as they were, "
        f"{found.events} events under {found.checkpoints} checkpoints."
    )
    if found.lost and verify:
        print(f"{found.lost} events were signed since; a restore would lose them.")
    elif found.lost:
        print(f"{found.lost} signed events are missing in it. Next: promise-hub audit recover --sure")


def doctor(
    home: HomeOption,
    summary: Annotated[Path | None, typer.Option("--summary", help="Write the findings as JSON.")] = None,
) -> None:
    """Look at settings, keys, disk, clock, database, log, witnesses, jobs, mail and backups; exit 1 on a fault."""
    from hub.operations.doctor import FAULT, Patient, examine

    with telling_errors():
        settings = Settings(home=home)
        database = open_database(settings, OPERATOR)
        try:
            found = examine(Patient(settings, Home(home), database, utc_now))
        finally:
            database.close()
    for one in found:
        print(f"{one.level} {one.code}: {one.words}\n  Next step: {one.next_step}")
    faults = sum(one.level == FAULT for one in found)
    print(f"{faults} faults, {len(found) - faults} warnings.")
    if summary is not None:
        summary.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8")
    raise SystemExit(REFUSED if faults else DONE)
