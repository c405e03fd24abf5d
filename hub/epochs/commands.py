"""`promise-hub epochs ...`: the operator's part in the ceremony, which needs no key and sees none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.console import console
from hub.errors import Invalid

app = typer.Typer(name="epochs", help="Epochs of the linkage secret, which the hub never holds.", no_args_is_help=True)

HomeOption = Annotated[Path, typer.Option("--home", help="Folder of the hub.", envvar="PROMISE_HUB_HOME")]


@app.command()
def propose(
    home: HomeOption,
    roster: Annotated[Path, typer.Argument(help="The roster with the signatures of its signatories.")],
    signatories: Annotated[Path, typer.Option(help="Public keys of the partnership's signatories, JSON.")],
) -> None:
    """Lay a signed roster before its custodians and members."""
    from hub.epochs.service import propose_epoch

    with console(home, "epochs propose") as hub, hub.database.transaction() as session:
        proposed = propose_epoch(session, _read(roster), signatories=_read(signatories), audit=hub.trail())
    print(
        f"Epoch {proposed.epoch} is proposed: {len(proposed.members)} members, accept by {proposed.accept_by}. "
        f"Next: {' and '.join(proposed.custodians)} run `promise-edge keys give`."
    )


@app.command()
def begin(home: HomeOption, number: Annotated[int, typer.Argument(help="The epoch.")]) -> None:
    """Let an epoch begin: from now on only what was encoded in it is taken."""
    from hub.epochs.service import begin_epoch

    with console(home, "epochs begin") as hub, hub.database.transaction() as session:
        late = begin_epoch(session, number, audit=hub.trail())
    waits = f" These sit out until they accept: {', '.join(late)}." if late else ""
    print(f"Epoch {number} has begun.{waits} Next: every provider runs `promise-edge keys begin`, prepare and push.")


@app.command()
def show(home: HomeOption) -> None:
    """Show the newest epoch: who has given a share, who has accepted."""
    from hub.epochs.service import latest_epoch, read_epoch

    with console(home, "epochs show") as hub, hub.database.transaction() as session:
        state = read_epoch(session, latest_epoch(session), audit=hub.trail())
    roster = state.roster["roster"]
    print(f"epoch {state.number}  {'begun' if state.begun else 'not begun'}  accept by {roster['accept_by']}")
    for member in roster["members"]:
        name = member["organisation"]
        part = "custodian, " if name in roster["custodians"] else ""
        given = "share given, " if name in state.given else ""
        print(f"  {name}: {part}{given}{'accepted' if name in state.accepted else 'has not accepted'}")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise Invalid(f"{path.name} cannot be read.", code="EPO-001", next_step="Give a whole JSON file.") from None
