"""The processes of `promise-hub serve`: api, matcher, resolver, signer, and the supervisor that starts them.

The supervisor binds the port, loads the code once and forks each role, so that a start is short; it holds no key.
Each role reads `keys/<role>/` of the home after the fork, and no other. What dies is started again; a role stops by
itself when the supervisor is gone. Under separate system users, run each role by `promise-hub work --role ...`.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy.exc import OperationalError

from hub.errors import HubError, SettingError
from hub.jobs import code_of
from hub.log import Log
from hub.settings import Home, Settings

if TYPE_CHECKING:
    import uvicorn

    from hub.audit.signer import Signer

WORKERS = ("signer", "matcher", "resolver")
MESSENGER = "messenger"
ROLES = (*WORKERS, "api")
STOP_SECONDS = 10
SIGN_SECONDS = 0.1
SIGN_SECONDS_IDLE = 0.15
WATCH_SECONDS = 0.2
RESTARTS_MAX = 20


@dataclass(frozen=True)
class Running:
    """A role's process and how often the role was started."""

    pid: int
    starts: int


@dataclass(frozen=True)
class Tether:
    """A pipe whose other end only the supervisor holds: it ends when the supervisor does."""

    read_end: int
    write_end: int


def supervise(settings: Settings, *, announce: Callable[[str], None]) -> int:
    """Run the hub until SIGTERM or SIGINT; the exit code comes back. `announce` is called with the address."""
    Home(settings.home).public_facts()
    listener = _listen(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    stop = _stop_on_signals()
    tether = Tether(*os.pipe())
    _load_workers()
    workers = (*WORKERS, MESSENGER) if settings.messages else WORKERS
    running = {role: Running(_fork(role, settings, listener, tether), 1) for role in workers}
    _load_api()
    running["api"] = Running(_fork("api", settings, listener, tether), 1)
    announce(settings.own_url())
    try:
        return _watch(running, lambda role: _fork(role, settings, listener, tether), stop=stop, log=Log())
    finally:
        _end(running)
        listener.close()
        os.close(tether.read_end)
        os.close(tether.write_end)


def run_role(role: str, settings: Settings, *, listener: socket.socket | None, stop: threading.Event) -> None:
    """Be one role until told to stop."""
    if role == "signer":
        run_signer(settings, stop)
    elif role != "api":
        run_worker(role, settings, stop)
    elif listener is None:
        raise SettingError("The API needs a socket to listen on.", code="socket-missing")
    else:
        run_api(settings, listener, stop)


def run_api(settings: Settings, listener: socket.socket, stop: threading.Event) -> None:
    """Serve the API on the supervisor's socket."""
    import uvicorn

    from hub.app import create_app, hub_parts
    from hub.operations.metrics import Meter

    hub = hub_parts(settings)
    meter = Meter(hub.database, clock=hub.clock) if settings.metrics_port else None
    if meter is not None:
        meter.serve(settings.metrics_port, address=settings.metrics_host)
    server = uvicorn.Server(api_config(create_app(hub, meter=meter), settings))
    threading.Thread(target=_pass_on, args=(stop, server), daemon=True).start()
    server.run(sockets=[listener])
    hub.database.close()


def api_config(app: Callable[..., Any], settings: Settings) -> uvicorn.Config:
    """How the API is served; who asks is read from a header only where the named proxy sends it."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_level="critical",  # its error log prints what an exception says; ours names class and place alone
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxy_address),
        forwarded_allow_ips=settings.proxy_address,
        timeout_graceful_shutdown=STOP_SECONDS // 2,
    )


def run_worker(role: str, settings: Settings, stop: threading.Event) -> None:
    """Take this role's jobs until told to stop."""
    from hub.operations import roles

    worker = {"matcher": roles.matcher, "resolver": roles.resolver, MESSENGER: roles.messenger}[role](
        settings, log=Log()
    )
    worker.run(stop, poll_seconds=settings.job_poll_milliseconds / 1000)
    worker.close()


def run_signer(settings: Settings, stop: threading.Event) -> None:
    """Sign the log as it grows, and note the hub's start and end in it."""
    from hub.audit.signer import signer_of

    signer, log = signer_of(settings), Log()
    note_event(signer, "hub.started")
    pause = SIGN_SECONDS
    while not stop.wait(pause):
        signed = _sign(signer, stop, log)
        pause = SIGN_SECONDS if signed else min(pause * 1.05, SIGN_SECONDS_IDLE)
    time.sleep(WATCH_SECONDS)
    note_event(signer, "hub.stopped")
    _sign(signer, stop, log)
    signer.database.close()


def note_event(signer: Signer, event: str) -> None:
    """One event of the hub itself."""
    from hub.audit.events import AuditTrail, EventType
    from hub.audit.service import append

    with signer.database.transaction() as session:
        trail = AuditTrail("supervisor", None, f"serve:{os.getpid()}", "promise-hub serve", signer.clock)
        append(session, trail, EventType(event), resource="hub")


def _sign(signer: Signer, stop: threading.Event, log: Log) -> bool:
    try:
        return signer.sign() is not None
    except (HubError, OperationalError) as error:
        log.write("signer.refused", code=code_of(error))
        stop.wait(1.0)
        return False


def _watch(running: dict[str, Running], start: Callable[[str], int], *, stop: threading.Event, log: Log) -> int:
    while not stop.wait(WATCH_SECONDS):
        for role, known in list(running.items()):
            pid, status = os.waitpid(known.pid, os.WNOHANG)
            if pid == 0:
                continue
            log.write("role.ended", role=role, code=str(os.waitstatus_to_exitcode(status)), count=known.starts)
            del running[role]
            if known.starts >= RESTARTS_MAX:
                return 1
            stop.wait(min(0.2 * known.starts, 5.0))
            running[role] = Running(start(role), known.starts + 1)
    return 0


def _fork(role: str, settings: Settings, listener: socket.socket, tether: Tether) -> int:
    """Start a role; its process id comes back. The supervisor has no threads, so that a fork is clean."""
    pid = os.fork()
    if pid == 0:
        _become(role, settings, listener, tether)
    return pid


def _become(role: str, settings: Settings, listener: socket.socket, tether: Tether) -> NoReturn:
    code = 1
    try:
        os.close(tether.write_end)
        stop = _stop_on_signals()
        threading.Thread(target=_wait_for_end, args=(tether.read_end, stop), daemon=True).start()
        run_role(role, settings, listener=listener if role == "api" else None, stop=stop)
        code = 0
    except Exception as error:
        Log().write("role.failed", role=role, error=error, code=getattr(error, "code", type(error).__name__))
    finally:
        os._exit(code)


def _wait_for_end(read_end: int, stop: threading.Event) -> None:
    while os.read(read_end, 1):
        pass
    stop.set()


def _pass_on(stop: threading.Event, server: object) -> None:
    stop.wait()
    setattr(server, "should_exit", True)  # noqa: B010 (uvicorn is imported in the API's process alone)


def _end(running: dict[str, Running]) -> None:
    """Stop the API first, so that nothing new comes in, then the workers, then the signer."""
    order = [role for role in ("api", "matcher", "resolver", MESSENGER, "signer") if role in running]
    for role in order[:-1]:
        os.kill(running[role].pid, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    for role in order[:-1]:
        _reap(running[role].pid, until)
    for role in order[-1:]:
        os.kill(running[role].pid, signal.SIGTERM)
        _reap(running[role].pid, time.monotonic() + STOP_SECONDS)


def _reap(pid: int, until: float) -> None:
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return
        time.sleep(0.02)


def _load_workers() -> None:
    """Load what workers and signer run, so that every fork shares it."""
    import hub.audit.signer
    import hub.operations.roles  # noqa: F401

    gc.collect()
    gc.freeze()


def _load_api() -> None:
    """Load what the API runs."""
    import uvicorn  # noqa: F401

    import hub.app

    hub.app.routers_of(hub.app.ROUTED)
    gc.collect()
    gc.freeze()


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _listen(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=512)
    except OSError as error:
        raise SettingError(
            f"Port {settings.port} cannot be had.", code="port-taken", next_step="Choose another port."
        ) from error
