"""An answer as a picture: its chart as PNG with title, notes and citation, and the same in words inside the file.

What is hidden has words and no position; the words are in the file's Description, where readers of pictures find
their text alternative.
"""

import struct
import zlib

import vl_convert

from hub.languages import ENGLISH, Language
from hub.release.answers import citation
from hub.release.charts import Spec, dot_chart, dot_row
from hub.release.questions import Observations
from hub.release.words import indicator_title
from policies.disclosure.types import TOTAL

SCALE = 2
ROWS_MAX = 40
SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = 25
"""The length of the first chunk, IHDR, with its length, name and check sum (PNG, section 11.2.2)."""


def picture_of(found: Observations, *, indicator: str) -> bytes:
    """The newest cohort year as a dot plot."""
    content: bytes = vl_convert.vegalite_to_png(_spec(found, indicator=indicator), vl_version="6.4", scale=SCALE)
    words = "\n".join([*_title(found, indicator), chart_words(found), *_foot(found, indicator)])
    return described(content, words)


def latest_year(found: Observations) -> int | None:
    """The newest cohort year of an answer."""
    return max((cell.cohort_year for cell in found.cells), default=None)


def latest_chart(found: Observations, language: Language = ENGLISH) -> Spec | None:
    """The newest cohort year as a dot plot; None where there is nothing to draw, or too much to read."""
    cells = [cell for cell in found.cells if cell.cohort_year == latest_year(found)]
    apart = [cell for cell in cells if TOTAL not in cell.levels.values()] or cells
    if not 0 < len(apart) <= ROWS_MAX:
        return None
    return dot_chart([dot_row(cell, split="", language=language) for cell in apart], language)


def chart_words(found: Observations, language: Language = ENGLISH) -> str:
    """What the chart shows, in words: each group with its rate, its range, or that it is hidden."""
    year = latest_year(found)
    if year is None:
        return language.say("The release holds no cohort of these years.")
    rows = [dot_row(cell, split="", language=language) for cell in found.cells if cell.cohort_year == year]
    told = "; ".join(f"{row.group} {row.label}" for row in rows)
    return language.say("Rates in {year}: {told}.", year=year, told=told)


def described(content: bytes, words: str) -> bytes:
    """The same picture with a Description in UTF-8 behind its header (PNG, section 11.3.3.4, iTXt)."""
    told = b"iTXt" + b"Description\0" + b"\0\0" + b"en\0" + b"\0" + words.encode()
    chunk = struct.pack(">I", len(told) - 4) + told + struct.pack(">I", zlib.crc32(told))
    at = len(SIGNATURE) + HEADER_BYTES
    return content[:at] + chunk + content[at:]


def _spec(found: Observations, *, indicator: str) -> Spec:
    chart = latest_chart(found) or {"mark": "point", "data": {"values": []}, "width": 600, "height": 10}
    first, second = _title(found, indicator)
    head = {"text": first, "subtitle": [second, *_foot(found, indicator)], "anchor": "start", "fontSize": 16}
    return {**chart, "background": "#ffffff", "padding": 20, "title": head}


def _title(found: Observations, indicator: str) -> tuple[str, str]:
    year = latest_year(found)
    return f"{indicator_title(indicator)}, {found.table.title.lower()}", "" if year is None else f"Cohort year {year}"


def _foot(found: Observations, indicator: str) -> list[str]:
    return [*found.notes, citation(indicator, release=found.release)]
