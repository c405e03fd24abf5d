"""The processes of `promise-hub serve`: api, matcher and resolver, and the supervisor, which also signs the log.

Each role reads `keys/<role>/` of the home and no other. The supervisor binds the port before it starts the API,
restarts what dies, and stops all when it is told to; a role stops by itself when the supervisor is gone.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.errors import HubError, SettingError
from hub.log import Log
from hub.settings import Home, Settings

if TYPE_CHECKING:
    from hub.audit.signer import Signer

ROLES = ("api", "matcher", "resolver")
SOCKET_VARIABLE = "PROMISE_HUB_SOCKET"
STOP_SECONDS = 10
SIGN_SECONDS = 0.05
RESTARTS_MAX = 20


@dataclass(frozen=True)
class Started:
    """A role's process and how often it was started."""

    process: subprocess.Popen[bytes]
    starts: int


def supervise(settings: Settings, *, announce: Callable[[str], None]) -> int:
    """Run the hub until SIGTERM or SIGINT; the exit code comes back. `announce` is called with the address."""
    log = Log()
    Home(settings.home).public_facts()
    listener = _listen(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    stop = _stop_on_signals()
    roles = {role: Started(_start(role, settings, listener), 1) for role in ROLES}
    try:
        announce(settings.own_url())
        signer = signer_of(settings)
        _note_event(signer, "hub.started")
        return _watch(roles, settings, listener=listener, signer=signer, stop=stop, log=log)
    finally:
        _stop(roles)
        listener.close()
        _end(settings, log)


def _watch(
    roles: dict[str, Started],
    settings: Settings,
    *,
    listener: socket.socket,
    signer: Signer,
    stop: threading.Event,
    log: Log,
) -> int:
    while not stop.wait(SIGN_SECONDS):
        try:
            signer.sign()
        except HubError as error:
            log.write("signer.refused", code=error.code)
            stop.wait(1.0)
        for role, started in roles.items():
            code = started.process.poll()
            if code is None:
                continue
            log.write("role.ended", role=role, code=str(code), count=started.starts)
            if started.starts >= RESTARTS_MAX:
                return 1
            stop.wait(min(0.2 * started.starts, 5.0))
            roles[role] = Started(_start(role, settings, listener), started.starts + 1)
    return 0


def run_role(role: str, settings: Settings) -> None:
    """Be one role until the supervisor is gone or says stop."""
    if role == "api":
        run_api(settings)
    else:
        run_worker(role, settings)


def run_api(settings: Settings) -> None:
    """Serve the API on the supervisor's socket."""
    import uvicorn

    from hub.app import create_app
    from hub.db import Database, utc_now
    from hub.http import Hub
    from hub.identity.replay import NonceMemory

    home = Home(settings.home)
    hub = Hub(
        settings=settings,
        home=home,
        database=Database(settings.resolved_database_url()),
        clock=utc_now,
        log=Log(),
        nonces=NonceMemory(),
        started_at=utc_now(),
        facts=home.public_facts(),
    )
    config = uvicorn.Config(
        create_app(hub),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS // 2,
    )
    server = uvicorn.Server(config)
    _when_alone(lambda: setattr(server, "should_exit", True))
    server.run(sockets=[socket.socket(fileno=int(os.environ[SOCKET_VARIABLE]))])
    hub.database.close()


def run_worker(role: str, settings: Settings) -> None:
    """Take this role's jobs until told to stop."""
    from hub.operations import roles

    worker = {"matcher": roles.matcher, "resolver": roles.resolver}[role](settings, log=Log())
    stop = _stop_on_signals()
    _when_alone(stop.set)
    worker.run(stop, poll_seconds=settings.job_poll_milliseconds / 1000)
    worker.close()


def signer_of(settings: Settings) -> Signer:
    """The signer of a home; it reads the log key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from hub.audit.note import read_vkey
    from hub.audit.signer import Signer
    from hub.db import Database, utc_now

    home = Home(settings.home)
    return Signer(
        database=Database(settings.resolved_database_url()),
        key=Ed25519PrivateKey.from_private_bytes(home.key("signer", "log.key")),
        origin=read_vkey(home.public_facts()["log_verifier"]).name,
        last_file=home.signer / "last-checkpoint",
        clock=utc_now,
    )


def _note_event(signer: Signer, event: str) -> None:
    from hub.audit.events import AuditTrail, EventType
    from hub.audit.service import append

    with signer.database.transaction() as session:
        trail = AuditTrail("supervisor", None, f"serve:{os.getpid()}", "promise-hub serve", signer.clock)
        append(session, trail, EventType(event), resource="hub")


def _end(settings: Settings, log: Log) -> None:
    """The last event and the last checkpoint; a log that cannot be signed is told and left as it is."""
    signer = signer_of(settings)
    try:
        _note_event(signer, "hub.stopped")
        signer.sign()
    except HubError as error:
        log.write("signer.refused", code=error.code)
    signer.database.close()


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _listen(settings: Settings) -> socket.socket:
    try:
        listener = socket.create_server((settings.host, settings.port), backlog=512)
    except OSError as error:
        raise SettingError(
            f"Port {settings.port} cannot be had.", code="port-taken", next_step="Choose another port."
        ) from error
    listener.set_inheritable(True)
    return listener


def _start(role: str, settings: Settings, listener: socket.socket) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **settings.environment(), SOCKET_VARIABLE: str(listener.fileno())}
    return subprocess.Popen(  # noqa: S603 (our own module, no input of others)
        [sys.executable, "-m", "hub.serve", role],
        env=environment,
        stdin=subprocess.PIPE,
        pass_fds=[listener.fileno()] if role == "api" else [],
    )


def _stop(roles: Mapping[str, Started]) -> None:
    for started in roles.values():
        started.process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for started in roles.values():
        try:
            started.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            started.process.kill()
            started.process.wait()
        if started.process.stdin is not None:
            started.process.stdin.close()


def _when_alone(act: Callable[[], object]) -> None:
    """Act when the supervisor is gone: it holds the other end of our standard input."""

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        act()

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    run_role(sys.argv[1], Settings())  # type: ignore[call-arg]  # the home comes by the environment
