"""What an officer looks for without asking: access that nobody uses, work at night, and days with far more than usual.

The numbers are the partnership's own choice, open to change, and stand beside what they found.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hub.audit.columns import PLACE, LogIndex

DORMANT_DAYS = 90
"""NIST SP 800-53 AC-2(3) asks to end unused access after a time that is set; 90 days is usual."""
USUAL_DAYS = 28
UNUSUAL_FACTOR = 4
UNUSUAL_MIN = 50
PEOPLE = ("person:", "agent:")
ANSWERS = ("query.answered", "release.exported", "audit.exported", "agreement.read", "submission.read")


@dataclass(frozen=True)
class Noticed:
    """One thing to look at: what, of whom, how many, and since or on which day."""

    kind: str
    actor: str
    count: int
    day: dt.date | None


def dormant(index: LogIndex, present: Mapping[str, dt.datetime], *, now: dt.datetime) -> tuple[Noticed, ...]:
    """Whose access (actor -> since when) left no event for DORMANT_DAYS."""
    last = _last_seen(index)
    since = now - dt.timedelta(days=DORMANT_DAYS)
    found = []
    for actor, added in sorted(present.items()):
        seen = max(added, dt.datetime.fromtimestamp(last[actor], dt.UTC)) if actor in last else added
        if seen < since:
            found.append(Noticed("dormant", actor, (now - seen).days, seen.date()))
    return tuple(found)


def at_night(index: LogIndex, *, now: dt.datetime, days: int = 7) -> tuple[Noticed, ...]:
    """Who worked out of hours in the last days, by person and day; agents send at any hour and are left out."""
    recent = index.seconds() >= int((now - dt.timedelta(days=days)).timestamp())
    return tuple(
        Noticed("out of hours", actor, count, day)
        for (actor, day), count in _by_actor_and_day(index, recent & index.out_of_hours()).items()
        if actor.startswith("person:")
    )


def unusual(index: LogIndex, *, now: dt.datetime) -> tuple[Noticed, ...]:
    """Whose answers on one of the last seven days were far more than that actor's usual day in the four weeks before.

    At least UNUSUAL_MIN, and more than UNUSUAL_FACTOR times the mean of the days on which there were any.
    """
    event = index.column("event")
    answers = np.zeros(len(index.seconds()), dtype=np.bool_)
    for name in ANSWERS:
        answers |= event.equal(name)
    span = index.seconds() >= int((now - dt.timedelta(days=USUAL_DAYS + 7)).timestamp())
    counted = _by_actor_and_day(index, answers & span)
    today = now.astimezone(PLACE).date()
    found = []
    for (actor, day), count in counted.items():
        before = [
            number for (who, when), number in counted.items()
            if who == actor and dt.timedelta(0) < day - when <= dt.timedelta(days=USUAL_DAYS)
        ]  # fmt: skip
        usual = sum(before) / len(before) if before else 0.0
        if (today - day).days < 7 and count >= UNUSUAL_MIN and count > UNUSUAL_FACTOR * usual:
            found.append(Noticed("unusual volume", actor, count, day))
    return tuple(found)


def _by_actor_and_day(index: LogIndex, mask: np.ndarray) -> dict[tuple[str, dt.date], int]:
    """How many of these events each person or agent left on each local day, newest day first."""
    actors = index.column("actor")
    hours = index.seconds()[mask] // 3600
    pairs = np.stack([actors.codes()[mask].astype(np.int64), hours])
    found: dict[tuple[str, dt.date], int] = {}
    keys, counts = np.unique(pairs, axis=1, return_counts=True)
    for (code, hour), count in zip(keys.T.tolist(), counts.tolist(), strict=True):
        actor = actors.value(code)
        if actor.startswith(PEOPLE):
            day = dt.datetime.fromtimestamp(hour * 3600, PLACE).date()
            found[actor, day] = found.get((actor, day), 0) + count
    return dict(sorted(found.items(), key=lambda item: (-item[0][1].toordinal(), item[0][0])))


def _last_seen(index: LogIndex) -> dict[str, int]:
    actors = index.column("actor")
    codes, seconds = actors.codes(), index.seconds()
    last = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.int64)
    np.maximum.at(last, codes, seconds)
    return {actors.value(code): int(at) for code, at in enumerate(last.tolist()) if code and at}
