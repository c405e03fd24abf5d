"""A provider's workspace at the edge: one folder with settings, keys, agreements, outbox and receipts.

edge.yaml            organisation, hub, inbox
hub.json             the hub's public keys, schema hash and epoch
signatories.json     public keys of those who sign the rosters of epochs
keys/                agent.key, reference.key, linkage.secret (mode 0600)
agreements/*.yaml    the data-sharing agreements of the partnership
inbox/YEAR/          source files of the school year that ends in YEAR; sources.yaml lies beside the inbox
outbox/ID/           prepared submissions: manifest.json, signature, chunks/
receipts/ID.json     what the hub answered
last/ID.json         digests of what was prepared, to tell what a new submission changes
rosters/             the signed rosters of the epochs that this agent accepted
witness/             the last checkpoint of the hub's log that this agent cosigned, the policy, forks that it found
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.errors import WorkspaceError
from connectors.keystore import Keystore
from connectors.source_map import SourceMap, read_source_map
from policies.agreements import Agreement, AgreementError, read_agreement
from policies.organisation_files import organisations
from policies.submission import Digest, Slug
from policies.yaml_text import read_yaml

SETTINGS_FILE = "edge.yaml"
HUB_FILE = "hub.json"
LAST_FOLDER = "last"
SERVICE_MAP_FILE = "service.yaml"
SIGNATORIES_FILE = "signatories.json"


class HubKeys(BaseModel):
    """What the edge must know of the hub: whom to seal to, and under which schema and epoch."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    matcher_public_key: Annotated[str, Field(pattern="^[A-Za-z0-9+/]+={0,2}$", max_length=4096)]
    resolver_public_key: Annotated[str, Field(pattern="^[A-Za-z0-9+/]+={0,2}$", max_length=4096)]
    schema_hash: Digest
    epoch: Annotated[int, Field(ge=1, le=10_000)]
    log_verifier: Annotated[str, Field(max_length=400)] = ""


class Settings(BaseModel):
    """The settings file of a workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    organisation: Slug
    hub: Annotated[str, Field(pattern="^https?://[^ ]+$", max_length=300)]
    inbox: str = "inbox"


@dataclass(frozen=True)
class Workspace:
    """An opened workspace."""

    folder: Path
    settings: Settings

    @property
    def keys(self) -> Keystore:
        return Keystore(self.folder / "keys")

    @property
    def key_id(self) -> str:
        """The name of the agent's key on the roster."""
        return f"{self.settings.organisation}:1"

    @property
    def inbox(self) -> Path:
        return self.folder / self.settings.inbox

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def receipts(self) -> Path:
        return self.folder / "receipts"

    @property
    def organisation_kind(self) -> str:
        """The kind of this organisation in the partnership's list; raises WorkspaceError EDGE-003."""
        for member in organisations().members:
            if member.id == self.settings.organisation:
                return member.kind
        raise WorkspaceError("EDGE-003", "The partnership's list has no such organisation.", "Check --organisation.")

    def source_map(self) -> SourceMap:
        """What the provider's own titles mean, and those of what the embedded service laid in."""
        own = read_source_map(self.inbox.parent / "sources.yaml")
        return own.model_copy(update={"files": (*own.files, *self.service_map().files)})

    def service_map(self) -> SourceMap:
        return read_source_map(self.inbox.parent / SERVICE_MAP_FILE)

    def hub_keys(self) -> HubKeys:
        return read_hub_keys(self.folder / HUB_FILE)

    def agreements(self) -> Sequence[Agreement]:
        return read_agreements(self.folder / "agreements")


def make_workspace(folder: Path, *, organisation: str, hub: str, inbox: str = "inbox") -> Workspace:
    """A workspace in the folder, with keys; what exists already is kept; raises WorkspaceError."""
    try:
        settings = Settings(organisation=organisation, hub=hub, inbox=inbox)
    except ValidationError as error:
        place = str(error.errors(include_input=False)[0]["loc"][0])
        raise WorkspaceError(
            "EDGE-002", f"{place} has not the right form.", "Give an id and an http address."
        ) from None
    workspace = Workspace(folder, settings)
    workspace.organisation_kind  # noqa: B018 - an unknown organisation stops here, before anything is made
    for part in (folder, workspace.inbox, workspace.outbox, workspace.receipts, folder / "agreements"):
        part.mkdir(parents=True, exist_ok=True)
    workspace.keys.make()
    write_whole(folder / SETTINGS_FILE, yaml.safe_dump(settings.model_dump(), sort_keys=True).encode())
    return workspace


def open_workspace(folder: Path) -> Workspace:
    """The workspace of a folder; raises WorkspaceError EDGE-001 when there is none."""
    try:
        read = read_yaml((folder / SETTINGS_FILE).read_text("utf-8"))
        return Workspace(folder, Settings.model_validate(read))
    except OSError:
        raise WorkspaceError("EDGE-001", "This folder is no workspace.", "Run `promise-edge setup` first.") from None
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError):
        raise WorkspaceError(
            "EDGE-002", f"{SETTINGS_FILE} cannot be read.", "Run `promise-edge setup` again."
        ) from None


def read_hub_keys(path: Path) -> HubKeys:
    """The hub's public keys of a file; raises WorkspaceError EDGE-004."""
    try:
        return HubKeys.model_validate(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        raise WorkspaceError(
            "EDGE-004", "The hub's public keys are missing or not whole.", "Run setup with --hub-keys hub.json."
        ) from None


def read_agreements(folder: Path) -> Sequence[Agreement]:
    """All agreements of a folder, in order of file name; raises WorkspaceError EDGE-005."""
    try:
        return tuple(read_agreement(path.read_text("utf-8")) for path in sorted(folder.glob("*.yaml")))
    except (AgreementError, OSError, UnicodeDecodeError) as error:
        raise WorkspaceError("EDGE-005", f"An agreement cannot be read: {error}", "Fetch it again.") from None


def write_whole(path: Path, content: bytes) -> None:
    """The file with this content or the old one, never a part: temporary file, then rename."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)


def write_json(path: Path, value: Any) -> None:
    write_whole(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())
