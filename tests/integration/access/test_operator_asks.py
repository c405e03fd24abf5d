"""What the operator did alone goes through two persons: alone only during set-up, and each time the log says so."""

import json

import pytest
from typer.testing import CliRunner

from hub.agreements.set_up import is_set_up
from hub.agreements.tables import AgreementVersion, PartyKey
from hub.audit.tables import Detail
from hub.cli import app
from hub.errors import Conflict, Invalid, NotFound
from hub.identity.tables import ActRow, Agent
from hub.identity.two_persons import list_acts
from hub.linking.service import current_version, request_run
from hub.operations import acts
from hub.operations.people_commands import OPERATOR
from hub.release.service import current_release, withdraw_prepared
from hub.release.tables import ReleaseRow
from policies.party_keys import party_key
from policies.principal import Role
from tests.databases import address_of
from tests.integration.access.conftest import HUB, NOVATO, REED
from tests.integration.agreements.test_activation import key_of
from tests.integration.hub.conftest import MadeUpHub

pytestmark = pytest.mark.access


def run(home, *words):
    done = CliRunner().invoke(app, [*map(str, words), "--home", str(home)])
    return done.exit_code, done.output


def write(folder, value):
    file = folder / "told.json"
    file.write_text(json.dumps(value), "utf-8")
    return file


def roster_of(organisation, name="1"):
    key = party_key(organisation, key_of(organisation))["key"]
    return {"agents": [{"organisation": organisation, "key_id": f"{organisation}:{name}", "public_key": key}]}


def rows(database, table):
    with database.reading() as session:
        found = session.query(table).all()
        session.expunge_all()
        return found


def approve(people, number, *roles):
    """Let people of these roles and organisations approve what they are shown."""
    for role, organisation in roles:
        who = people.principal(role, organisation)
        trail = people.hub.trail
        with people.hub.database.transaction() as session:
            (act,) = [one for one in list_acts(session, principal=who, audit=trail) if one.id == number]
            acts.approve(session, number, digest=act.digest, principal=who, audit=trail)


@pytest.fixture
def bare(home, clock):
    """A hub before its first agreement was activated."""
    hub = MadeUpHub(home, address_of(home), clock)
    with hub.database.transaction() as session:
        for row in session.query(AgreementVersion):
            row.activated_at = None
    yield hub
    hub.close()


def test_during_set_up_the_operator_puts_keys_on_the_roster_alone_and_the_log_says_so(bare, tmp_path):
    home = bare.home.path

    assert run(home, "roster", "load", write(tmp_path, roster_of(REED))) == (0, "1 agents are new.\n")
    told = write(tmp_path, {REED: party_key(REED, key_of(REED))})
    assert run(home, "agreements", "keys", told) == (0, "1 keys are new.\n")
    (home / "synthetic").unlink()
    assert run(home, "token", "--agreement", "DUL-7", "--organisation", "canal-alliance")[0] == 0

    alone = [(one.resource, one.rule) for one in rows(bare.database, Detail) if one.event == "operator.alone"]
    assert alone == [("agent.add", "set-up"), ("party.key", "set-up"), ("token", "set-up")]
    assert rows(bare.database, ActRow) == []


def test_after_the_first_activation_keys_are_asked_for_and_two_persons_make_them_stand(people, tmp_path):
    hub, home = people.hub, people.hub.home.path
    with hub.database.reading() as session:
        assert is_set_up(session)

    loaded = run(home, "roster", "load", write(tmp_path, roster_of(REED)))
    keys = run(home, "agreements", "keys", write(tmp_path, {REED: party_key(REED, key_of(REED))}))
    assert (loaded[0], keys[0]) == (0, 0)
    assert f"a signatory of {REED}" in loaded[1] + keys[1]
    assert [rows(hub.database, Agent), rows(hub.database, PartyKey)] == [[], []]

    for number in (1, 2):
        approve(people, number, (Role.COMPLIANCE, HUB), (Role.SIGNATORY, REED))

    assert [one.key_id for one in rows(hub.database, Agent)] == ["reed:1"]
    assert [one.organisation for one in rows(hub.database, PartyKey)] == [REED]
    assert run(home, "roster", "load", write(tmp_path, roster_of(REED))) == (0, "")
    changed = run(
        home, "roster", "load", write(tmp_path, {"agents": [{**roster_of(NOVATO)["agents"][0], "key_id": "reed:1"}]})
    )
    assert (changed[0], "roster-key-changed" in changed[1]) == (1, True)


def test_a_party_s_key_without_its_holder_s_proof_cannot_even_be_asked_for(people):
    stolen = {**party_key(REED, key_of(REED)), "organisation": NOVATO}

    with pytest.raises(Invalid) as refused, people.hub.database.transaction() as session:
        acts.ask(session, "party.key", stolen, why="Our key.", principal=OPERATOR, audit=people.hub.trail)

    assert refused.value.code == "AGR-015"


def test_a_token_for_somebody_real_is_refused_once_two_persons_can_add_her(people):
    (people.hub.home.path / "synthetic").unlink()

    code, told = run(people.hub.home.path, "token", "--agreement", "DUL-7", "--organisation", "canal-alliance")

    assert (code, "two-persons" in told, "person.add" in told) == (1, True, True)


def test_keys_are_not_loaded_beside_agreements_once_the_set_up_is_over(people, tmp_path):
    file = tmp_path / "mou.yaml"
    file.write_text("", "utf-8")
    told = write(tmp_path, {REED: party_key(REED, key_of(REED))})
    empty = tmp_path / "none"
    empty.mkdir()

    code, said = run(people.hub.home.path, "agreements", "load", empty, "--keys", told)

    assert (code, "two-persons" in said) == (1, True)


def test_a_run_holds_and_is_left_only_when_an_officer_approves(people):
    hub = people.hub
    hub.enrol(NOVATO).deliver(range(30))
    with hub.database.transaction() as session:
        request_run(session, audit=hub.trail)
    hub.work()

    for number, (words, before, after) in enumerate(
        ((("linkage", "accept", 1), None, 1), (("linkage", "revert"), 1, None)), 1
    ):
        code, told = run(hub.home.path, *words)
        with hub.database.reading() as session:
            assert (code, current_version(session)) == (0, before), told
        approve(people, number, (Role.COMPLIANCE, HUB))
        with hub.database.reading() as session:
            assert current_version(session) == after


def waiting_release(hub, name="2026-11-22.1"):
    with hub.database.transaction() as session:
        session.add(
            ReleaseRow(
                id=name, state="prepared", prepared_at=hub.clock(), published_at=None, snapshot="s",
                catalogue_version=1, rules="{}", content_sha256="a" * 64, content=b"{}", shown=1, withheld=0,
            )
        )  # fmt: skip


def test_a_release_is_published_by_an_officer_s_approval_of_its_very_content(people):
    hub = people.hub
    waiting_release(hub)

    code, told = run(hub.home.path, "release", "publish", "--why", "The evidence was read.")
    assert (code, "Act 1 is asked." in told) == (0, True)
    with hub.database.reading() as session, pytest.raises(NotFound):
        current_release(session)
    (act,) = rows(hub.database, ActRow)
    assert act.payload == {"release": "2026-11-22.1", "content": "a" * 64}

    approve(people, 1, (Role.COMPLIANCE, HUB))

    with hub.database.reading() as session:
        assert current_release(session).id == "2026-11-22.1"


@pytest.mark.parametrize("change", ["content", "withdrawn"])
def test_a_release_that_changed_since_it_was_asked_for_is_not_published(people, change):
    hub = people.hub
    waiting_release(hub)
    run(hub.home.path, "release", "publish")
    with hub.database.transaction() as session:
        if change == "content":
            session.get_one(ReleaseRow, "2026-11-22.1").content_sha256 = "b" * 64
        else:
            withdraw_prepared(session, "2026-11-22.1", audit=hub.trail)

    with pytest.raises((Conflict, NotFound)):
        approve(people, 1, (Role.COMPLIANCE, HUB))

    with hub.database.reading() as session, pytest.raises(NotFound):
        current_release(session)


def test_a_release_that_does_not_wait_cannot_be_asked_for(people):
    with pytest.raises(NotFound), people.hub.database.transaction() as session:
        told = {"release": "2026-11-22.9"}
        acts.ask(session, "release.publish", told, why="Now.", principal=OPERATOR, audit=people.hub.trail)
