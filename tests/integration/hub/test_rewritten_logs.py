"""A rewritten log is found by its witnesses and shown; a lost one is recovered by the written rules."""

import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select, update

from connectors.errors import LogError, PushRefusedError, WorkspaceError
from hub.audit.service import head
from hub.audit.tables import Checkpoint, Cosignature, Detail, Entry, Head, Node, WitnessRound
from hub.errors import Conflict, StoreError
from hub.operations.recovery import begin_again
from policies.translog import merkle
from policies.translog.checkpoint import CheckpointBody, sign_checkpoint
from policies.translog.entries import detail_hash, entry_bytes
from policies.translog.note import read_vkey
from policies.translog.witness import is_proven, read_fork
from tests.databases import keep_database, put_back
from tests.integration.hub.witnessing import agents_line, agents_of, happen, sign, verdict


@pytest.fixture
def hub(sqlite_hub):
    return sqlite_hub


@pytest.fixture
def agents(hub, tmp_path):
    return agents_of(hub, tmp_path)


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


def test_an_old_backup_is_refused_by_the_signer_and_recovered_by_a_new_log_that_says_so(hub, agents, tmp_path):
    happen(hub, 3)
    sign(hub)
    agents[0].visit()
    backup = tmp_path / "backup.db"
    hub.database.close()
    hub.parts.database.close()
    keep_database(hub.home.path, backup)
    happen(hub, 4)
    sign(hub)
    old = read_vkey(hub.facts["log_verifier"])
    hub.database.close()
    hub.parts.database.close()
    put_back(hub.home.path, backup)

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
