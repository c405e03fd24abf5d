"""What a reader must know beside the rows: how much is hidden, how much is known, and what would show more.

Computed from released cells alone, so a note tells nothing that the release does not.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from hub.release.linkage_quality import linkage_notes
from hub.release.slices import PublishedCell, Slice, read_slice
from policies.catalogue_files import Catalogue, CatalogueTable


def notes_on(
    session: Session, release: str, *, table: CatalogueTable, cells: Sequence[PublishedCell], catalogue: Catalogue
) -> tuple[str, ...]:
    """The notes of an answer, each one sentence."""
    found = [provisional_note(cells), hidden_note(cells), coverage_note(cells)]
    if cells:
        years = sorted({cell.cohort_year for cell in cells})
        found.extend(linkage_notes(session, release, indicator=cells[0].indicator, years=years))
    if cells and any(cell.hidden for cell in cells):
        found.append(_coarser_note(session, release, table=table, cells=cells, catalogue=catalogue))
    return tuple(note for note in found if note)


def hidden_note(cells: Sequence[PublishedCell]) -> str:
    """How many rows are hidden, and why, in words."""
    hidden = sum(cell.hidden for cell in cells)
    if not hidden:
        return ""
    return f"{hidden} of {len(cells)} rows {'is' if hidden == 1 else 'are'} hidden to protect students."


def provisional_note(cells: Sequence[PublishedCell]) -> str:
    """Which years are provisional, and what that means."""
    years = sorted({cell.cohort_year for cell in cells if cell.provisional})
    if not years:
        return ""
    named = ", ".join(str(year) for year in years)
    return f"Provisional: {named}. Counts are rounded to ten and rates given as ranges, until final figures come once."


def coverage_note(cells: Sequence[PublishedCell]) -> str:
    """For which part of each group the outcome is known."""
    lows = [cell.coverage_low for cell in cells if cell.coverage_low is not None]
    highs = [cell.coverage_high for cell in cells if cell.coverage_high is not None]
    if not lows or not highs or min(lows) == 100:
        return ""
    return f"The outcome is known for {min(lows)} to {max(highs)} % of a group; unknown is not counted as not reached."


def _coarser_note(
    session: Session, release: str, *, table: CatalogueTable, cells: Sequence[PublishedCell], catalogue: Catalogue
) -> str:
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
    return "" if best is None else f"Without the split by {best[1]}, hidden rows fall from {hidden} to {best[0]}."
