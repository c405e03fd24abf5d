"""Pulls an Ed-Fi store on a schedule: what changed is fetched into the inbox, and the year is sent when it changed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

from connectors.edfi_api import Store, fetch, read_settings
from connectors.errors import EdgeError
from connectors.service import Service

PULL_TIMEOUT_SECONDS = 60.0


def pull(service: Service, school_year: int) -> str:
    """One pull, and the sending where something changed, in a sentence; raises EdgeError of the store."""
    workspace = service.workspace
    settings, secret = read_settings(workspace.folder)
    target = workspace.inbox / str(school_year) / "edfi"
    with service.turn, httpx.Client(timeout=PULL_TIMEOUT_SECONDS, follow_redirects=False) as client:
        target.parent.mkdir(parents=True, exist_ok=True)
        fetched = fetch(Store(client, settings, secret), target)
    if not fetched.changed and not fetched.deleted:
        return "Ed-Fi: nothing changed."
    status, told = service.answer("POST", f"/v1/years/{school_year}/send", b"")
    if status != 200:
        return f"Ed-Fi: {fetched.changed:,} objects came; not sent ({told.get('code') or 'a file is refused'})."
    states = ", ".join(str(one.get("state") or one.get("code")) for one in told["sent"])
    return f"Ed-Fi: {fetched.changed:,} objects came, {fetched.deleted:,} were deleted; sent: {states}."


def pull_on_schedule(
    service: Service,
    school_year: int,
    *,
    seconds: float,
    say: Callable[[str], None],
    stop: threading.Event | None = None,
) -> threading.Thread:
    """Pulls at once and then every so often, in a thread that ends with the program or when told to stop."""
    ended = stop or threading.Event()

    def run() -> None:
        while not ended.is_set():
            try:
                say(pull(service, school_year))
            except EdgeError as error:
                say(f"Ed-Fi: {error.code}  {error.sentence}  next: {error.next_step}")
            ended.wait(seconds)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
