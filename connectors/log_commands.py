"""Commands of `promise-edge` about the hub's log: cosign it, check receipts, look at a fork proof.

They need no trust in the hub: everything is held against the log's key in hub.json.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectors.errors import EdgeError, HubUnreachableError, LogError, PushRefusedError, WorkspaceError
from connectors.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from connectors.push import Hub

DirArgument = Annotated[Path, typer.Argument(help="the workspace folder")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (witness, receipt, fork):
        app.command()(command)


def witness(
    folder: DirArgument,
    accept_policy: Annotated[bool, typer.Option(help="take over who the hub says must cosign")] = False,
) -> None:
    """Checks that the hub's log only grew, and cosigns it. To be run every day; `push` does it too."""
    from connectors.submitting import connection
    from connectors.witness import accept_policy as accept

    workspace = open_workspace(folder)
    with connection(workspace, clock=_now) as hub:
        if accept_policy:
            typer.echo(f"Policy taken over: {len(accept(hub, workspace).witnesses)} agents of districts may count.")
        typer.echo(visit(hub, workspace))


def visit(hub: Hub, workspace: Workspace) -> str:
    """One visit to the log, in a sentence."""
    from connectors.witness import witness as cosign

    done = cosign(hub, workspace)
    told = f"The log's first {done.size:,} events are cosigned; compared with {done.compared} other witnesses."
    if done.published:
        told += f" Release {done.published} went out under this checkpoint."
    if done.policy_changed:
        told += " Note: the hub names others who must cosign than witness/policy does, which stands here."
        told += (
            " With a signed roster: accept the newest epoch, else tell the other districts; without: --accept-policy."
        )
    return told


def visit_after_push(hub: Hub, workspace: Workspace) -> str:
    """The same after a push; what keeps it from happening is told and stops nothing, but for a rewritten log."""
    try:
        return visit(hub, workspace)
    except (PushRefusedError, HubUnreachableError, WorkspaceError) as error:
        return f"The log was not cosigned this time ({error.code})."


def receipt(
    folder: DirArgument,
    submission: Annotated[
        str | None, typer.Argument(help="the beginning of a submission's id; all when left out")
    ] = None,
) -> None:
    """Shows the receipts that the hub gave, and checks each by its proof; needs no hub. Exit 1 where one is false."""
    workspace = open_workspace(folder)
    found = sorted(workspace.receipts.glob(f"{submission or ''}*.json"))
    if not found:
        raise WorkspaceError("EDGE-009", "There is no such receipt.", f"Run `promise-edge push {folder}` first.")
    false = 0
    for path in found:
        answer = _read(path)
        typer.echo(f"{path.stem}  {answer.get('state')}  {answer.get('next_step') or ''}".rstrip())
        try:
            typer.echo(f"  {checked(answer, path.stem, workspace)}")
        except EdgeError as error:
            false += isinstance(error, LogError)
            typer.echo(f"  {error.code}  {error.sentence}\n  next: {error.next_step}")
    typer.echo(f"next: promise-edge status {folder}")
    raise typer.Exit(1 if false else 0)


def checked(answer: dict[str, Any], submission: str, workspace: Workspace) -> str:
    """What a receipt proves, in a sentence; raises LogError where it does not hold."""
    from connectors.witness import log_verifier
    from policies.translog.errors import TranslogError
    from policies.translog.receipt import check_receipt, read_receipt

    if answer.get("receipt") is None:
        return "no proof: only what is accepted has one"
    try:
        shown = check_receipt(read_receipt(answer["receipt"]), log_verifier(workspace))
    except TranslogError as error:
        raise LogError(error.code, f"The receipt does not hold: {error}.", "Keep it, and ask the operator.") from None
    if (shown.event, shown.resource) != ("submission.accepted", f"submission:{submission}"):
        raise LogError("RECEIPT-001", "The receipt is about something else.", "Keep it, and ask the operator.")
    cosigners = sum("/witness/" in one.name for one in shown.checkpoint.signatures)
    return (
        f"proved: event {shown.sequence:,} of the log, {shown.time[:19]}Z, under the signed checkpoint of "
        f"{shown.size:,} events ({cosigners} cosignatures)"
    )


def fork(
    file: Annotated[Path, typer.Argument(help="a fork proof that a witness kept", exists=True, dir_okay=False)],
    key: Annotated[Path, typer.Option(help="hub.json of one's own, which holds the log's key")],
) -> None:
    """Says what a fork proof proves. Exit 1: two histories proven; 3: a challenge that the operator must answer."""
    from connectors.workspace import read_hub_keys
    from policies.translog.errors import TranslogError
    from policies.translog.note import read_vkey
    from policies.translog.witness import is_proven, read_fork

    try:
        found = read_fork(file.read_text("utf-8"))
        proven = is_proven(found, read_vkey(read_hub_keys(key).log_verifier))
    except (TranslogError, UnicodeDecodeError) as error:
        raise LogError(
            getattr(error, "code", "WITNESS-003"), "The file proves nothing about this log.", "Ask who gave it."
        ) from None
    if proven:
        typer.echo("Proven: the log's key signed two histories. No event of either can be relied on.")
        raise typer.Exit(1)
    typer.echo("Not proven by itself: the operator must show how the longer log grew out of the shorter.")
    raise typer.Exit(3)


def _read(path: Path) -> dict[str, Any]:
    try:
        answer = json.loads(path.read_text("utf-8"))
    except (ValueError, UnicodeDecodeError):
        answer = None
    if not isinstance(answer, dict):
        raise LogError("RECEIPT-002", f"{path.name} cannot be read.", "Restore it from a backup.")
    return answer


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
