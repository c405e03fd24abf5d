"""The facts and true links of a made-up county, as its edges would send them: for tests that skip the linkage."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from connectors.assembly import assemble
from connectors.batches import batches, inbox_files, inbox_years, read_reports
from connectors.fact_rows import fact_lines_of
from connectors.source_map import SourceMap, read_source_map
from hub.outcomes.snapshot import PersonLinks, SubmittedFacts
from policies.submission import pack_lines

TODAY = dt.date(2026, 11, 22)


def true_links(county: Path) -> PersonLinks:
    """Who is who by the county's own truth."""
    records = table(county / "truth" / "records.csv")
    return PersonLinks(
        [row["provider"] for row in records],
        [reference_of(row["provider"])(row["local_id"]).hex() for row in records],
        [row["person"] for row in records],
    )


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def reference_of(provider: str) -> Callable[[str], bytes]:
    return lambda local_id: hashlib.sha256(f"{provider}/{local_id}".encode()).digest()[:16]


def facts_of(county: Path) -> Iterator[SubmittedFacts]:
    for provider in json.loads((county / "county.json").read_text("utf-8"))["providers"]:
        folder = county / "providers" / provider["id"]
        sources = folder / "sources.yaml"
        source_map = read_source_map(sources) if sources.exists() else SourceMap(files=())
        for year in inbox_years(folder / "inbox"):
            paths = inbox_files(folder / "inbox", year)
            reports = read_reports(paths, source_map=source_map, school_year=year, latest=TODAY)
            refused = [report.name for report in reports if report.refusal is not None]
            assert [name for name in refused if "_new" not in name] == []
            for batch in batches(reports, school_year=year):
                made = assemble(
                    batch.readings,
                    provider=provider["id"],
                    kind=batch.kind,
                    school_year=year,
                    reference_of=reference_of(provider["id"]),
                )
                chunks = tuple(content for content, _ in pack_lines(list(fact_lines_of(made.facts))))
                yield SubmittedFacts(f"{provider['id']}-{batch.kind}-{year}", provider["id"], batch.kind, year, chunks)
