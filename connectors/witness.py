"""The agent as a witness of the hub's log: cosigns it daily and at each push, if it grew out of what was cosigned.

    witness/last.note      the last checkpoint that this agent cosigned; it never signs an older or another one
    witness/policy         who must cosign: worked out from the signed roster, or, where this agent has none, as the hub
                           said when it first asked
    witness/fork-N-M.json  what shows that the log has two histories, to be given to the other districts

A hub could show one history here and another there; so the agent also looks at the checkpoints that the other
witnesses cosigned, which must lie in the same history (gossip).
"""

from __future__ import annotations

import datetime as dt
import os
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.errors import EdgeError, LogError, WorkspaceError
from connectors.push import Hub
from connectors.witness_policy import signed_policy
from connectors.workspace import Workspace, read_hub_keys, write_whole
from policies.translog import merkle
from policies.translog.checkpoint import body_of
from policies.translog.errors import TranslogError
from policies.translog.note import COSIGNATURE, Verifier, cosign_text, read_note, read_vkey, signed_by
from policies.translog.policy import Policy, read_policy, witness_name
from policies.translog.tiles import TILE_HEIGHT, TILE_WIDTH, Tile
from policies.translog.witness import Fork, ForkError, Seen, check_grew, check_growth, read_growth

FOLDER, LAST_FILE, POLICY_FILE = "witness", "last.note", "policy"
COMPARED_MAX = 100


@dataclass(frozen=True)
class Witnessed:
    """What a visit came to: the size that is cosigned now, with how many others' checkpoints it was compared."""

    size: int
    compared: int
    published: str | None
    policy_changed: bool


def log_verifier(workspace: Workspace) -> Verifier:
    """The log's key, as the steward was given it; raises WorkspaceError EDGE-014."""
    try:
        return read_vkey(read_hub_keys(workspace.folder / "hub.json").log_verifier)
    except TranslogError:
        raise WorkspaceError(
            "EDGE-014", "hub.json does not hold the key of the hub's log.", "Run setup with the hub's --hub-keys."
        ) from None


def witness(hub: Hub, workspace: Workspace) -> Witnessed:
    """Check that the log grew, compare with the other witnesses, keep the checkpoint, cosign it.

    Raises LogError with a fork proof in the workspace where the log has two histories, PushRefusedError and
    HubUnreachableError as a push does.
    """
    folder, log = workspace.folder / FOLDER, log_verifier(workspace)
    folder.mkdir(exist_ok=True, mode=0o700)
    seen = _last(folder, log)
    try:
        growth = read_growth(hub.read(f"/v1/log/growth?old={0 if seen is None else seen.body.size}"))
        newer = check_growth(growth, seen=seen, log=log)
        policy, changed = _policy(hub, workspace, log)
        others = [one for one in policy.witnesses.values() if one.name != _own_name(workspace, log)]
        compared = _compare(hub, newer, log=log, others=others)
    except ForkError as found:
        raise _kept(folder, _completed(hub, found.fork), found) from None
    except TranslogError as error:
        raise LogError(error.code, f"The hub's log cannot be read: {error}.", "Tell the hub's operator.") from None
    # Kept before it is signed: a witness that lost its memory could be led to sign two histories.
    _keep(folder / LAST_FILE, newer.note.written())
    answer = hub.ask("POST", f"/v1/log/cosignatures?size={newer.body.size}", _cosigned(hub, workspace, newer, log))
    published = answer.get("published")
    return Witnessed(newer.body.size, compared, str(published) if published else None, changed)


def _cosigned(hub: Hub, workspace: Workspace, newer: Seen, log: Verifier) -> bytes:
    name = _own_name(workspace, log)
    at = int(hub.clock().astimezone(dt.UTC).timestamp())
    return cosign_text(newer.note.text, name=name, key=hub.key.signer(), at=at).line().encode()


def _own_name(workspace: Workspace, log: Verifier) -> str:
    return witness_name(log.name, workspace.settings.organisation)


def _keep(path: Path, text: str) -> None:
    """On disk before anything is signed."""
    write_whole(path, text.encode())
    with path.open("rb") as kept:
        os.fsync(kept.fileno())


def accept_policy(hub: Hub, workspace: Workspace) -> Policy:
    """Take the hub's present policy over, once the steward has compared it with the partnership's roster.

    Raises LogError WITNESS-004 where this workspace has a signed roster: then nobody's word changes who must cosign.
    """
    told = hub.read("/v1/log/policy")
    if signed_policy(workspace, log_verifier(workspace)) is not None:
        raise LogError(
            "WITNESS-004",
            "Who must cosign follows from the signed roster of this workspace.",
            "Accept the partnership's newest epoch; if the hub then still says otherwise, tell the other districts.",
        )
    policy = read_policy(told)
    _keep(workspace.folder / FOLDER / POLICY_FILE, told)
    return policy


def _last(folder: Path, log: Verifier) -> Seen | None:
    path = folder / LAST_FILE
    if not path.exists():
        return None
    try:
        note = read_note(path.read_text("utf-8"))
        return Seen(note, body_of(note, log))
    except (TranslogError, UnicodeDecodeError):
        raise WorkspaceError(
            "EDGE-013",
            "The last checkpoint that this agent cosigned cannot be read, or is of another log.",
            "If the hub began a new log, as its operator must have told you, move witness/ away and run it again.",
        ) from None


def _policy(hub: Hub, workspace: Workspace, log: Verifier) -> tuple[Policy, bool]:
    """The policy of the signed roster, or as it was when this agent first asked; and whether the hub tells another."""
    told, path = hub.read("/v1/log/policy"), workspace.folder / FOLDER / POLICY_FILE
    signed = signed_policy(workspace, log)
    if signed is not None:
        _keep(path, signed.written())
        return signed, signed.written() != told
    if not path.exists():
        read_policy(told)
        write_whole(path, told.encode())
    kept = path.read_text("utf-8")
    return read_policy(kept), kept != told


def _compare(hub: Hub, newer: Seen, *, log: Verifier, others: Sequence[Verifier]) -> int:
    """How many checkpoints that known witnesses cosigned lie in the same history; raises ForkError for one that
    does not."""
    told: Sequence[object] = hub.ask("GET", "/v1/log/cosigned")["checkpoints"]
    compared = 0
    for written in told[-COMPARED_MAX:]:
        note = read_note(str(written))
        if note.text.split("\n", 1)[0] != log.name:
            continue  # of a log that this one followed
        if any(one.kind == COSIGNATURE for one in signed_by(note, [log, *others])):
            _check_same(hub, newer, Seen(note, body_of(note, log)), log=log)
            compared += 1
    return compared


def _check_same(hub: Hub, own: Seen, other: Seen, *, log: Verifier) -> None:
    first, second = (own, other) if own.body.size <= other.body.size else (other, own)
    proof = () if first.body.size == second.body.size else _consistency(hub, first.body.size, second.body.size)
    check_grew(first, second, fork=Fork(log, first.note, second.note, proof))


def _consistency(hub: Hub, old: int, new: int) -> tuple[bytes, ...]:
    answer = hub.ask("GET", f"/v1/log/consistency?old={old}&new={new}")
    return tuple(b64decode(str(value), validate=True) for value in answer["proof"])


def _completed(hub: Hub, fork: Fork) -> Fork:
    """A consistency proof from a power of two leaves the old root out; with the hub's own it shows the fork alone."""
    sizes = sorted(int(note.text.split("\n")[1]) for note in (fork.seen, fork.shown))
    if sizes[0] == sizes[1] or sizes[0] & (sizes[0] - 1) or sizes[0] == 0:
        return fork
    try:
        proof = fork.proof or _consistency(hub, sizes[0], sizes[1])
        return replace(fork, proof=(_prefix_root(hub, sizes[0].bit_length() - 1), *proof))
    except (EdgeError, TranslogError, ValueError, KeyError):
        return fork  # the two checkpoints stand as a challenge


def _prefix_root(hub: Hub, height: int) -> bytes:
    """The root of the first 2^height entries, as the hub's tiles have it now."""
    level, width = height // TILE_HEIGHT, 1 << (height % TILE_HEIGHT)
    tile = Tile(level, 0, min(width, TILE_WIDTH))
    content = hub.answer("GET", f"/v1/log/tile/{tile.path()}").content
    hashes = [content[at : at + merkle.HASH_BYTES] for at in range(0, len(content), merkle.HASH_BYTES)]
    return merkle.root_of(hashes)


def _kept(folder: Path, fork: Fork, error: ForkError) -> LogError:
    sizes = [note.text.split("\n")[1] for note in (fork.seen, fork.shown)]
    path = folder / f"fork-{sizes[0]}-{sizes[1]}.json"
    write_whole(path, fork.written().encode())
    return LogError(
        error.code,
        f"The hub's log was rewritten: {error}. Nothing was cosigned.",
        f"Show {path.name} to the other districts: promise-edge fork {path} says what it proves.",
    )
