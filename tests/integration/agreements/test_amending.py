"""An amendment is an act of its own: its approvers are shown what changes and are bound to both texts."""

import json

import pytest
from typer.testing import CliRunner

from hub.agreements.activation import amended_places
from hub.cli import app
from hub.errors import Invalid
from hub.identity.two_persons import list_acts
from hub.operations import acts
from hub.operations.made_up import activate_all
from policies.principal import Role
from tests.integration.access.conftest import people  # noqa: F401 (a fixture)
from tests.integration.agreements.test_activation import (  # noqa: F401 (fixtures)
    ADMINISTRATOR,
    OFFICER,
    SIGNATORY,
    partnership,
    text,
    with_mou,
)

pytestmark = pytest.mark.access
AMENDED = {"old": "version: 1", "new": "version: 2"}


def ask(partnership, kind, version):  # noqa: F811
    told = {"agreement": "DSA-PRE", "version": str(version)}
    return partnership.within(
        lambda session: acts.ask(
            session, kind, told, why="It goes on.", principal=ADMINISTRATOR, audit=partnership.trail
        )
    )


@pytest.fixture
def standing(with_mou):  # noqa: F811
    """A partnership whose preschool agreement holds in version 1, and is signed in version 2."""
    with_mou.draft("dsa-preschool")
    with_mou.within(lambda session: activate_all(session, audit=with_mou.trail))
    with_mou.draft("dsa-preschool", **AMENDED)
    return with_mou


def test_an_amendment_binds_its_approvers_to_both_texts_and_chains_them_in_the_log(standing):
    number = ask(standing, "agreement.amend", 2)
    with standing.database.transaction() as session:
        (act,) = [one for one in list_acts(session, principal=OFFICER, audit=standing.trail) if one.id == number]
        lines = acts.shown_changes(session, act)
    assert lines == ["~ version: 1 -> 2"]
    assert set(act.payload) == {"agreement", "version", "text", "before", "before_text"}

    standing.approve(number, OFFICER)
    assert ("DSA-PRE", 2) not in standing.holding()
    standing.approve(number, SIGNATORY)

    assert standing.holding()[:2] == [("DSA-PRE", 1), ("DSA-PRE", 2)]
    ((agreement, resource, versions),) = standing.events("agreement.amended")
    assert (agreement, resource) == ("DSA-PRE", "agreement:DSA-PRE")
    first = standing.events("agreement.activated")[-1][2]
    assert (versions["before"], versions["before_text"]) == ("1", first["text"])
    assert versions["text"] != versions["before_text"]


@pytest.mark.parametrize(("kind", "version"), [("agreement.activate", 2), ("agreement.amend", 1)])
def test_a_later_version_is_not_activated_and_a_first_one_amends_nothing(standing, kind, version):
    with pytest.raises(Invalid) as refused:
        ask(standing, kind, version)

    assert refused.value.code == "AGR-016"


def test_an_amendment_of_what_never_held_is_refused(with_mou):  # noqa: F811
    with_mou.draft("dsa-preschool")

    with pytest.raises(Invalid) as refused:
        ask(with_mou, "agreement.amend", 1)

    assert refused.value.code == "AGR-016"


def test_the_places_that_change_are_those_of_the_two_texts(standing):
    standing.draft("dsa-preschool", old="version: 1", new="version: 3")

    with standing.database.reading() as session:
        places = amended_places(session, "DSA-PRE", 3, before=1)

    assert [place.line() for place in places] == ["~ version: 1 -> 3"]


def test_the_page_and_the_api_show_an_approver_what_changes(people, tmp_path):  # noqa: F811
    hub, home = people.hub, people.hub.home.path
    file = tmp_path / "v2.yaml"
    file.write_text(
        text("dsa-preschool").replace("version: 1", "version: 2").replace("notify_hours: 48", "notify_hours: 24")
    )
    assert CliRunner().invoke(app, ["agreements", "load", str(file), "--home", str(home)]).exit_code == 0
    command = ["agreements", "amend", "DSA-PRE", "2", "--why", "It goes on.", "--home", str(home)]
    refused = CliRunner().invoke(app, command)
    assert (refused.exit_code, "AGR-003" in refused.output) == (1, True)
    from hub.agreements.activation import register_keys, take_signature
    from policies.agreements import read_agreement
    from policies.party_keys import party_key
    from tests.integration.agreements.test_activation import PRESCHOOLS, key_of, word

    with hub.database.transaction() as session:
        register_keys(session, {name: party_key(name, key_of(name)) for name in PRESCHOOLS}, audit=hub.trail)
        for name in PRESCHOOLS:
            said = word(read_agreement(file.read_text()), name, now=hub.clock())
            take_signature(session, said, audit=hub.trail)

    asked = CliRunner().invoke(app, command)

    assert (asked.exit_code, "~ version: 1 -> 2" in asked.output) == (0, True)
    officer = people.cookie(Role.COMPLIANCE)
    (row,) = people.ask("GET", "/v1/acts", officer).json()["rows"]
    assert "~ version: 1 -> 2" in row["changes"]
    assert people.ask("GET", f"/v1/acts/{row['act']}", officer).json()["changes"] == row["changes"]
    shown = people.ask("GET", "/acts", officer).text
    assert "~ version: 1 -&gt; 2" in shown
    assert json.dumps(row["payload_sha256"]).strip('"') in shown
