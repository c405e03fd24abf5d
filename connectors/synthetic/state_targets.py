"""Calibrates the synthetic county to the state's public files where they are given; before the road.

Without files `calibration.yaml` stands as it is. A figure that the files do not tell keeps its written value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from connectors.errors import FileRefusedError
from connectors.grids import read_grid
from connectors.synthetic.calibration import Calibration, Figure
from policies.state_figures.reading import StateFigure, StateFileError, read_state_rows
from policies.state_figures.targets import Target, county_targets


def read_targets(paths: Iterable[Path], *, until: int | None = None) -> dict[str, Target]:
    """The county's targets by calibration name; raises FileRefusedError for a file of another layout."""
    figures: list[StateFigure] = []
    for path in paths:
        try:
            figures += read_state_rows(line.cells for line in read_grid(path).lines).figures
        except StateFileError as error:
            raise FileRefusedError(error.code, f"{path.name}: {error.reason}.", error.next_step) from None
    return county_targets(figures, until=until)


def calibrated_to(calibration: Calibration, targets: Mapping[str, Target]) -> Calibration:
    """The same calibration with the targets in place of the figures of the same name."""
    known = {name: target for name, target in targets.items() if name in calibration.figures}
    figures = {name: Figure(target.value, target.year, target.source) for name, target in known.items()}
    return replace(calibration, figures={**calibration.figures, **figures})
