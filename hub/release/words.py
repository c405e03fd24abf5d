"""The words beside the numbers: titles of indicators and dimensions, labels of levels; the same in API and pages."""

from functools import cache

from policies.disclosure.types import TOTAL
from policies.indicator_files import dimensions, indicators
from policies.organisation_files import organisations

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


def _in_words(slug: str) -> str:
    return slug.replace("-", " ").capitalize()
