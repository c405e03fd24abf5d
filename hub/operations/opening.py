"""Writes every encrypted file of a made-up home in clear, so that a search for identities sees what a thief of all
keys would see."""

from __future__ import annotations

from pathlib import Path

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.db import Database
from hub.files import FileStore
from hub.settings import Home, Settings
from hub.stores import facts_store, place_of


def open_every_file(settings: Settings, database: Database, *, out: Path, audit: AuditTrail) -> int:
    """Open the stores of rows, spans, facts and salts into a new folder; how many files there were."""
    home, analysis = Home(settings.home), facts_store(settings)
    stores: dict[str, FileStore] = {
        "rows": FileStore(place_of(settings, "rows"), home.key("matcher", "rows.key")),
        "spans": FileStore(place_of(settings, "spans"), home.key("resolver", "spans.key")),
        "analysis": analysis,
        "salts": analysis.salts,
    }
    count = 0
    for name, store in stores.items():
        folder = out / name
        folder.mkdir(parents=True)
        for file in store.names():
            (folder / file).write_bytes(store.get(file))
            count += 1
    with database.transaction() as session:
        append(session, audit, EventType.STORES_OPENED, resource="stores", counts={"files": count})
    return count
