"""No path in the code reaches counts of persons but the one counting module, and none leaves it but the road.

Beside the import contracts of pyproject.toml: here every module of the hub is read.
"""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
COUNTING = "hub.outcomes.counting"
MAY_COUNT = {"hub.outcomes.service", "hub.outcomes.compare"}
"""Who may open the counting module: the service, and the comparison with a truth, on a hub of made-up people only."""

MAY_READ_PERSONS = {"hub.outcomes.counting", "hub.outcomes.service", "hub.outcomes.compare", "hub.outcomes.rows"}
"""Who may hold the tables of persons: the counting module, what runs its definitions, what takes the snapshot, and the
comparison with a truth, which runs on a hub of made-up people only."""

MAY_READ_LINKED = {*MAY_READ_PERSONS, "hub.outcomes.snapshot", "hub.outcomes.schema"}
PREPARING = {
    "hub.release.publishing",
    "hub.release.joining",
    "hub.release.requests.cost",
    "hub.release.measuring",
    "hub.release.tellings",
}
"""What asks the service of outcomes for counts, to protect or to measure them for the officer; no route imports it."""

MAKE_WITHOUT_PERSONS = {"hub.release.reports.protecting", "policies.disclosure.recollection"}
"""What makes cells of counts that it was given: of somebody's own report, and empty places for providers that left."""


@cache
def modules() -> dict[str, ast.Module]:
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): ast.parse(file.read_text("utf-8"))
        for folder in ("hub", "policies")
        for file in sorted((ROOT / folder).rglob("*.py"))
    }


def imports(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def calls(tree: ast.Module) -> set[str]:
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {one.id for one in called if isinstance(one, ast.Name)} | {
        one.attr for one in called if isinstance(one, ast.Attribute)
    }


def importers(module: str) -> set[str]:
    return {name for name, tree in modules().items() if module in imports(tree)}


def test_only_the_service_of_outcomes_opens_the_counting_module() -> None:
    assert importers(COUNTING) == MAY_COUNT
    assert importers("hub.outcomes.rows") - {COUNTING} <= MAY_READ_PERSONS


def test_only_the_counting_module_counts_persons() -> None:
    makers = {name for name, tree in modules().items() if {"BaseCell"} & calls(tree)}
    summing = {
        name
        for name, tree in modules().items()
        if name.startswith("hub.")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"\b(SUM|COUNT)\s*\(", node.value)
    }

    assert makers == {"hub.outcomes.counting", *MAKE_WITHOUT_PERSONS}
    assert {name for name in summing if not name.startswith("hub.outcomes.")} == set()


def test_only_the_modules_of_outcomes_hold_the_embedded_engine_and_the_linked_facts() -> None:
    holders = {
        name
        for name, tree in modules().items()
        if any(one.split(".")[0] in ("duckdb", "pyarrow") for one in imports(tree)) and name.startswith("hub.")
    }

    assert {name for name in holders if not name.startswith(("hub.outcomes.", "hub.linking."))} == {"hub.buckets"}
    # It moves files as they lie, sealed; no table is read there.
    assert all(one.startswith("pyarrow.fs") for one in imports(modules()["hub.buckets"]) if "pyarrow" in one)
    assert importers("hub.outcomes.snapshot") <= MAY_READ_LINKED


def test_what_answers_reads_released_cells_and_nothing_else_of_persons() -> None:
    answering = [name for name in modules() if name.startswith(("hub.release", "hub.web", "hub.app"))]

    ways = {one for name in answering if name not in PREPARING for one in imports(modules()[name])}

    outcomes = {one for one in ways if one.startswith("hub.outcomes")}
    assert {one for one in outcomes if not one.startswith(("hub.outcomes.state", "hub.outcomes.tables"))} == set()


def test_no_route_or_page_reaches_what_asks_for_counts() -> None:
    routed = {name for name in modules() if name.endswith((".routes", "hub.app")) or name.startswith("hub.web.")}

    assert not {name: imports(modules()[name]) & PREPARING for name in routed if imports(modules()[name]) & PREPARING}
