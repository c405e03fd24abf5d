"""The commands of `promise-edge` for what parents ask of an office: who got what, and objections."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectors.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from policies.opt_outs import OptOutScope

commands = typer.Typer()
FolderArgument = Annotated[Path, typer.Argument(help="the workspace folder")]
LocalId = Annotated[str, typer.Argument(help="the student's local number; it stays here")]
LetterOption = Annotated[Path | None, typer.Option(help="writes the answer to the parent as a letter")]


@commands.command()
def record(folder: FolderArgument, local_id: LocalId, letter: LetterOption = None) -> None:
    """Tells who received results that were made with a child's record; the hub is given its reference alone."""
    from connectors.parent_letters import disclosure_letter

    workspace = open_workspace(folder)
    told = _asked(workspace, "/v1/records", {"reference": _reference(workspace, local_id)})
    typer.echo(f"{len(told['submissions'])} submissions of this office, {len(told['releases'])} releases")
    for one in told["recipients"]:
        under = f" under {one['agreement']} for {one['purpose']}, {one['times']} times" if one["agreement"] else ""
        typer.echo(f"  {one['organisation']}: release {one['release']}{under}")
    for one in told["opt_outs"]:
        until = f" until {one['withdrawn']}" if one["withdrawn"] else ""
        typer.echo(f"  objection: {one['scope']} since {one['since']}{until}")
    _write(letter, disclosure_letter(told, day=_now().date()))
    typer.echo("next: add what your own office gave out (34 CFR 99.32), and answer the parent within 45 days")


@commands.command("opt-out")
def opt_out(
    folder: FolderArgument,
    local_id: LocalId,
    scope: Annotated[str, typer.Option(help="against what the family objects: directory, studies or all")] = "all",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="takes an objection back")] = False,
    letter: LetterOption = None,
) -> None:
    """Records a family's objection, or takes it back; the hub is given the record's reference alone."""
    from connectors.parent_letters import objection_letter

    workspace = open_workspace(folder)
    word = "withdraw" if withdraw else "record"
    asked = {"reference": _reference(workspace, local_id), "scope": _scope(scope).value, "word": word}
    told = _asked(workspace, "/v1/opt-outs", asked)
    done = "taken back" if withdraw else "recorded"
    typer.echo(f"objection ({told['scope']}) {done}, since {told['since']}; it is honoured in cohorts not yet told")
    _write(letter, objection_letter(told, day=_now().date()))
    typer.echo("next: answer the parent, and keep the request with the child's file")


def _scope(scope: str) -> OptOutScope:
    from policies.opt_outs import OptOutScope

    try:
        return OptOutScope(scope)
    except ValueError:
        raise typer.BadParameter(", ".join(one.value for one in OptOutScope), param_hint="--scope") from None


def _reference(workspace: Workspace, local_id: str) -> str:
    from connectors.references import record_reference

    return record_reference(workspace.keys.reference(), local_id).hex()


def _asked(workspace: Workspace, path: str, body: dict[str, str]) -> Any:
    from connectors.submitting import connection
    from policies.submission import canonical_json

    with connection(workspace, clock=_now) as hub:
        return hub.ask("POST", path, canonical_json(body))


def _write(letter: Path | None, text: str) -> None:
    if letter is not None:
        letter.write_text(text, encoding="utf-8")
        typer.echo(f"{letter.name}: the answer to the parent")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
