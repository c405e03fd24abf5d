"""`promise-hub release check` and `release protect`: on any CSV file of counts, without a hub.

Exit codes: 0 nothing can be computed back (or protected), 1 something can, 2 the file or an option is wrong, 3 cannot
tell: the lines contradict each other, or are too many to be solved together.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.console import CANNOT_TELL, REFUSED, WRONG_USE, in_a_folder, say_error
from hub.errors import Conflict, Fault, Invalid

if TYPE_CHECKING:
    from hub.release.reports.finding import Verdict
    from hub.release.reports.reading import Wanted

SENTENCES = 40
"""So many findings are told; `--summary` writes them all."""

FileArgument = Annotated[Path, typer.Argument(help="A CSV file with a header line.", exists=True, dir_okay=False)]
HierarchiesOption = Annotated[
    Path | None,
    typer.Option(
        "--hierarchies",
        help="JSON: of each dimension, each level with the level above it or Total; or a list.",
        exists=True,
        dir_okay=False,
    ),
]
CountOption = Annotated[str, typer.Option("--count", help="The column of persons counted.")]
NumeratorOption = Annotated[str, typer.Option("--numerator", help="The column of those who reached the outcome.")]
RateOption = Annotated[str, typer.Option("--rate", help="The column of per cents.")]
TotalOption = Annotated[list[str], typer.Option("--total", help="A word that stands for everybody; may be repeated.")]
IgnoreOption = Annotated[list[str], typer.Option("--ignore", help="A column to leave out; may be repeated.")]
GroupsOption = Annotated[
    str, typer.Option("--groups", help="A column that holds levels of several dimensions; they are in --hierarchies.")
]
SummaryOption = Annotated[
    Path | None, typer.Option("--summary", help="Write the verdict as JSON.", callback=in_a_folder)
]


def check(
    file: FileArgument,
    *,
    hierarchies: HierarchiesOption = None,
    count: CountOption = "",
    numerator: NumeratorOption = "",
    rate: RateOption = "",
    total: TotalOption = [],  # noqa: B006 (typer copies it)
    ignore: IgnoreOption = [],  # noqa: B006 (typer copies it)
    groups: GroupsOption = "",
    hidden_at_most: Annotated[
        int | None, typer.Option(help="What the report says that a hidden count is at most, if it says so.")
    ] = None,
    summary: SummaryOption = None,
) -> None:
    """Say what can be computed back from a report of counts, and from which of its lines."""
    from hub.release.reports.finding import check_report
    from hub.release.reports.reading import read_report

    with _told():
        wanted = _wanted(
            hierarchies, (count, numerator, rate, groups), total=total, ignore=ignore, hidden_at_most=hidden_at_most
        )
        verdict = check_report(read_report(_text(file), wanted))
    if summary is not None:
        summary.write_text(json.dumps(verdict.as_json(), indent=1, ensure_ascii=False) + "\n", "utf-8")
    _say(verdict, file.name)
    if not verdict.safe:
        sys.exit(REFUSED)


def protect(
    file: FileArgument,
    *,
    out: Annotated[Path, typer.Option("--out", help="The protected file to write.", callback=in_a_folder)],
    hierarchies: HierarchiesOption = None,
    count: CountOption = "",
    numerator: NumeratorOption = "",
    rate: RateOption = "",
    total: TotalOption = [],  # noqa: B006 (typer copies it)
    ignore: IgnoreOption = [],  # noqa: B006 (typer copies it)
    groups: GroupsOption = "",
    min_n: Annotated[int, typer.Option(help="The smallest count that is shown.", min=11)] = 11,
    zero_shown: Annotated[bool, typer.Option("--zero-shown", help="Groups without anybody are shown as 0.")] = False,
    summary: SummaryOption = None,
) -> None:
    """Write a report of true counts anew, with what must be hidden left out; the new file is checked as well."""
    from hub.release.reports.finding import check_report
    from hub.release.reports.protecting import protect_report
    from hub.release.reports.reading import read_report
    from policies.disclosure.types import Rules

    with _told():
        wanted = _wanted(hierarchies, (count, numerator, rate, groups), total=total, ignore=ignore)
        report = read_report(_text(file), wanted)
        rules = Rules(min_n=min_n, zero_shown=zero_shown, insiders=False)
        protected = protect_report(report, rules=rules)
        verdict = check_report(read_report(protected.text, wanted), rules=rules)
        _check_safe(verdict)
    out.write_text(protected.text, "utf-8")
    kept = {table: round(share, 3) for table, share in protected.verdict.kept_share.items()}
    if summary is not None:
        told = {**verdict.as_json(), "kept_share": kept}
        summary.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{out.name}: {verdict.lines - verdict.hidden} of {verdict.lines} lines are shown in full.")
    for table, share in kept.items():
        print(f"  {table}: {share:.0%} of the groups of {min_n} or more keep their count")
    print("Nothing that is hidden can be computed from what is shown, exactly or within less than three.")


def _check_safe(verdict: "Verdict") -> None:
    """Raises Conflict when the second look, which shares no code with the engine, finds what the engine did not."""
    if not verdict.safe:
        raise Conflict(
            "The protected file does not withstand the check.",
            code="report-unprotected",
            next_step="Leave out a column of dimensions, and tell the makers: this is a fault of the engine.",
        )


@contextmanager
def _told() -> Iterator[None]:
    """Errors of a file end the command: 2 when it cannot be read as it is, 3 when it cannot be solved."""
    try:
        yield
    except Invalid as error:
        say_error(error)
        raise SystemExit(WRONG_USE) from error
    except Conflict as error:
        say_error(error)
        raise SystemExit(CANNOT_TELL) from error


def _wanted(
    hierarchies: Path | None,
    columns: tuple[str, str, str, str],
    *,
    total: list[str],
    ignore: list[str],
    hidden_at_most: int | None = None,
) -> "Wanted":
    from hub.release.reports.reading import Wanted, read_hierarchies

    count, numerator, rate, groups = columns
    return Wanted(
        count=count,
        numerator=numerator,
        rate=rate,
        totals=tuple(total),
        ignored=tuple(ignore),
        groups=groups,
        hidden_at_most=hidden_at_most,
        hierarchies={} if hierarchies is None else read_hierarchies(_text(hierarchies)),
    )


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            "The file cannot be read as text in UTF-8.",
            code="report-wrong",
            next_step="Save it as text in UTF-8: CSV, or JSON for hierarchies.",
            faults=(Fault(file.name, "report-wrong"),),
        ) from error


def _say(verdict: "Verdict", name: str) -> None:
    print(f"{name}: {verdict.lines} lines, {verdict.hidden} with a hidden number.")
    if verdict.safe:
        print("Nothing that is hidden can be computed from what is shown, exactly or within less than three.")
        return
    counts = {kind: sum(one.kind == kind for one in verdict.found) for kind in ("small", "exact", "narrow")}
    print(
        f"Given away: {counts['exact']} hidden numbers exactly, {counts['narrow']} within less than three; "
        f"{counts['small']} small counts stand there openly."
    )
    for one in verdict.found[:SENTENCES]:
        print(f"- {one.sentence}")
    if len(verdict.found) > SENTENCES:
        print(f"... and {len(verdict.found) - SENTENCES} more; --summary writes them all.")
