"""The words beside the numbers: titles of indicators and dimensions, labels of levels; the same in API and pages."""

from functools import cache

from hub.release.slices import HIDDEN_REASON, PublishedCell
from policies.disclosure.types import TOTAL
from policies.indicator_files import dimensions, indicators
from policies.organisation_files import district_parents, organisations

DISTRICT = "district"
DISTRICT_TITLE = "District"


def indicator_title(indicator: str) -> str:
    """The title of an indicator."""
    found = indicators().get(indicator)
    return found.title if found is not None else _in_words(indicator)


def dimension_title(dimension: str) -> str:
    """The title of a dimension."""
    found = dimensions().get(dimension)
    if found is not None:
        return found.title
    return DISTRICT_TITLE if dimension == DISTRICT else _in_words(dimension)


def level_label(dimension: str, level: str) -> str:
    """The words for a level; `Total` is everybody."""
    if level == TOTAL:
        return "All"
    found = dimensions().get(dimension)
    labels = found.labels if found is not None else _district_labels()
    return labels.get(level) or _in_words(level)


@cache
def _district_labels() -> dict[str, str]:
    known = organisations()
    names = {member.id: member.names[-1][0] for member in known.members}
    areas = {"area-" + area.lower().replace(" ", "-"): f"{area} area" for area in known.areas}
    return {**areas, **dict(known.merges), **names}


@cache
def level_parents() -> dict[str, dict[str, str]]:
    """Of each dimension, the level above each level that has one."""
    known = organisations()
    found = {name: dict(one.parents) for name, one in dimensions().items()}
    return {**found, DISTRICT: dict(district_parents(known.members, among=known.districts()))}


def rate_words(cell: PublishedCell) -> str:
    """A rate as words: exact, a range, or hidden."""
    if cell.hidden:
        return HIDDEN_REASON
    return range_words(cell.rate, cell.rate_low, high=cell.rate_high)


def range_words(rate: int | None, low: int | None, *, high: int | None) -> str:
    """An exact rate, or the range that is told instead of it."""
    if rate is not None:
        return f"{rate} %"
    if low is None or high is None or (low, high) == (0, 100):
        return HIDDEN_REASON
    if low == 0:
        return f"{high} % or less"
    return f"{low} % or more" if high == 100 else f"{low} to {high} %"


def _in_words(slug: str) -> str:
    return slug.replace("-", " ").capitalize()
