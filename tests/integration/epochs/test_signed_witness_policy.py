"""Who must cosign the log follows from the roster that signatories signed, whatever the hub says."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors import ceremony
from connectors.errors import LogError, WorkspaceError
from connectors.log_commands import visit
from connectors.witness import accept_policy, log_verifier, witness
from connectors.witness_policy import signed_policy
from hub.audit.signer import signer_of
from hub.identity.agents import load_roster
from policies.organisation_files import organisations
from tests.databases import empty_address, settings_of
from tests.integration.epochs.test_ceremony import NAMES, Ceremony

DISTRICTS = [name for name in NAMES if name in {member.id for member in organisations().districts()}]


@pytest.fixture
def begun(tmp_path):
    """A partnership whose first epoch has begun everywhere, with a log that is signed at each visit."""
    with settings_of(empty_address(tmp_path / "hub")):
        made = Ceremony(tmp_path)
    made.hold()
    made.begin(1)
    for name in NAMES:
        ceremony.begin(made.edges[name], made.look(name))
    sign(made)
    yield made
    made.close()


def sign(held):
    signer = signer_of(held.settings, clock=held.clock)
    signer.sign()
    signer.database.close()


def visited(held, name=DISTRICTS[0]):
    sign(held)
    return witness(held.agent(name), held.edges[name])


def add_ghost(held):
    """The operator registers a witness of its own."""
    public = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    entry = {"organisation": "kentfield", "key_id": "kentfield:9", "public_key": public}
    with held.database.transaction() as session:
        load_roster(session, {"agents": [entry]}, audit=held.trail)


def test_the_policy_is_worked_out_from_the_signed_roster_and_is_the_one_that_the_hub_keeps(begun):
    edge = begun.edges[DISTRICTS[0]]

    done = visited(begun)

    kept = (edge.folder / "witness" / "policy").read_text("utf-8")
    assert done.policy_changed is False
    assert kept == begun.client.get("/v1/log/policy").text == signed_policy(edge, log_verifier(edge)).written()
    assert sorted(name.split(":")[0] for name in signed_policy(edge, log_verifier(edge)).witnesses) == sorted(DISTRICTS)


def test_a_witness_that_the_operator_adds_is_seen_at_the_first_visit_and_never_counts(begun):
    add_ghost(begun)
    edge, agent = begun.edges[DISTRICTS[0]], begun.agent(DISTRICTS[0])

    done = visited(begun)

    assert done.policy_changed is True
    assert "kentfield" not in (edge.folder / "witness" / "policy").read_text("utf-8")
    assert "names others who must cosign" in visit(agent, edge)
    with pytest.raises(LogError, match="WITNESS-004"):
        accept_policy(agent, edge)


def test_a_kept_roster_that_was_altered_is_refused(begun):
    edge = begun.edges[DISTRICTS[0]]
    (path,) = (edge.folder / "rosters").glob("*.json")
    whole = json.loads(path.read_text("utf-8"))
    whole["roster"]["members"][0]["key_id"] = "other:1"
    path.write_text(json.dumps(whole), "utf-8")

    with pytest.raises(WorkspaceError, match="EDGE-015"):
        visited(begun)


def test_an_epoch_without_a_district_takes_it_out_of_the_quorum_once_it_has_begun(begun):
    rest = tuple(name for name in NAMES if name != DISTRICTS[-1])
    begun.hold(epoch=2, names=rest, accepting=rest)
    edge = begun.edges[DISTRICTS[0]]

    between = signed_policy(edge, log_verifier(edge))
    begun.begin(2)
    ceremony.begin(edge, begun.look(DISTRICTS[0]))
    after = signed_policy(edge, log_verifier(edge))

    assert {name.split(":")[0] for name in between.witnesses} == set(DISTRICTS)
    assert {name.split(":")[0] for name in after.witnesses} == set(DISTRICTS[:-1])
    assert visited(begun).policy_changed is False
