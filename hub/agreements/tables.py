"""Tables of agreement versions as they were loaded, which never change once they stand here, and of their salts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class AgreementVersion(Base):
    """The text of one version and the hash that signatures bind."""

    __tablename__ = "agreement_versions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    tier: Mapped[str] = mapped_column(String(3))
    text: Mapped[str] = mapped_column(Text)
    text_hash: Mapped[str] = mapped_column(String(64))
    effective: Mapped[date] = mapped_column(Date)
    expires: Mapped[date] = mapped_column(Date)
    loaded_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]


class PartyKey(Base):
    """The public Ed25519 key by which an organisation signs agreements, base64."""

    __tablename__ = "party_keys"

    organisation: Mapped[str] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    public_key: Mapped[str] = mapped_column(String(64))
    registered_at: Mapped[datetime]


class AgreementSignature(Base):
    """A party's signed word on one version."""

    __tablename__ = "agreement_signatures"

    agreement: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    organisation: Mapped[str] = mapped_column(String(40), primary_key=True)
    word: Mapped[dict[str, Any]] = mapped_column(JSON)
    received_at: Mapped[datetime]


class AgreementWithdrawal(Base):
    """A party's signed word that it withdraws; it holds for every version there was, and not for a later one."""

    __tablename__ = "agreement_withdrawals"

    agreement: Mapped[str] = mapped_column(String(40), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(40), primary_key=True)
    up_to_version: Mapped[int] = mapped_column(Integer)
    word: Mapped[dict[str, Any]] = mapped_column(JSON)
    withdrawn_at: Mapped[datetime]


class Destruction(Base):
    """What was destroyed of an agreement's data, as its certificate says; `steps` are the parts that are done."""

    __tablename__ = "destructions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    agreement: Mapped[str] = mapped_column(String(40), index=True)
    organisations: Mapped[list[str]] = mapped_column(JSON)
    ended: Mapped[date] = mapped_column(Date)
    begun_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    certificate: Mapped[dict[str, Any]] = mapped_column(JSON)


class AgreementSaltRow(Base):
    """Where the salt of one version lies; a destroyed one has no file and is never made again."""

    __tablename__ = "agreement_salts"

    agreement: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    file: Mapped[str | None] = mapped_column(String(64))
    made_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
