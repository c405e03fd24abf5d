"""Tables of the audit log: entries and nodes of the tree, details beside them, the head, the checkpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base

# SQLite gives a rowid alias only to INTEGER; the numbers are the same.
Sequence = BigInteger().with_variant(Integer, "sqlite")


class Entry(Base):
    """One leaf: its entry as hashed, and the leaf hash."""

    __tablename__ = "audit_entries"

    sequence: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    entry: Mapped[bytes] = mapped_column(LargeBinary)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)


class Detail(Base):
    """What an entry's salted hash stands for; it can be erased after retention without harm to the tree."""

    __tablename__ = "audit_details"

    sequence: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    time: Mapped[datetime] = mapped_column(index=True)
    event: Mapped[str] = mapped_column(String(40), index=True)
    actor: Mapped[str] = mapped_column(String(120), index=True)
    organisation: Mapped[str | None] = mapped_column(String(40), index=True)
    request_id: Mapped[str] = mapped_column(String(64), index=True)
    method: Mapped[str] = mapped_column(String(200))
    agreement: Mapped[str | None] = mapped_column(String(64))
    purpose: Mapped[str | None] = mapped_column(String(64))
    resource: Mapped[str] = mapped_column(String(200), index=True)
    decision: Mapped[str | None] = mapped_column(String(20))
    rule: Mapped[str | None] = mapped_column(String(80))
    outcome: Mapped[str] = mapped_column(String(40))
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    versions: Mapped[dict[str, Any]] = mapped_column(JSON)


class Node(Base):
    """One complete subtree above the leaves, so that proofs read few rows."""

    __tablename__ = "audit_nodes"

    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class Head(Base):
    """The one row that every append locks: size, root and right edge of the tree."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("number = 1", name="one"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(Sequence)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)


class Checkpoint(Base):
    """A note over size and root, signed by the log (C2SP tlog-checkpoint). The signer alone writes it."""

    __tablename__ = "audit_checkpoints"

    size: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)


class Cosignature(Base):
    """One witness's signature line under a checkpoint (C2SP tlog-cosignature); it carries its own time."""

    __tablename__ = "audit_cosignatures"

    size: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    agent: Mapped[str] = mapped_column(String(80), primary_key=True)
    line: Mapped[str] = mapped_column(Text)


class WitnessRound(Base):
    """Which checkpoint the witnesses are asked to cosign, and since when. Nothing is proved by it."""

    __tablename__ = "witness_rounds"

    size: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    opened_at: Mapped[datetime]


class SavedSearch(Base):
    """A question to the log that a person keeps under a name."""

    __tablename__ = "audit_searches"

    person: Mapped[str] = mapped_column(String(120), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    query: Mapped[str] = mapped_column(String(400))
