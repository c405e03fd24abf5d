"""The operator's commands for acts that need two persons: they ask, and others approve on the page "Two persons".

The last approval does the act. Only during set-up (`hub.agreements.set_up`) may the operator put keys on the roster
and trust parties' keys alone; each of these leaves its event.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from hub.agreements.activation import amended_places, new_keys, note_refusal, register_keys, standing_version
from hub.agreements.commands import app as agreements_app
from hub.agreements.set_up import check_alone, is_set_up, note_alone
from hub.audit.events import AuditTrail
from hub.console import Console, console
from hub.errors import CallerError, Invalid
from hub.identity.agents import load_roster, new_agents
from hub.operations import acts
from hub.operations.people_commands import OPERATOR
from hub.release.commands import app as release_app

HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]
WhyOption = Annotated[str, typer.Option(help="Why now; the approvers read it.")]
NEXT = 'Next: it is approved within 72 hours on the page "Two persons"'


def ask(session: Session, kind: str, told: dict[str, str], *, why: str, audit: AuditTrail) -> int:
    """Ask for an act as the operator; its number comes back."""
    return acts.ask(session, kind, told, why=why, principal=OPERATOR, audit=audit)


@agreements_app.command("activate")
def activate(
    home: HomeOption,
    agreement: Annotated[str, typer.Argument(help="The agreement's id.")],
    version: Annotated[int, typer.Argument(help="Its version.")],
    why: WhyOption,
) -> None:
    """Ask that a first version hold; an officer and a signatory approve, and the last approval activates it."""
    with console(home, "agreements activate") as opened:
        number = _asked_of_agreement(opened, "agreement.activate", agreement, version, why=why)
    print(f"Act {number} is asked. {NEXT} by a compliance officer and a signatory.")


@agreements_app.command("amend")
def amend(
    home: HomeOption,
    agreement: Annotated[str, typer.Argument(help="The agreement's id.")],
    version: Annotated[int, typer.Argument(help="The version that is to take the place of the one that holds.")],
    why: WhyOption,
) -> None:
    """Ask that an amendment hold; its approvers are shown each place that changes, as it is printed here."""
    with console(home, "agreements amend") as opened:
        number = _asked_of_agreement(opened, "agreement.amend", agreement, version, why=why)
        with opened.database.reading() as session:
            before = standing_version(session, agreement)
            places = () if before is None else amended_places(session, agreement, version, before=before.version)
    for place in places:
        print(place.line())
    print(f"Act {number} is asked. {NEXT} by a compliance officer and a signatory.")


@agreements_app.command("keys")
def keys(
    home: HomeOption,
    file: Annotated[Path, typer.Argument(help="JSON: {organisation: {key, proof}}.")],
    why: WhyOption = "A party has told its key.",
) -> None:
    """Ask that parties' public keys be trusted; during set-up they are at once."""
    with console(home, "agreements keys") as opened, opened.database.transaction() as session:
        told = _json(file)
        if not is_set_up(session):
            note_alone(session, "party.key", audit=opened.trail())
            print(f"{register_keys(session, told, audit=opened.trail())} keys are new.")
            return
        for organisation, given in new_keys(session, told).items():
            fields = {"organisation": organisation, "key": given["key"], "proof": given["proof"]}
            number = ask(session, "party.key", fields, why=why, audit=opened.trail())
            print(f"Act {number} is asked. {NEXT} by a compliance officer and a signatory of {organisation}.")


@release_app.command("publish")
def publish(home: HomeOption, why: WhyOption = "The release is ready; its evidence was read.") -> None:
    """Ask that the release that waits be published; one is prepared from the linked facts where none waits."""
    from hub.release.publishing import prepare_from_facts
    from hub.release.service import prepared_release
    from hub.stores import facts_store
    from policies.catalogue_files import catalogue

    with console(home, "release publish") as hub:
        with hub.database.reading() as session:
            release = prepared_release(session)
        if release is None:
            store = facts_store(hub.settings)
            release = prepare_from_facts(hub.database, analysis=store, catalogue=catalogue(), audit=hub.trail())
        with hub.database.transaction() as session:
            number = ask(session, "release.publish", {"release": release.id}, why=why, audit=hub.trail())
    print(f"Release {release.id} is prepared: {release.shown} cells shown, {release.withheld} withheld.")
    print(f"Act {number} is asked. {NEXT} by a compliance officer; then districts cosign the log, if they have agents.")


def accept(
    home: HomeOption,
    version: Annotated[int, typer.Argument()],
    why: WhyOption = "The run has ended; its quality was read.",
) -> None:
    """Ask that a resolved run hold from now on."""
    with console(home, "linkage accept") as opened, opened.database.transaction() as session:
        number = ask(session, "linkage.accept", {"version": str(version)}, why=why, audit=opened.trail())
    print(f"Act {number} is asked. {NEXT} by a compliance officer.")


def revert(home: HomeOption, why: WhyOption = "The run that holds is wrong.") -> None:
    """Ask that the run before hold again."""
    with console(home, "linkage revert") as opened, opened.database.transaction() as session:
        number = ask(session, "linkage.revert", {}, why=why, audit=opened.trail())
    print(f"Act {number} is asked. {NEXT} by a compliance officer.")


def load_agents(
    home: HomeOption,
    file: Annotated[Path, typer.Argument(help="The roster as JSON.")],
    why: WhyOption = "An office has told the key of its agent.",
) -> None:
    """Ask that the agents of a roster be registered; during set-up they are at once."""
    with console(home, "roster load") as opened, opened.database.transaction() as session:
        told = _json(file)
        if not is_set_up(session):
            note_alone(session, "agent.add", audit=opened.trail())
            print(f"{load_roster(session, told, audit=opened.trail())} agents are new.")
            return
        for entry in new_agents(session, told):
            number = ask(session, "agent.add", entry, why=why, audit=opened.trail())
            print(f"Act {number} is asked. {NEXT} by a compliance officer and a signatory of {entry['organisation']}.")


def token(
    home: HomeOption,
    agreement: Annotated[str, typer.Option(help="The agreement that the token is bound to.")],
    organisation: Annotated[str, typer.Option(help="The partner's organisation.")],
) -> None:
    """Add a partner's person and print a read-only token bound to one agreement; only during set-up, or made up."""
    from hub.identity.service import add_person, make_token
    from policies.principal import Role

    step = "Let an administrator ask for person.add; the person makes a token on the page Account."
    with console(home, "token") as opened:
        made_up = opened.home.synthetic_mark.is_file()
        with opened.database.transaction() as session:
            if not made_up:
                check_alone(session, "token", next_step=step, audit=opened.trail())
            roles = frozenset({Role.PARTNER})
            person = add_person(session, organisation=organisation, roles=roles, audit=opened.trail())
            secret = make_token(session, person, agreement=agreement, audit=opened.trail())
        print(secret)


def _asked_of_agreement(opened: Console, kind: str, agreement: str, version: int, *, why: str) -> int:
    try:
        with opened.database.transaction() as session:
            told = {"agreement": agreement, "version": str(version)}
            return ask(session, kind, told, why=why, audit=opened.trail())
    except CallerError as error:
        with opened.database.transaction() as session:
            note_refusal(session, agreement, error, audit=opened.trail())
        raise


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        raise Invalid(f"{file.name} cannot be read.", code="AGR-011", next_step="Give a whole JSON file.") from None
