"""The partnership's core and contributing indicators, from the one file that it reviews; beside the catalogue.

Read by the API and the report card, which tell the two apart: a core outcome is what the partnership holds itself to,
a contributing indicator what moves sooner.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from policies.yaml_text import read_yaml

SetName = Literal["core", "contributing"]


class Contribution(BaseModel):
    """A contributing indicator and the core outcome that it leads to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator: str
    toward: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    reviewed_on: dt.date
    review_every_months: int
    core: tuple[str, ...]
    contributing: tuple[Contribution, ...]

    @model_validator(mode="after")
    def _sets_are_apart(self) -> _File:
        named = [*self.core, *(one.indicator for one in self.contributing)]
        if len(set(named)) < len(named):
            raise ValueError("an indicator is named twice")
        if missing := sorted({one.toward for one in self.contributing} - set(self.core)):
            raise ValueError(f"toward what is no core outcome: {', '.join(missing)}")
        return self


@dataclass(frozen=True)
class IndicatorSets:
    """The two sets in their order, and when the partnership reviewed them."""

    version: int
    reviewed_on: dt.date
    review_every_months: int
    core: tuple[str, ...]
    contributing: tuple[Contribution, ...]

    def set_of(self, indicator: str) -> SetName | None:
        """The set that an indicator is in, None when it is a companion in neither."""
        if indicator in self.core:
            return "core"
        return None if self.toward(indicator) is None else "contributing"

    def toward(self, indicator: str) -> str | None:
        """The core outcome that a contributing indicator leads to."""
        return next((one.toward for one in self.contributing if one.indicator == indicator), None)


@cache
def indicator_sets() -> IndicatorSets:
    """The sets of this version of the project."""
    return read_sets(resources.files("policies").joinpath("catalogue", "sets.yaml").read_text("utf-8"))


def read_sets(text: str) -> IndicatorSets:
    """Parse a file of sets. Raises pydantic's ValidationError with the place of what is wrong."""
    file = _File.model_validate(read_yaml(text))
    return IndicatorSets(file.version, file.reviewed_on, file.review_every_months, file.core, file.contributing)
