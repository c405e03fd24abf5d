"""The commands of `promise-edge` that run by themselves: the watched folder, the SFTP drop, the service."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from connectors.errors import WorkspaceError
from connectors.one_at_a_time import alone
from connectors.workspace import open_workspace

commands = typer.Typer()
DirArgument = Annotated[Path, typer.Argument(help="the workspace folder")]


@commands.command()
def watch(
    folder: DirArgument,
    *,
    every: Annotated[float, typer.Option(help="seconds between two looks", min=0.1)] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="take in what is there, send it and end")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, and do nothing")] = False,
) -> None:
    """Watches DIR/drop: waits until a file stops growing, checks, prepares and sends it; nothing twice."""
    from connectors.submitting import connection
    from connectors.watching import Watcher

    workspace = open_workspace(folder)
    with alone(workspace.folder):
        watcher = Watcher(workspace, partial(connection, workspace, clock=_now), _now)
        watcher.begin()
        if dry_run:
            _say(watcher.rehearse())
            typer.echo(f"A dry run: nothing was done.\nnext: promise-edge watch {folder}")
            return
        typer.echo(f"Watching {folder / 'drop'}; a file is taken in when it has not changed for {every:g} seconds.")
        while True:
            time.sleep(every)
            _say(watcher.look())
            if once:
                break
    typer.echo(f"next: promise-edge status {folder}")


@commands.command()
def sftp(
    folder: DirArgument,
    *,
    host: Annotated[str, typer.Option(help="address to listen on, inside the district")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on; 0 takes a free one", min=0, max=65535)] = 2222,
    account: Annotated[str | None, typer.Option(help="with --key: adds an account of this name and ends")] = None,
    key: Annotated[Path | None, typer.Option(help="the account's OpenSSH public key")] = None,
) -> None:
    """Serves an SFTP drop whose accounts can only lay files into DIR/drop; `watch` takes them in."""
    import asyncio

    from connectors.sftp_drop import accounts_folder, add_account, serve_drop

    workspace = open_workspace(folder)
    if account is not None and key is not None:
        typer.echo(f"{account} may lay files in, with key {add_account(workspace, account, key)}")
        typer.echo(f"next: promise-edge sftp {folder}, and promise-edge watch {folder} beside it")
        return
    if not any(accounts_folder(workspace).glob("*.pub")):
        raise WorkspaceError("EDGE-046", "No account may lay files in.", "Give --account NAME --key FILE.pub first.")

    async def run() -> None:
        server = await serve_drop(workspace, host=host, port=port)
        typer.echo(f"SFTP on {host} port {server.get_port()}; next: promise-edge watch {folder}, beside it")
        await server.wait_closed()

    asyncio.run(run())


@commands.command()
def serve(
    folder: DirArgument,
    *,
    host: Annotated[str, typer.Option(help="address to listen on; beyond loopback TLS is needed")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on; 0 takes a free one", min=0, max=65535)] = 8410,
    certificate: Annotated[Path | None, typer.Option(help="certificate chain, PEM")] = None,
    key: Annotated[Path | None, typer.Option(help="its private key, PEM")] = None,
    edfi_year: Annotated[int | None, typer.Option(help="pull this school year from the Ed-Fi store")] = None,
    every: Annotated[float, typer.Option(help="minutes between two pulls", min=1)] = 60.0,
) -> None:
    """Serves a small local API for a system beside it: rows in, findings and states out; nothing clear leaves."""
    from connectors.pulling import pull_on_schedule
    from connectors.service import Service, server_of
    from connectors.submitting import connection

    workspace = open_workspace(folder)
    with alone(workspace.folder):
        service = Service(workspace, partial(connection, workspace, clock=_now), _now)
        server = server_of(service, host=host, port=port, certificate=certificate, key=key)
        if edfi_year is not None:
            pull_on_schedule(service, edfi_year, seconds=60 * every, say=lambda line: _say(iter([line])))
        typer.echo(f"Serving on {host} port {server.server_address[1]}; its token lies in {folder}/service/token")
        typer.echo("next: GET /v1/openapi.json with Authorization: Bearer TOKEN")
        server.serve_forever()


def _say(lines: Iterator[str]) -> None:
    for line in lines:
        typer.echo(f"{_now():%Y-%m-%d %H:%M:%S}Z  {line}")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
