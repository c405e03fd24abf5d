"""`python -m connectors.synthetic`: `make` writes a county; `figures` shows what it is calibrated to and what it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from connectors.synthetic.county import make_county
from connectors.synthetic.figures import compared
from connectors.synthetic.people import Span
from connectors.synthetic.world import make_world

LAST_YEAR = 2026
FIRST_YEAR, FIRST_YEAR_OF_FEW = 2017, 2019  # ten school years; eight in a small county, which has few pupils a class
FEW_PEOPLE = 10_000
PEOPLE, PEOPLE_AT_FULL_SIZE = 3_000, 55_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when it is done and every figure held, 1 when one did not, 2 when the folder is not empty."""
    chosen = _parser().parse_args(arguments)
    return _show_figures(chosen) if chosen.command == "figures" else _make(chosen)


def _make(chosen: argparse.Namespace) -> int:
    folder: Path = chosen.out
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty. Choose an empty folder, or remove what is in it.", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    made = make_county(
        folder, people=chosen.people, seed=chosen.seed, span=_span(chosen), file_faults=not chosen.as_exported
    )
    submissions = sum(len(years) for one in made["providers"] for years in one["kinds"].values())
    print(f"{chosen.people} people, none of whom exists, and {submissions} submissions to make, in {folder}")
    return 0


def _show_figures(chosen: argparse.Namespace) -> int:
    rows = list(compared(make_world(chosen.people, seed=chosen.seed, span=_span(chosen))))
    for one in rows:
        held = "" if one.held else "NOT HELD"
        print(f"{one.name:46}{one.published:10.4g}{one.produced:10.4g}  {held:10}{one.year}  {one.source}")
    return 0 if all(one.held for one in rows) else 1


def _span(chosen: argparse.Namespace) -> Span:
    usual = FIRST_YEAR_OF_FEW if chosen.people < FEW_PEOPLE else FIRST_YEAR
    return Span(usual if chosen.first_year is None else chosen.first_year, chosen.last_year)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m connectors.synthetic", description="Make a county of people who do not exist."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="write a county into an empty folder")
    make.add_argument("--out", type=Path, required=True, help="an empty folder")
    make.add_argument("--as-exported", action="store_true", help="no faults of whole files")
    figures = commands.add_parser("figures", help="show each published figure beside the one that the county has")
    for command, people in ((make, PEOPLE), (figures, PEOPLE_AT_FULL_SIZE)):
        command.add_argument("--people", type=int, default=people, help=f"how many people (default {people})")
        command.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default 1)")
        command.add_argument(
            "--first-year",
            type=int,
            help=f"first school year, by its ending year (default {FIRST_YEAR}; {FIRST_YEAR_OF_FEW} for fewer than"
            f" {FEW_PEOPLE} people)",
        )
        command.add_argument(
            "--last-year",
            type=int,
            default=LAST_YEAR,
            help=f"last school year, by its ending year (default {LAST_YEAR})",
        )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
