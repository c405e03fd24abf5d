"""An answer as a workbook for Excel: the rows, their definitions, the notes and the sentence to cite.

A hidden number is a blank cell beside its status and reason. Equal answers give equal bytes, so that their tag holds.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from hub.release.answers import Row, citation, indicator_card, observation_rows
from hub.release.questions import Observations
from policies.catalogue_files import Catalogue

WORDS = (
    "title", "definition", "cohort", "numerator", "denominator", "timing", "exclusions", "unknown", "attribution",
    "comparison", "source", "unit", "version", "digest",
)  # fmt: skip
COLUMNS = (
    ("known", "the denominator: students whose outcome is known"),
    ("k, rate", "those who reached it; whole per cents"),
    ("rate_low, rate_high", "told instead of k and rate where these would tell too much"),
    ("coverage_low, coverage_high", "for which part of all the outcome is known, in per cents"),
    ("status", "F free, C confidential; a blank number is hidden, never zero"),
    ("status_reason", "why, in words"),
)
# The earliest moment that a zip archive can name.
EPOCH = (1980, 1, 1, 0, 0, 0)
WIDTH_MAX = 60


def workbook_of(found: Observations, *, indicator: str, catalogue: Catalogue, address: str) -> bytes:
    """Sheets Data, Definitions, Notes and Citation."""
    book = Workbook()
    book.properties.creator = "Promise Hub"
    book.properties.created = book.properties.modified = dt.datetime(1980, 1, 1)  # noqa: DTZ001 (openpyxl's own form)
    data: Worksheet = book.active
    data.title = "Data"
    rows = observation_rows(found, labels=True)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    _fill(data, columns, [[row.get(name) for name in columns] for row in rows])
    data.freeze_panes = "A2"
    card = indicator_card(indicator, catalogue)
    _fill(book.create_sheet("Definitions"), ["Part", "Words"], [*_definition(card), *map(list, COLUMNS)])
    _fill(book.create_sheet("Notes"), ["Note"], [[note] for note in found.notes])
    _fill(book.create_sheet("Citation"), ["Cite"], [[citation(indicator, release=found.release)], [address]])
    out = io.BytesIO()
    book.save(out)
    return _without_clock(out.getvalue())


def _definition(card: Row) -> list[list[object]]:
    return [[name, card[name]] for name in WORDS]


def _fill(sheet: Worksheet, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    sheet.append([*titles])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append([*row])
    for number, title in enumerate(titles, start=1):
        longest = max([len(title), *(len(str(row[number - 1] or "")) for row in rows)])
        sheet.column_dimensions[get_column_letter(number)].width = min(longest + 2, WIDTH_MAX)


def _without_clock(content: bytes) -> bytes:
    """The same archive with one fixed time on every member, and as the time at which it was changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as read, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            part = read.read(name)
            if name == "docProps/core.xml":
                part = _fixed_modified(part)
            written.writestr(zipfile.ZipInfo(name, EPOCH), part, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _fixed_modified(part: bytes) -> bytes:
    """openpyxl sets the time of change itself when it saves."""
    head, _, rest = part.partition(b"<dcterms:modified")
    opening, _, after = rest.partition(b">")
    _, _, tail = after.partition(b"<")
    return head + b"<dcterms:modified" + opening + b">1980-01-01T00:00:00Z<" + tail
