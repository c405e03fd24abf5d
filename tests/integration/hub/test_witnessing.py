"""The districts' agents witness the log: releases wait for them, a rewritten log is found and shown, a lost one is
recovered by the written rules."""

import json
import shutil
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select, update

from connectors.errors import LogError, PushRefusedError, WorkspaceError
from connectors.log_commands import checked, visit_after_push
from connectors.push import Hub
from connectors.witness import accept_policy, witness
from connectors.workspace import make_workspace
from hub.audit.events import EventType
from hub.audit.service import append, head
from hub.audit.signer import signer_of
from hub.audit.tables import Checkpoint, Cosignature, Detail, Entry, Head, Node, WitnessRound
from hub.audit.verify import Trusted, verify_log
from hub.errors import Conflict, StoreError
from hub.identity.agents import load_roster, revoke_agent
from hub.identity.witnesses import every_witness, witness_policy
from hub.operations.recovery import begin_again
from hub.release.publishing import publish_prepared
from hub.release.service import PENDING, PUBLISHED, pending_release, published_releases, store_release
from policies.translog import merkle
from policies.translog.checkpoint import CheckpointBody, sign_checkpoint
from policies.translog.entries import detail_hash, entry_bytes
from policies.translog.note import read_note, read_vkey
from policies.translog.policy import check_cosigned, read_policy
from policies.translog.receipt import check_receipt, read_receipt
from policies.translog.tiles import tiles_of
from policies.translog.witness import is_proven, read_fork
from tests.integration.hub.conftest import BASE
from tests.integration.web.conftest import hand_made_draft

DISTRICTS = ("novato", "reed", "tamalpais-high")


@pytest.fixture
def hub(sqlite_hub):
    return sqlite_hub


@pytest.fixture
def agents(hub, tmp_path):
    """Three districts' agents on the roster, each with its own workspace."""
    return [agent_of(hub, tmp_path, organisation) for organisation in DISTRICTS]


def agent_of(hub, folder, organisation):
    workspace = make_workspace(folder / organisation, organisation=organisation, hub=BASE)
    shutil.copyfile(hub.home.public, workspace.folder / "hub.json")
    key = workspace.keys.agent()
    entry = {"organisation": organisation, "key_id": workspace.key_id, "public_key": key.public()}
    with hub.database.transaction() as session:
        load_roster(session, {"agents": [entry]}, audit=hub.trail)
    connection = Hub(hub.client, key, workspace.key_id, hub.clock, sleep=lambda seconds: sign(hub))
    return SimpleNamespace(hub=connection, workspace=workspace, visit=lambda: witness(connection, workspace))


def sign(hub):
    signer = signer_of(hub.settings, clock=hub.clock)
    signer.sign()
    signer.database.close()


def happen(hub, count=1):
    for _ in range(count):
        with hub.database.transaction() as session:
            append(session, hub.trail, EventType.PAGE_READ, resource="page")


def prepare(hub):
    with hub.database.transaction() as session:
        return store_release(session, hand_made_draft(), audit=hub.trail).id


def verdict(hub, *, log=None, former=()):
    log = log or read_vkey(hub.home.public_facts()["log_verifier"])
    with hub.database.reading() as session:
        witnesses = [one for key in (log, *former) for one in every_witness(session, key).values()]
        return verify_log(session, Trusted(log, tuple(former), tuple(witnesses)))


def test_a_release_waits_until_a_majority_of_the_districts_has_cosigned_its_approval(hub, agents):
    release = prepare(hub)
    approved = publish_prepared(hub.database, release, audit=hub.trail)
    sign(hub)

    public_before = hub.client.get("/v1/observations?indicator=third-grade-reading").json()
    first, second = agents[0].visit(), agents[1].visit()

    with hub.database.reading() as session:
        assert [one.id for one in published_releases(session)] == [release]
        assert pending_release(session) is None
    assert approved.state == PENDING
    assert public_before["code"] == "no-release"
    assert (first.published, second.published) == (None, release)
    assert first.size == second.size
    assert hub.events()[-2:] == ["checkpoint.cosigned", "release.published"]


def test_the_approval_of_a_public_release_is_proved_under_a_cosigned_checkpoint(hub, agents):
    release = prepare(hub)
    publish_prepared(hub.database, release, audit=hub.trail)
    sign(hub)
    for agent in agents[:2]:
        agent.visit()

    answer = hub.client.get(f"/v1/log/releases/{release}").json()
    assert hub.events()[-1] == "receipt.read"
    policy = read_policy(hub.client.get("/v1/log/policy").text)

    shown = check_receipt(read_receipt(answer), policy.logs[0])
    _, cosigners = check_cosigned(shown.checkpoint, policy)
    assert (shown.event, shown.resource, len(cosigners)) == ("release.approved", f"release/{release}", 2)
    assert hub.client.get("/v1/log/releases/none").status_code == 404


def test_without_an_agent_of_a_district_a_release_goes_out_at_once_and_no_witness_is_claimed(hub):
    released = publish_prepared(hub.database, prepare(hub), audit=hub.trail)

    assert released.state == PUBLISHED
    assert hub.client.get("/v1/log/policy").text.endswith("quorum none\n")
    assert hub.client.get(f"/v1/log/releases/{released.id}").json()["code"] == "release-unwitnessed"


def test_a_waiting_release_keeps_a_second_one_out_and_can_be_taken_back(hub, agents):
    release = prepare(hub)
    publish_prepared(hub.database, release, audit=hub.trail)

    with pytest.raises(Conflict):
        prepare(hub)
    with pytest.raises(Conflict):
        publish_prepared(hub.database, release, audit=hub.trail)


def test_all_witnesses_of_a_round_sign_one_checkpoint_and_the_next_round_a_newer_one(hub, agents):
    sign(hub)
    first = [agent.visit().size for agent in agents]
    sign(hub)
    again = [agent.visit().size for agent in agents]

    # The quorum of two ends the round; the third is already asked for the next, once the log was signed again.
    assert first == [first[0]] * 3
    assert len(set(again)) == 1
    assert again[0] > first[0]


def test_a_round_that_found_no_quorum_in_a_day_gives_way_to_a_newer_one(hub, agents):
    sign(hub)
    first = agents[0].visit().size
    happen(hub)
    sign(hub)
    same = agents[0].visit().size
    hub.clock.advance(hours=27)

    assert (same, agents[0].visit().size > first) == (first, True)


def test_witnesses_compare_what_the_others_cosigned(hub, agents):
    sign(hub)

    assert [agent.visit().compared for agent in agents] == [0, 1, 1]


def test_a_revoked_agent_cosigns_no_more_and_the_majority_is_counted_without_it(hub, agents):
    log = read_vkey(hub.facts["log_verifier"])
    sign(hub)
    agents[2].visit()
    with hub.database.transaction() as session:
        revoke_agent(session, agents[2].workspace.key_id, audit=hub.trail)
        policy = witness_policy(session, log)

    with pytest.raises(PushRefusedError):
        agents[2].visit()
    assert (len(policy.witnesses), policy.groups["districts"].quorum) == (2, 2)
    assert verdict(hub).whole is True


def rewrite(hub, sequence, *, resign):
    """What an operator with the database (and with the log's key, if `resign`) could do to an old event."""
    with hub.database.transaction() as session:
        detail = session.get_one(Detail, sequence)
        detail.resource = "rewritten"
        session.flush()
        fields = {column.key: getattr(detail, column.key) for column in Detail.__table__.columns}
        hashed = detail_hash(fields, detail.salt)
        entry = entry_bytes(sequence, time=detail.time, event=detail.event, detail_hash=hashed)
        leaf = merkle.leaf_hash(entry)
        session.execute(update(Entry).where(Entry.sequence == sequence).values(entry=entry, leaf=leaf))
        frontier, roots = [], {}
        for number, one in enumerate(session.scalars(select(Entry.leaf).order_by(Entry.sequence)).all()):
            for level, position, value in merkle.push(frontier, number, one):
                session.execute(update(Node).where(Node.level == level, Node.position == position).values(hash=value))
            roots[number + 1] = merkle.frontier_root(frontier)
        session.execute(update(Head).values(root=roots[len(roots)], frontier=b"".join(frontier)))
        if resign:
            key = Ed25519PrivateKey.from_private_bytes(hub.home.key("signer", "log.key"))
            origin = read_vkey(hub.facts["log_verifier"]).name
            session.execute(delete(Cosignature))
            for checkpoint in session.scalars(select(Checkpoint)):
                checkpoint.note = sign_checkpoint(
                    CheckpointBody(origin, checkpoint.size, roots[checkpoint.size]), key=key
                )
            last = max(checkpoint.size for checkpoint in session.scalars(select(Checkpoint)))
            note = session.get_one(Checkpoint, last).note
            (hub.home.signer / "last-checkpoint").write_text(note, "utf-8")


def test_an_operator_with_the_database_and_the_log_s_key_is_caught_by_one_honest_witness(hub, agents):
    happen(hub, 5)
    sign(hub)
    agents[0].visit()
    rewrite(hub, 3, resign=True)
    hub.clock.advance(hours=27)
    happen(hub)
    sign(hub)

    with pytest.raises(LogError) as found:
        agents[0].visit()

    (proof,) = (agents[0].workspace.folder / "witness").glob("fork-*.json")
    assert found.value.code == "WITNESS-002"
    assert is_proven(read_fork(proof.read_text("utf-8")), read_vkey(hub.facts["log_verifier"]))
    assert verdict(hub).whole is True  # the hub alone cannot tell: it was all signed anew


def test_what_the_others_cosigned_shows_a_new_witness_that_it_is_shown_another_history(hub, agents):
    happen(hub, 6)
    sign(hub)
    agents[0].visit()
    with hub.database.reading() as session:
        seen = session.scalars(select(Checkpoint)).one()
        kept = (seen.size, seen.note, session.scalars(select(Cosignature.line)).one())
    happen(hub, 3)
    sign(hub)
    rewrite(hub, 2, resign=True)
    with hub.database.transaction() as session:
        session.get_one(Checkpoint, kept[0]).note = kept[1]
        session.add(Cosignature(size=kept[0], agent="novato:1", line=kept[2]))
        session.execute(delete(WitnessRound))
    (agents[1].workspace.folder / "witness").mkdir()
    policy = hub.client.get("/v1/log/policy").text
    (agents[1].workspace.folder / "witness" / "policy").write_text(policy, "utf-8")

    with pytest.raises(LogError) as found:
        agents[1].visit()

    assert found.value.code == "WITNESS-002"


def test_a_log_cut_short_is_refused_by_its_signer_and_by_its_witnesses(hub, agents):
    happen(hub, 5)
    sign(hub)
    agents[0].visit()
    size = agents[0].visit().size
    with hub.database.transaction() as session:
        session.execute(delete(WitnessRound))
        session.execute(delete(Cosignature))
        session.execute(delete(Checkpoint))
        session.add(Checkpoint(size=size - 2, note=older_note(hub, session, size - 2)))

    with pytest.raises(LogError) as found:
        agents[0].visit()
    assert found.value.code == "WITNESS-001"


def older_note(hub, session, size):
    leaves = session.scalars(select(Entry.leaf).order_by(Entry.sequence).limit(size)).all()
    key = Ed25519PrivateKey.from_private_bytes(hub.home.key("signer", "log.key"))
    origin = read_vkey(hub.facts["log_verifier"]).name
    return sign_checkpoint(CheckpointBody(origin, size, merkle.root_of(leaves)), key=key)


def test_a_false_line_is_not_kept(hub, agents):
    sign(hub)
    size = agents[0].visit().size
    ask = agents[1].hub.ask

    for body in (b"", b"\xff\n", b"\xe2\x80\x94 a b\n", agents_line(hub, size)):
        with pytest.raises(PushRefusedError) as refused:
            ask("POST", f"/v1/log/cosignatures?size={size}", body)
        assert refused.value.code == "cosignature-wrong"
    with pytest.raises(PushRefusedError):
        ask("POST", "/v1/log/cosignatures?size=99999", agents_line(hub, size))


def agents_line(hub, size):
    with hub.database.reading() as session:
        return (session.scalars(select(Cosignature.line)).one() + "\n").encode()


def test_the_public_reads_checkpoint_tiles_policy_and_proofs_but_may_not_cosign(hub, agents):
    happen(hub, 300)
    sign(hub)
    note = read_note(hub.client.get("/v1/log/checkpoint").text)
    size = int(note.text.split("\n")[1])

    hashes = b"".join(
        hub.client.get(f"/v1/log/tile/{tile.path()}").content for tile in tiles_of(size) if tile.level == 0
    )

    leaves = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    assert merkle.root_of(leaves) == read_root(note)
    assert hub.client.get("/v1/log/cosigned").json() == {"checkpoints": []}
    assert hub.client.get("/v1/log/tile/0/999").status_code == 404
    assert hub.client.get(f"/v1/log/consistency?old=3&new={size}").status_code == 200
    assert hub.client.get("/v1/log/consistency?old=3&new=99999").status_code == 404
    assert hub.client.get("/v1/log/growth").status_code == 401
    assert hub.client.post("/v1/log/cosignatures?size=1", content=b"x\n").status_code == 401


def read_root(note):
    from policies.translog.checkpoint import read_body

    return read_body(note.text).root


def test_a_changed_policy_is_told_and_taken_over_only_by_the_steward(hub, agents, tmp_path):
    sign(hub)
    first = agents[0].visit()
    agent_of(hub, tmp_path, "kentfield")

    told = agents[0].visit()
    accept_policy(agents[0].hub, agents[0].workspace)

    assert (first.policy_changed, told.policy_changed, agents[0].visit().policy_changed) == (False, True, False)


def test_a_visit_after_a_push_tells_what_kept_it_from_cosigning_and_stops_nothing(hub, agents):
    (agents[0].workspace.folder / "hub.json").write_text("{}", "utf-8")
    sign(hub)

    assert "EDGE-004" in visit_after_push(agents[0].hub, agents[0].workspace)
    assert "cosigned; compared with" in visit_after_push(agents[1].hub, agents[1].workspace)


def test_a_receipt_is_proved_offline_and_a_changed_one_is_refused(hub, agents):
    edge = agents[0]
    made = hub.enrol("kentfield")
    prepared = made.deliver(range(12))
    answer = made.state(prepared)

    told = checked(answer, prepared.id, edge.workspace)
    other = json.loads(json.dumps(answer).replace(prepared.id, "0" * 64))

    assert told.startswith("proved: event")
    for wrong, name in ((other, prepared.id), (answer, "0" * 64)):
        with pytest.raises(LogError):
            checked(wrong, name, edge.workspace)
    assert checked({"receipt": None}, "x", edge.workspace).startswith("no proof")


def test_an_old_backup_is_refused_by_the_signer_and_recovered_by_a_new_log_that_says_so(hub, agents, tmp_path):
    happen(hub, 3)
    sign(hub)
    agents[0].visit()
    backup = tmp_path / "backup.db"
    hub.database.close()
    hub.parts.database.close()
    shutil.copy(hub.home.path / "hub.db", backup)
    happen(hub, 4)
    sign(hub)
    old = read_vkey(hub.facts["log_verifier"])
    hub.database.close()
    hub.parts.database.close()
    for file in hub.home.path.glob("hub.db*"):
        file.unlink()
    shutil.copy(backup, hub.home.path / "hub.db")

    with pytest.raises(StoreError) as refused:
        sign(hub)
    told = begin_again(hub.home, hub.database, audit=hub.trail)
    happen(hub)
    sign(hub)

    log = read_vkey(hub.home.public_facts()["log_verifier"])
    assert refused.value.code == "log-rewritten"
    assert (told.origin, told.lost >= 4) == ("promise-hub/log-2", True)
    assert "log.recovered" in hub.events()
    assert verdict(hub, former=(old,)).whole is True
    hub.parts.facts.update(log_verifier=log.vkey())
    with pytest.raises(LogError):
        agents[0].visit()
    shutil.copyfile(hub.home.public, agents[0].workspace.folder / "hub.json")
    with pytest.raises(WorkspaceError) as moved:
        agents[0].visit()
    assert moved.value.code == "EDGE-013"
    shutil.rmtree(agents[0].workspace.folder / "witness")
    assert agents[0].visit().size > 0


def test_a_log_that_is_not_behind_is_not_recovered(hub):
    happen(hub)
    sign(hub)

    with pytest.raises(Conflict) as refused:
        begin_again(hub.home, hub.database, audit=hub.trail)

    assert refused.value.code == "nothing-to-recover"


@pytest.mark.parametrize("change", [b"", b"another note", None])
def test_a_signer_whose_own_checkpoint_is_missing_or_changed_signs_nothing(hub, change):
    happen(hub)
    sign(hub)
    happen(hub)
    last = hub.home.signer / "last-checkpoint"
    if change is None:
        last.unlink()
    else:
        last.write_bytes(change)

    with pytest.raises(StoreError) as refused:
        sign(hub)

    assert refused.value.code == "signer-forgot"
    with hub.database.reading() as session:
        assert head(session)[0] > 1
