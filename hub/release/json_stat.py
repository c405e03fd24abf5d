"""An answer as JSON-stat 2.0: one cube with a status for each value; a hidden number is null, its status `C`.

The format: https://json-stat.org/full/. Statuses are those of SDMX CL_CONF_STATUS, as in the rows.
"""

from collections.abc import Mapping, Sequence
from itertools import product

from hub.release.answers import citation
from hub.release.questions import Observations
from hub.release.slices import HIDDEN_REASON, RANGE_REASON, PublishedCell
from hub.release.words import dimension_title, indicator_title, level_label

MEASURES: Mapping[str, str] = {
    "known": "Students whose outcome is known",
    "k": "Students who reached it",
    "rate": "Rate in per cent",
    "rate_low": "Rate at least, in per cent",
    "rate_high": "Rate at most, in per cent",
}
YEAR, MEASURE = "cohort_year", "measure"
Body = dict[str, object]


def json_stat_of(found: Observations, *, indicator: str) -> Body:
    """The cube of an answer: its dimensions, the cohort year, the measure."""
    dimensions = found.table.dimensions
    years = sorted({cell.cohort_year for cell in found.cells})
    levels = {name: list(dict.fromkeys(cell.levels[name] for cell in found.cells)) for name in dimensions}
    by_place: dict[tuple[object, ...], PublishedCell] = {_place(cell, dimensions): cell for cell in found.cells}
    places = [by_place.get(place) for place in product(*levels.values(), years)]
    values = [None if cell is None else getattr(cell, name) for cell in places for name in MEASURES]
    status = [None if cell is None else _status(cell, name) for cell in places for name in MEASURES]
    reasons = [None if cell is None else _reason(cell, name) for cell in places for name in MEASURES]
    return {
        "version": "2.0",
        "class": "dataset",
        "label": f"{indicator_title(indicator)}, {found.table.title.lower()}",
        "source": citation(indicator, release=found.release),
        "updated": _updated(found),
        "note": list(found.notes),
        "id": [*dimensions, YEAR, MEASURE],
        "size": [*(len(levels[name]) for name in dimensions), len(years), len(MEASURES)],
        "role": {"time": [YEAR], "metric": [MEASURE]},
        "dimension": {
            **{name: _dimension(name, levels[name]) for name in dimensions},
            YEAR: _category("Cohort year", {str(year): str(year) for year in years}),
            MEASURE: _category("Measure", MEASURES),
        },
        "value": values,
        "status": status,
        "extension": {
            "release": found.release.id,
            "status": {"label": {"F": "free", "C": "confidential"}},
            "status_reason": {str(place): reason for place, reason in enumerate(reasons) if reason},
        },
    }


def _place(cell: PublishedCell, dimensions: Sequence[str]) -> tuple[object, ...]:
    return (*(cell.levels[name] for name in dimensions), cell.cohort_year)


def _status(cell: PublishedCell, measure: str) -> str | None:
    """`C` for what is withheld; nothing for the ends of a range where the rate itself is told."""
    if getattr(cell, measure) is not None:
        return "F"
    return None if measure in ("rate_low", "rate_high") and cell.rate is not None else "C"


def _reason(cell: PublishedCell, measure: str) -> str | None:
    if _status(cell, measure) != "C":
        return None
    return HIDDEN_REASON if cell.hidden else cell.status_reason or RANGE_REASON


def _updated(found: Observations) -> str | None:
    at = found.release.published_at
    return None if at is None else at.isoformat(timespec="seconds")


def _dimension(name: str, levels: Sequence[str]) -> Body:
    return _category(dimension_title(name), {level: level_label(name, level) for level in levels})


def _category(label: str, labels: Mapping[str, str]) -> Body:
    return {"label": label, "category": {"index": list(labels), "label": dict(labels)}}
