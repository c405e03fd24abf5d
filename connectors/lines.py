"""Records of a source file, kept as text and cut into cells when they are looked at: between decoding and recognition.

A score file has 375 columns of which ten are used; a string for every cell would take ten times the file's size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

_JOIN = "\x1f"
"""Unit separator (ASCII 31): stands between kept cells; a record that holds one itself is kept as cells."""


class Line(NamedTuple):
    """One record of the file: the number of its first line and its cells, trimmed. Its repr shows no cell."""

    number: int
    cells: Sequence[str]

    def __repr__(self) -> str:
        return f"Line({self.number}, cells={len(self.cells)})"


class KeptLines(Sequence[Line]):
    """Lines that are cut anew each time they are asked for. Its repr shows no cell."""

    __slots__ = ("_numbers", "_sign", "_texts", "_trim")

    def __init__(
        self, numbers: Sequence[int], texts: Sequence[str | Sequence[str]], *, sign: str = _JOIN, trim: bool = False
    ) -> None:
        self._numbers = numbers
        self._texts = texts
        self._sign = sign
        self._trim = trim

    @classmethod
    def of(cls, rows: Iterable[tuple[int, Sequence[str]]]) -> KeptLines:
        """The lines of records that are cut already."""
        numbers: list[int] = []
        texts: list[str | Sequence[str]] = []
        for number, cells in rows:
            joined = _JOIN.join(cells)
            numbers.append(number)
            texts.append(joined if joined.count(_JOIN) == len(cells) - 1 else list(cells))
        return cls(numbers, texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __repr__(self) -> str:
        return f"KeptLines({len(self)})"

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> KeptLines: ...
    def __getitem__(self, place: int | slice) -> Line | KeptLines:
        if isinstance(place, slice):
            return KeptLines(self._numbers[place], self._texts[place], sign=self._sign, trim=self._trim)
        return Line(self._numbers[place], self._cut(self._texts[place]))

    def __iter__(self) -> Iterator[Line]:
        for number, text in zip(self._numbers, self._texts, strict=True):
            yield Line(number, self._cut(text))

    def _cut(self, text: str | Sequence[str]) -> Sequence[str]:
        if not isinstance(text, str):
            return text
        cells = text.split(self._sign)
        return [cell.strip() for cell in cells] if self._trim else cells
