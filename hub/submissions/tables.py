"""Tables of what providers sent: submissions and their chunks. Sealed bytes and facts lie in files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base

RECEIVING, CHECKING, ACCEPTED, HELD = "receiving", "checking", "accepted", "held"
REFUSED, WITHDRAWN, REPLACED = "refused", "withdrawn", "replaced"
STATES = (RECEIVING, CHECKING, ACCEPTED, HELD, REFUSED, WITHDRAWN, REPLACED)


class Submission(Base):
    """One submission, by the SHA-256 of its canonical manifest; it replaces (provider, kind, school year) whole."""

    __tablename__ = "submissions"
    __table_args__ = (Index("ix_submissions_whole", "provider", "kind", "school_year"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    school_year: Mapped[int] = mapped_column(Integer)
    epoch: Mapped[int] = mapped_column(Integer)
    agreement: Mapped[str] = mapped_column(String(40))
    agreement_version: Mapped[int] = mapped_column(Integer)
    key_id: Mapped[str] = mapped_column(String(80))
    manifest: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12), index=True)
    rows_checked: Mapped[bool]
    spans_checked: Mapped[bool]
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    holds: Mapped[list[str]] = mapped_column(JSON)
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    key_file: Mapped[str | None] = mapped_column(String(64))
    references_file: Mapped[str | None] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    committed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_sequence: Mapped[int | None] = mapped_column(BigInteger)
    replaced_by: Mapped[str | None] = mapped_column(String(64))


class SubmissionChunk(Base):
    """One chunk that the manifest names; `file` is its name in the role's store once it was checked."""

    __tablename__ = "submission_chunks"

    submission: Mapped[str] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    holds: Mapped[str] = mapped_column(String(5))
    view: Mapped[str] = mapped_column(String(20))
    count: Mapped[int] = mapped_column(Integer)
    file: Mapped[str | None] = mapped_column(String(64))


class MessageAddress(Base):
    """Where an organisation's office is told of its submissions: an e-mail address or a webhook."""

    __tablename__ = "message_addresses"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    channel: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(300))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Statement(Base):
    """One person's word on a submission: certify or withdraw. Two persons' words make it so."""

    __tablename__ = "submission_statements"

    submission: Mapped[str] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    act: Mapped[str] = mapped_column(String(10), primary_key=True)
    person: Mapped[str] = mapped_column(String(80), primary_key=True)
    said_at: Mapped[datetime]


class OptOut(Base):
    """A family's objection, by the record reference alone; it holds from one moment until it is taken back."""

    __tablename__ = "opt_outs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    provider: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    reference: Mapped[str] = mapped_column(String(32))
    scope: Mapped[str] = mapped_column(String(10))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
