"""Tables of outcomes: snapshots, immutable, each with the encrypted files that hold its tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class SnapshotRow(Base):
    """One snapshot: its id is the hash of its manifest, which names linkage version, submissions and table hashes.

    `files` says under which name of the analysis store each table lies.
    """

    __tablename__ = "snapshots"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    linkage_version: Mapped[int] = mapped_column(Integer, index=True)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    files: Mapped[dict[str, str]] = mapped_column(JSON)
    taken_at: Mapped[datetime] = mapped_column(index=True)
