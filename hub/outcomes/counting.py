"""The one module that counts persons: snapshot tables in, blocks of counts for disclosure control out.

Runs the queries of `policies/indicators` in an engine (`hub.outcomes.engine`). Rows of persons stay inside; only counts
leave.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

from hub.outcomes.rows import Counter, CountingError, fill, make_levels, make_outcome_rows, serving
from hub.outcomes.schema import PERSON
from policies.disclosure.types import BaseCell, Block, Dimension, TableDeclaration, Tally
from policies.indicator_files import Indicator, dimensions, indicators
from policies.organisation_files import Organisations, district_parents

DISTRICT = "district"
CellKey = tuple[int, tuple[str, ...]]
"""A cohort year, and a level of each dimension."""


def count_together(counter: Counter, tables: Mapping[str, Sequence[TableDeclaration]]) -> tuple[Block, ...]:
    """The blocks of every indicator, by id; those that share persons are split by the same dimensions.

    So disclosure control sees one cell of persons in all of them (one indicator's numerator is another's cohort).
    """
    splits = _shared_splits(tables)
    return tuple(
        block
        for name, declared in tables.items()
        for block in count_blocks(counter, indicators()[name], tables=declared, splits=splits[name])
    )


def count_blocks(
    counter: Counter, indicator: Indicator, *, tables: Sequence[TableDeclaration], splits: Sequence[str] = ()
) -> tuple[Block, ...]:
    """One block for each cohort year of the indicator that has persons, with the dimensions that its tables name.

    `splits` are the dimensions of all blocks that are audited together with it: they come first, in their order.
    """
    names = tuple(dict.fromkeys((*splits, *_dimensions_of(tables))))
    tallies = count_split(counter, indicator, names)
    columns = _columns(names)
    providers = {} if indicator.aggregate else _provider_tallies(counter, columns)
    shared = {} if indicator.aggregate else _shared_tallies(counter, columns)
    years = sorted({key[0] for key in tallies})
    return tuple(
        Block(
            indicator=indicator.id,
            cohort_year=year,
            dimensions=tuple(
                _dimension(counter, indicator, year, name, had={key[1][place] for key in tallies if key[0] == year})
                for place, name in enumerate(names)
            ),
            cells=_cells(year, tallies, providers, shared),
            tables=tuple(tables),
            population=indicator.population,
            part_of=indicator.part_of,
        )
        for year in years
    )


def count_split(counter: Counter, indicator: Indicator, names: Sequence[str]) -> Mapping[CellKey, Tally]:
    """The counts alone of the indicator's cohort years, by the levels of these dimensions."""
    make_outcome_rows(counter, indicator)
    _make_split_rows(counter, indicator, names)
    return _tallies(counter, _columns(names))


def _columns(names: Sequence[str]) -> list[str]:
    return [f"d{place}" for place in range(len(names))]


def district_dimension(organisations: Organisations, indicator: Indicator, cohort_year: int) -> Dimension:
    """The districts that can stand in an indicator in a cohort year, and the groups they are summed into."""
    years = range(cohort_year - indicator.window_years + 1, cohort_year + 1)
    members = serving(organisations, indicator, years)
    levels = tuple(dict.fromkeys(member.published_as for member in members))
    return Dimension(name=DISTRICT, levels=levels, parents=district_parents(members, among=organisations.districts()))


def _shared_splits(tables: Mapping[str, Sequence[TableDeclaration]]) -> dict[str, tuple[str, ...]]:
    """By indicator: the dimensions of all that count the same persons, or one of them another's numerator."""
    group = {name: name for name in tables}
    for left, right in combinations(tables, 2):
        if _share_persons(indicators()[left], indicators()[right]):
            group = {name: group[left] if one == group[right] else one for name, one in group.items()}
    splits: dict[str, dict[str, None]] = {}
    for name, declared in tables.items():
        splits.setdefault(group[name], {}).update(dict.fromkeys(_dimensions_of(declared)))
    return {name: tuple(splits[one]) for name, one in group.items()}


def _share_persons(left: Indicator, right: Indicator) -> bool:
    same = left.population == right.population != ""
    return same or left.part_of == right.id or right.part_of == left.id


def _dimensions_of(tables: Sequence[TableDeclaration]) -> Iterator[str]:
    return (name for table in tables for name in table.dimensions)


def _make_split_rows(counter: Counter, indicator: Indicator, names: Sequence[str]) -> None:
    """Table `split_rows`: cohort year, person, the level in each dimension as d0, d1, ..., known, k, weight."""
    person = "CAST(NULL AS VARCHAR)" if indicator.aggregate else f"o.{PERSON}"
    selected, joins = [], []
    for place, name in enumerate(names):
        column, join = _split(counter, indicator, place, name)
        selected.append(f", {column} AS d{place}")
        joins.append(join)
    counter.engine.make(
        "split_rows",
        f"SELECT o.cohort_year, {person} AS {PERSON}{''.join(selected)},"
        " CAST(o.weight AS BIGINT) AS n,"
        " CASE WHEN o.outcome = 'unknown' THEN 0 ELSE CAST(o.weight AS BIGINT) END AS known,"
        " CASE WHEN o.outcome = 'yes' THEN CAST(o.weight AS BIGINT) ELSE 0 END AS k"
        f" FROM outcome_rows AS o{''.join(joins)}",
    )


def _split(counter: Counter, indicator: Indicator, place: int, name: str) -> tuple[str, str]:
    if name == DISTRICT and not indicator.aggregate:
        levels = [(member.id, member.published_as) for member in counter.organisations.members]
        fill(counter.engine, "district_levels", columns="district VARCHAR, level VARCHAR", rows=levels)
        return f"l{place}.level", f" JOIN district_levels AS l{place} ON l{place}.district = o.district"
    if name not in dimensions() or (indicator.aggregate and name not in indicator.aggregate_columns):
        raise CountingError(f"{indicator.id} cannot be split by {name}.", code="dimension-unknown")
    dimension = dimensions()[name]
    joined = f"levels_{place}"
    if indicator.aggregate:
        codes = [(level.id, code) for level in dimension.levels for code in level.codes]
        fill(counter.engine, joined, columns="level VARCHAR, code VARCHAR", rows=codes)
        join = f" LEFT JOIN {joined} AS l{place} ON l{place}.code = o.{indicator.aggregate_columns[name]}"
    else:
        make_levels(counter, indicator, dimension, into=joined)
        join = (
            f" LEFT JOIN {joined} AS l{place} ON l{place}.{PERSON} = o.{PERSON}"
            f" AND l{place}.cohort_year = o.cohort_year"
        )
    return f"COALESCE(l{place}.level, '{dimension.otherwise}')", join


def _tallies(counter: Counter, columns: Sequence[str]) -> dict[CellKey, Tally]:
    by = ", ".join(["cohort_year", *columns])
    query = f"SELECT {by}, SUM(n), SUM(known), SUM(k) FROM split_rows GROUP BY {by} HAVING SUM(n) > 0 ORDER BY {by}"
    return {
        (row[0], tuple(row[1:-3])): Tally(int(row[-3]), int(row[-2]), int(row[-1]))
        for row in counter.engine.rows(query)
    }


def _provider_tallies(counter: Counter, columns: Sequence[str]) -> dict[CellKey, dict[str, Tally]]:
    by = ", ".join(["cohort_year", *columns, "provider"])
    query = (
        f"SELECT {by}, SUM(n), SUM(known), SUM(k) FROM split_rows JOIN person_providers USING ({PERSON})"
        f" GROUP BY {by} ORDER BY {by}"
    )
    found: dict[CellKey, dict[str, Tally]] = {}
    for row in counter.engine.rows(query):
        cell = found.setdefault((row[0], tuple(row[1:-4])), {})
        cell[row[-4]] = Tally(int(row[-3]), int(row[-2]), int(row[-1]))
    return found


def _shared_tallies(counter: Counter, columns: Sequence[str]) -> dict[CellKey, dict[tuple[str, str], Tally]]:
    """The children whom two providers both have."""
    by = ", ".join(["cohort_year", *columns, "one.provider", "other.provider"])
    query = (
        f"SELECT {by}, SUM(n), SUM(known), SUM(k) FROM split_rows JOIN person_providers AS one USING ({PERSON})"
        f" JOIN person_providers AS other USING ({PERSON}) WHERE one.provider < other.provider"
        f" GROUP BY {by} ORDER BY {by}"
    )
    found: dict[CellKey, dict[tuple[str, str], Tally]] = {}
    for row in counter.engine.rows(query):
        cell = found.setdefault((row[0], tuple(row[1:-5])), {})
        cell[row[-5], row[-4]] = Tally(int(row[-3]), int(row[-2]), int(row[-1]))
    return found


def _cells(
    year: int,
    tallies: Mapping[CellKey, Tally],
    providers: Mapping[CellKey, Mapping[str, Tally]],
    shared: Mapping[CellKey, Mapping[tuple[str, str], Tally]],
) -> tuple[BaseCell, ...]:
    return tuple(
        BaseCell(levels=key[1], tally=tally, provider_counts=providers.get(key, {}), shared_counts=shared.get(key, {}))
        for key, tally in tallies.items()
        if key[0] == year
    )


def _dimension(counter: Counter, indicator: Indicator, year: int, name: str, *, had: Collection[str]) -> Dimension:
    if name == DISTRICT:
        return district_dimension(counter.organisations, indicator, year)
    declared = dimensions()[name]
    levels = declared.standing(had)
    return Dimension(
        name=name,
        levels=levels,
        parents={level: parent for level, parent in declared.parents.items() if level in levels},
        linked=declared.linked,
        minimum=declared.minimum,
    )
