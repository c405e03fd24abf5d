"""`promise-hub messages ...`: where offices are told what became of their submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from hub.console import console

app = typer.Typer(name="messages", help="Where offices are told of their submissions.", no_args_is_help=True)
HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]


@app.command()
def add(
    home: HomeOption,
    organisation: Annotated[str, typer.Argument(help="The provider whose submissions are told of.")],
    channel: Annotated[str, typer.Argument(help="email or webhook")],
    address: Annotated[str, typer.Argument(help="One e-mail address, or one https address.")],
) -> None:
    """Tell an office from now on; for a webhook, print the key with which the receiver checks."""
    from hub.submissions.messages import KEY_ID, WEBHOOK, add_address, public_half, webhook_key

    with console(home, "messages add") as opened:
        with opened.database.transaction() as session:
            number = add_address(session, organisation, channel, address, audit=opened.trail())
        print(f"Address {number} of {organisation} is told by {channel}.")
        if channel == WEBHOOK:
            print(f"Signed by RFC 9421, key {KEY_ID}: {public_half(webhook_key(opened.home))}")
        if not opened.settings.messages:
            print("Next: set PROMISE_HUB_MESSAGES=true and serve, or run promise-hub work --role messenger.")


@app.command()
def remove(home: HomeOption, number: Annotated[int, typer.Argument(help="The address's number.")]) -> None:
    """Tell that address nothing more."""
    from hub.submissions.messages import remove_address

    with console(home, "messages remove") as opened:
        with opened.database.transaction() as session:
            remove_address(session, number, audit=opened.trail())
        print(f"Address {number} is told nothing more.")


@app.command("list")
def list_addresses(home: HomeOption) -> None:
    """List the addresses that are told."""
    from hub.submissions.tables import MessageAddress

    with console(home, "messages list") as opened, opened.database.reading() as session:
        present = select(MessageAddress).where(MessageAddress.removed_at.is_(None)).order_by(MessageAddress.id)
        for row in session.scalars(present):
            print(f"{row.id:6} {row.organisation:40} {row.channel:8} {row.address}")
