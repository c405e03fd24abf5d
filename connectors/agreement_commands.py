"""`promise-edge agreements ...`: a party's signatory reads an agreement in plain words, signs it, or withdraws."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectors.errors import WorkspaceError

if TYPE_CHECKING:
    from policies.agreement_signatures import Said
    from policies.agreements import Agreement

app = typer.Typer(name="agreements", help="Agreements, read and signed by a party.", no_args_is_help=True)
OrganisationOption = Annotated[str, typer.Option(help="the organisation that the signatory signs for")]
KeyOption = Annotated[Path, typer.Option(help="the signatory's key file (promise-edge keys signatory)")]
OutOption = Annotated[Path, typer.Option(help="the file to write and to give to the hub")]


@app.command()
def show(file: Annotated[Path, typer.Argument(help="the agreement as YAML")]) -> None:
    """Tells an agreement in plain words."""
    from policies.agreement_words import plain_words

    typer.echo(plain_words(_read(file)), nl=False)


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(help="the agreement as YAML")],
    organisation: OrganisationOption,
    key: KeyOption,
    out: OutOption,
) -> None:
    """Signs one version, every word of it; tells it in plain words first."""
    from policies.agreement_signatures import signing
    from policies.agreement_words import plain_words
    from policies.agreements import AgreementError

    agreement = _read(file)
    typer.echo(plain_words(agreement))
    try:
        said = signing(agreement, organisation, now=dt.datetime.now(dt.UTC))
    except AgreementError as error:
        raise WorkspaceError("EDGE-015", "This organisation is no party.", f"Next: {error.next_step}.") from None
    _write(said, key, out)
    typer.echo(f"{out}: signed for {organisation}.\nnext: promise-hub agreements sign {out.name}")


@app.command()
def withdraw(
    agreement: Annotated[str, typer.Argument(help="the agreement's id")],
    organisation: OrganisationOption,
    key: KeyOption,
    out: OutOption,
) -> None:
    """Withdraws from an agreement: what the organisation gave is used no longer, and is destroyed in time."""
    from policies.agreement_signatures import withdrawing

    _write(withdrawing(agreement, organisation, now=dt.datetime.now(dt.UTC)), key, out)
    typer.echo(f"{out}: {organisation} withdraws.\nnext: promise-hub agreements withdraw {out.name}")


def _read(file: Path) -> Agreement:
    from policies.agreements import AgreementError, read_agreement

    try:
        return read_agreement(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, AgreementError):
        raise WorkspaceError(
            "EDGE-005", f"{file.name} is no agreement.", "Give the agreement that the partnership sent, as YAML."
        ) from None


def _write(said: Said, key: Path, out: Path) -> None:
    from connectors.keystore import AgentKey, read_key
    from connectors.workspace import write_json
    from policies.agreement_signatures import sign_word

    write_json(out, sign_word(said, AgentKey(read_key(key)).signer()).model_dump(mode="json"))
