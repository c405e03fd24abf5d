"""The few figures of a release that a command or a newcomer wants first."""

from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from hub.release.questions import GapSeries, gap_series
from hub.release.service import Release
from hub.release.words import indicator_title
from policies.catalogue_files import Catalogue

FIRST_GAP = ("third-grade-reading", "economic-status")


@dataclass(frozen=True)
class Summary:
    """One gap in a sentence, and how much of the release is shown."""

    release: str
    content_sha256: str
    cells_shown: int
    cells_withheld: int
    gap: dict[str, object]


def summarise(session: Session, release: Release, *, catalogue: Catalogue) -> Summary:
    """The figures of a release, from its released cells."""
    indicator, name = FIRST_GAP
    pair = catalogue.gap(name) or catalogue.gaps[0]
    series = gap_series(session, release.id, indicator=indicator, pair=pair, catalogue=catalogue)
    gap: dict[str, object] = {
        "indicator": indicator,
        "pair": pair.name,
        "sentence": gap_line(series, target_year=catalogue.target_year),
        **asdict(series.pace),
    }
    return Summary(release.id, release.content_sha256, release.shown, release.withheld, gap)


def gap_line(series: GapSeries, *, target_year: int) -> str:
    """The gap, the pace needed and the pace made, in one line."""
    name = f"{indicator_title(series.indicator).lower()}, gap {series.pair.title}"
    found = series.pace
    if found.latest_gap is None:
        return f"{name}: cannot be told from what may be shown"
    needed = "nothing more" if found.needed is None else f"{found.needed:+g} a year"
    unit = "point" if abs(found.latest_gap) == 1 else "points"
    made = "not known yet" if found.made is None else f"{found.made:+g} a year since {found.since_year}"
    return (
        f"{name}: {found.latest_gap} {unit} in {found.latest_year}; needs {needed} for {target_year}; "
        f"made {made}: {found.standing}"
    )
