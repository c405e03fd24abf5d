"""The declared elements of each indicator and dimension are those that its queries read."""

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from policies.dictionary import dictionary
from policies.element_uses import elements_counted, elements_split_by
from policies.indicator_files import dimensions, indicators, relations

pytestmark = pytest.mark.access
ELEMENTS = {name: set(table.elements) for name, table in dictionary().tables.items()}


def read_by(sql):
    """The elements that a query reads of fact tables; of a table that is only joined, what it requires."""
    found = set()
    for scope in traverse_scope(sqlglot.parse_one(sql, read="duckdb")):
        tables = {
            alias: one.name
            for alias, one in scope.sources.items()
            if isinstance(one, exp.Table) and one.name in ELEMENTS
        }
        for alias, table in tables.items():
            named = {column.name for column in scope.columns if column.table in ("", alias)} & ELEMENTS[table]
            found |= {(table, name) for name in named}
    return found


@pytest.mark.parametrize("name", sorted(indicators()))
def test_an_indicator_declares_the_elements_that_it_counts(name):
    indicator = indicators()[name]

    read = read_by(indicator.sql).union(*(read_by(relations()[one].sql) for one in indicator.relations))

    assert elements_counted(name) == read


@pytest.mark.parametrize("name", sorted(dimensions()))
def test_a_dimension_declares_the_elements_that_it_splits_by(name):
    only_joined = {"programme": {("programme", "programme")}}

    assert elements_split_by(name) == read_by(dimensions()[name].sql) | only_joined.get(name, set())


def test_the_district_reads_no_element_and_what_there_is_not_neither():
    assert elements_split_by("district") == elements_counted("no-such-indicator") == frozenset()
