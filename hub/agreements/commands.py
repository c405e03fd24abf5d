"""`promise-hub agreements ...`: check, read, compare and load agreements, and the days that they bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hub.console import console, telling_errors
from hub.db import utc_now
from hub.errors import Invalid
from policies.agreement_dates import calendar_file
from policies.agreement_words import changes, plain_words
from policies.agreements import Agreement, AgreementError, check_activation, json_schema, read_agreement

app = typer.Typer(name="agreements", help="Agreements: checked, read, signed, activated, ended.", no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]
FileArgument = Annotated[Path, typer.Argument(help="An agreement as YAML.")]


@app.command()
def check(files: Annotated[list[Path], typer.Argument(help="Agreements as YAML.")]) -> None:
    """Say whether agreements are whole: form, elements, and every clause that tier, basis and state law demand."""
    refused = 0
    for file in files:
        try:
            agreement = read_agreement(_text(file))
            check_activation(agreement)
        except AgreementError as error:
            refused += 1
            print(f"{file.name}: {error.code} at {error.place}. Next: {error.next_step}.")
        else:
            print(f"{file.name}: {agreement.id} version {agreement.version} is whole, {agreement.text_hash()[:16]}")
    raise SystemExit(1 if refused else 0)


@app.command()
def show(file: FileArgument) -> None:
    """Tell an agreement in plain words."""
    with telling_errors():
        print(plain_words(_agreement(file)), end="")


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="The version before, as YAML.")],
    after: Annotated[Path, typer.Argument(help="The version after, as YAML.")],
) -> None:
    """Tell what differs between two versions, one place a line."""
    with telling_errors():
        for change in changes(_agreement(before), _agreement(after)):
            print(change.line())


@app.command()
def schema(out: Annotated[Path, typer.Option(help="The file to write.")]) -> None:
    """Write the JSON Schema of an agreement file, for editors that check while one writes."""
    out.write_text(json.dumps(json_schema(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{out.name}: the schema of an agreement.")


@app.command()
def calendar(
    files: Annotated[list[Path], typer.Argument(help="Agreements as YAML.")],
    out: Annotated[Path, typer.Option(help="The iCalendar file to write.")],
) -> None:
    """Write a calendar of what the agreements bring: first and last days, reviews, warnings, destruction."""
    with telling_errors():
        agreements = [_agreement(file) for file in files]
    out.write_bytes(calendar_file(agreements, made_at=utc_now()).encode("ascii"))
    print(f"{out.name}: the days to come of {len(agreements)} agreements.")


@app.command()
def load(
    home: HomeOption, folder: Annotated[Path, typer.Argument(help="A folder of agreements, or one file.")]
) -> None:
    """Load agreements; one that lacks a clause or signature is refused and the clause is named."""
    from hub.agreements.service import load_agreement

    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]
    with console(home, "agreements load") as opened:
        with opened.database.transaction() as session:
            for file in files:
                load_agreement(session, _text(file), audit=opened.trail())
        print(f"{len(files)} agreements stand.")


def _agreement(file: Path) -> Agreement:
    try:
        return read_agreement(_text(file))
    except AgreementError as error:
        raise Invalid(
            f"{file.name} is no agreement at {error.place}.", code=error.code, next_step=error.next_step
        ) from error


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise AgreementError("AGR-001", "file", "give an agreement as a YAML file") from None
