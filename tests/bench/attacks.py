"""The attack suite on encodings at full size, against ours and against plain CLKs, with bars.

    python tests/bench/attacks.py [--people 100000] [--views dob,names,ssid] [--clk-people 20000] [--summary FILE]
                                  [--finer] [--remedies]

`--finer` attacks views of phonetic codes with a part of the date in place of `--views` (left out: the default views);
`--remedies` tries each remedy of docs/attacks.md instead.

Each row is a name, a value (the share of records rightly named), a bar and whether it is held; docs/attacks.md says
what the attacks are. Findings at full knowledge, with the resolver's key, or on plain CLKs carry no bar.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.schema import current_schema
from tests.attacker.linkage.claims import Finding
from tests.attacker.linkage.remedies import FINER_VIEWS, finer_schema
from tests.attacker.linkage.suite import MATCHER, PUBLIC, Settings, run_remedies, run_suite

MOST_NAMED = 0.01
MOST_TIMES_CHANCE = 2.0
FULL = "plaintext of 100%"


def main() -> int:
    options = _options()
    settings = Settings(
        schema=finer_schema() if options.finer else current_schema(),
        views=FINER_VIEWS if options.finer else tuple(options.views.split(",")),
        clk_people=options.clk_people,
        seed=options.seed,
    )
    run = run_remedies if options.remedies else run_suite
    began, rows = time.monotonic(), []
    for finding in run(options.people, settings):
        rows.append(row(finding))
        print(
            f"{time.monotonic() - began:7.0f} s  {rows[-1]['name']:92} {finding.named:8.4f}  of claims"
            f" {finding.claimed:6.4f}  bar {rows[-1]['bar']:<9} {'held' if rows[-1]['held'] else 'MISSED'}",
            flush=True,
        )
    if options.summary:
        Path(options.summary).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if all(row["held"] for row in rows) else 1


def row(finding: Finding) -> dict[str, Any]:
    """The finding as a row of a benchmark, with the bar that its store and knowledge have."""
    bar = bar_of(finding)
    return {
        "name": f"{finding.store}, {finding.knowledge}: {finding.attack}",
        "value": finding.named,
        "bar": "none" if bar is None else f"<= {bar:.4g}",
        "held": bar is None or finding.named <= bar,
        "claimed": finding.claimed,
        "chance": finding.chance,
    }


def bar_of(finding: Finding) -> float | None:
    """The most that may be named, or None where the finding is a residual risk that is only reported."""
    if finding.store != MATCHER or finding.knowledge.startswith(FULL):
        return None
    return MOST_TIMES_CHANCE * finding.chance if finding.knowledge == PUBLIC else MOST_NAMED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--views", default=",".join(current_schema().default_views))
    parser.add_argument("--clk-people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--finer", action="store_true")
    parser.add_argument("--remedies", action="store_true")
    parser.add_argument("--summary")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
