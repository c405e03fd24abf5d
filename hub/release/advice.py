"""What a reader may do when much is withheld: drop a split (`hub.release.notes`), take a wider group, join years.

Worked out from released cells alone: whoever holds the answer could say the same.
"""

from collections.abc import Mapping, Sequence

from hub.languages import ENGLISH, Language
from hub.release.slices import PublishedCell
from hub.release.words import level_label
from policies.disclosure.types import TOTAL
from policies.disclosure_floor import MINIMUM_N

YEARS_MIN = 2


def advice_on(
    cells: Sequence[PublishedCell], *, parents: Mapping[str, Mapping[str, str]], language: Language = ENGLISH
) -> tuple[str, ...]:
    """Sentences of advice on the rows of one table, none when nothing is hidden."""
    found = (wider_group(cells, parents=parents, language=language), joined_years(cells, language))
    return tuple(sentence for sentence in found if sentence)


def wider_group(
    cells: Sequence[PublishedCell], *, parents: Mapping[str, Mapping[str, str]], language: Language = ENGLISH
) -> str:
    """Which shown groups hold groups that are hidden."""
    shown = {(cell.cohort_year, _place(cell)) for cell in cells if not cell.hidden}
    wider: dict[tuple[str, str], None] = {}
    for cell in cells:
        for dimension, level in cell.levels.items() if cell.hidden else ():
            above = parents.get(dimension, {}).get(level)
            if above and (cell.cohort_year, _place(cell, dimension, above)) in shown:
                wider[dimension, above] = None
    if not wider:
        return ""
    named = ", ".join(level_label(dimension, level, language) for dimension, level in wider)
    return language.say("Hidden groups are part of groups that are shown: {named}.", named=named)


def joined_years(cells: Sequence[PublishedCell], language: Language = ENGLISH) -> str:
    """Groups that are hidden year after year, where the years together leave room for one that could be shown.

    The room is the total less the shown groups, over the years: what everybody can work out, and no group's number.
    """
    years = sorted({cell.cohort_year for cell in cells})
    if len(years) < YEARS_MIN or {len(cell.levels) for cell in cells} != {1}:
        return ""
    always = _always_hidden(cells, years)
    room = sum(_left_over(cells, year) for year in years)
    if not always or room < MINIMUM_N * len(always):
        return ""
    return language.say_many(
        "{count} group is hidden in each of the {years} years; with years joined there may be enough children to show "
        "more. No table joins years yet: tell the partnership that you need one.",
        "{count} groups are hidden in each of the {years} years; with years joined there may be enough children to "
        "show more. No table joins years yet: tell the partnership that you need one.",
        count=len(always),
        years=len(years),
    )


def _always_hidden(cells: Sequence[PublishedCell], years: Sequence[int]) -> list[Mapping[str, str]]:
    hidden: dict[tuple[tuple[str, str], ...], set[int]] = {}
    for cell in cells:
        if cell.hidden:
            hidden.setdefault(_place(cell), set()).add(cell.cohort_year)
    return [dict(place) for place, found in hidden.items() if found == set(years)]


def _left_over(cells: Sequence[PublishedCell], year: int) -> int:
    """The total of a year less its shown groups; none where the total is not told exactly."""
    of_year = [cell for cell in cells if cell.cohort_year == year and not cell.provisional]
    total = next((cell.known for cell in of_year if TOTAL in cell.levels.values()), None)
    shown = sum(cell.known or 0 for cell in of_year if TOTAL not in cell.levels.values())
    return 0 if total is None else max(total - shown, 0)


def _place(cell: PublishedCell, dimension: str = "", level: str = "") -> tuple[tuple[str, str], ...]:
    return tuple((name, level if name == dimension else one) for name, one in cell.levels.items())
