"""What a reader must know beside the rows: how much is hidden, how much is known, and what would show more.

Computed from released cells alone, so a note tells nothing that the release does not.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from hub.languages import ENGLISH, Language
from hub.release.linkage_quality import linkage_notes
from hub.release.slices import PublishedCell, Slice, read_slice
from hub.release.words import dimension_title
from policies.catalogue_files import Catalogue, CatalogueTable


def notes_on(
    session: Session,
    release: str,
    *,
    table: CatalogueTable,
    cells: Sequence[PublishedCell],
    catalogue: Catalogue,
    language: Language = ENGLISH,
) -> tuple[str, ...]:
    """The notes of an answer, each one sentence."""
    found = [provisional_note(cells, language), hidden_note(cells, language), coverage_note(cells, language)]
    if cells:
        years = sorted({cell.cohort_year for cell in cells})
        found.extend(linkage_notes(session, release, indicator=cells[0].indicator, years=years, language=language))
    if cells and any(cell.hidden for cell in cells):
        coarser = _coarser(session, release, table=table, cells=cells, catalogue=catalogue)
        found.append("" if coarser is None else _coarser_note(*coarser, cells=cells, language=language))
    return tuple(note for note in found if note)


def hidden_note(cells: Sequence[PublishedCell], language: Language = ENGLISH) -> str:
    """How many rows are hidden, and why, in words."""
    hidden = sum(cell.hidden for cell in cells)
    if not hidden:
        return ""
    return language.say_many(
        "{count} of {all} rows is hidden to protect students.",
        "{count} of {all} rows are hidden to protect students.",
        count=hidden,
        all=len(cells),
    )


def provisional_note(cells: Sequence[PublishedCell], language: Language = ENGLISH) -> str:
    """Which years are provisional, and what that means."""
    years = sorted({cell.cohort_year for cell in cells if cell.provisional})
    if not years:
        return ""
    return language.say(
        "Provisional: {years}. Counts are rounded to ten and rates given as ranges, until final figures come once.",
        years=", ".join(str(year) for year in years),
    )


def coverage_note(cells: Sequence[PublishedCell], language: Language = ENGLISH) -> str:
    """For which part of each group the outcome is known."""
    lows = [cell.coverage_low for cell in cells if cell.coverage_low is not None]
    highs = [cell.coverage_high for cell in cells if cell.coverage_high is not None]
    if not lows or not highs or min(lows) == 100:
        return ""
    return language.say(
        "The outcome is known for {low} to {high} % of a group; unknown is not counted as not reached.",
        low=min(lows),
        high=max(highs),
    )


def _coarser(
    session: Session, release: str, *, table: CatalogueTable, cells: Sequence[PublishedCell], catalogue: Catalogue
) -> tuple[int, str] | None:
    """How many rows would still be hidden without the split whose loss shows most, and that split."""
    indicator, hidden = cells[0].indicator, sum(cell.hidden for cell in cells)
    years = [cell.cohort_year for cell in cells]
    best: tuple[int, str] | None = None
    for dropped in table.dimensions:
        left = [name for name in table.dimensions if name != dropped]
        coarser = catalogue.table_split_by(indicator, dimensions=left)
        if coarser is None or coarser.audience not in (table.audience, "public"):
            continue
        wanted = Slice(indicator, coarser.name, first_year=min(years), last_year=max(years))
        then = sum(cell.hidden for cell in read_slice(session, release, wanted=wanted).cells)
        if then < hidden and (best is None or then < best[0]):
            best = (then, dropped)
    return best


def _coarser_note(then: int, dropped: str, *, cells: Sequence[PublishedCell], language: Language) -> str:
    return language.say(
        "Without the split by {split}, hidden rows fall from {hidden} to {then}.",
        split=dimension_title(dropped, language).lower(),
        hidden=sum(cell.hidden for cell in cells),
        then=then,
    )
