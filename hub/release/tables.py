"""Releases and the ledger: every cell ever released, stored once, never changed.

A release names blocks (one indicator and cohort year under one vintage); the cells belong to the block. A block that
is published is frozen: a later release names it again and adds nothing to it.
"""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class ReleaseRow(Base):
    """One release; `content` is its canonical file, byte for byte what `content_sha256` names."""

    __tablename__ = "releases"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    prepared_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]
    approved_sequence: Mapped[int | None] = mapped_column(BigInteger)
    """The event that approved it; it is public once witnesses have cosigned a checkpoint that covers the event."""
    snapshot: Mapped[str] = mapped_column(String(64))
    catalogue_version: Mapped[int]
    rules: Mapped[str] = mapped_column(Text)
    content_sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    shown: Mapped[int]
    withheld: Mapped[int]


class ReleasedBlockRow(Base):
    """One indicator and cohort year as released once: the equations' essentials (dimensions and tables)."""

    __tablename__ = "released_blocks"

    indicator: Mapped[str] = mapped_column(String(40), primary_key=True)
    cohort_year: Mapped[int] = mapped_column(primary_key=True)
    vintage: Mapped[str] = mapped_column(String(16), primary_key=True)
    first_release: Mapped[str] = mapped_column(ForeignKey("releases.id"), index=True)
    definition_version: Mapped[str] = mapped_column(String(40))
    equations: Mapped[str] = mapped_column(Text)


class ReleaseBlockRow(Base):
    """That a release shows a block."""

    __tablename__ = "release_blocks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["indicator", "cohort_year", "vintage"],
            ["released_blocks.indicator", "released_blocks.cohort_year", "released_blocks.vintage"],
            name="fk_release_blocks_block",
        ),
    )

    release: Mapped[str] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    indicator: Mapped[str] = mapped_column(String(40), primary_key=True)
    cohort_year: Mapped[int] = mapped_column(primary_key=True)
    vintage: Mapped[str] = mapped_column(String(16), primary_key=True)


class ReleasedCellRow(Base):
    """One released cell. Hidden numbers are null with status `C`; there is no other mark."""

    __tablename__ = "released_cells"
    __table_args__ = (
        ForeignKeyConstraint(
            ["indicator", "cohort_year", "vintage"],
            ["released_blocks.indicator", "released_blocks.cohort_year", "released_blocks.vintage"],
            name="fk_released_cells_block",
        ),
        Index("ix_released_cells_slice", "indicator", "table_name", "cohort_year", "vintage"),
    )

    indicator: Mapped[str] = mapped_column(String(40), primary_key=True)
    cohort_year: Mapped[int] = mapped_column(primary_key=True)
    vintage: Mapped[str] = mapped_column(String(16), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(String(80))
    levels: Mapped[str] = mapped_column(Text)
    n: Mapped[int | None]
    known: Mapped[int | None]
    k: Mapped[int | None]
    rate: Mapped[int | None]
    rate_low: Mapped[int | None]
    rate_high: Mapped[int | None]
    coverage_low: Mapped[int | None]
    coverage_high: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(1))
    status_reason: Mapped[str] = mapped_column(String(80))


class ReleaseEvidenceRow(Base):
    """The verdict of the joint audit, for the compliance officer alone."""

    __tablename__ = "release_evidence"

    release: Mapped[str] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    verdict: Mapped[str] = mapped_column(Text)


class KeptProtectionRow(Base):
    """What is told of one independent group of blocks, to be taken over while nothing that it depends on has changed.

    `name` is an HMAC of all that; `states` says of each group of children whether and why it is withheld, no count.
    """

    __tablename__ = "kept_protections"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    states: Mapped[str] = mapped_column(Text)


class TableRequestRow(Base):
    """A partner's request for a further table, what contributors may say to it until when, and what was decided.

    `cost` is what the table would cost the others, for the officer alone.
    """

    __tablename__ = "table_requests"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    indicator: Mapped[str] = mapped_column(String(40))
    dimensions: Mapped[list[str]] = mapped_column(JSON)
    agreement: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(String(500))
    actor: Mapped[str] = mapped_column(String(80))
    organisation: Mapped[str] = mapped_column(String(40), index=True)
    requested_at: Mapped[dt.datetime]
    comments_until: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(String(10), index=True)
    cost: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[dt.datetime | None]
    note: Mapped[str] = mapped_column(String(500))
    joined_release: Mapped[str | None] = mapped_column(ForeignKey("releases.id"), index=True)


class TableCommentRow(Base):
    """What a contributor said to a request; never changed."""

    __tablename__ = "table_request_comments"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    request: Mapped[int] = mapped_column(ForeignKey("table_requests.id"), index=True)
    actor: Mapped[str] = mapped_column(String(80))
    organisation: Mapped[str] = mapped_column(String(40))
    stance: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(500))
    written_at: Mapped[dt.datetime]


class VoiceRow(Base):
    """A voice beside an indicator; its words are erased when it is declined or withdrawn."""

    __tablename__ = "voices"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    indicator: Mapped[str] = mapped_column(String(40), index=True)
    dimension: Mapped[str | None] = mapped_column(String(40))
    year: Mapped[int | None]
    speaker: Mapped[str] = mapped_column(String(10))
    english: Mapped[str] = mapped_column(String(600))
    spanish: Mapped[str] = mapped_column(String(600))
    actor: Mapped[str] = mapped_column(String(80))
    organisation: Mapped[str] = mapped_column(String(40), index=True)
    written_at: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(String(10), index=True)
    reason: Mapped[str] = mapped_column(String(300))
    ended_by: Mapped[str | None] = mapped_column(String(80))
    ended_at: Mapped[dt.datetime | None]


class VoiceReviewRow(Base):
    """One person's word that a voice names no child and may show; never changed."""

    __tablename__ = "voice_reviews"

    voice: Mapped[int] = mapped_column(ForeignKey("voices.id"), primary_key=True)
    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(40))
    reviewed_at: Mapped[dt.datetime]
