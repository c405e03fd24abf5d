"""Every event that the log can say is said by a place in the code, and a test performs its act and finds it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from hub.audit.events import EventType

ROOT = Path(__file__).parents[3]
DECLARED = ROOT / "hub" / "audit" / "events.py"
EVENTS = sorted(kind.name for kind in EventType)


@cache
def recording_places():
    """By event the modules of the hub that name it, or that may say its word."""
    found = {kind.name: set() for kind in EventType}
    for path in sorted((ROOT / "hub").rglob("*.py")):
        if path == DECLARED:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "EventType":
                found[node.attr].add(path.relative_to(ROOT).as_posix())
            elif isinstance(node, ast.Constant) and node.value in EventType._value2member_map_:
                found[EventType(node.value).name].add(path.relative_to(ROOT).as_posix())
    return found


@cache
def finders():
    """By event the test files that name it: as its word or by its name."""
    found = {kind.name: set() for kind in EventType}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path == Path(__file__):
            continue
        text = path.read_text("utf-8")
        words = set(re.findall(r"[\"'`]([a-z_]+\.[a-z_]+)[\"'`]", text)) | set(
            re.findall(r"EventType\.([A-Z_]+)", text)
        )
        for kind in EventType:
            if {kind.value, kind.name} & words:
                found[kind.name].add(path.relative_to(ROOT).as_posix())
    return found


def test_there_are_at_least_forty_kinds_of_event():
    assert len(EVENTS) >= 40


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_recorded_by_the_hub_and_found_by_a_test(event):
    assert recording_places()[event] != set()
    assert finders()[event] != set()
