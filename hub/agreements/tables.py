"""Tables of agreement versions as they were loaded, which never change once they stand here, and of their salts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Integer, String, Text
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


class AgreementSaltRow(Base):
    """Where the salt of one version lies; a destroyed one has no file and is never made again."""

    __tablename__ = "agreement_salts"

    agreement: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    file: Mapped[str | None] = mapped_column(String(64))
    made_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
