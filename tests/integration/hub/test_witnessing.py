"""The districts' agents witness the log: releases wait for them, and what they see is compared."""

import json
import threading
from contextlib import suppress

import pytest

from connectors.errors import LogError, PushRefusedError
from connectors.log_commands import checked, visit_after_push
from connectors.witness import accept_policy
from hub.audit.answers import reconcile
from hub.audit.witnessing import growth
from hub.errors import Conflict
from hub.identity.agents import revoke_agent
from hub.identity.witnesses import witness_policy
from hub.release.publishing import publish_prepared
from hub.release.service import PENDING, PUBLISHED, pending_release, published_releases
from policies.translog import merkle
from policies.translog.note import read_note, read_vkey
from policies.translog.policy import check_cosigned, read_policy
from policies.translog.receipt import check_receipt, read_receipt
from policies.translog.tiles import tiles_of
from tests.integration.hub.witnessing import agent_of, agents_of, happen, prepare, sign, verdict


@pytest.fixture
def hub(sqlite_hub):
    return sqlite_hub


@pytest.fixture
def agents(hub, tmp_path):
    return agents_of(hub, tmp_path)


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


def test_an_agent_that_cosigns_the_same_checkpoint_again_leaves_no_answer_without_an_event(hub, agents):
    sign(hub)
    for _ in range(2):
        agents[0].visit()

    with hub.database.transaction() as session:
        assert reconcile(session, hub.home.answers, audit=hub.trail).unlogged == ()


def test_two_agents_that_ask_in_the_same_moment_are_asked_to_sign_the_same_checkpoint(made_up_hub):
    hub, policy = made_up_hub, read_policy(made_up_hub.client.get("/v1/log/policy").text)
    sign(hub)
    inside, told = threading.Barrier(2, timeout=1), []

    def ask():
        with hub.database.transaction() as session:
            with suppress(threading.BrokenBarrierError):  # on SQLite one writes after the other
                inside.wait()
            told.append(growth(session, 0, policy=policy, must_cover=None, audit=hub.trail).checkpoint.text)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()

    assert len(told) == 2
    assert len(set(told)) == 1
