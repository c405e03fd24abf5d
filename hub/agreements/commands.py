"""`promise-hub agreements ...`: check, read, compare and load agreements, and the days that they bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.console import console, telling_errors
from hub.db import utc_now
from hub.errors import Invalid
from policies.agreement_dates import calendar_file
from policies.agreement_words import changes, plain_words
from policies.agreements import Agreement, AgreementError, check_whole, json_schema, read_agreement

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
            check_whole(agreement)
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
    home: HomeOption,
    folder: Annotated[Path, typer.Argument(exists=True, help="A folder of agreements, or one file.")],
    keys: Annotated[Path | None, typer.Option(help="Parties' keys, JSON; during set-up.")] = None,
    words: Annotated[Path | None, typer.Option(help="Signed words of parties, a JSON list.")] = None,
) -> None:
    """Load agreements as drafts; one that is not whole is refused and the clause is named."""
    from hub.agreements.activation import register_keys, take_signature
    from hub.agreements.service import load_agreement
    from hub.agreements.set_up import check_alone

    step = "Run promise-hub agreements keys: it asks two persons."
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]
    with console(home, "agreements load") as opened:
        with opened.database.transaction() as session:
            for file in files:
                load_agreement(session, _text(file), audit=opened.trail())
            if keys is not None:
                check_alone(session, "party.key", next_step=step, audit=opened.trail())
                register_keys(session, _json(keys), audit=opened.trail())
            for word in [] if words is None else _json(words):
                take_signature(session, word, audit=opened.trail())
        print(f"{len(files)} agreements stand.")


@app.command()
def sign(home: HomeOption, file: Annotated[Path, typer.Argument(help="A party's signed word, JSON.")]) -> None:
    """Keep a party's signature of a version, made by `promise-edge agreements sign`."""
    from hub.agreements.activation import take_signature

    with console(home, "agreements sign") as opened:
        with opened.database.transaction() as session:
            said = take_signature(session, _json(file), audit=opened.trail())
        print(f"{said.organisation} has signed {said.agreement} version {said.version}.")


@app.command()
def withdraw(home: HomeOption, file: Annotated[Path, typer.Argument(help="A party's signed word, JSON.")]) -> None:
    """Let a party out, by the word that `promise-edge agreements withdraw` made; it needs nobody's approval."""
    from hub.agreements.activation import withdraw as leave

    with console(home, "agreements withdraw") as opened:
        with opened.database.transaction() as session:
            said = leave(session, _json(file), audit=opened.trail())
        print(f"{said.organisation} has withdrawn from {said.agreement}. Next: promise-hub agreements status")


@app.command()
def status(home: HomeOption) -> None:
    """Tell which agreements hold, what warns, and what is to be destroyed by when."""
    from hub.agreements.activation import ended
    from hub.agreements.service import known_agreements
    from policies.agreement_dates import warning
    from policies.agreements import in_force

    with console(home, "agreements status") as opened:
        day = opened.clock().date()
        with opened.database.reading() as session:
            standing, over = in_force(known_agreements(session), day), ended(session, day=day)
    for one in standing:
        within = warning(one, day)
        soon = "" if within is None else f"  ENDS WITHIN {within} DAYS"
        print(f"{one.id} version {one.version}  {one.tier}  until {one.retention.expires}{soon}")
    for left in over:
        print(
            f"{left.agreement}  {left.why} {left.ended}: {', '.join(left.organisations)}; destroy by {left.destroy_by}"
        )


def _agreement(file: Path) -> Agreement:
    try:
        return read_agreement(_text(file))
    except AgreementError as error:
        raise Invalid(
            f"{file.name} is no agreement at {error.place}.", code=error.code, next_step=error.next_step
        ) from error


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        raise Invalid(f"{file.name} cannot be read.", code="AGR-011", next_step="Give a whole JSON file.") from None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise AgreementError("AGR-001", "file", "give an agreement as a YAML file") from None
