"""Makes a submission ready to leave: read, assemble, minimise, encode, seal, sign, lay into the outbox.

Nothing clear is written: the outbox holds sealed rows and spans, facts under record references, and a signed manifest.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from connectors.assembly import Assembly, assemble
from connectors.draws import draws_of
from connectors.errors import AgreementRefusedError
from connectors.fact_rows import fact_lines_of
from connectors.keystore import AgentKey, LinkageSecret, ReferenceKey
from connectors.minimize import minimize
from connectors.reading import FileReading
from connectors.references import record_reference
from connectors.workspace import HubKeys, Workspace, write_whole
from linkage.encode.encoder import EncodedRoster, encode_roster
from linkage.rows import SPAN_ROW, VIEW_ROW
from linkage.schema import current_schema
from linkage.sealing import OVERHEAD_BYTES, seal
from policies.agreements import Agreement
from policies.decision import agreement_for
from policies.decision_rules import RULES
from policies.submission import (
    CHUNK_BYTES_MAX,
    FORMAT,
    Manifest,
    canonical_json,
    context,
    manifest_bytes,
    pack_lines,
    read_manifest,
    sign_manifest,
    submission_id,
)

SUBMISSION_KEY_BYTES = 32
KINDS_WITHOUT_ROSTER = ("clearinghouse", "employment")


@dataclass(frozen=True)
class Sealing:
    """What a submission is sealed and signed with."""

    hub: HubKeys
    agent: AgentKey
    agent_key_id: str
    reference: ReferenceKey
    secret: LinkageSecret


@dataclass(frozen=True)
class Prepared:
    """A submission in the outbox: its identifier, manifest and what was dropped by the agreement."""

    submission: str
    manifest: Manifest
    folder: Path
    dropped: Mapping[str, int]
    rejected_later: Mapping[str, int]


Observer = Callable[[Assembly, str, Callable[[str], bytes]], None]


def nobody(_: Assembly, __: str, ___: Callable[[str], bytes]) -> None:
    """Most runs compare nothing."""


@dataclass(frozen=True, repr=False)
class _Chunk:
    content: bytes
    holds: str
    view: str
    count: int

    def entry(self) -> dict[str, Any]:
        digest = hashlib.sha256(self.content).hexdigest()
        return {
            "sha256": digest,
            "size": len(self.content),
            "holds": self.holds,
            "view": self.view,
            "count": self.count,
        }


def sealing_of(workspace: Workspace) -> Sealing:
    """The keys of a workspace; raises WorkspaceError when one is missing."""
    keys = workspace.keys
    return Sealing(workspace.hub_keys(), keys.agent(), workspace.key_id, keys.reference(), keys.secret())


def agreed(workspace: Workspace, agreements: Sequence[Agreement], day: dt.date) -> Agreement:
    """The agreement under which this provider may send on the day; raises AgreementRefusedError R-20."""
    provider = workspace.settings.organisation
    agreement = agreement_for(provider, agreements=agreements, day=day, source_kind=workspace.organisation_kind)
    if agreement is None:
        raise AgreementRefusedError(
            "R-20", f"{RULES['R-20'].capitalize()}.", "Ask the partnership for the agreement in force."
        )
    return agreement


def prepare(
    files: Sequence[FileReading],
    *,
    workspace: Workspace,
    sealing: Sealing,
    agreement: Agreement,
    kind: str,
    school_year: int,
    now: dt.datetime,
    seen_by: Observer = nobody,
) -> Prepared:
    """The submission of these files in the outbox; the same files prepared again make a new submission of the same
    rows, dummies among them, in the same order, under a new key and in new envelopes.

    Whoever is named sees what was sent beside the submission's name and the references: connectors.changes does.
    """
    provider = workspace.settings.organisation
    reference_of = cache(partial(record_reference, sealing.reference))
    assembly = assemble(files, provider=provider, kind=kind, school_year=school_year, reference_of=reference_of)
    minimized, dropped = minimize(assembly, agreement)
    manifest, chunks = _manifest(files, minimized, agreement=agreement, sealing=sealing, now=now)
    contents = [chunk.content for chunk in chunks]
    folder = lay_out(workspace.outbox, manifest, contents, signature=sign_manifest(manifest, sealing.agent.signer()))
    seen_by(minimized, folder.name, reference_of)
    return Prepared(submission_id(manifest), manifest, folder, dropped.counts, assembly.rejected_later)


def _manifest(
    files: Sequence[FileReading],
    assembly: Assembly,
    *,
    agreement: Agreement,
    sealing: Sealing,
    now: dt.datetime,
) -> tuple[Manifest, list[_Chunk]]:
    submission_key = os.urandom(SUBMISSION_KEY_BYTES)
    encoded = _encoded(assembly, agreement, sealing=sealing, submission_key=submission_key)
    chunks = _facts_chunks(assembly)
    if encoded is not None:
        chunks += _sealed_chunks(encoded, assembly, sealing.hub)
    facts = Counter(row.table for row in assembly.facts)
    manifest = read_manifest(
        {
            "format": FORMAT,
            "provider": assembly.provider,
            "kind": assembly.kind,
            "school_year": assembly.school_year,
            "epoch": sealing.hub.epoch,
            "schema_hash": sealing.hub.schema_hash,
            "agreement": {"id": agreement.id, "version": agreement.version},
            "created_at": now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "records": encoded.records if encoded else len(assembly.local_ids),
            "padded": bool(encoded and encoded.padded),
            "submission_key": _sealed_key(submission_key, assembly, sealing.hub) if encoded else "",
            "chunks": [chunk.entry() for chunk in chunks],
            "profile": _profile(encoded),
            "facts": dict(facts),
            "findings": _findings(files),
            "agent_key": sealing.agent_key_id,
        }
    )
    return manifest, chunks


def _encoded(
    assembly: Assembly,
    agreement: Agreement,
    *,
    sealing: Sealing,
    submission_key: bytes,
) -> EncodedRoster | None:
    if not assembly.people or agreement.linkage is None:
        return None
    schema = current_schema()
    return encode_roster(
        assembly.people,
        spans=assembly.spans,
        schema=schema,
        secret=sealing.secret.content,
        submission_key=submission_key,
        views=agreement.linkage.views,
        rng=draws_of(sealing.reference, assembly, epoch=sealing.hub.epoch, schema_hash=schema.hash),
    )


def _profile(encoded: EncodedRoster | None) -> dict[str, dict[str, int]]:
    profile = encoded.profile if encoded else {}
    return {view: {"values": of.values, "largest": of.largest} for view, of in profile.items()}


def _findings(files: Sequence[FileReading]) -> dict[str, int]:
    """Findings by code over all files: all that the hub is told of them."""
    totals: Counter[str] = Counter()
    for file in files:
        totals.update(file.findings.by_code())
    return dict(totals)


def _context(holds: str, assembly: Assembly, hub: HubKeys) -> bytes:
    return context(
        holds, provider=assembly.provider, kind=assembly.kind, school_year=assembly.school_year, epoch=hub.epoch
    )


def _sealed_key(submission_key: bytes, assembly: Assembly, hub: HubKeys) -> str:
    envelope = seal(hub.resolver_public_key, submission_key, _context("key", assembly, hub))
    return base64.b64encode(envelope).decode()


def _facts_chunks(assembly: Assembly) -> list[_Chunk]:
    return [_Chunk(packed, "facts", "", count) for packed, count in pack_lines(list(fact_lines_of(assembly.facts)))]


def _sealed_chunks(encoded: EncodedRoster, assembly: Assembly, hub: HubKeys) -> list[_Chunk]:
    chunks = []
    for view, rows in encoded.rows.items():
        for part in _parts(rows, VIEW_ROW.itemsize):
            sealed = seal(hub.matcher_public_key, part.tobytes(), _context("rows", assembly, hub))
            chunks.append(_Chunk(sealed, "rows", view, len(part)))
    for part in _parts(encoded.spans, SPAN_ROW.itemsize):
        sealed = seal(hub.resolver_public_key, part.tobytes(), _context("spans", assembly, hub))
        chunks.append(_Chunk(sealed, "spans", "", len(part)))
    return chunks


def _parts(rows: np.ndarray[Any, Any], row_bytes: int) -> list[np.ndarray[Any, Any]]:
    """The rows cut so that no sealed chunk is over the limit."""
    each = (CHUNK_BYTES_MAX - OVERHEAD_BYTES) // row_bytes
    return [rows[start : start + each] for start in range(0, len(rows), each)]


def lay_out(outbox: Path, manifest: Manifest, contents: Sequence[bytes], *, signature: str) -> Path:
    """The submission's folder, complete or not there at all; what was prepared already stays as it is."""
    folder = outbox / submission_id(manifest)
    if folder.exists():
        return folder
    building = outbox / f".{folder.name}.part"
    shutil.rmtree(building, ignore_errors=True)
    (building / "chunks").mkdir(parents=True)
    for content, entry in zip(contents, manifest.chunks, strict=True):
        (building / "chunks" / entry.sha256).write_bytes(content)
    write_whole(building / "manifest.json", manifest_bytes(manifest))
    write_whole(building / "signature.json", canonical_json({"signature": signature}))
    building.replace(folder)
    return folder
