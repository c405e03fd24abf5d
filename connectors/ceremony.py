"""The ceremony at the edge: draws and seals a custodian's share, opens the shares of all, makes the epoch's secret.

A steward gives four commands (`promise-edge keys show|give|accept|begin`); no share and no secret is ever shown. The
roster that says who takes part is checked against signatories whose keys this workspace learnt by another way than the
hub, so that nobody at the hub can put a member of his own on it.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.errors import PushRefusedError, WorkspaceError
from connectors.push import Hub
from connectors.workspace import HUB_FILE, SIGNATORIES_FILE, Workspace, write_json
from linkage.sealing import SUITE_ID, SealingError, seal
from policies.epochs import (
    ACCEPTANCE,
    COMMITMENT,
    ENVELOPE,
    ROSTER,
    Acceptance,
    Commitment,
    Envelope,
    EpochError,
    Member,
    Roster,
    check_roster,
    check_signed,
    combine,
    commitment_of,
    commitments_digest,
    digest,
    envelope_context,
    read_commitment,
    read_envelope,
    read_roster,
    read_signed,
    sign,
    signed,
)
from policies.organisation_files import organisations
from policies.submission import canonical_json

COMMITTED, GIVEN = "committed", "given"
ROSTERS = "rosters"


class CeremonyError(PushRefusedError):
    """A statement of the ceremony that does not hold; nothing was kept."""


@dataclass(frozen=True)
class EpochSeen:
    """An epoch as this workspace has checked it: its roster is signed by signatories that this workspace knows."""

    roster: Roster
    commitments: Mapping[str, str]
    given: Sequence[str]
    accepted: Sequence[str]
    begun: bool
    signed: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def digest(self) -> str:
        return digest(self.roster)


def member_of(workspace: Workspace) -> Member:
    """This agent as it is to stand on the roster: public keys alone."""
    keys = workspace.keys
    return Member(
        organisation=workspace.settings.organisation,
        key_id=workspace.key_id,
        public_key=keys.agent().public(),
        sealing_key=keys.sealing().public(),
    )


def make_roster(
    members: Sequence[Mapping[str, Any]], *, epoch: int, custodians: Sequence[str], accept_by: str
) -> dict[str, Any]:
    """A roster without signatures, in JSON types; raises CeremonyError when it does not keep the form."""
    roster = {
        "format": ROSTER,
        "epoch": epoch,
        "members": sorted((dict(member) for member in members), key=lambda member: str(member.get("organisation"))),
        "custodians": sorted(custodians),
        "accept_by": accept_by,
    }
    whole = {"roster": roster, "signatures": {}}
    try:
        read_roster(whole)
    except EpochError as error:
        raise _told(error) from None
    return whole


def sign_roster(whole: Mapping[str, Any], *, organisation: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The roster with one signature more."""
    try:
        read = read_roster(dict(whole))
    except EpochError as error:
        raise _told(error) from None
    return {**whole, "signatures": {**read.signatures, organisation: sign(read.roster, key)}}


def look(hub: Hub, workspace: Workspace, *, epoch: int | None = None) -> EpochSeen:
    """The epoch as it stands at the hub, the newest when none is named; raises CeremonyError, WorkspaceError."""
    told = hub.ask("GET", f"/v1/epochs/{epoch}") if epoch else hub.ask("GET", "/v1/epochs/present")["latest"]
    operators = frozenset(member.id for member in organisations().members if member.kind == "hub")
    try:
        roster = check_roster(read_roster(told["roster"]), signatories=signatories(workspace), never=operators)
        _check_own_entry(roster, workspace)
        commitments = {
            custodian: _commitment(roster, custodian, statement)
            for custodian, statement in dict(told["commitments"]).items()
        }
        given, accepted = tuple(told["given"]), tuple(told["accepted"])
        return EpochSeen(roster, commitments, given, accepted, told["begun"] is True, dict(told["roster"]))
    except EpochError as error:
        raise _told(error) from None
    except (KeyError, TypeError, ValueError):
        raise CeremonyError("EPO-010", "The hub does not tell the epoch whole.", "Ask the hub's operator.") from None


def give(hub: Hub, workspace: Workspace, seen: EpochSeen) -> str:
    """A custodian commits to its share, and, once all have, seals it to every member; how far it came."""
    custodian = workspace.settings.organisation
    if custodian not in seen.roster.custodians:
        raise CeremonyError("EPO-009", "This organisation is no custodian of the epoch.", "Run `keys accept` instead.")
    share, signer = workspace.keys.share(seen.roster.epoch), workspace.keys.agent().signer()
    own = Commitment(
        format=COMMITMENT,
        epoch=seen.roster.epoch,
        roster=seen.digest,
        custodian=custodian,
        commitment=commitment_of(share.content, roster=seen.digest, custodian=custodian),
    )
    if custodian not in seen.commitments:
        hub.ask("POST", _path(seen, "commitments"), canonical_json(signed(own, signer)))
    elif seen.commitments[custodian] != own.commitment:
        raise CeremonyError(
            "EPO-011", "The hub holds another commitment of this custodian.", "Let a new epoch be proposed."
        )
    if {*seen.commitments, custodian} != set(seen.roster.custodians):
        return COMMITTED
    if custodian not in seen.given:
        envelopes = [
            signed(_envelope(share.content, seen, custodian=custodian, recipient=member), signer)
            for member in seen.roster.members
        ]
        hub.ask("POST", _path(seen, "envelopes"), canonical_json({"envelopes": envelopes}))
    return GIVEN


def accept(hub: Hub, workspace: Workspace, seen: EpochSeen) -> None:
    """Opens every custodian's share, checks it against its commitment, keeps the secret, and says so to the hub.

    Raises CeremonyError EPO-006 while a share is missing, EPO-012 when one does not open or is not what was committed.
    """
    own, roster = workspace.settings.organisation, seen.roster
    told = hub.ask("GET", _path(seen, "envelopes"))
    try:
        shares = dict(_opened(statement, seen, workspace) for statement in told["envelopes"])
        secret = combine(shares, roster=roster)
    except EpochError as error:
        raise _told(error) from None
    except (KeyError, TypeError, ValueError):
        raise CeremonyError("EPO-010", "The hub does not tell the envelopes whole.", "Ask the operator.") from None
    workspace.keys.keep_secret(roster.epoch, secret)
    _keep_roster(workspace, seen)
    word = Acceptance(
        format=ACCEPTANCE,
        epoch=roster.epoch,
        roster=seen.digest,
        organisation=own,
        commitments=commitments_digest(seen.commitments),
    )
    hub.ask("POST", _path(seen, "acceptances"), canonical_json(signed(word, workspace.keys.agent().signer())))


def roster_files(workspace: Workspace) -> Sequence[tuple[int, Path]]:
    """The signed rosters that this workspace accepted, by epoch."""
    found = (workspace.folder / ROSTERS).glob("*.json")
    return sorted((int(path.stem), path) for path in found if path.stem.isdecimal())


def begin(workspace: Workspace, seen: EpochSeen) -> None:
    """From now on this workspace encodes in the epoch; raises CeremonyError before it has begun or was accepted."""
    number = seen.roster.epoch
    if not seen.begun:
        raise CeremonyError("EPO-013", "The epoch has not begun.", f"Wait until the operator lets it begin: {number}.")
    if workspace.keys.has_secret_of(number):
        workspace.keys.begin(number)
    elif workspace.keys.epoch() != number:
        raise CeremonyError("EPO-014", "The epoch was not accepted here.", "Run `promise-edge keys accept` first.")
    told = json.loads((workspace.folder / HUB_FILE).read_text("utf-8"))
    write_json(workspace.folder / HUB_FILE, {**told, "epoch": number})


def signatories(workspace: Workspace) -> Mapping[str, str]:
    """Public keys of the partnership's signatories by organisation; raises WorkspaceError EDGE-013."""
    try:
        read = json.loads((workspace.folder / SIGNATORIES_FILE).read_text("utf-8"))
        found = {str(name): str(key) for name, key in read.items()}
        for key in found.values():
            b64decode(key, validate=True)
        return found
    except (OSError, ValueError, AttributeError):
        raise WorkspaceError(
            "EDGE-013", "The signatories' public keys are missing or not whole.",
            "Run setup with --signatories FILE; take the file from the partnership, not from the hub.",
        ) from None  # fmt: skip


def _keep_roster(workspace: Workspace, seen: EpochSeen) -> None:
    """Keep the roster with its signatures: it also says who must cosign the log."""
    folder = workspace.folder / ROSTERS
    folder.mkdir(exist_ok=True, mode=0o700)
    write_json(folder / f"{seen.roster.epoch}.json", seen.signed)


def _check_own_entry(roster: Roster, workspace: Workspace) -> None:
    if roster.member(workspace.settings.organisation) != member_of(workspace):
        raise EpochError("EPO-015", "members", "ask for a roster that names this workspace's present keys")


def _commitment(roster: Roster, custodian: str, statement: Any) -> str:
    told = read_signed(statement)
    commitment = read_commitment(told.statement)
    check_signed(commitment, told.signature, roster.member(custodian).public_key)
    if (commitment.epoch, commitment.roster, commitment.custodian) != (roster.epoch, digest(roster), custodian):
        raise EpochError("EPO-008", "commitment", "let a new epoch be proposed: this speaks of another roster")
    return commitment.commitment


def _envelope(share: bytes, seen: EpochSeen, *, custodian: str, recipient: Member) -> Envelope:
    bare = Envelope(
        format=ENVELOPE,
        epoch=seen.roster.epoch,
        roster=seen.digest,
        custodian=custodian,
        recipient=recipient.organisation,
        suite=SUITE_ID,
        sealed="AAAA",
    )
    sealed = seal(recipient.sealing_key, share, envelope_context(bare))
    return bare.model_copy(update={"sealed": b64encode(sealed).decode()})


def _opened(statement: Any, seen: EpochSeen, workspace: Workspace) -> tuple[str, bytes]:
    told = read_signed(statement)
    envelope = read_envelope(told.statement)
    custodian = envelope.custodian
    check_signed(envelope, told.signature, seen.roster.member(custodian).public_key)
    if (envelope.epoch, envelope.roster, envelope.recipient, envelope.suite) != (
        seen.roster.epoch, seen.digest, workspace.settings.organisation, SUITE_ID,
    ):  # fmt: skip
        raise EpochError("EPO-008", "envelope", "ask the custodian: this envelope was made for another place")
    try:
        share = workspace.keys.sealing().open(b64decode(envelope.sealed), envelope_context(envelope))
    except SealingError:
        raise EpochError("EPO-012", "envelope", "ask the custodian: its envelope does not open") from None
    if commitment_of(share, roster=seen.digest, custodian=custodian) != seen.commitments.get(custodian):
        raise EpochError("EPO-012", "envelope", "ask the custodian: this is not the share it committed to")
    return custodian, share


def _path(seen: EpochSeen, part: str) -> str:
    return f"/v1/epochs/{seen.roster.epoch}/{part}"


def _told(error: EpochError) -> CeremonyError:
    return CeremonyError(error.code, f"It does not hold at {error.place}.", f"{error.next_step}.")


def read_json_file(path: Path) -> Any:
    """A JSON file that the steward names; raises WorkspaceError EDGE-014."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise WorkspaceError("EDGE-014", f"{path.name} cannot be read.", "Give a whole JSON file.") from None
