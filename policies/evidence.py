"""The rules of the evidence that a network asks for: when an outcome was maintained or improved, a gap narrowed.

Pure: it compares what was released of two years. A number that is told as a range is a pair of ends; what the ends
leave open cannot be told, and is never counted against or for. Read by `hub.release.evidence`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict

from policies.yaml_text import read_yaml

OutcomeVerdict = Literal["improved", "maintained", "maintained or improved", "declined", "cannot be told"]
GapVerdict = Literal["narrowed", "unchanged", "widened", "still closed", "cannot be told"]
StageVerdict = Literal["reached", "not reached", "cannot be told"]

KEPT: frozenset[OutcomeVerdict] = frozenset({"improved", "maintained", "maintained or improved"})


@dataclass(frozen=True)
class Ends:
    """A number that is known to lie from `low` to `high`; both are the same where it is told exactly."""

    low: float
    high: float


class EvidenceStage(BaseModel):
    """A designation and the counts that it asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    outcomes: int
    gaps: int


class EvidenceRules(BaseModel):
    """The designations in their order, and when the partnership reviewed their numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    reviewed_on: dt.date
    stages: tuple[EvidenceStage, ...]


@cache
def evidence_rules() -> EvidenceRules:
    """The rules as they stand in `policies/catalogue/evidence.yaml`."""
    place = resources.files("policies").joinpath("catalogue", "evidence.yaml")
    return EvidenceRules.model_validate(read_yaml(place.read_text("utf-8")))


def judge_outcome(before: Ends | None, after: Ends | None, *, better: Literal["higher", "lower"]) -> OutcomeVerdict:
    """How an outcome of all students went from one year to another, by its rates as they were released."""
    if before is None or after is None:
        return "cannot be told"
    earlier, later = (before, after) if better == "higher" else (_turned(before), _turned(after))
    if later.low > earlier.high:
        return "improved"
    if later.high < earlier.low:
        return "declined"
    if earlier == later and earlier.low == earlier.high:
        return "maintained"
    return "maintained or improved" if later.low >= earlier.high else "cannot be told"


def judge_gap(before: Ends | None, after: Ends | None) -> GapVerdict:
    """How a gap went; a gap of nought or less is closed, and one that was and stays closed did not narrow."""
    if before is None or after is None:
        return "cannot be told"
    if before.high <= 0 and after.high <= 0:
        return "still closed"
    if after.high < before.low and before.low > 0:
        return "narrowed"
    if after.low > before.high and after.low > 0:
        return "widened"
    return "unchanged" if before == after and before.low == before.high else "cannot be told"


def judge_stage(needed: int, found: Sequence[bool | None]) -> StageVerdict:
    """Whether enough was found; None is what cannot be told, and leaves the question open while it could decide."""
    met = sum(one is True for one in found)
    if met >= needed:
        return "reached"
    unknown = sum(one is None for one in found)
    return "cannot be told" if met + unknown >= needed else "not reached"


def _turned(ends: Ends) -> Ends:
    return Ends(-ends.high, -ends.low)
