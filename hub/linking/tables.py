"""Tables of linkage: immutable runs, their links and history, and the pointer to the run that holds now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base

REQUESTED, COMPARED, RESOLVED, ACCEPTED, FAILED = "requested", "compared", "resolved", "accepted", "failed"
TOMBSTONE = "tombstone"
"""A run that used data that were destroyed: nothing reverts to it."""
STATES = (REQUESTED, COMPARED, RESOLVED, ACCEPTED, FAILED, TOMBSTONE)


class LinkageRun(Base):
    """One run over a fixed set of submissions; never changed once it is resolved.

    `whole`: its links stand here all, and not as changes of the run it is based on; `memory`: what each role keeps so
    that the next run compares only what is new, by file; `continues`: the run whose memory this one takes up.
    """

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
    whole: Mapped[bool] = mapped_column(default=True)
    continues: Mapped[int | None] = mapped_column(Integer)
    providers: Mapped[list[str]] = mapped_column(JSON, default=list)
    memory: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON, default=dict)


class Link(Base):
    """Which person a record is from this run on; in a run that is whole, every record's."""

    __tablename__ = "links"

    run: Mapped[int] = mapped_column(ForeignKey("linkage_runs.version"), primary_key=True, autoincrement=False)
    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    reference: Mapped[str] = mapped_column(String(32), primary_key=True)
    person: Mapped[str] = mapped_column(String(32))


class ThresholdLink(Base):
    """Which person a record would be under another threshold, where that is another than in the run."""

    __tablename__ = "threshold_links"

    run: Mapped[int] = mapped_column(ForeignKey("linkage_runs.version"), primary_key=True, autoincrement=False)
    threshold: Mapped[str] = mapped_column(String(10), primary_key=True)
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


class ReviewItem(Base):
    """One record that its provider is asked to verify: the fields to look at, and what two persons answered.

    Nothing here tells whether the record is truly in doubt, with whom, or why. `answers`: by field `right` or
    `corrected`.
    """

    __tablename__ = "review_items"

    item: Mapped[str] = mapped_column(String(32), primary_key=True)
    provider: Mapped[str] = mapped_column(String(40), index=True)
    reference: Mapped[str] = mapped_column(String(32))
    fields: Mapped[list[str]] = mapped_column(JSON)
    position: Mapped[int] = mapped_column(Integer)
    listed_at: Mapped[datetime]
    answers: Mapped[dict[str, str] | None] = mapped_column(JSON)
    answered_by: Mapped[str | None] = mapped_column(String(120))
    answered_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(String(120))
    approved_at: Mapped[datetime | None]


class CurrentRun(Base):
    """The one pointer: which run's links hold now."""

    __tablename__ = "linkage_current"
    __table_args__ = (CheckConstraint("number = 1", name="one"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    run: Mapped[int | None] = mapped_column(ForeignKey("linkage_runs.version"))
