"""Makes a whole synthetic county in a folder: providers' files, three bad deliveries, and the truth apart.

It stands before the road: what it writes is what stewards would have in their own hands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from connectors.synthetic import later
from connectors.synthetic.bad_files import write_bad_files
from connectors.synthetic.calpads import PupilFiles, state_files
from connectors.synthetic.clearinghouse import clearinghouse_lines
from connectors.synthetic.dirt import repeated, spoiled
from connectors.synthetic.early import preschool_lines
from connectors.synthetic.file_dirt import kept_files
from connectors.synthetic.forms import FileLines, forms
from connectors.synthetic.people import Span
from connectors.synthetic.scores import readiness_lines, score_lines
from connectors.synthetic.truth import write_truth
from connectors.synthetic.world import World, make_world


def make_county(folder: Path, *, people: int, seed: int, span: Span, file_faults: bool = True) -> Mapping[str, Any]:
    """Writes the county into an empty folder, byte for byte by its arguments. Returns what `county.json` says.

    Without `file_faults` every file stands as it was exported; cells are spoiled all the same.
    """
    world = make_world(people, seed=seed, span=span)
    rngs = [np.random.default_rng([seed, stage]) for stage in (90, 92, 93)]
    of_files = rngs[2] if file_faults else None
    written = _write_files(folder / "providers", world, rngs[0], dirt=rngs[1], of_files=of_files)
    _write_sources(folder / "providers", written)
    bad = write_bad_files(folder, span=span, rng=np.random.default_rng([seed, 91]))
    write_truth(folder / "truth", world)
    summary = {
        "seed": seed,
        "people": people,
        "years": list(span.years),
        "providers": _provided(written),
        "bad": bad,
    }
    (folder / "county.json").write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n", "utf-8")
    return summary


def _provided(written: Mapping[tuple[str, str], list[int]]) -> list[dict[str, Any]]:
    """One entry a provider; `kind` is its roster's, `kinds` all that it submits, `years` of any kind."""
    found: dict[str, dict[str, list[int]]] = {}
    for (name, kind), years in sorted(written.items()):
        found.setdefault(name, {})[kind] = years
    return [
        {
            "id": name,
            "kind": "k12" if "k12" in kinds else min(kinds),
            "kinds": kinds,
            "years": sorted(set().union(*kinds.values())),
        }
        for name, kinds in found.items()
    ]


def _write_files(
    providers: Path,
    world: World,
    rng: np.random.Generator,
    *,
    dirt: np.random.Generator,
    of_files: np.random.Generator | None,
) -> dict[tuple[str, str], list[int]]:
    """All files of all providers; which (provider, kind) has which school years."""
    written: dict[tuple[str, str], set[int]] = {}
    for lines in _all_lines(world, rng):
        form = forms()[lines.name]
        whole = spoiled(lines, dirt)
        for year, place, own in (whole if of_files is None else repeated(whole, of_files)).files():
            organisation = world.county.organisations[place]
            inbox = providers / organisation.name / "inbox" / str(year)
            inbox.mkdir(parents=True, exist_ok=True)
            for kept in kept_files(form, own, organisation=organisation, rng=of_files):
                (inbox / kept.name.format(cds=organisation.cds, year=year)).write_bytes(kept.content)
            written.setdefault((organisation.name, form.kind), set()).add(year)
    return {key: sorted(years) for key, years in written.items()}


def _all_lines(world: World, rng: np.random.Generator) -> Iterator[FileLines]:
    people, county, span = world.people, world.county, world.span
    records, addresses, enrollments = world.records, world.addresses, world.enrollments
    pupils = PupilFiles(people, county, enrollments, records, addresses, world.services, world.days)
    yield from state_files(pupils)
    yield score_lines(pupils, world.tests)
    yield readiness_lines(pupils, world.readiness)
    yield from preschool_lines(people, world.preschool, records, addresses, county=county)
    yield from clearinghouse_lines(
        world.completions,
        world.terms,
        world.awards,
        enrollments=enrollments,
        records=records,
        county=county,
        span=span,
        rng=rng,
    )
    yield from later.college_lines(
        people, world.own_terms, world.awards, records=records, addresses=addresses, county=county, span=span
    )
    yield later.programme_lines(world.joined, records=records, addresses=addresses, county=county)
    poor = later.ever_poor(world.services, enrollments, people)
    yield from later.wage_lines(people, world.work, poor, county=county, span=span)


def _write_sources(providers: Path, written: Iterable[tuple[str, str]]) -> None:
    """What stewards say about their files, beside each inbox, where the files' own titles do not say it."""
    sources = resources.files("connectors.synthetic").joinpath("sources")
    for name, kind in written:
        source = sources.joinpath(f"{name}.yaml")
        if kind == "clearinghouse":
            source = sources.joinpath("clearinghouse.yaml")
        if source.is_file():
            (providers / name / "sources.yaml").write_bytes(source.read_bytes())
