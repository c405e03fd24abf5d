"""The key file of the encoder page: one provider's keys, the hub's public keys and what the agreement names, wrapped.

A browser has no Argon2id; PBKDF2-HMAC-SHA-256 makes the wrapping key, with more rounds than OWASP asks (600,000 in its
password storage sheet of 2023) and a longer passphrase than the keystore's. AES-256-GCM wraps, bound to the format.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import unicodedata
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from connectors.errors import WorkspaceError
from connectors.prepare import agreed, sealing_of
from connectors.workspace import Workspace
from policies.agreements import Agreement

FORMAT = "promise-page-keys/1"
ITERATIONS = 1_000_000
PASSPHRASE_LENGTH_MIN = 16
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


def page_keys(
    workspace: Workspace, *, passphrase: bytes, now: dt.datetime, agreements: Sequence[Agreement] | None = None
) -> Mapping[str, Any]:
    """The key file of a workspace; WorkspaceError KEY-006 for a short passphrase, and as prepare raises."""
    typed = unicodedata.normalize("NFC", passphrase.decode("utf-8", "replace"))
    if len(typed) < PASSPHRASE_LENGTH_MIN:
        raise WorkspaceError(
            "KEY-006", "The passphrase is too short.", f"Use {PASSPHRASE_LENGTH_MIN} characters or more: four words."
        )
    agreement = agreed(workspace, workspace.agreements() if agreements is None else agreements, now.date())
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    key = PBKDF2HMAC(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, iterations=ITERATIONS).derive(typed.encode())
    sealed = nonce + AESGCM(key).encrypt(nonce, json.dumps(_content(workspace, agreement)).encode(), FORMAT.encode())
    return {
        "format": FORMAT,
        "organisation": workspace.settings.organisation,
        "iterations": ITERATIONS,
        "salt": b64encode(salt).decode(),
        "sealed": b64encode(sealed).decode(),
    }


def write_key_file(path: Path, keys: Mapping[str, Any]) -> None:
    """The key file whole, in place of an older one, for its owner's eyes alone."""
    building = path.with_name(f".{path.name}.part")
    building.unlink(missing_ok=True)
    handle = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(keys) + "\n")
    building.replace(path)


def _content(workspace: Workspace, agreement: Agreement) -> Mapping[str, Any]:
    sealing = sealing_of(workspace)
    linkage = agreement.linkage
    return {
        "organisation": workspace.settings.organisation,
        "agent_key_id": sealing.agent_key_id,
        "agent": b64encode(sealing.agent.content).decode(),
        "reference": b64encode(sealing.reference.content).decode(),
        "secret": b64encode(sealing.secret.content).decode(),
        "epoch": sealing.hub.epoch,
        "schema_hash": sealing.hub.schema_hash,
        "matcher_public_key": sealing.hub.matcher_public_key,
        "resolver_public_key": sealing.hub.resolver_public_key,
        "agreement": {
            "id": agreement.id,
            "version": agreement.version,
            "begins": agreement.retention.effective.isoformat(),
            "expires": agreement.retention.expires.isoformat(),
            "linkage": None
            if linkage is None
            else {"views": list(linkage.views), "identifiers": sorted(linkage.identifiers)},
            "elements": {table: sorted(names) for table, names in agreement.elements.items()},
        },
    }
