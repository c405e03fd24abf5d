"""Reads Ed-Fi resources of JSON files and bulk XML into one shape: dictionaries with the API's names.

XML with a document type is refused before it is parsed, so that no entity can grow (CWE-776).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.parsers import expat

from connectors.bundles.archive import Bundle
from connectors.decoding import refuse

Resource = Mapping[str, Any]
DEPTH_MAX = 40
RESOURCES = (
    "students", "schools", "studentSchoolAssociations", "studentEducationOrganizationAssociations", "assessments",
    "studentAssessments", "studentSchoolAttendanceEvents", "calendarDates", "studentAcademicRecords",
)  # fmt: skip
"""The resources that are read; all others are left alone."""
_BY_XML_NAME = {name[:-1].casefold(): name for name in RESOURCES} | {"gradeCalendarDate".casefold(): "calendarDates"}
_BY_FILE = {name.casefold(): name for name in RESOURCES}


def is_edfi(bundle: Bundle) -> bool:
    """Whether a file of the set is named like a resource, or is an interchange."""
    return any(_resource_of(name) or name.endswith(".xml") for name in bundle.files)


def read_resources(bundle: Bundle) -> tuple[dict[str, list[Resource]], str]:
    """The resources by name, and the form they came in; raises FileRefusedError FIL-003 or FIL-018."""
    found: dict[str, list[Resource]] = {}
    forms = set()
    for name in bundle.files:
        resource = _resource_of(name)
        if resource is not None:
            found.setdefault(resource, []).extend(_json_objects(bundle.read(name), f"{bundle.name}/{name}"))
            forms.add("API")
        elif name.endswith(".xml"):
            for kind, one in _xml_objects(bundle.read(name), f"{bundle.name}/{name}"):
                found.setdefault(kind, []).append(one)
            forms.add("XML")
    return found, " and ".join(sorted(forms))


def _resource_of(name: str) -> str | None:
    stem, _, ending = name.rpartition(".")
    return _BY_FILE.get(stem) if ending in ("json", "jsonl") else None


def _json_objects(content: bytes, name: str) -> list[Resource]:
    """The objects of a JSON array, or of one object a line."""
    try:
        text = content.decode("utf-8-sig").strip()
        whole = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines() if line]
    except (ValueError, RecursionError):
        raise refuse("FIL-020", name) from None
    if not all(isinstance(one, dict) for one in whole):
        raise refuse("FIL-020", name)
    return list(whole)


class _Node:
    """An XML element while it is read."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text: list[str] = []
        self.children: list[_Node] = []


def _xml_objects(content: bytes, name: str) -> Iterator[tuple[str, Resource]]:
    """The resources of an interchange: the children of its root that we know."""
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", content, re.IGNORECASE):
        raise refuse("FIL-020", name, "it declares a document type")
    found: list[tuple[str, Resource]] = []
    stack: list[_Node] = []

    def begin(tag: str, _: object) -> None:
        if len(stack) > DEPTH_MAX:
            raise ValueError
        node = _Node(tag.rpartition(":")[2])
        if len(stack) > 1:
            stack[-1].children.append(node)
        stack.append(node)

    def end(_: str) -> None:
        node = stack.pop()
        kind = _BY_XML_NAME.get(node.name.casefold())
        if len(stack) == 1 and kind is not None:
            found.append((kind, _as_resource(node)))

    def text(piece: str) -> None:
        if stack:
            stack[-1].text.append(piece)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError):  # no XML, too deep, or an encoding that nobody knows
        raise refuse("FIL-020", name) from None
    yield from found


def _as_resource(node: _Node) -> dict[str, Any]:
    """An element with the API's names: small first letter, a repeated element as a list."""
    made: dict[str, Any] = {}
    for child in node.children:
        key = child.name[:1].lower() + child.name[1:]
        value: Any = _as_resource(child) if child.children else "".join(child.text).strip()
        if key in made:
            made[key] = [*made[key], value] if isinstance(made[key], list) else [made[key], value]
        else:
            made[key] = value
    return made


def deep(value: Any, *names: str) -> list[Any]:
    """Everything that stands under one of these names, at any depth, lists opened."""
    found: list[Any] = []
    pending: list[tuple[Any, int]] = [(value, 0)]
    while pending:
        one, depth = pending.pop()
        if depth > DEPTH_MAX:
            continue
        if isinstance(one, list):
            pending.extend((each, depth + 1) for each in one)
        elif isinstance(one, Mapping):
            for name, inner in one.items():
                if name in names:
                    found.extend(inner if isinstance(inner, list) else [inner])
                else:
                    pending.append((inner, depth + 1))
    return found


def first(value: Any, *names: str) -> Any:
    """The first thing under one of these names, or None."""
    return next(iter(deep(value, *names)), None)


def words(value: Any, *names: str) -> Sequence[Any]:
    """The scalar under each thing of these names: `races: [{raceDescriptor: ...}]` gives the descriptors."""
    return [word for one in deep(value, *names) for word in _scalars(one)]


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        descriptors = [inner for name, inner in value.items() if name.endswith("Descriptor")] or list(value.values())
        for inner in descriptors[:1]:
            yield from _scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner)
    elif value is not None:
        yield value


def value_of(descriptor: Any) -> str:
    """The value of a descriptor: what stands after the sign, or the word itself."""
    return "" if descriptor is None else str(descriptor).rpartition("#")[2].strip()
