"""Where a workspace stands, in plain words: what is set up, what waits, what the hub says, and the next step.

Read from the workspace's own files; the hub is asked for the states of what it has, where it answers.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.batches import inbox_files, inbox_years
from connectors.errors import EdgeError
from connectors.installing import missing_parts
from connectors.keystore import EPOCH_FILE
from connectors.push import Hub
from connectors.submitting import unsent
from connectors.workspace import Workspace
from policies.decision import agreement_for

ENTRY_FILE = "roster-entry.json"
"""This agent's public keys, as `setup` writes them for who makes the roster."""
WORDS: Mapping[str, str] = {
    "receiving": "half sent: some parts have not arrived",
    "checking": "received, not accepted yet: the hub is checking it",
    "accepted": "accepted: it stands at the hub",
    "held": "on hold: stored, but not used until a person approves it",
    "refused": "refused: the hub stored nothing of it",
    "withdrawn": "withdrawn: it is no longer used",
    "replaced": "replaced by a newer one",
}
PERSONS_TO_CERTIFY = 2


@dataclass(frozen=True)
class Next:
    """The next step and whose it is."""

    step: str
    owner: str = "you"

    def __str__(self) -> str:
        return self.step if self.owner == "you" else f"{self.step} (waits for {self.owner})"


def next_step(workspace: Workspace) -> Next:
    """What brings this workspace further, from its own files alone."""
    folder = workspace.folder
    missing = missing_parts(workspace)
    if missing:
        return Next(f"promise-edge setup {folder} --from FOLDER, with {', '.join(missing)} in it")
    if not workspace.keys.has_secret():
        return _towards_secret(workspace)
    if _newer_secret(workspace):
        return Next(f"promise-edge keys begin {folder}, once the epoch has begun")
    if unsent(workspace):
        return Next(f"promise-edge push {folder}")
    years = [year for year in inbox_years(workspace.inbox) if inbox_files(workspace.inbox, year)]
    if not years:
        return Next(f"lay files into {workspace.inbox}/YEAR (2026 for 2025-26), then promise-edge prepare {folder}")
    if not any(workspace.receipts.glob("*.json")):
        return Next(f"promise-edge prepare {folder}")
    return Next(f"nothing; after new files: promise-edge prepare {folder}, or let promise-edge watch {folder} do it")


def _towards_secret(workspace: Workspace) -> Next:
    if _newer_secret(workspace):
        return Next(f"promise-edge keys begin {workspace.folder}, once the epoch has begun")
    return Next(
        f"send {workspace.folder / ENTRY_FILE} to who makes the roster; when the epoch is proposed: "
        f"promise-edge keys accept {workspace.folder}"
    )


def _newer_secret(workspace: Workspace) -> bool:
    """Whether the secret of an epoch that has not begun here was accepted."""
    return any(workspace.keys.folder.glob("epoch-*.secret"))


def set_up(workspace: Workspace, *, today: dt.date) -> Iterator[str]:
    """The four parts of a workspace: keys, roster, agreement, sources."""
    keys = workspace.keys
    yield f"  keys       {workspace.key_id}  {keys.agent().public()}"
    epoch = keys.epoch()
    if not keys.has_secret():
        told = "not in an epoch yet" + (", accepted" if _newer_secret(workspace) else "")
    else:
        told = f"epoch {epoch}" if (keys.folder / EPOCH_FILE).exists() else "a linkage secret given by hand"
    yield f"  roster     {told}"
    yield f"  agreement  {_agreement(workspace, today)}"
    files = {year: len(inbox_files(workspace.inbox, year)) for year in inbox_years(workspace.inbox)}
    laid = ", ".join(f"{count} of {year}" for year, count in files.items() if count)
    yield f"  sources    {laid + ' in the inbox' if laid else 'the inbox is empty'}"


def _agreement(workspace: Workspace, today: dt.date) -> str:
    provider, kind = workspace.settings.organisation, workspace.organisation_kind
    found = agreement_for(provider, agreements=workspace.agreements(), day=today, source_kind=kind)
    return f"{found.id} version {found.version}, in force" if found is not None else "none in force for this provider"


@dataclass(frozen=True)
class Told:
    """The states as the hub tells them now, or as the receipts told them last."""

    submissions: Sequence[Mapping[str, Any]]
    unreached: str = ""


def states(hub: Hub, workspace: Workspace) -> Told:
    """This provider's submissions at the hub, newest first; those of the receipts where it cannot be asked."""
    try:
        answer = hub.ask("GET", "/v1/submissions")
        return Told([dict(one) for one in answer["submissions"]])
    except EdgeError as error:
        return Told(_receipts(workspace), error.code)
    except (KeyError, TypeError, ValueError):
        return Told(_receipts(workspace), "PUSH-003")


def _receipts(workspace: Workspace) -> Sequence[Mapping[str, Any]]:
    found = []
    for path in sorted(workspace.receipts.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
        try:
            read = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(read, dict):
            found.append({"submission": path.stem, **read})
    return found


def as_lines(told: Told, *, everything: bool = False) -> Iterator[str]:
    """Each submission with its state in words, the next step and whose it is; replaced ones only when asked for."""
    if told.unreached:
        yield f"The hub was not reached ({told.unreached}); this is what it said last:"
    shown = [one for one in told.submissions if everything or one.get("state") not in ("replaced", "withdrawn")]
    for one in shown:
        yield from _lines(one)
    if not shown:
        yield "  nothing is at the hub yet"


def _lines(one: Mapping[str, Any]) -> Iterator[str]:
    state = str(one.get("state"))
    name = str(one.get("submission", ""))[:12]
    yield f"  {one.get('kind', '')} {one.get('school_year', '')}  {name}  {WORDS.get(state, state)}"
    for finding in one.get("findings") or ():
        yield f"    {finding.get('code')} at {finding.get('at')}"
    yield f"    next: {one.get('next_step') or 'nothing'} (owner: {one.get('owner') or 'nobody'})"
    certified = int(one.get("certified_by") or 0)
    if state == "accepted" and certified < PERSONS_TO_CERTIFY:
        yield f"    not certified: {certified} of {PERSONS_TO_CERTIFY} persons of the office said so on the hub's page"
