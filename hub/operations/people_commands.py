"""`promise-hub people ...` and `sign-in-link`: the operator's part in who may come in.

The operator begins alone: the first people get their links from here. Once a compliance officer has a way in, people
are added and reset by two persons on the page "Two persons", and these commands refuse.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from hub.console import Console, console
from hub.errors import Conflict
from hub.identity import accounts, service, two_persons
from hub.identity.tables import Person
from policies.principal import Principal, Role

app = typer.Typer(name="people", help="Who may come in, and what waits for a second person.", no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", envvar="PROMISE_HUB_HOME", help="Folder of the hub.")]
UrlOption = Annotated[str, typer.Option(help="Address that the person reaches the hub by.")]
OPERATOR = Principal("operator", frozenset({Role.OPERATOR}))


def sign_in_link(
    home: HomeOption,
    role: Annotated[str, typer.Option(help="steward, partner, compliance, administrator or signatory")],
    organisation: Annotated[str, typer.Option(help="The person's organisation.")] = "promise-partnership",
    url: UrlOption = "",
) -> None:
    """Add a person and print a one-time link: it sets up an account; among made-up people it signs in at once."""
    if role not in {known.value for known in service.PERSON_ROLES}:
        raise typer.BadParameter("no role of people", param_hint="--role")
    with console(home, "sign-in-link") as opened:
        made_up = opened.home.synthetic_mark.is_file()
        make = service.make_sign_in_link if made_up else service.make_set_up_link
        with opened.database.transaction() as session:
            if not made_up:
                check_operator_alone(session)
            roles = frozenset({Role(role)})
            person = service.add_person(session, organisation=organisation, roles=roles, audit=opened.trail())
            secret = make(session, person, audit=opened.trail())
        print(_address(opened, url, secret))


@app.command("list")
def list_people(home: HomeOption) -> None:
    """Show everybody who may come in: number, organisation, roles. The hub knows no names."""
    with console(home, "people list") as opened, opened.database.reading() as session:
        found = session.query(Person).filter(Person.removed_at.is_(None)).order_by(Person.organisation, Person.id)
        for person in found:
            print(f"{person.id}  {person.organisation}  {', '.join(person.roles)}")


@app.command()
def remove(home: HomeOption, person: Annotated[str, typer.Argument(help="The person's number.")]) -> None:
    """Somebody left: sessions, links and tokens end at once."""
    with console(home, "people remove") as opened:
        with opened.database.transaction() as session:
            service.remove_person(session, person, audit=opened.trail())
        print("Removed. Nothing of this person lets anybody in any more.")


@app.command()
def reset(
    home: HomeOption, person: Annotated[str, typer.Argument(help="The person's number.")], url: UrlOption = ""
) -> None:
    """Let somebody set up a lost factor anew, where no compliance officer could approve it."""
    with console(home, "people reset") as opened:
        with opened.database.transaction() as session:
            check_operator_alone(session, but=person)
            accounts.reset(session, person, audit=opened.trail())
            secret = service.make_set_up_link(session, person, audit=opened.trail())
        print(_address(opened, url, secret))


@app.command()
def acts(home: HomeOption) -> None:
    """Show what waits for a second person."""
    with console(home, "people acts") as opened:
        with opened.database.transaction() as session:
            found = two_persons.list_acts(session, principal=OPERATOR, audit=opened.trail())
        for act in (one for one in found if one.state == two_persons.WAITING):
            print(f"{act.id}  {act.kind}  until {act.holds_until:%Y-%m-%d %H:%M}  missing: {', '.join(act.missing)}")


def check_operator_alone(session: Session, *, but: str = "") -> None:
    """Raises Conflict where a compliance officer, other than the one who is named, could approve instead."""
    from hub.identity import passkeys

    for person in session.query(Person).filter(Person.removed_at.is_(None)):
        if Role.COMPLIANCE in person.roles and person.id != but and passkeys.passkeys_of(session, person.id):
            raise Conflict(
                "A compliance officer can approve this.", code="two-persons",
                next_step="Let an administrator ask for it on the page \"Two persons\".",
            )  # fmt: skip


def _address(opened: Console, url: str, secret: str) -> str:
    return f"{url or opened.settings.own_url()}/sign-in?link={secret}"
