"""The log as anybody may read it (C2SP tlog-tiles), and as witnesses cosign it (C2SP tlog-witness, ends exchanged).

Hashes, sizes and signatures only: no entry and no detail is told here.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from hub.audit import service, witnessing
from hub.audit.events import AuditTrail, EventType
from hub.errors import Fault, Invalid, NotFound, Refused
from hub.http import Body, declare, hub_of, principal_of, trail_of, transaction_of
from hub.identity.witnesses import every_witness, witness_policy
from hub.release.witnessed import proof_of_release, publish_witnessed, waits_for
from policies.translog.errors import TileError
from policies.translog.note import Verifier, read_vkey
from policies.translog.tiles import read_tile, tile_content

router = APIRouter(prefix="/v1/log", tags=["log"])
MUTABLE = {"Cache-Control": "no-cache"}
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
LINE_BYTES_MAX = 1024


@router.get("/checkpoint")
@declare("public.read", "log")
def checkpoint(request: Request) -> Response:
    """The newest checkpoint as a signed note, with the cosignatures it has."""
    with transaction_of(request) as session:
        newest = service.latest_checkpoint(session)
        if newest is None:
            raise NotFound("No checkpoint is signed yet.", code="log-unsigned")
        note = service.checkpoint_note(session, newest.size)
        service.append(session, trail_of(request), EventType.AUDIT_READ, resource="log:checkpoint")
    return PlainTextResponse(note.written(), headers=MUTABLE)


@router.get("/cosigned")
@declare("public.read", "log")
def cosigned(request: Request) -> Response:
    """The newest checkpoint that each witness cosigned: what witnesses compare with each other."""
    with transaction_of(request) as session:
        notes = witnessing.cosigned_notes(session)
        service.append(session, trail_of(request), EventType.AUDIT_READ, resource="log:cosigned")
    return JSONResponse({"checkpoints": [note.written() for note in notes]}, headers=MUTABLE)


@router.get("/policy")
@declare("public.read", "log")
def policy(request: Request) -> Response:
    """Who must cosign before a release is public (C2SP tlog-policy)."""
    with transaction_of(request) as session:
        written = witness_policy(session, _log(request)).written()
        service.append(session, trail_of(request), EventType.AUDIT_READ, resource="log:policy")
    return PlainTextResponse(written, headers=MUTABLE)


@router.get("/consistency")
@declare("public.read", "log")
def consistency(
    request: Request, old: Annotated[int, Query(ge=0, lt=1 << 62)], new: Annotated[int, Query(ge=0, lt=1 << 62)]
) -> Response:
    """The proof that the log of size old is a prefix of the log of size new."""
    with transaction_of(request) as session:
        if new > service.head(session)[0]:
            raise NotFound("The log has no such sizes.", code="log-size-unknown")
        proof = service.consistency(session, old=old, new=new)
        service.append(session, trail_of(request), EventType.AUDIT_READ, resource="log:consistency")
    return JSONResponse({"old": old, "new": new, "proof": [b64encode(value).decode() for value in proof]})


@router.get("/tile/{path:path}")
@declare("public.read", "log")
def tile(request: Request, path: str) -> Response:
    """256 hashes of the tree, or as many as there are, joined (C2SP tlog-tiles)."""
    with transaction_of(request) as session:
        newest = service.latest_checkpoint(session)
        try:
            wanted = read_tile(path)
            size = 0 if newest is None else newest.size
            content = tile_content(wanted, size, read=service.node_reader(session))
        except TileError:
            raise NotFound() from None
        service.append(session, trail_of(request), EventType.AUDIT_READ, resource=f"log:tile/{wanted.path()}")
    return Response(content, media_type="application/octet-stream", headers=IMMUTABLE)


@router.get("/releases/{release}")
@declare("public.read", "release")
def release_proof(request: Request, release: str) -> Response:
    """What shows that a public release was approved in the log under a checkpoint that its witnesses cosigned."""
    with transaction_of(request) as session:
        found = proof_of_release(session, release, policy=witness_policy(session, _log(request)))
        service.append(session, trail_of(request), EventType.RECEIPT_READ, resource=f"release/{release}")
    return JSONResponse(asdict(found))


@router.get("/growth")
@declare("log.cosign", "log")
def growth(request: Request, old: Annotated[int, Query(ge=0, lt=1 << 62)] = 0) -> Response:
    """The body of `add-checkpoint` for a witness that last signed the size old."""
    with transaction_of(request) as session:
        asked = witnessing.growth(
            session,
            old,
            policy=witness_policy(session, _log(request)),
            must_cover=waits_for(session),
            audit=trail_of(request),
        )
    return PlainTextResponse(asked.written(), headers=MUTABLE)


@router.post("/cosignatures")
@declare("log.cosign", "log")
def cosign(request: Request, body: Body, size: Annotated[int, Query(ge=1, lt=1 << 62)]) -> Response:
    """Keep a witness's signature line; the release that waited for it goes out in the same transaction."""
    trail = trail_of(request)
    with transaction_of(request) as session:
        agent = principal_of(request).actor.removeprefix("agent:")
        witness = every_witness(session, _log(request)).get(agent)
        if witness is None:
            raise Refused(rule="R-01")
        note = witnessing.store_cosignature(session, size, _line(body), agent=agent, witness=witness, audit=trail)
        published = publish_witnessed(
            session,
            policy=witness_policy(session, _log(request)),
            audit=AuditTrail("witnesses", None, trail.request_id, trail.method, trail.clock),
        )
    return JSONResponse(
        {"size": size, "note": note.written(), "published": None if published is None else published.id}
    )


def _line(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if len(body) > LINE_BYTES_MAX or not text.endswith("\n") or text.count("\n") != 1:
        raise Invalid("The body is one signature line.", code="cosignature-wrong", next_step="Send one line.",
                      faults=(Fault("body", "cosignature-wrong"),))  # fmt: skip
    return text.rstrip("\n")


def _log(request: Request) -> Verifier:
    return read_vkey(hub_of(request).facts["log_verifier"])
