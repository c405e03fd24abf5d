"""Tables of epochs: rosters, commitments, envelopes that the hub cannot open, and who accepted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class Epoch(Base):
    """A proposed or begun epoch with its roster as it was signed."""

    __tablename__ = "epochs"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    roster: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    accept_by: Mapped[datetime]
    proposed_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]


class EpochCommitment(Base):
    """A custodian's signed commitment."""

    __tablename__ = "epoch_commitments"

    epoch: Mapped[int] = mapped_column(ForeignKey("epochs.number"), primary_key=True)
    custodian: Mapped[str] = mapped_column(String(40), primary_key=True)
    commitment: Mapped[str] = mapped_column(String(64))
    signed: Mapped[dict[str, object]] = mapped_column(JSON)
    made_at: Mapped[datetime]


class EpochEnvelope(Base):
    """A custodian's share sealed to one member: bytes that nobody at the hub can open."""

    __tablename__ = "epoch_envelopes"

    epoch: Mapped[int] = mapped_column(ForeignKey("epochs.number"), primary_key=True)
    custodian: Mapped[str] = mapped_column(String(40), primary_key=True)
    recipient: Mapped[str] = mapped_column(String(40), primary_key=True)
    signed: Mapped[dict[str, object]] = mapped_column(JSON)
    left_at: Mapped[datetime]


class EpochAcceptance(Base):
    """A member's signed word that it opened every share."""

    __tablename__ = "epoch_acceptances"

    epoch: Mapped[int] = mapped_column(ForeignKey("epochs.number"), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(40), primary_key=True)
    signed: Mapped[dict[str, object]] = mapped_column(JSON)
    accepted_at: Mapped[datetime]
