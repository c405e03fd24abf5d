"""The ceremony between real edges and a real hub: each provider gets the secret, the hub never; nobody is fooled."""

from __future__ import annotations

import base64
import datetime as dt
import json
from types import SimpleNamespace

import httpx
import pytest

from connectors import ceremony
from connectors.errors import EdgeError, PushRefusedError, WorkspaceError
from connectors.keystore import AgentKey
from connectors.push import Hub
from connectors.workspace import SIGNATORIES_FILE, make_workspace, write_json
from hub.app import create_app, hub_parts
from hub.audit.events import AuditTrail
from hub.audit.service import open_log
from hub.audit.tables import Detail
from hub.db import Database
from hub.epochs.service import begin_epoch, may_send, present_epoch, propose_epoch
from hub.epochs.tables import EpochEnvelope
from hub.errors import Conflict, Invalid, NotFound
from hub.identity.service import load_organisations
from hub.identity.tables import Agent
from hub.log import Log
from hub.operations.installation import make_home, organisations
from hub.settings import Settings, read_key
from linkage.sealing import SealingError, read_recipient_key
from tests.databases import empty_address, settings_of
from tests.integration.hub.conftest import BASE, AppTransport

NAMES = ("college-of-marin", "marin-coe", "novato", "reed")
CUSTODIANS = ("college-of-marin", "marin-coe")
NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
SIGNATORIES = {name: AgentKey(bytes([number]) * 32) for number, name in enumerate(("marin-coe", "novato"), start=1)}


class Ceremony:
    """A hub with four edges, each with keys of its own and the signatories' keys from elsewhere."""

    def __init__(self, folder):
        self.now = NOW
        self.home = make_home(folder / "hub", clock=self.clock, synthetic=True)
        self.settings = Settings(home=folder / "hub", public_url=BASE)
        self.database = Database(self.settings.resolved_database_url())
        with self.database.transaction() as session:
            open_log(session)
            load_organisations(session, organisations())
        self.parts = hub_parts(self.settings, clock=self.clock, log=Log(clock=self.clock))
        self.client = httpx.Client(transport=AppTransport(create_app(self.parts)), base_url=BASE)
        self.trail = AuditTrail("operator", None, "command", "test", self.clock)
        self.edges = {name: self.edge(folder / name, name) for name in NAMES}

    def clock(self):
        return self.now

    def edge(self, folder, name):
        workspace = make_workspace(folder, organisation=name, hub=BASE)
        write_json(folder / SIGNATORIES_FILE, {name: key.public() for name, key in SIGNATORIES.items()})
        write_json(folder / "hub.json", json.loads(self.home.public.read_text()))
        return workspace

    def agent(self, name):
        edge = self.edges[name]
        return Hub(self.client, edge.keys.agent(), edge.key_id, self.clock, sleep=lambda seconds: None)

    def roster(self, *, epoch=1, names=NAMES, custodians=CUSTODIANS):
        members = [ceremony.member_of(self.edges[name]).model_dump() for name in names]
        whole = ceremony.make_roster(members, epoch=epoch, custodians=custodians, accept_by="2026-12-06T10:00:00Z")
        for name, key in SIGNATORIES.items():
            whole = ceremony.sign_roster(whole, organisation=name, key=key.signer())
        return whole

    def propose(self, whole):
        known = {name: key.public() for name, key in SIGNATORIES.items()}
        with self.database.transaction() as session:
            return propose_epoch(session, whole, signatories=known, audit=self.trail)

    def begin(self, number):
        with self.database.transaction() as session:
            return begin_epoch(session, number, audit=self.trail)

    def look(self, name, **which):
        return ceremony.look(self.agent(name), self.edges[name], **which)

    def give(self, name):
        return ceremony.give(self.agent(name), self.edges[name], self.look(name))

    def accept(self, name):
        ceremony.accept(self.agent(name), self.edges[name], self.look(name))

    def hold(self, *, epoch=1, names=NAMES, accepting=NAMES):
        self.propose(self.roster(epoch=epoch, names=names))
        for name in (*CUSTODIANS, *CUSTODIANS):
            self.give(name)
        for name in accepting:
            self.accept(name)

    def secret_of(self, name):
        return base64.b64decode((self.edges[name].keys.folder / "epoch-1.secret").read_bytes())

    def events(self):
        with self.database.reading() as session:
            return [row.event for row in session.query(Detail).order_by(Detail.sequence)]

    def close(self):
        self.database.close()
        self.parts.database.close()


@pytest.fixture
def held(tmp_path):
    with settings_of(empty_address(tmp_path / "hub")):
        made = Ceremony(tmp_path)
        yield made
        made.close()


def refused(code, error=EdgeError):
    return pytest.raises(error, match=code)


def test_every_provider_gets_one_secret_and_encodes_in_the_epoch_once_it_has_begun(held):
    held.hold()
    assert held.begin(1) == []

    for name in NAMES:
        ceremony.begin(held.edges[name], held.look(name))

    assert len({held.edges[name].keys.secret().content for name in NAMES}) == 1
    assert {held.edges[name].hub_keys().epoch for name in NAMES} == {1}
    wanted = ["epoch.proposed", "epoch.committed", "epoch.envelopes_left", "epoch.accepted", "epoch.begun"]
    assert [name for name in dict.fromkeys(held.events()) if name in wanted] == wanted
    assert {"epoch.read", "epoch.envelopes_read"} <= set(held.events())


def test_each_step_given_again_is_nothing(held):
    held.hold()
    for name in (*CUSTODIANS, *CUSTODIANS):
        assert held.give(name) == ceremony.GIVEN
    held.propose(held.roster())
    held.accept("reed")
    held.begin(1)
    assert held.begin(1) == []
    ceremony.begin(held.edges["reed"], held.look("reed"))
    ceremony.begin(held.edges["reed"], held.look("reed"))

    events = held.events()

    assert [events.count(f"epoch.{name}") for name in ("proposed", "committed", "envelopes_left", "begun")] == [
        1,
        2,
        2,
        1,
    ]
    assert events.count("epoch.accepted") == len(NAMES)


def test_a_custodian_seals_only_after_all_have_committed(held):
    held.propose(held.roster())

    assert held.give("marin-coe") == ceremony.COMMITTED
    with held.database.reading() as session:
        assert session.query(EpochEnvelope).count() == 0
    assert held.give("college-of-marin") == ceremony.GIVEN
    assert held.give("marin-coe") == ceremony.GIVEN


def test_whoever_holds_the_whole_hub_opens_no_envelope(held):
    held.hold()
    sealed = []
    with held.database.reading() as session:
        for row in session.query(EpochEnvelope):
            sealed.append(row.signed["statement"])
    files = [path for path in held.home.path.rglob("*") if path.is_file()]
    keys = [read_key(path) for path in files if path.suffix == ".key"]
    opened = 0
    for key in (key for key in keys if len(key) == 96):
        for statement in sealed:
            try:
                context = ceremony.envelope_context(ceremony.read_envelope(statement))
                read_recipient_key(key).open(base64.b64decode(statement["sealed"]), context)
                opened += 1
            except SealingError:
                continue

    secret = held.edges["reed"].keys.folder.joinpath("epoch-1.secret").read_bytes()
    shares = [held.edges[name].keys.share(1).content for name in CUSTODIANS]
    hidden = [base64.b64decode(secret), *shares]
    everything = b"".join(path.read_bytes() for path in files)
    assert (len(sealed), opened) == (len(CUSTODIANS) * len(NAMES), 0)
    assert len([key for key in keys if len(key) == 96]) == 2
    forms = [form for one in hidden for form in (one, base64.b64encode(one), one.hex().encode())]
    assert not any(form in everything for form in forms)


def test_swapped_and_altered_envelopes_are_refused(held):
    held.hold(accepting=())
    with held.database.transaction() as session:
        first, second = (session.get(EpochEnvelope, (1, "marin-coe", name)) for name in ("novato", "reed"))
        first.signed, second.signed = second.signed, first.signed
        third = session.get(EpochEnvelope, (1, "marin-coe", "college-of-marin"))
        altered = json.loads(json.dumps(third.signed))
        sealed = altered["statement"]["sealed"]
        altered["statement"]["sealed"] = ("B" if sealed[0] != "B" else "C") + sealed[1:]
        third.signed = altered

    with refused("EPO-008"):
        held.accept("novato")
    with refused("EPO-002"):
        held.accept("college-of-marin")
    assert not held.edges["novato"].keys.has_secret_of(1)
    assert held.look("marin-coe").accepted == ()


def test_a_share_other_than_the_one_committed_to_is_refused(held):
    held.propose(held.roster())
    for name in reversed(CUSTODIANS):
        held.give(name)
    (held.edges["marin-coe"].keys.folder / "share-1.key").unlink()

    with refused("EPO-011"):
        held.give("marin-coe")
    seen = held.look("marin-coe")
    own = held.edges["marin-coe"]
    lying = ceremony.EpochSeen(seen.roster, {**seen.commitments, "marin-coe": "0" * 64}, (), (), False)
    envelopes = [
        ceremony.signed(
            ceremony._envelope(b"x" * 32, lying, custodian="marin-coe", recipient=member), own.keys.agent().signer()
        )
        for member in seen.roster.members
    ]
    held.agent("marin-coe").ask("POST", "/v1/epochs/1/envelopes", ceremony.canonical_json({"envelopes": envelopes}))

    with refused("EPO-012"):
        held.accept("reed")


def test_a_member_that_the_operator_adds_gets_nothing(held, tmp_path):
    whole = held.roster()
    ghost = make_workspace(tmp_path / "ghost", organisation="kentfield", hub=BASE)
    whole["roster"]["members"].append(ceremony.member_of(ghost).model_dump())

    with pytest.raises(Invalid) as refusal:
        held.propose(whole)
    assert refusal.value.code == "EPO-002"
    held.propose(held.roster())
    with held.database.transaction() as session:
        from hub.epochs.tables import Epoch

        session.get(Epoch, 1).roster = json.dumps(whole)
    with refused("EPO-002"):
        held.look("marin-coe")


def test_a_roster_with_other_keys_of_ours_is_refused(held):
    held.propose(held.roster())
    (held.edges["reed"].keys.folder / "sealing.key").unlink()
    held.edges["reed"].keys.make()

    with refused("EPO-015"):
        held.look("reed")


def test_a_late_provider_sits_out_until_it_accepts(held):
    held.hold(accepting=NAMES[:3])
    with pytest.raises(Conflict, match="deadline"):
        held.begin(1)
    held.now = NOW + dt.timedelta(days=15)

    assert held.begin(1) == ["reed"]
    with held.database.reading() as session:
        assert (may_send(session, 1, "novato"), may_send(session, 1, "reed")) == (True, False)
        assert present_epoch(session, 7) == 1
    with refused("EPO-014"):
        ceremony.begin(held.edges["reed"], held.look("reed"))
    held.accept("reed")
    ceremony.begin(held.edges["reed"], held.look("reed"))
    assert held.edges["reed"].keys.secret().content == held.secret_of("novato")


def test_an_epoch_does_not_begin_before_every_share_is_given(held):
    held.propose(held.roster())
    with pytest.raises(Conflict) as refusal:
        held.begin(1)
    assert refusal.value.code == "epoch-shares-missing"
    with refused("EPO-013"):
        ceremony.begin(held.edges["reed"], held.look("reed"))
    with refused("epoch-shares-differ", PushRefusedError):
        word = ceremony.Acceptance(
            format="promise-acceptance/1", epoch=1, roster=held.look("reed").digest, organisation="reed",
            commitments="0" * 64,
        )  # fmt: skip
        signer = held.edges["reed"].keys.agent().signer()
        held.agent("reed").ask(
            "POST", "/v1/epochs/1/acceptances", ceremony.canonical_json(ceremony.signed(word, signer))
        )


def test_a_new_epoch_revokes_who_is_no_longer_on_the_roster(held):
    held.hold()
    held.begin(1)
    for name in NAMES:
        ceremony.begin(held.edges[name], held.look(name))
    first = held.edges["novato"].keys.secret().content
    remaining = NAMES[:3]

    held.hold(epoch=2, names=remaining, accepting=remaining)
    held.begin(2)
    for name in remaining:
        ceremony.begin(held.edges[name], held.look(name))

    with held.database.reading() as session:
        revoked = [agent.key_id for agent in session.query(Agent) if agent.revoked_at is not None]
    assert revoked == ["reed:1"]
    assert held.edges["novato"].keys.secret().content != first
    with refused("SIG-001", PushRefusedError):
        held.look("reed")
    assert "agent.revoked" in held.events()


def test_rosters_out_of_turn_are_refused(held):
    held.hold()
    held.begin(1)

    with pytest.raises(Conflict) as changed:
        held.propose(held.roster(custodians=("marin-coe", "novato")))
    with pytest.raises(Conflict) as another:
        held.propose(held.roster(epoch=1, names=NAMES[:3]))
    held.hold(epoch=3)
    held.begin(3)
    with pytest.raises(Conflict) as past:
        held.propose(held.roster(epoch=2))

    assert [error.value.code for error in (changed, another, past)] == [
        "epoch-roster-changed", "epoch-roster-changed", "epoch-past",
    ]  # fmt: skip


def test_nobody_speaks_for_another_or_about_another_roster(held):
    held.hold()
    signer = {name: held.edges[name].keys.agent().signer() for name in NAMES}
    seen = held.look("reed")
    share = SimpleNamespace(epoch=1, roster=seen.digest)

    def commitment(custodian, **changes):
        plain = {"format": "promise-commitment/1", "epoch": 1, "roster": share.roster, "custodian": custodian,
                 "commitment": "0" * 64}  # fmt: skip
        return ceremony.Commitment(**{**plain, **changes})

    cases = [
        ("reed", commitment("marin-coe"), signer["marin-coe"], "epoch-speaker"),
        ("reed", commitment("marin-coe"), signer["reed"], "EPO-002"),
        ("reed", commitment("reed"), signer["reed"], "EPO-009"),
        ("reed", commitment("kentfield"), signer["reed"], "EPO-003"),
        ("marin-coe", commitment("marin-coe", roster="0" * 64), signer["marin-coe"], "EPO-008"),
        ("marin-coe", commitment("marin-coe", epoch=2), signer["marin-coe"], "EPO-008"),
        ("marin-coe", commitment("marin-coe"), signer["marin-coe"], "epoch-commitment-changed"),
    ]
    for sender, statement, key, code in cases:
        with refused(code, PushRefusedError):
            body = ceremony.canonical_json(ceremony.signed(statement, key))
            held.agent(sender).ask("POST", "/v1/epochs/1/commitments", body)
    for body in (b"{", b"[]", b'{"envelopes": 3}', b'{"envelopes": []}'):
        with refused("EPO-00[17]", PushRefusedError):
            held.agent("marin-coe").ask("POST", "/v1/epochs/1/envelopes", body)


def test_an_epoch_that_nobody_proposed_is_not_found(held):
    held.propose(held.roster())
    with refused("not-found", PushRefusedError):
        held.look("reed", epoch=9)
    with held.database.transaction() as session, pytest.raises(NotFound):
        begin_epoch(session, 9, audit=held.trail)


def test_a_workspace_without_the_signatories_keys_takes_part_in_nothing(held):
    held.propose(held.roster())
    (held.edges["reed"].folder / SIGNATORIES_FILE).unlink()

    with refused("EDGE-013", WorkspaceError):
        held.look("reed")


def test_only_a_custodian_gives(held):
    held.propose(held.roster())

    with refused("EPO-009"):
        held.give("reed")
