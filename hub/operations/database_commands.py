"""`promise-hub database ...`: the logins of PostgreSQL and what each may do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.console import DONE, REFUSED, console
from hub.errors import Conflict
from hub.settings import MIGRATION

app = typer.Typer(name="database", help="The logins of PostgreSQL.", no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]


@app.callback()
def database() -> None:
    """The logins of PostgreSQL."""


@app.command()
def roles(
    home: HomeOption,
    set_them: Annotated[bool, typer.Option("--set", help="Give each login what it needs, and take the rest.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 where a login has more or less.")] = False,
) -> None:
    """Print the statements that make the logins; `--set` gives them their rights, `--check` compares."""
    from hub.audit.events import EventType
    from hub.audit.service import append
    from hub.operations.grants import differences, login_statements, set_grants

    if not (set_them or check):
        print("\n".join(["-- As the server's owner, in psql, connected to the hub's database:", *login_statements()]))
        print("-- Then: promise-hub migrate (makes tables and gives rights), promise-hub database roles --check")
        return
    with console(home, "database roles", login=MIGRATION) as opened:
        if opened.database.is_sqlite:
            raise Conflict(
                "This hub's database is SQLite, which has no logins.", code="database-no-logins",
                next_step="Set database_url to a PostgreSQL server, or leave it: one system user owns the file.",
            )  # fmt: skip
        if set_them:
            with opened.database.transaction() as session:
                given = set_grants(session.connection())
                append(session, opened.trail(), EventType.DATABASE_ROLES_SET, resource="database")
            print(f"Rights given to: {', '.join(given) or 'nobody: make the logins first'}.")
        with opened.database.snapshot() as connection:
            found = differences(connection) if check else []
    for line in found:
        print(f"grants-differ: {line}")
    if check and not found:
        print("Every login that is there has exactly what is declared.")
    raise SystemExit(REFUSED if found else DONE)
