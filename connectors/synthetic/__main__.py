"""`python -m connectors.synthetic make`: writes the demonstration's county."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from connectors.synthetic.county import make_county
from connectors.synthetic.people import Span


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when the county is written, 2 when the folder is not empty."""
    chosen = _parser().parse_args(arguments)
    folder: Path = chosen.out
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty. Choose an empty folder, or remove what is in it.", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    made = make_county(folder, people=chosen.people, seed=chosen.seed, span=Span(chosen.first_year, chosen.last_year))
    submissions = sum(len(years) for one in made["providers"] for years in one["kinds"].values())
    print(f"{chosen.people} people, none of whom exists, and {submissions} submissions to make, in {folder}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m connectors.synthetic", description="Make a county of people who do not exist."
    )
    make = parser.add_subparsers(dest="command", required=True).add_parser(
        "make", help="write a county into an empty folder"
    )
    make.add_argument("--people", type=int, default=3000, help="how many people (default 3000)")
    make.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default 1)")
    make.add_argument("--out", type=Path, required=True, help="an empty folder")
    make.add_argument(
        "--first-year", type=int, default=2019, help="first school year, by its ending year (default 2019)"
    )
    make.add_argument("--last-year", type=int, default=2026, help="last school year, by its ending year (default 2026)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
