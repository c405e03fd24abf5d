"""Who must cosign the log, worked out from the signed rosters that this workspace accepted, not from what the hub says.

A hub that adds a witness of its own, or leaves districts out, is seen at the next visit: nobody has to be trusted at
first use. A workspace that took part in no ceremony has no roster; it keeps the policy that it was told first.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from connectors.ceremony import roster_files, signatories
from connectors.errors import WorkspaceError
from connectors.workspace import Workspace
from policies.epochs import EpochError, Roster, check_roster, read_roster
from policies.organisation_files import organisations
from policies.translog.note import COSIGNATURE, Verifier
from policies.translog.policy import Policy, majority_policy, witness_name


def signed_policy(workspace: Workspace, log: Verifier) -> Policy | None:
    """A majority of the districts on the rosters of the epoch that holds and of those accepted since; None without.

    Raises WorkspaceError EDGE-015 where a kept roster is not what two signatories signed.
    """
    rosters = list(_rosters(workspace))
    if not rosters:
        return None
    districts = {member.id for member in organisations().districts()}
    agents: dict[str, dict[str, Verifier]] = {}
    members = sorted((one for roster in rosters for one in roster.members), key=lambda one: one.organisation)
    for member in members:
        if member.organisation in districts:
            key = Ed25519PublicKey.from_public_bytes(b64decode(member.public_key))
            verifier = Verifier(witness_name(log.name, member.organisation), key, COSIGNATURE)
            agents.setdefault(member.organisation, {})[member.key_id] = verifier
    return majority_policy(log, agents)


def _rosters(workspace: Workspace) -> Iterator[Roster]:
    present = workspace.keys.epoch() or 0
    kept = [(number, path) for number, path in roster_files(workspace) if number >= present]
    operators = frozenset(member.id for member in organisations().members if member.kind == "hub")
    known = signatories(workspace) if kept else {}
    for _, path in kept:
        try:
            whole = read_roster(json.loads(path.read_text("utf-8")))
            yield check_roster(whole, signatories=known, never=operators)
        except (EpochError, ValueError):
            raise WorkspaceError(
                "EDGE-015",
                f"{path.parent.name}/{path.name} is not a roster that two known signatories signed.",
                "Restore it from a backup, or take it from another member of the partnership.",
            ) from None
