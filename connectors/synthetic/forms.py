"""How the files of providers are named and written, read from `forms.yaml`; and the words that stand in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise, repeat
from typing import Any

import numpy as np
import yaml

from connectors.synthetic.calibration import Text
from connectors.synthetic.people import EPOCH, Ints

# Words of a file, one a line; numpy does not say what objects an array holds.
Column = Iterable[Any]
BLANK = repeat("")
OWN = "own"  # the encoding of the office itself
_DAYS = 45_000
_LONGEST_NUMBER = 11  # digits that a spreadsheet shows without an exponent
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Form:
    """How one kind of file is named and written."""

    kind: str
    name: str
    encoding: str
    end: str
    separator: str
    titles: str
    resaved: bool = False


@dataclass(frozen=True)
class FileLines:
    """Lines of one kind of file for all providers and years, with the year and organisation of each."""

    name: str
    year: Ints
    organisation: Ints
    lines: Sequence[str]

    def files(self) -> Iterator[tuple[int, int, Sequence[str]]]:
        """Year, organisation and lines of each file."""
        key = self.year * 1000 + self.organisation
        starts = np.flatnonzero(np.diff(key, prepend=-1)).tolist()
        for start, stop in pairwise([*starts, len(key)]):
            yield int(self.year[start]), int(self.organisation[start]), self.lines[start:stop]


@cache
def forms() -> Mapping[str, Form]:
    """Every kind of file by name."""
    text = resources.files("connectors.synthetic").joinpath("forms.yaml").read_text("utf-8")
    return {name: Form(**entry) for name, entry in yaml.safe_load(text)["forms"].items()}


def from_spreadsheet(line: str, separator: str) -> str:
    """A line as a spreadsheet saves it again: commas, no leading zeros, its own dates, long numbers rounded."""
    return ",".join(_from_cell(cell) for cell in line.split(separator))


def _from_cell(cell: str) -> str:
    if cell.isdecimal():
        return f"{int(cell):.5E}" if len(cell) > _LONGEST_NUMBER else f"{int(cell)}"
    if _ISO_DATE.fullmatch(cell):
        return f"{int(cell[5:7])}/{int(cell[8:])}/{cell[:4]}"
    return cell


def one_file(name: str, lines: Sequence[str], *, year: int, organisation: int) -> FileLines:
    """The lines of one provider's file of one year."""
    return FileLines(name, np.full(len(lines), year), np.full(len(lines), organisation), lines)


def joined(name: str, columns: Sequence[Column]) -> list[str]:
    """Lines of the columns, separated as the kind of file asks."""
    separator = forms()[name].separator
    return [separator.join(fields) for fields in zip(*columns, strict=False)]


def numbers(column: Ints) -> list[str]:
    """Whole numbers as words."""
    return [f"{one}" for one in column.tolist()]


@cache
def day_words(form: str) -> Text:
    """Days since EPOCH as words, `compact` CCYYMMDD, `us` month/day/year or `iso`; the last word is for no day."""
    iso = np.datetime_as_string(EPOCH + np.arange(_DAYS).astype("timedelta64[D]"), unit="D").tolist()
    return np.array([*(reform(one, form) for one in iso), ""], dtype=object)


def reform(date: str, form: str) -> str:
    """A date of the form YYYY-MM-DD in another form; "" stays."""
    if form == "compact":
        return date.replace("-", "")
    return f"{date[5:7]}/{date[8:]}/{date[:4]}" if form == "us" and date else date


def reformed(dates: Text, form: str) -> Text:
    """A column of dates in another form."""
    return np.array([reform(one, form) for one in dates], dtype=object)


def words_of(codes: Text, words: Mapping[str, str]) -> list[str]:
    """Each code in words; "" for none."""
    return [words.get(code, "") for code in codes]
