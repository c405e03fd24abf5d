"""What a steward is given to begin with, and how it comes into a workspace: the hub's keys, agreements, signatories.

The partnership hands it out as one folder, by another way than the hub:

    hub.json           the hub's public keys       agreements/*.yaml   the data-sharing agreements
    signatories.json   who signs rosters
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.errors import WorkspaceError
from connectors.workspace import HUB_FILE, SIGNATORIES_FILE, Workspace, read_agreements, read_hub_keys

AGREEMENTS_FOLDER = "agreements"


@dataclass(frozen=True)
class Given:
    """The parts that a steward names, each where it lies; None where it is not given."""

    hub_keys: Path | None = None
    agreements: Path | None = None
    signatories: Path | None = None
    secret: Path | None = None

    def filled_from(self, folder: Path) -> Given:
        """The parts of a partnership's folder where none was named; raises WorkspaceError EDGE-040 for another one."""
        there = {
            "hub_keys": folder / HUB_FILE,
            "agreements": folder / AGREEMENTS_FOLDER,
            "signatories": folder / SIGNATORIES_FILE,
        }
        found = {name: path for name, path in there.items() if path.exists() and getattr(self, name) is None}
        if not found:
            raise WorkspaceError(
                "EDGE-040", "This folder holds nothing to set up with.",
                f"Give the partnership's folder, with {HUB_FILE}, {AGREEMENTS_FOLDER} and {SIGNATORIES_FILE}.",
            )  # fmt: skip
        return replace(self, **found)

    def check(self) -> None:
        """Raises WorkspaceError for a part that cannot be read, before anything is made."""
        if self.hub_keys is not None:
            read_hub_keys(self.hub_keys)
        if self.agreements is not None:
            read_agreements(self.agreements)


def install(workspace: Workspace, given: Given) -> tuple[str, ...]:
    """Copies what was given into the workspace; the options whose parts are still missing."""
    given.check()
    if given.hub_keys is not None:
        shutil.copyfile(given.hub_keys, workspace.folder / HUB_FILE)
    if given.agreements is not None:
        for path in sorted(given.agreements.glob("*.yaml")):
            shutil.copyfile(path, workspace.folder / AGREEMENTS_FOLDER / path.name)
    if given.signatories is not None:
        shutil.copyfile(given.signatories, workspace.folder / SIGNATORIES_FILE)
    if given.secret is not None:
        workspace.keys.install_secret(given.secret)
    return missing_parts(workspace)


def missing_parts(workspace: Workspace) -> tuple[str, ...]:
    """The options of `promise-edge setup` whose parts are still missing."""
    parts = {
        "--hub-keys": (workspace.folder / HUB_FILE).exists(),
        "--agreements": any((workspace.folder / AGREEMENTS_FOLDER).glob("*.yaml")),
        "--signatories": workspace.keys.has_secret() or (workspace.folder / SIGNATORIES_FILE).exists(),
    }
    return tuple(option for option, there in parts.items() if not there)
