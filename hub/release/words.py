"""The words beside the numbers: titles of indicators and dimensions, labels of levels; the same in API and pages."""

from functools import cache

from hub.languages import ENGLISH, Language, message
from hub.release.slices import HIDDEN_REASON, PublishedCell
from policies.disclosure.types import TOTAL
from policies.indicator_files import dimensions, indicators
from policies.organisation_files import district_parents, organisations

DISTRICT = "district"
DISTRICT_TITLE = message("District")
EVERYBODY = message("All")


def indicator_title(indicator: str, language: Language = ENGLISH) -> str:
    """The title of an indicator."""
    found = indicators().get(indicator)
    return language.say(found.title) if found is not None else _in_words(indicator)


def dimension_title(dimension: str, language: Language = ENGLISH) -> str:
    """The title of a dimension."""
    found = dimensions().get(dimension)
    if found is not None:
        return language.say(found.title)
    return language.say(DISTRICT_TITLE) if dimension == DISTRICT else _in_words(dimension)


def level_label(dimension: str, level: str, language: Language = ENGLISH) -> str:
    """The words for a level; `Total` is everybody. Names of districts stay as they are."""
    if level == TOTAL:
        return language.say(EVERYBODY)
    found = dimensions().get(dimension)
    if found is not None:
        return language.say(found.labels.get(level) or _in_words(level))
    area = _areas().get(level)
    if area is not None:
        return language.say("{area} area", area=area)
    return language.say(_district_labels().get(level) or _in_words(level))


@cache
def _areas() -> dict[str, str]:
    return {"area-" + area.lower().replace(" ", "-"): area for area in organisations().areas}


@cache
def _district_labels() -> dict[str, str]:
    known = organisations()
    names = {member.id: member.names[-1][0] for member in known.members}
    return {**dict(known.merges), **names}


@cache
def level_parents() -> dict[str, dict[str, str]]:
    """Of each dimension, the level above each level that has one."""
    known = organisations()
    found = {name: dict(one.parents) for name, one in dimensions().items()}
    return {**found, DISTRICT: dict(district_parents(known.members, among=known.districts()))}


def rate_words(cell: PublishedCell, language: Language = ENGLISH) -> str:
    """A rate as words: exact, a range, or hidden."""
    if cell.hidden:
        return language.say(HIDDEN_REASON)
    return range_words(cell.rate, cell.rate_low, high=cell.rate_high, language=language)


def rate_untold(cell: PublishedCell) -> bool:
    """Whether a cell tells nothing of its rate: hidden, or its range is everything."""
    return cell.hidden or range_untold(cell.rate, cell.rate_low, high=cell.rate_high)


def range_untold(rate: int | None, low: int | None, *, high: int | None) -> bool:
    """Whether neither a rate nor a range is told; from nothing to everything is no range."""
    return rate is None and (low is None or high is None or (low, high) == (0, 100))


def range_words(rate: int | None, low: int | None, *, high: int | None, language: Language = ENGLISH) -> str:
    """An exact rate, or the range that is told instead of it."""
    if rate is not None:
        return language.say("{rate} %", rate=rate)
    if range_untold(rate, low, high=high):
        return language.say(HIDDEN_REASON)
    if low == 0:
        return language.say("{high} % or less", high=high)
    if high == 100:
        return language.say("{low} % or more", low=low)
    return language.say("{low} to {high} %", low=low, high=high)


def coverage_words(low: int | None, high: int | None, *, language: Language = ENGLISH) -> str:
    """For which part the outcome is known; empty where that is not told."""
    if low is None or high is None:
        return ""
    if (low, high) == (100, 100):
        return language.say("all")
    return language.say("{low} to {high} %", low=low, high=high)


def _in_words(slug: str) -> str:
    return slug.replace("-", " ").capitalize()
