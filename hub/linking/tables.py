"""Tables of linkage: immutable runs, their links and history, and the pointer to the run that holds now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base

REQUESTED, COMPARED, RESOLVED, ACCEPTED, FAILED = "requested", "compared", "resolved", "accepted", "failed"
STATES = (REQUESTED, COMPARED, RESOLVED, ACCEPTED, FAILED)


class LinkageRun(Base):
    """One run over a fixed set of submissions; never changed once it is resolved."""

    __tablename__ = "linkage_runs"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(10), index=True)
    inputs: Mapped[list[str]] = mapped_column(JSON)
    based_on: Mapped[int | None] = mapped_column(Integer)
    schema_hash: Mapped[str] = mapped_column(String(64))
    pairs: Mapped[dict[str, Any]] = mapped_column(JSON)
    quality: Mapped[dict[str, Any]] = mapped_column(JSON)
    requested_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    replaces: Mapped[int | None] = mapped_column(Integer)


class Link(Base):
    """Which person a record is, in one run."""

    __tablename__ = "links"

    run: Mapped[int] = mapped_column(ForeignKey("linkage_runs.version"), primary_key=True, autoincrement=False)
    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    reference: Mapped[str] = mapped_column(String(32), primary_key=True)
    person: Mapped[str] = mapped_column(String(32))


class PersonHistory(Base):
    """Persons of the run before that a run merged or split."""

    __tablename__ = "linkage_history"

    run: Mapped[int] = mapped_column(ForeignKey("linkage_runs.version"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(10))
    before: Mapped[list[str]] = mapped_column(JSON)
    after: Mapped[list[str]] = mapped_column(JSON)


class CurrentRun(Base):
    """The one pointer: which run's links hold now."""

    __tablename__ = "linkage_current"
    __table_args__ = (CheckConstraint("number = 1", name="one"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    run: Mapped[int | None] = mapped_column(ForeignKey("linkage_runs.version"))
