"""Sends a prepared submission over the wall and waits for the hub's word; may be interrupted and repeated anywhere.

Every request is signed by RFC 9421 with the agent's key. What the hub has already is not sent again: it says what is
missing. The answer is kept as a receipt.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from connectors.errors import HubUnreachableError, PushRefusedError, WorkspaceError
from connectors.keystore import AgentKey
from connectors.workspace import write_json
from policies.signing import Message, sign_request
from policies.submission import canonical_json

SETTLED = frozenset({"accepted", "held", "refused", "withdrawn", "replaced"})
WAIT_SECONDS = 120.0
_RETRIES = 4
_POLL_SECONDS_FIRST, _POLL_SECONDS_LAST = 0.05, 2.0
CARRIED_BYTES_MAX = 2 * 1024 * 1024
"""A submission whose chunks are no more than this together goes in one request."""
_BUSY = frozenset({429, 502, 503, 504})
_CODE_CHARACTERS_MAX = 40


@dataclass(frozen=True)
class Answer:
    """What the hub says of a submission: its state, who acts next and how, findings and receipt."""

    submission: str
    state: str
    next_step: str
    owner: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Hub:
    """The hub as this agent reaches it."""

    client: httpx.Client
    key: AgentKey
    key_id: str
    clock: Callable[[], dt.datetime]
    sleep: Callable[[float], None] = time.sleep
    tries: int = _RETRIES

    def ask(self, method: str, path: str, body: bytes = b"") -> Any:
        """The parsed answer; raises PushRefusedError with the hub's own code, or HubUnreachableError."""
        return _parsed(self.answer(method, path, body))

    def read(self, path: str) -> str:
        """An answer that is text, not JSON; raises as `ask` does."""
        response = self.answer("GET", path)
        if not response.is_success:
            _parsed(response)
        return response.text

    def answer(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        """The hub's answer to a signed request; a hub that is busy is asked again, with a fresh signature."""
        for attempt in range(self.tries):
            try:
                response = self.client.send(self._request(method, path, body))
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code not in _BUSY:
                return response
            if attempt + 1 < self.tries:
                self.sleep(0.1 * 3**attempt)
        raise HubUnreachableError("PUSH-001", "The hub does not answer.", "Give the same command again in a while.")

    def _request(self, method: str, path: str, body: bytes) -> httpx.Request:
        request = self.client.build_request(method, path, content=body, headers={"Content-Type": _media(method, body)})
        signed = sign_request(
            Message(method, str(request.url)),
            body,
            key=self.key.signer(),
            key_id=self.key_id,
            nonce=secrets.token_urlsafe(16),
            now=self.clock(),
        )
        request.headers.update(signed)
        return request


def nobody() -> None:
    """Most callers look at no progress."""


def push(
    hub: Hub,
    folder: Path,
    *,
    receipts: Path,
    wait_seconds: float = WAIT_SECONDS,
    step: Callable[[], None] = nobody,
) -> Answer:
    """Sends what the hub has not, commits, and waits until the submission is accepted, held or refused."""
    submission = send(hub, folder, step=step)
    return settle(hub, submission, receipts=receipts, wait_seconds=wait_seconds)


def send(hub: Hub, folder: Path, *, step: Callable[[], None] = nobody) -> str:
    """Lays the submission before the hub and commits it; safe to repeat. A step is a chunk that the hub has."""
    manifest, signature = _prepared(folder)
    envelope = {"manifest": manifest, "signature": signature, **carried(folder, manifest)}
    answer = hub.ask("POST", "/v1/submissions", canonical_json(envelope))
    submission, state = str(answer["submission"]), str(answer["state"])
    if submission != folder.name:
        raise PushRefusedError("PUSH-003", "The hub names another submission.", "Prepare it again and push it.")
    if state != "receiving":
        return submission
    for _ in range(len(manifest["chunks"]) - len(answer["missing"])):
        step()
    for digest in answer["missing"]:
        hub.ask("PUT", f"/v1/submissions/{submission}/chunks/{digest}", _chunk(folder, str(digest)))
        step()
    hub.ask("POST", f"/v1/submissions/{submission}/commit")
    return submission


def settle(hub: Hub, submission: str, *, receipts: Path, wait_seconds: float = WAIT_SECONDS) -> Answer:
    """Waits for the hub's word and keeps it; raises HubUnreachableError PUSH-002 when it is still checking."""
    waited, pause = 0.0, _POLL_SECONDS_FIRST
    while True:
        content = hub.ask("GET", f"/v1/submissions/{submission}")
        state = str(content["state"])
        if state in SETTLED:
            write_json(receipts / f"{submission}.json", content)
            return Answer(
                submission, state, str(content.get("next_step") or ""), str(content.get("owner") or ""), content
            )
        if waited >= wait_seconds:
            raise HubUnreachableError(
                "PUSH-002", "The hub is still checking.", "Give the same command again in a while."
            )
        hub.sleep(pause)
        waited, pause = waited + pause, min(pause * 1.5, _POLL_SECONDS_LAST)


def parts_of(folder: Path) -> int:
    """How many chunks a prepared submission has; raises WorkspaceError EDGE-006."""
    return len(_prepared(folder)[0]["chunks"])


def describe(folder: Path) -> str:
    """What a prepared submission is, from its manifest: kind, year, how many records, chunks and bytes."""
    manifest, _ = _prepared(folder)
    size = sum(int(chunk["size"]) for chunk in manifest["chunks"])
    among = " (made-up people that pad it among them)" if manifest["padded"] else ""
    return (
        f"{manifest['kind']} {manifest['school_year']}, {manifest['records']:,} records{among}, "
        f"{len(manifest['chunks'])} chunks, {size:,} bytes"
    )


def _prepared(folder: Path) -> tuple[Any, str]:
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        signature = json.loads((folder / "signature.json").read_bytes())["signature"]
    except (OSError, ValueError, KeyError, TypeError):
        raise WorkspaceError(
            "EDGE-006", "This is no prepared submission.", "Run `promise-edge prepare` first."
        ) from None
    return manifest, str(signature)


def carried(folder: Path, manifest: Any) -> dict[str, Any]:
    """Small chunks in base64, with the wish to commit; nothing where they are large."""
    if sum(chunk["size"] for chunk in manifest["chunks"]) > CARRIED_BYTES_MAX:
        return {}
    digests = [chunk["sha256"] for chunk in manifest["chunks"]]
    return {"chunks": {digest: b64encode(_chunk(folder, digest)).decode() for digest in digests}, "commit": True}


def _chunk(folder: Path, digest: str) -> bytes:
    if not digest.isalnum():
        raise PushRefusedError("PUSH-003", "The hub asks for what is no chunk.", "Prepare it again and push it.")
    try:
        return (folder / "chunks" / digest).read_bytes()
    except OSError:
        raise WorkspaceError(
            "EDGE-007", "A chunk of the submission is missing.", "Prepare it again and push it."
        ) from None


def _media(method: str, body: bytes) -> str:
    return "application/octet-stream" if method == "PUT" or not body else "application/json"


def _parsed(response: httpx.Response) -> Any:
    try:
        content = response.json() if response.content else {}
    except ValueError:
        content = None
    if response.is_success and isinstance(content, dict):
        return content
    told = content if isinstance(content, dict) else {}
    code = str(told.get("code") or f"HTTP-{response.status_code}")[:_CODE_CHARACTERS_MAX]
    sentence = str(told.get("title") or "The hub refused the request.")
    raise PushRefusedError(code, sentence, str(told.get("next_step") or "Ask the hub's operator."))
