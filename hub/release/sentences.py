"""A gap in words: the finding of its chart, which is also the chart's text alternative, and its place in a table."""

from math import ceil, floor

from hub.languages import ENGLISH, Language, message
from hub.release.gaps import GapPoint
from hub.release.questions import GapSeries
from hub.release.slices import HIDDEN_REASON

STANDINGS = (message("closed"), message("on pace"), message("not on pace"), message("cannot be told"))


def gap_sentence(series: GapSeries, *, target_year: int, language: Language = ENGLISH) -> str:
    """What the chart finds, in a sentence; it is also the chart's text alternative."""
    made = series.pace
    if made.latest_gap is None:
        return language.say(
            "The gap cannot be told: at least one of the two rates is hidden or given as a range in every year."
        )
    latest = next(point for point in series.points if point.cohort_year == made.latest_year)
    first = _latest_words(latest, language)
    if made.standing == "closed":
        return first
    parts = [first]
    if made.needed is not None:
        needed = language.number(-made.needed)
        parts.append(
            language.say("To close by {year} it must narrow {points} points a year;", year=target_year, points=needed)
        )
    return " ".join([*parts, _made_words(series, language)])


def _made_words(series: GapSeries, language: Language) -> str:
    made = series.pace
    if made.made is None:
        return language.say("the pace made cannot be told yet.")
    places = {
        "since": made.since_year,
        "until": made.latest_year,
        "points": language.number(abs(made.made)),
        "standing": language.say(made.standing),
    }
    if made.made < 0:
        return language.say("from {since} to {until} it narrowed {points} a year: {standing}.", **places)
    if made.made > 0:
        return language.say("from {since} to {until} it widened {points} a year: {standing}.", **places)
    return language.say("from {since} to {until} it did not change: {standing}.", **places)


def _latest_words(point: GapPoint, language: Language) -> str:
    gap, year, chance = point.gap or 0, point.cohort_year, _chance_words(point, language)
    if gap > 0:
        return language.say(
            "In {year} the gap was {points}{chance}.", year=year, points=points_words(gap, language), chance=chance
        )
    if gap == 0:
        return language.say("In {year} the two rates were the same{chance}.", year=year, chance=chance)
    return language.say(
        "In {year} there was no gap: the group’s rate was {points} above{chance}.",
        year=year,
        points=points_words(-gap, language),
        chance=chance,
    )


def _chance_words(point: GapPoint, language: Language) -> str:
    if point.low is None or point.high is None:
        return ""
    low, high = minus(floor(point.low)), minus(ceil(point.high))
    return " " + language.say("(chance alone leaves it between {low} and {high})", low=low, high=high)


def points_words(number: int, language: Language = ENGLISH) -> str:
    """A number of points in words."""
    return language.say_many("1 point", "{count} points", count=number)


def gap_words(point: GapPoint, language: Language = ENGLISH) -> str:
    """A gap as words: points, a range, or hidden."""
    if point.gap is not None:
        return minus(point.gap)
    if point.low is None or point.high is None:
        return language.say(HIDDEN_REASON)
    return language.say("{low} to {high}", low=minus(floor(point.low)), high=minus(ceil(point.high)))


def minus(number: float) -> str:
    """A number with a minus sign that stands as high as the figures."""
    return f"{number:g}".replace("-", "−")
