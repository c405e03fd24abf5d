"""The rules that a row of a source file must meet, as data: both sides of the wall read what a code means.

A finding names a code, a file, a row and a column, never a value; the words stand here once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from policies.yaml_text import read_yaml

SEVERITIES = ("refuse", "reject", "leave", "drop", "note")
REJECTED_SHARE_MAX = 0.5
"""Above this share of rejected rows a file is refused whole: our own choice, named in docs/edge.md."""
_FILES = ("files", "rows", "identity", "values", "subjects")


@dataclass(frozen=True)
class Rule:
    """One rule: what is wrong, how grave it is, how to mend it, an example and its page of the manual."""

    code: str
    severity: str
    cause: str
    fix: str
    example: str
    page: str


@cache
def rulebook() -> Mapping[str, Rule]:
    """Every rule by its code, twins included."""
    return {rule.code: rule for name in _FILES for rule in _read(name)}


def rejects_row(code: str) -> bool:
    """Whether a finding of this code means that its row, or its whole file, is not used because of a fault."""
    return _severity(code) in ("reject", "refuse")


def leaves_row(code: str) -> bool:
    """Whether a finding of this code means that its row is left out without being faulty."""
    return _severity(code) == "leave"


def _severity(code: str) -> str | None:
    rule = rulebook().get(code)
    return rule.severity if rule is not None else None


@cache
def rejecting_twin(code: str) -> str:
    """The code to report when the cell's fault costs the whole row; the code itself when it has no twin."""
    return next((read["rejects"] for name in _FILES for read in _entries(name) if _has_twin(read, code)), code)


def _has_twin(read: Mapping[str, Any], code: str) -> bool:
    return read["code"] == code and "rejects" in read


def _read(name: str) -> Iterator[Rule]:
    for read in _entries(name):
        words = (read["cause"], read["fix"], read["example"], read["page"])
        yield Rule(read["code"], read["severity"], *words)
        if "rejects" in read:
            yield Rule(read["rejects"], "reject", *words)


@cache
def _entries(name: str) -> tuple[Mapping[str, Any], ...]:
    text = resources.files("policies").joinpath(f"rules/{name}.yaml").read_text("utf-8")
    return tuple(read_yaml(text)["rules"])
