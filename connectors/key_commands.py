"""`promise-edge keys ...`: what a steward, a custodian and a signatory do for the keys. No command shows a secret."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectors.errors import WorkspaceError

if TYPE_CHECKING:
    from connectors.ceremony import EpochSeen
    from connectors.push import Hub
    from connectors.workspace import Workspace

app = typer.Typer(name="keys", help="Keys and epochs; no command shows a secret.", no_args_is_help=True)
DirArgument = Annotated[Path, typer.Argument(help="the workspace folder")]
EpochOption = Annotated[int | None, typer.Option(help="the epoch; the newest when left out")]


@app.command()
def new(file: Annotated[Path, typer.Argument(help="a new file for the key")]) -> None:
    """Makes a linkage key for `encode`. Every file that is to be linked must be encoded under the same key."""
    from connectors.keystore import KEY_BYTES, write_key

    try:
        write_key(file, os.urandom(KEY_BYTES))
    except OSError:
        raise _stands_already(file) from None
    typer.echo(f"A linkage key stands in {file.name}; whoever has it can test guesses, so keep it from others.")
    typer.echo(f"next: promise-edge encode people.csv --map map.yaml --key {file.name} --out people.rows")


@app.command()
def show(
    folder: DirArgument,
    out: Annotated[Path | None, typer.Option(help="write this agent's entry for the roster")] = None,
) -> None:
    """Shows this agent's public keys as they are to stand on the roster."""
    from connectors.ceremony import member_of
    from connectors.workspace import open_workspace, write_json

    member = member_of(open_workspace(folder))
    if out is None:
        typer.echo(member.model_dump_json(indent=1))
    else:
        write_json(out, member.model_dump())
        typer.echo(f"{out}: the public keys of {member.organisation}.\nnext: send it to who makes the roster")


@app.command()
def page(
    folder: DirArgument,
    out: Annotated[Path, typer.Argument(help="the key file to write, for example bright.keys.json")],
) -> None:
    """Writes the key file of the encoder page: this provider's keys under a passphrase of its own."""
    from connectors.encoder_page.key_file import page_keys, write_key_file
    from connectors.passphrase import new_passphrase
    from connectors.workspace import open_workspace

    workspace = open_workspace(folder)
    write_key_file(out, page_keys(workspace, passphrase=new_passphrase(), now=dt.datetime.now(dt.UTC)))
    typer.echo(f"{out.name}: the keys of {workspace.settings.organisation} for the encoder page.")
    typer.echo("next: give the file to the office, and the passphrase by another way (docs/doors/encoder-page.md)")


@app.command()
def signatory(
    file: Annotated[Path, typer.Argument(help="a new file for the signatory's key")],
    organisation: Annotated[str, typer.Option(help="the organisation that the signatory signs for")],
) -> None:
    """Makes a signatory's key and prints its public half for the partnership's list of signatories."""
    from connectors.keystore import KEY_BYTES, AgentKey, write_key

    key = AgentKey(os.urandom(KEY_BYTES))
    try:
        write_key(file, key.content)
    except OSError:
        raise _stands_already(file) from None
    typer.echo(json.dumps({organisation: key.public()}))
    typer.echo("next: give this line to the partnership by another way than the hub", err=True)


@app.command()
def prove(
    file: Annotated[Path, typer.Argument(help="the signatory's key file")],
    organisation: Annotated[str, typer.Option(help="the organisation that the signatory signs for")],
) -> None:
    """Prints the public key with the proof that this office holds it: for the hub's list of parties' keys."""
    from connectors.keystore import AgentKey, read_key
    from policies.party_keys import party_key

    typer.echo(json.dumps({organisation: party_key(organisation, AgentKey(read_key(file)).signer())}))
    typer.echo("next: give this line to the hub's operator: promise-hub agreements keys", err=True)


@app.command()
def roster(
    out: Annotated[Path, typer.Argument(help="the roster to write")],
    members: Annotated[list[Path], typer.Argument(help="entries that members made with `keys show --out`")],
    epoch: Annotated[int, typer.Option(help="the epoch's number, one more than the last")],
    custodian: Annotated[list[str], typer.Option(help="an organisation that draws a share; two or more")],
    days: Annotated[int, typer.Option(help="how many days members have to accept")] = 14,
) -> None:
    """Makes the roster of an epoch for the signatories to sign."""
    from connectors.ceremony import make_roster, read_json_file
    from connectors.workspace import write_json

    accept_by = (dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    entries = [read_json_file(path) for path in members]
    write_json(out, make_roster(entries, epoch=epoch, custodians=custodian, accept_by=accept_by))
    typer.echo(
        f"{out}: epoch {epoch}, {len(entries)} members.\nnext: two signatories run `promise-edge keys sign {out}`"
    )


@app.command()
def sign(
    roster_file: Annotated[Path, typer.Argument(help="the roster")],
    organisation: Annotated[str, typer.Option(help="the organisation that the signatory signs for")],
    key: Annotated[Path, typer.Option(help="the signatory's key file")],
) -> None:
    """Signs a roster; says first whom it names."""
    from connectors.ceremony import read_json_file, sign_roster
    from connectors.keystore import AgentKey, read_key
    from connectors.workspace import write_json

    whole = sign_roster(read_json_file(roster_file), organisation=organisation, key=AgentKey(read_key(key)).signer())
    for member in whole["roster"]["members"]:
        typer.echo(f"  {member['organisation']}")
    write_json(roster_file, whole)
    typer.echo(f"Signed for {organisation}; {len(whole['signatures'])} signatures.\nnext: promise-hub epochs propose")


@app.command()
def give(folder: DirArgument, epoch: EpochOption = None) -> None:
    """A custodian commits to its share and, once all custodians have, seals it to every member."""
    from connectors import ceremony

    with _epoch_of(folder, epoch) as (hub, workspace, seen):
        came = ceremony.give(hub, workspace, seen)
    if came == ceremony.COMMITTED:
        typer.echo(f"Committed.\nnext: give the same command again when the other custodians have: {_rest(seen)}")
    else:
        typer.echo(f"Sealed to {len(seen.roster.members)} members.\nnext: promise-edge keys accept {folder}")


@app.command()
def accept(folder: DirArgument, epoch: EpochOption = None) -> None:
    """Opens the custodians' shares, checks them and keeps the epoch's secret until it begins."""
    from connectors import ceremony

    with _epoch_of(folder, epoch) as (hub, workspace, seen):
        ceremony.accept(hub, workspace, seen)
    typer.echo(f"Epoch {seen.roster.epoch} is accepted.\nnext: promise-edge keys begin {folder}, once it has begun")


@app.command()
def begin(folder: DirArgument, epoch: EpochOption = None) -> None:
    """From now on this workspace encodes in the epoch; what was prepared before is to be prepared again."""
    from connectors import ceremony

    with _epoch_of(folder, epoch) as (_, workspace, seen):
        ceremony.begin(workspace, seen)
    inbox = workspace.inbox
    typer.echo(f"Epoch {seen.roster.epoch} holds here.")
    typer.echo(f"next: lay your files into {inbox}/YEAR (2026 for 2025-26), then promise-edge check {inbox}/YEAR/*")


@app.command()
def status(folder: DirArgument, epoch: EpochOption = None) -> None:
    """Shows how far the ceremony has come."""
    with _epoch_of(folder, epoch) as (_, workspace, seen):
        own = workspace.settings.organisation
        typer.echo(
            f"epoch {seen.roster.epoch}, accept by {seen.roster.accept_by}, begun: {'yes' if seen.begun else 'no'}"
        )
    for custodian in seen.roster.custodians:
        state = "given" if custodian in seen.given else "committed" if custodian in seen.commitments else "waited for"
        typer.echo(f"  share of {custodian}: {state}")
    typer.echo(f"  accepted by {len(seen.accepted)} of {len(seen.roster.members)}")
    typer.echo(f"next: {_next_of(folder, own, seen)}")


@app.command()
def wrap(folder: DirArgument) -> None:
    """Encrypts this workspace's key files under a passphrase, which every later command asks for."""
    from connectors.passphrase import new_passphrase
    from connectors.workspace import open_workspace

    open_workspace(folder).keys.wrap(new_passphrase())
    typer.echo("The keys are wrapped. A lost passphrase is a lost keystore: keep it apart from this machine.")


@contextmanager
def _epoch_of(folder: Path, epoch: int | None) -> Iterator[tuple[Hub, Workspace, EpochSeen]]:
    """The hub, the workspace, and the epoch as this workspace has checked it."""
    from connectors.ceremony import look
    from connectors.submitting import connection
    from connectors.workspace import open_workspace

    workspace = open_workspace(folder)
    with connection(workspace, clock=lambda: dt.datetime.now(dt.UTC)) as hub:
        yield hub, workspace, look(hub, workspace, epoch=epoch)


def _stands_already(file: Path) -> WorkspaceError:
    return WorkspaceError("KEY-004", f"{file.name} stands already or cannot be made.", "Give a new file.")


def _rest(seen: EpochSeen) -> str:
    return ", ".join(custodian for custodian in seen.roster.custodians if custodian not in seen.commitments)


def _next_of(folder: Path, own: str, seen: EpochSeen) -> str:
    if own in seen.roster.custodians and own not in seen.given:
        return f"promise-edge keys give {folder}"
    if own not in seen.accepted:
        return f"promise-edge keys accept {folder}"
    return f"promise-edge keys begin {folder}" if seen.begun else "wait until the operator lets the epoch begin"
