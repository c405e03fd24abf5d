"""The embedded edge service: the same road behind a small local API, for a student information system beside it.

JSON in, findings and states out; nothing clear leaves this machine. It listens on loopback, or on the district's
network under TLS; every request carries the token that lies in `service/token`.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import os
import re
import secrets
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from connectors.errors import EdgeError, HubUnreachableError, MappingError, WorkspaceError
from connectors.laying_in import lay_in
from connectors.push import WAIT_SECONDS, Hub
from connectors.reports import as_json
from connectors.road import Sent, prepare_year, read_year, send_all
from connectors.service_pages import OPENAPI
from connectors.standing import next_step, states
from connectors.watching import prepared_as_it_is
from connectors.workspace import Workspace

BODY_BYTES_MAX = 64 * 1024 * 1024
REQUEST_SECONDS = 60
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_YEAR, _NAME = r"([12]\d{3})", r"([a-z][a-z0-9_-]{0,40})"

Answer = tuple[int, Mapping[str, Any]]


@dataclass
class Service:
    """One workspace behind an API; what changes it is done one at a time."""

    workspace: Workspace
    connect: Callable[[], AbstractContextManager[Hub]]
    clock: Callable[[], dt.datetime]
    wait_seconds: float = WAIT_SECONDS
    turn: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """The answer to a request that carried the token; an error of the edge is told with its code and next step."""
        for known, pattern, act in _ROUTES:
            found = re.fullmatch(pattern, path, re.ASCII)
            if known == method and found is not None:
                try:
                    with self.turn:
                        return act(self, *found.groups(), body=body)
                except EdgeError as error:
                    return _status(error), _told(error)
        return 404, {"code": "not-found", "title": "There is none.", "next_step": "Read /v1/openapi.json."}

    def openapi(self, *, body: bytes) -> Answer:
        return 200, OPENAPI

    def status(self, *, body: bytes) -> Answer:
        with self.connect() as hub:
            told = states(replace(hub, tries=1), self.workspace)
        step = next_step(self.workspace)
        return 200, {
            "organisation": self.workspace.settings.organisation,
            "hub_answers": not told.unreached,
            "submissions": [dict(one) for one in told.submissions],
            "next_step": step.step,
        }

    def lay(self, year: str, kind: str, table: str, *, body: bytes) -> Answer:
        rows = _parsed(body).get("rows")
        reports = lay_in(
            self.workspace, rows, kind=kind, table=table, school_year=int(year), today=self.clock().date()
        )  # fmt: skip
        refused = any(report.refusal is not None for report in reports)
        return (422 if refused else 200), as_json(reports)

    def check(self, year: str, *, body: bytes) -> Answer:
        return 200, as_json(read_year(self.workspace, int(year), now=self.clock()))

    def send(self, year: str, *, body: bytes) -> Answer:
        """Prepares the year whole and sends it with all that waited; 422 with the findings where a file is refused."""
        prepared = prepare_year(self.workspace, int(year), now=self.clock())
        told = {**as_json(prepared.reports), "prepared": list(prepared.prepared), "sent": []}
        if prepared.refused:
            return 422, told
        prepared_as_it_is(self.workspace, int(year))
        with self.connect() as hub:
            sent = send_all(hub, self.workspace, wait_seconds=self.wait_seconds)
        return 200, {**told, "sent": [_outcome(one) for one in sent]}


Act = Callable[..., Answer]
_ROUTES: tuple[tuple[str, str, Act], ...] = (
    ("GET", "/v1/openapi.json", Service.openapi),
    ("GET", "/v1/status", Service.status),
    ("PUT", f"/v1/years/{_YEAR}/{_NAME}/{_NAME}", Service.lay),
    ("POST", f"/v1/years/{_YEAR}/check", Service.check),
    ("POST", f"/v1/years/{_YEAR}/send", Service.send),
)


def token_of(workspace: Workspace) -> str:
    """The token that every request carries; made at the first start, for its owner's eyes alone."""
    path = workspace.folder / "service" / "token"
    path.parent.mkdir(exist_ok=True, mode=0o700)
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(32))
    return path.read_text("ascii").strip()


def server_of(
    service: Service, *, host: str, port: int, certificate: Path | None = None, key: Path | None = None
) -> ThreadingHTTPServer:
    """A listening server; raises WorkspaceError EDGE-047 for the network without a certificate."""
    if host not in LOOPBACK and (certificate is None or key is None):
        raise WorkspaceError(
            "EDGE-047", "Beyond this machine the service needs TLS.",
            "Give --certificate and --key, or listen on 127.0.0.1.",
        )  # fmt: skip
    server = ThreadingHTTPServer((host, port), _handler(service, token_of(service.workspace)))
    server.daemon_threads = True
    if certificate is not None and key is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def _handler(service: Service, token: str) -> type[BaseHTTPRequestHandler]:
    expected = f"Bearer {token}".encode()

    class Handler(BaseHTTPRequestHandler):
        """Speaks HTTP; knows nothing of the road."""

        timeout = REQUEST_SECONDS
        server_version, sys_version = "promise-edge", ""

        def _do(self) -> None:
            given = self.headers.get("Authorization", "").encode()
            if not hmac.compare_digest(given, expected):
                step = "Send Authorization: Bearer with what service/token holds."
                self._send(401, {"code": "not-signed-in", "title": "The token is missing or wrong.", "next_step": step})
                return
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
                step = f"Send at most {BODY_BYTES_MAX} bytes, with Content-Length."
                self._send(413, {"code": "too-large", "title": "The body is too large.", "next_step": step})
                return
            self._send(*service.answer(self.command, self.path, self.rfile.read(int(length))))

        do_GET = do_PUT = do_POST = _do  # noqa: N815 (the names that http.server looks for)

        def _send(self, status: int, told: Mapping[str, Any]) -> None:
            content = json.dumps(told).encode()
            self.send_response(status)
            for name, value in (
                ("Content-Type", "application/json"), ("Content-Length", str(len(content))),
                ("Cache-Control", "no-store"), ("Connection", "close"),
            ):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Addresses of requests name nothing, but nobody needs them either."""

    return Handler


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise MappingError("MAP-007", "The body is no JSON object.", "Send {rows: [{element: value}]}.")
    return read


def _outcome(sent: Sent) -> Mapping[str, Any]:
    if sent.answer is None:
        return {"submission": sent.submission, **(_told(sent.error) if sent.error is not None else {})}
    answer = sent.answer
    return {
        "submission": sent.submission,
        "state": answer.state,
        "next_step": answer.next_step,
        "owner": answer.owner,
        "findings": list(answer.content.get("findings") or ()),
    }


def _told(error: EdgeError) -> dict[str, str]:
    return {"code": error.code, "title": error.sentence, "next_step": error.next_step}


def _status(error: EdgeError) -> int:
    if isinstance(error, HubUnreachableError):
        return 503
    return 422 if isinstance(error, MappingError) else 409
