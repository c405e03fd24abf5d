"""Reads the figures, districts and name lists the synthetic county is made from; before the road, no real record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

Text = NDArray[np.object_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """One calibration figure, with the year and the source it stands for."""

    value: float
    year: int
    source: str

    @property
    def assumed(self) -> bool:
        """Whether no published figure stands behind it."""
        return self.source == "assumption"


@dataclass(frozen=True)
class Calibration:
    """All that the county is calibrated to."""

    figures: Mapping[str, Figure]
    districts: Mapping[str, Mapping[str, Any]]
    race_points: Mapping[str, Mapping[str, float]]
    pandemic: Mapping[str, Mapping[int, float]]
    writing: Mapping[str, float]
    class_sizes: Mapping[int, float]
    districts_source: str

    def __getitem__(self, name: str) -> float:
        return self.figures[name].value


@cache
def load_calibration() -> Calibration:
    """The figures of `calibration.yaml`."""
    loaded = _read("calibration.yaml")
    figures = {
        name: Figure(float(entry["value"]), int(entry["year"]), str(entry["source"]))
        for name, entry in loaded["figures"].items()
    }
    pandemic = {"ELA": loaded["pandemic_points"], "MATH": loaded["pandemic_points_math"]}
    return Calibration(
        figures=figures,
        districts=loaded["districts"],
        race_points=loaded["race_points"],
        pandemic=pandemic,
        writing={name: float(one["rate"]) for name, one in _read("errors.yaml")["processes"].items()},
        class_sizes=loaded["class_sizes"],
        districts_source=loaded["districts_source"],
    )


@dataclass(frozen=True)
class Pool:
    """Words in falling order of frequency, drawn with weight 1 / rank ** steepness."""

    words: Text
    weights: Floats

    def draw(self, rng: np.random.Generator, count: int) -> Text:
        """`count` words, independently."""
        return self.words[rng.choice(len(self.words), count, p=self.weights)]


@cache
def load_pool(name: str, steepness: float = 0.5) -> Pool:
    """The list of that name in `names.yaml`."""
    words = np.array(str(_read("names.yaml")[name]).split(), dtype=object)
    weights = 1.0 / np.arange(1, len(words) + 1) ** steepness
    return Pool(words, weights / weights.sum())


@cache
def _read(name: str) -> Any:
    return yaml.safe_load(resources.files("connectors.synthetic").joinpath(name).read_text("utf-8"))
