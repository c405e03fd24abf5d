"""Tables of outcomes: snapshots, immutable, each with the encrypted files that hold its tables; the state's figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String
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


class StateFileRow(Base):
    """One imported file of the state: its layout, the years in it, where the layout is published."""

    __tablename__ = "state_files"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    layout: Mapped[str] = mapped_column(String(40), index=True)
    years: Mapped[list[int]] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(String(200))
    imported_at: Mapped[datetime]


class StateFigureRow(Base):
    """One figure that the state published, as it published it; hidden figures have no number."""

    __tablename__ = "state_figures"

    measure: Mapped[str] = mapped_column(String(40), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[str] = mapped_column(String(40), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(40), primary_key=True)
    level: Mapped[str] = mapped_column(String(40), primary_key=True)
    n: Mapped[int | None]
    k: Mapped[int | None]
    rate: Mapped[float | None]
    hidden: Mapped[bool]
    file: Mapped[str] = mapped_column(ForeignKey("state_files.sha256"), index=True)
