"""Voices beside numbers: written by partners, read by two persons of other organisations before they show.

Beside the road: no number is told here. The words of a voice that is declined or withdrawn are erased at once.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.audit.events import AuditTrail, EventType
from hub.audit.service import append
from hub.errors import Conflict, Fault, Invalid, NotFound, Refused
from hub.release.asking import FIRST_YEAR, LAST_YEAR
from hub.release.tables import VoiceReviewRow, VoiceRow
from policies.indicator_files import dimensions as dimension_files
from policies.indicator_files import indicators
from policies.principal import Principal
from policies.roles import Extent, extent_of
from policies.voices import FAULTS, LANGUAGES, Speaker, VoiceState, faults_of, may_review, may_show, to_look_at

LISTED_MAX = 200
SHOWN_MAX = 20
REASON_MAX = 300


@dataclass(frozen=True)
class WantedVoice:
    """What a partner wants to stand beside an indicator; its words mask themselves.

    `agreed` is the writer's word that whoever speaks agreed to it, and that nobody can be recognised.
    """

    indicator: str
    speaker: str
    english: str = field(default="", repr=False)
    spanish: str = field(default="", repr=False)
    dimension: str = ""
    year: str = ""
    agreed: bool = False


@dataclass(frozen=True)
class Voice:
    """A voice as its reader may see it; `texts` by language, none when it was erased."""

    id: int
    indicator: str
    dimension: str | None
    year: int | None
    speaker: str
    texts: tuple[tuple[str, str], ...] = field(repr=False)
    organisation: str
    written_at: dt.datetime
    state: str
    reason: str = field(repr=False)
    approved: int = 0
    may_review: bool = False
    may_withdraw: bool = False
    look_at: tuple[str, ...] = field(default=(), repr=False)


def write_voice(session: Session, wanted: WantedVoice, *, principal: Principal, audit: AuditTrail) -> Voice:
    """Keep a voice until two persons have read it; raises Invalid naming the field and the rule, never the words."""
    _check_wanted(wanted)
    row = VoiceRow(
        indicator=wanted.indicator,
        dimension=wanted.dimension or None,
        year=int(wanted.year) if wanted.year else None,
        speaker=wanted.speaker,
        english=_plain(wanted.english),
        spanish=_plain(wanted.spanish),
        actor=principal.actor,
        organisation=principal.organisation or "",
        written_at=audit.clock(),
        state=VoiceState.WAITING,
        reason="",
    )
    session.add(row)
    session.flush()
    _log(session, row, EventType.VOICE_WRITTEN, audit=audit)
    return _voice(row, (), principal)


def approve_voice(
    session: Session, number: int, *, declared: bool, principal: Principal, audit: AuditTrail
) -> VoiceState:
    """Say that a voice may show, which the second person makes so.

    `declared`: the reviewer's word that no child is named or can be recognised.
    """
    row = _reviewed(session, number, principal=principal)
    if not declared:
        raise _wrong("declared", "VOICE-006", "Read it again, and declare that no child is named or can be recognised.")
    approved = {one.actor for one in _reviews(session, row.id)}
    if principal.actor in approved:
        raise Conflict("You approved it already.", code="voice-approved", next_step="A second person is needed.")
    session.add(
        VoiceReviewRow(
            voice=row.id,
            actor=principal.actor,
            organisation=principal.organisation or "",
            reviewed_at=audit.clock(),
        )
    )
    _log(session, row, EventType.VOICE_APPROVED, audit=audit)
    if may_show({*approved, principal.actor}):
        row.state = VoiceState.SHOWN
        _log(session, row, EventType.VOICE_SHOWN, audit=audit)
    session.flush()
    return VoiceState(row.state)


def decline_voice(session: Session, number: int, reason: str, *, principal: Principal, audit: AuditTrail) -> None:
    """Turn a voice down with a reason that its writer reads; its words are erased, for they may be the reason."""
    row = _reviewed(session, number, principal=principal)
    told = _plain(reason)
    if not 3 <= len(told) <= REASON_MAX:
        raise _wrong(
            "reason", "VOICE-007", f"Give a reason of 3 to {REASON_MAX} characters, without the words themselves."
        )
    _end(row, VoiceState.DECLINED, reason=told, principal=principal, audit=audit)
    _log(session, row, EventType.VOICE_DECLINED, audit=audit)


def withdraw_voice(session: Session, number: int, *, principal: Principal, audit: AuditTrail) -> None:
    """Take a voice back: its own organisation at any time, the compliance officer any. Its words are erased."""
    row = session.get(VoiceRow, number)
    if row is None or not _may_withdraw(row, principal):
        raise _unknown()
    if row.state not in (VoiceState.WAITING, VoiceState.SHOWN):
        raise Conflict("It no longer stands.", code="voice-ended", next_step="Nothing to do: its words are erased.")
    _end(row, VoiceState.WITHDRAWN, reason="", principal=principal, audit=audit)
    _log(session, row, EventType.VOICE_WITHDRAWN, audit=audit)


def list_voices(session: Session, *, principal: Principal, audit: AuditTrail) -> tuple[Voice, ...]:
    """The voices that the principal may read, newest first: a partner its organisation's, reviewers all."""
    rows = session.scalars(select(VoiceRow).order_by(VoiceRow.id.desc()).limit(LISTED_MAX)).all()
    seen = [row for row in rows if _may_read(row, principal)]
    found = tuple(_voice(row, _reviews(session, row.id), principal) for row in seen)
    append(session, audit, EventType.VOICES_READ, resource="voices", counts={"voices": len(found)})
    return found


def shown_voices(
    session: Session,
    indicator: str,
    *,
    audit: AuditTrail,
    dimensions: Collection[str] | None = None,
    years: Collection[int] | None = None,
) -> tuple[Voice, ...]:
    """The voices that stand beside an indicator for everybody, newest first; where dimensions or years are given,
    those that speak of all, or of one of them. None leaves no event: then nothing was read."""
    standing = (
        select(VoiceRow)
        .where(VoiceRow.indicator == indicator, VoiceRow.state == VoiceState.SHOWN)
        .order_by(VoiceRow.id.desc())
    )
    rows = [
        row
        for row in session.scalars(standing)
        if (dimensions is None or row.dimension is None or row.dimension in dimensions)
        and (years is None or row.year is None or row.year in years)
    ][:SHOWN_MAX]
    if rows:
        append(session, audit, EventType.VOICES_READ, resource=f"voices/{indicator}", counts={"voices": len(rows)})
    return tuple(_voice(row, (), None) for row in rows)


def voices_by_indicator(
    session: Session, indicators: Collection[str], *, audit: AuditTrail
) -> dict[str, tuple[Voice, ...]]:
    """The same for several indicators, by one look; an event for each that has any."""
    standing = select(VoiceRow).where(VoiceRow.indicator.in_(indicators), VoiceRow.state == VoiceState.SHOWN)
    rows = session.scalars(standing.order_by(VoiceRow.id.desc())).all()
    found = {name: [row for row in rows if row.indicator == name][:SHOWN_MAX] for name in indicators}
    for name, held in found.items():
        if held:
            append(session, audit, EventType.VOICES_READ, resource=f"voices/{name}", counts={"voices": len(held)})
    return {name: tuple(_voice(row, (), None) for row in held) for name, held in found.items()}


def _check_wanted(wanted: WantedVoice) -> None:
    if wanted.indicator not in indicators():
        raise _wrong("indicator", "VOICE-008", "Choose an indicator of /definitions.")
    if wanted.speaker not in set(Speaker):
        raise _wrong("speaker", "VOICE-008", f"Say one of: {', '.join(Speaker)}.")
    if wanted.dimension and wanted.dimension not in dimension_files():
        raise _wrong("dimension", "VOICE-008", "Choose a dimension of /v1/dimensions, or none.")
    if wanted.year and not (re.fullmatch(r"[0-9]{4}", wanted.year) and FIRST_YEAR <= int(wanted.year) <= LAST_YEAR):
        raise _wrong("year", "VOICE-008", "Give the year in which a school year ends, or none.")
    texts = {"english": _plain(wanted.english), "spanish": _plain(wanted.spanish)}
    if not any(texts.values()):
        raise _wrong("english", "VOICE-001", "Write it in English, in Spanish, or in both.")
    found = [Fault(place, code, FAULTS[code]) for place, text in texts.items() if text for code in faults_of(text)]
    if found:
        raise Invalid(
            "This cannot stand beside a number as it is.",
            code=found[0].code,
            next_step=" ".join(f"In {one.at}: {one.rule}." for one in found),
            faults=found,
        )
    if not wanted.agreed:
        raise _wrong("agreed", "VOICE-009", "Ask whoever speaks, then say that they agreed.")


def _reviewed(session: Session, number: int, *, principal: Principal) -> VoiceRow:
    row = session.get(VoiceRow, number)
    if row is None or not _may_read(row, principal):
        raise _unknown()
    if not may_review(principal.organisation, wrote=row.organisation):
        raise Refused("Nobody reviews what their own organisation wrote.", code="own-voice", rule="two-persons")
    if row.state != VoiceState.WAITING:
        raise Conflict("It no longer waits.", code="voice-decided", next_step="Nothing to do: others have decided.")
    return row


def _end(row: VoiceRow, state: VoiceState, *, reason: str, principal: Principal, audit: AuditTrail) -> None:
    row.english = row.spanish = ""
    row.state, row.reason, row.ended_by, row.ended_at = state, reason, principal.actor, audit.clock()


def _may_read(row: VoiceRow, principal: Principal) -> bool:
    extents = set(extent_of("voice.read", principal.roles).values())
    return Extent.ALL in extents or (Extent.OWN in extents and principal.organisation == row.organisation)


def _may_withdraw(row: VoiceRow, principal: Principal) -> bool:
    extents = set(extent_of("voice.withdraw", principal.roles).values())
    return Extent.ALL in extents or (Extent.OWN in extents and principal.organisation == row.organisation)


def _reviews(session: Session, number: int) -> Sequence[VoiceReviewRow]:
    return session.scalars(select(VoiceReviewRow).where(VoiceReviewRow.voice == number)).all()


def _voice(row: VoiceRow, reviews: Sequence[VoiceReviewRow], principal: Principal | None) -> Voice:
    texts = tuple(zip(LANGUAGES, (row.english, row.spanish), strict=True))
    waits = row.state == VoiceState.WAITING
    reviews_it = (
        principal is not None
        and bool(extent_of("voice.review", principal.roles))
        and may_review(principal.organisation, wrote=row.organisation)
        and principal.actor not in {one.actor for one in reviews}
    )
    return Voice(
        id=row.id,
        indicator=row.indicator,
        dimension=row.dimension,
        year=row.year,
        speaker=row.speaker,
        texts=tuple((language, text) for language, text in texts if text),
        organisation=row.organisation,
        written_at=row.written_at,
        state=row.state,
        reason=row.reason,
        approved=len(reviews),
        may_review=waits and reviews_it,
        may_withdraw=principal is not None
        and row.state in (VoiceState.WAITING, VoiceState.SHOWN)
        and _may_withdraw(row, principal),
        look_at=to_look_at(f"{row.english} {row.spanish}") if reviews_it else (),
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


def _wrong(place: str, code: str, next_step: str) -> Invalid:
    return Invalid("A field of the voice is wrong.", code=code, next_step=next_step, faults=(Fault(place, code),))


def _unknown() -> NotFound:
    return NotFound("There is no such voice.", code="voice-unknown", next_step="Read /voices.")


def _log(session: Session, row: VoiceRow, event: EventType, *, audit: AuditTrail) -> None:
    append(session, audit, event, resource=f"voice/{row.id}/{row.indicator}", decision="permitted")
