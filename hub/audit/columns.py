"""The log's details held in columns of numbers, so that a million events are searched and counted in milliseconds.

Each text column is a list of its distinct values and one number an event. It is made from the database, follows it
event by event, and is nobody's evidence: what is shown is read from the database again.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy import select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from hub.audit.tables import Detail, Head
from hub.audit.words import LogQuery, Term

TEXT_COLUMNS = (
    "event", "actor", "organisation", "agreement", "purpose", "resource", "decision", "rule", "outcome", "method",
)  # fmt: skip
FACETS = ("event", "actor", "organisation", "agreement", "purpose", "decision")
FACET_VALUES = 8
BATCH = 20_000
PLACE = ZoneInfo("America/Los_Angeles")
WORK_BEGINS, WORK_ENDS, SATURDAY = 7, 19, 5
"""Out of hours: before 7, from 19 on, or at the weekend, where the partnership is."""

Mask = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Found:
    """What a search came to: how many events, the newest of them by number, and how often which values occur."""

    total: int
    sequences: tuple[int, ...]
    facets: Mapping[str, Sequence[tuple[str, int]]]


class Column:
    """One text column: distinct values, and for each event the number of its value. Number 0 is absent."""

    def __init__(self) -> None:
        self._numbers: dict[str | None, int] = {None: 0}
        self._values: list[str] = [""]
        self._codes: npt.NDArray[np.int32] = np.zeros(1024, dtype=np.int32)
        self._size = 0
        self._lowered: list[str] = []

    def extend(self, texts: Iterable[str | None]) -> None:
        numbers, values = self._numbers, self._values
        new: list[int] = []
        for text in texts:
            number = numbers.get(text)
            if number is None:
                number = numbers[text] = len(values)
                values.append(text or "")
            new.append(number)
        self._codes = grown(self._codes, self._size + len(new))
        self._codes[self._size : self._size + len(new)] = new
        self._size += len(new)

    def codes(self) -> npt.NDArray[np.int32]:
        return self._codes[: self._size]

    def value(self, number: int) -> str:
        return self._values[number]

    def equal(self, text: str) -> Mask:
        """Events whose value is this one, or begins so where the text ends in `*`."""
        if text.endswith("*"):
            return self._of([at for at, value in enumerate(self._values) if at and value.startswith(text[:-1])])
        number = self._numbers.get(text)
        return self._of([] if number is None else [number])

    def containing(self, word: str) -> Mask:
        """Events whose value holds the word, in capitals or not."""
        return self._of(self._holding(word.lower()))

    def counts(self, mask: Mask) -> Sequence[tuple[str, int]]:
        """The most frequent values among these events."""
        counted = np.bincount(self.codes()[mask], minlength=len(self._values))
        counted[0] = 0
        best = np.argsort(-counted, kind="stable")[:FACET_VALUES]
        return [(self._values[number], int(counted[number])) for number in best if counted[number]]

    def _of(self, numbers: Sequence[int]) -> Mask:
        if not numbers:
            return np.zeros(self._size, dtype=np.bool_)
        if len(numbers) == 1:
            return np.asarray(self.codes() == numbers[0])
        wanted = np.zeros(len(self._values), dtype=np.bool_)
        wanted[list(numbers)] = True
        return np.asarray(wanted[self.codes()])

    def _holding(self, word: str) -> Sequence[int]:
        """The values that hold the word."""
        self._lowered += [value.lower() for value in self._values[len(self._lowered) :]]
        return [number for number, value in enumerate(self._lowered) if word in value]


class LogIndex:
    """The details of one log in columns; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._columns = {name: Column() for name in TEXT_COLUMNS}
        self._seconds: npt.NDArray[np.int64] = np.zeros(1024, dtype=np.int64)
        self._size = 0

    def follow(self, session: Session) -> int:
        """Read what was appended since; how many events there are. A log that is shorter than before is read anew."""
        with self._lock:
            size = session.execute(select(Head.size)).scalar_one_or_none() or 0
            if size < self._size:
                self._clear()
            if size > self._size:
                self._read(session, size)
            return self._size

    def search(
        self,
        query: LogQuery,
        *,
        own: Term | None,
        columns: Sequence[str] = TEXT_COLUMNS,
        below: int | None = None,
        only: Sequence[int] | None = None,
        limit: int,
    ) -> Found:
        """The events that answer to a question, newest first.

        Args:
            own: a condition that always holds, by who asks.
            columns: the columns that who asks may see; no other is searched or counted.
            below: only events with a smaller number are listed; all are counted.
            only: events that were found in another way already.
        """
        with self._lock:
            mask = self._mask(query, columns)
            if own is not None:
                mask &= self._columns[own.column].equal(own.value)
            if only is not None:
                mask &= np.isin(np.arange(self._size), np.asarray(only, dtype=np.int64))
            facets = {name: self._columns[name].counts(mask) for name in FACETS if name in columns}
            numbers = np.flatnonzero(mask if below is None else mask[:below])
            listed = tuple(int(number) for number in numbers[::-1][:limit])
            return Found(int(mask.sum()), listed, facets)

    def column(self, name: str) -> Column:
        return self._columns[name]

    def seconds(self) -> npt.NDArray[np.int64]:
        """When each event was, in POSIX seconds."""
        return self._seconds[: self._size]

    def out_of_hours(self) -> Mask:
        """Which events were at night or at the weekend, where the partnership is."""
        return np.asarray(out_of_hours(self.seconds()))

    def _mask(self, query: LogQuery, columns: Sequence[str]) -> Mask:
        mask = np.ones(self._size, dtype=np.bool_)
        for term in query.terms:
            found = self._matching(term, columns)
            mask &= ~found if term.negated else found
        if query.since is not None:
            mask &= self.seconds() >= int(query.since.timestamp())
        if query.until is not None:
            mask &= self.seconds() < int(query.until.timestamp())
        if query.out_of_hours:
            mask &= self.out_of_hours()
        return mask

    def _matching(self, term: Term, columns: Sequence[str]) -> Mask:
        if term.column:
            if term.column not in columns:
                return np.zeros(self._size, dtype=np.bool_)
            return self._columns[term.column].equal(term.value)
        found = np.zeros(self._size, dtype=np.bool_)
        for name in columns:
            found |= self._columns[name].containing(term.value)
        return found

    def _read(self, session: Session, size: int) -> None:
        time = type_coerce(Detail.time, NullType())
        columns = [time, *(getattr(Detail, name) for name in TEXT_COLUMNS)]
        for start in range(self._size, size, BATCH):
            end = min(start + BATCH, size)
            query = select(*columns).where(Detail.sequence >= start, Detail.sequence < end).order_by(Detail.sequence)
            rows = session.execute(query).all()
            times, *texts = zip(*rows, strict=True)
            for name, values in zip(TEXT_COLUMNS, texts, strict=True):
                self._columns[name].extend(values)
            self._seconds = grown(self._seconds, end)
            self._seconds[start:end] = [_posix(value) for value in times]
            self._size = end

    def _clear(self) -> None:
        self._columns = {name: Column() for name in TEXT_COLUMNS}
        self._seconds = np.zeros(1024, dtype=np.int64)
        self._size = 0


def grown(array: npt.NDArray[Number], size: int) -> npt.NDArray[Number]:
    """The array with room for `size` values; it doubles, so that following the log stays cheap."""
    if size <= len(array):
        return array
    larger = np.zeros(max(size, 2 * len(array)), dtype=array.dtype)
    larger[: len(array)] = array
    return larger


def out_of_hours(seconds: npt.NDArray[np.int64]) -> Mask:
    """Which of these times (POSIX seconds) lie outside the hours of work; looked up hour by hour."""
    if not len(seconds):
        return np.zeros(0, dtype=np.bool_)
    hours = seconds // 3600
    first, last = int(hours.min()), int(hours.max())
    local = [dt.datetime.fromtimestamp(hour * 3600, PLACE) for hour in range(first, last + 1)]
    out = [at.weekday() >= SATURDAY or not WORK_BEGINS <= at.hour < WORK_ENDS for at in local]
    return np.asarray(np.array(out, dtype=np.bool_)[hours - first])


def _posix(stored: str | dt.datetime) -> int:
    if isinstance(stored, str):
        return int(dt.datetime.fromisoformat(stored).replace(tzinfo=dt.UTC).timestamp())
    return int(stored.timestamp())
