"""The form of the explorer: what this person may choose, what is chosen, and the question that it makes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.languages import ENGLISH, Language
from hub.release.answers import dimension_cards
from hub.release.asking import Asker, Question, read_levels
from hub.release.words import dimension_title, indicator_title, level_label
from policies.agreements import Agreement, in_force
from policies.catalogue_files import Catalogue, CatalogueTable
from policies.indicator_files import dimensions
from policies.principal import Role

YEARS_AT_FIRST = 5
"""As many of the newest cohort years the form begins with."""


@dataclass(frozen=True)
class Choice:
    """One option of a select."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True)
class Group:
    """Options that belong together, under one heading."""

    words: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Wanted:
    """The form as it came: names and years as text; a year that is None was not in the address at all."""

    indicator: str
    by: str
    only: str
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Form:
    """The form as it stands: what may be chosen, and what is."""

    indicators: tuple[Group, ...]
    splits: tuple[Group, ...]
    levels: tuple[Group, ...]
    first_years: tuple[Choice, ...]
    last_years: tuple[Choice, ...]
    licences: tuple[Choice, ...]


def form_for(
    asker: Asker, wanted: Wanted, *, catalogue: Catalogue, years: Sequence[int], language: Language = ENGLISH
) -> Form:
    """The choices that this asker has; linked splits stand there for partners only."""
    tables = [table for table in catalogue.tables.get(wanted.indicator, ()) if may_choose(asker, table)]
    first, last = chosen_years(wanted, years)
    chosen = f"{asker.agreement}/{asker.purpose}"
    return Form(
        indicators=_indicators(catalogue, wanted.indicator, language=language),
        splits=_splits(tables, wanted.by, language=language),
        levels=_levels(tables, wanted.only, language=language),
        first_years=_years(years, first),
        last_years=_years(years, last),
        licences=tuple(Choice(value, words, value == chosen) for value, words in purposes_of(asker)),
    )


def question_of(wanted: Wanted, *, asker: Asker, catalogue: Catalogue, years: Sequence[int]) -> Question:
    """The question that a form makes; raises Invalid for a level that is none.

    A level of a dimension that the split lacks is taken together with it, where the catalogue holds such a table:
    reading by income, only children of any preschool, is a row of reading by preschool and income.
    """
    levels = read_levels([wanted.only] if wanted.only else [])
    by = tuple(name for name in wanted.by.split(",") if name)
    further = (*levels, *(name for name in by if name not in levels))
    table = catalogue.table_split_by(wanted.indicator, dimensions=further)
    if table is not None and may_choose(asker, table):
        by = table.dimensions
    first, last = chosen_years(wanted, years)
    return Question(
        indicator=wanted.indicator,
        by=by,
        first_year=int(first) if first else None,
        last_year=int(last) if last else None,
        levels=levels,
    )


def chosen_years(wanted: Wanted, years: Sequence[int]) -> tuple[str, str]:
    """First and last year as text, empty for no bound; the newest few where the address names none."""
    recent = [year for year in years if year > max(years) - YEARS_AT_FIRST]
    if wanted.first is None and wanted.last is None and recent:
        return str(min(recent)), str(max(recent))
    return wanted.first or "", wanted.last or ""


def may_choose(asker: Asker, table: CatalogueTable) -> bool:
    """Whether a split is offered; whether it is answered is decided on the agreement."""
    return table.audience == "public" or bool(licences_of(asker))


def licences_of(asker: Asker) -> Sequence[Agreement]:
    """The licences in force of the asker's organisation."""
    if Role.PARTNER not in asker.principal.roles:
        return ()
    return [
        agreement
        for agreement in in_force(asker.agreements, asker.day)
        if agreement.tier == "DUL" and asker.principal.organisation in agreement.licensees()
    ]


def purposes_of(asker: Asker) -> list[tuple[str, str]]:
    """Each licence with each of its purposes: the value of the form and its words."""
    return [
        (f"{licence.id}/{purpose.id}", f"{licence.id}: {purpose.text}")
        for licence in licences_of(asker)
        for purpose in licence.purposes
    ]


def first_licence(asker: Asker) -> str:
    """What the form begins with: the first licence and purpose, or none."""
    return next((value for value, _ in purposes_of(asker)), "")


def _indicators(catalogue: Catalogue, chosen: str, *, language: Language) -> tuple[Group, ...]:
    from policies.indicator_sets import indicator_sets

    sets = indicator_sets()
    named = {
        "core": language.say("Milestones"),
        "contributing": language.say("What leads to them"),
        None: language.say("How well records are linked"),
    }
    return tuple(
        Group(
            words,
            tuple(
                Choice(name, indicator_title(name, language), name == chosen)
                for name in catalogue.indicators
                if sets.set_of(name) == belongs
            ),
        )
        for belongs, words in named.items()
    )


def _splits(tables: Sequence[CatalogueTable], chosen: str, *, language: Language) -> tuple[Group, ...]:
    linked = {name for name, found in dimensions().items() if found.linked}
    kinds = ((language.say("From a student's own record"), False), (language.say("From a linked record"), True))
    return tuple(
        Group(words, choices)
        for words, wanted in kinds
        if (
            choices := tuple(
                Choice(",".join(one.dimensions), language.say(one.title), ",".join(one.dimensions) == chosen)
                for one in tables
                if bool(linked & set(one.dimensions)) is wanted
            )
        )
    )


def _levels(tables: Sequence[CatalogueTable], chosen: str, *, language: Language) -> tuple[Group, ...]:
    cards = {str(card["id"]): card["levels"] for card in dimension_cards()}
    named = dict.fromkeys(name for table in tables for name in table.dimensions)
    return tuple(
        Group(dimension_title(name, language), _level_choices(name, cards[name], chosen=chosen, language=language))
        for name in named
    )


def _level_choices(dimension: str, levels: object, *, chosen: str, language: Language) -> tuple[Choice, ...]:
    told = levels if isinstance(levels, Iterable) else ()
    values = ((f"{dimension}:{level['id']}", level_label(dimension, str(level["id"]), language)) for level in told)
    return tuple(Choice(value, words, value == chosen) for value, words in values)


def _years(years: Sequence[int], chosen: str) -> tuple[Choice, ...]:
    named = {*(str(year) for year in years), *([chosen] if chosen else [])}
    return tuple(Choice(year, year, year == chosen) for year in sorted(named))
