"""Protects somebody's report of true counts: the same lines, with what must be hidden left out.

The engine asks for persons by every dimension; a report gives sums only. Any list of persons with these sums serves:
what is shown is made of the sums alone, and the audit seeks other lists with the same sums.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import highspy
import numpy as np

from hub.errors import Conflict, Fault, Invalid
from hub.release.reports.equations import YES, Axis, Equations, Ints, Set, equations, join_tree, program_of, solver_of
from hub.release.reports.reading import Line, Report, Sheet
from policies.disclosure.engine import protect
from policies.disclosure.types import (
    FREE,
    TOTAL,
    BaseCell,
    Block,
    Dimension,
    ReleasedCell,
    Rules,
    TableDeclaration,
    Tally,
)
from policies.disclosure.types import Verdict as EngineVerdict

FURTHER = ("rate_low", "rate_high", "status")
REPORT = "report"
SEARCH_MAX = 1_000_000
"""How far a list of persons with the sums of a report is searched for."""
Person = tuple[dict[str, int], int]


@dataclass(frozen=True)
class ProtectedReport:
    """The protected file as text, and the engine's verdict."""

    text: str
    verdict: EngineVerdict


def protect_report(report: Report, *, rules: Rules) -> ProtectedReport:
    """The report with what must be hidden left out.

    Raises Invalid when a line has no true count, Conflict when the lines contradict or no clean protection is found.
    """
    _check_true(report)
    blocks = [_block(sheet, place) for place, sheet in enumerate(report.sheets)]
    protected = protect(blocks, rules=rules)
    if not protected.verdict.clean:
        raise Conflict(
            "No protection was found that gives nothing away.",
            code="report-unprotected",
            next_step="Leave out a column of dimensions, or put groups together.",
        )
    cells: dict[tuple[int, tuple[tuple[str, str], ...]], ReleasedCell] = {}
    for cell in protected.cells:
        shown = tuple(sorted(pair for pair in cell.levels if pair[1] != TOTAL))
        cells.setdefault((cell.cohort_year, shown), cell)
    of_line = {
        line.number: cells[place, line.group] for place, sheet in enumerate(report.sheets) for line in sheet.lines
    }
    return ProtectedReport(_written(report, of_line), protected.verdict)


def _check_true(report: Report) -> None:
    for sheet in report.sheets:
        for line in sheet.lines:
            told = (line.count, line.numerator or (0, 0))
            if any(low != high for low, high in told):
                raise Invalid(
                    "A line has no true count; protection needs every number before anything was hidden.",
                    code="report-hidden",
                    next_step="Give the counts as they were counted, numerators too; --ignore leaves a column out.",
                    faults=(Fault(f"line {line.number}", "report-hidden"),),
                )


def _block(sheet: Sheet, place: int) -> Block:
    built = equations(sheet)
    names = tuple(built.axes)
    persons = _persons(built, _solution(built))
    tallies: dict[tuple[str, ...], Tally] = defaultdict(lambda: Tally(0, 0, 0))
    for number, (levels, outcome) in enumerate(persons):
        reached = outcome if built.outcomes > 1 else number % 2
        key = tuple(built.axes[name].leaves[levels[name]] for name in names)
        tallies[key] += Tally(1, 1, reached)
    return Block(
        indicator=REPORT,
        cohort_year=place,
        dimensions=tuple(_dimension(name, built, sheet) for name in names),
        cells=tuple(BaseCell(levels=levels, tally=tally) for levels, tally in tallies.items()),
        tables=_tables(sheet),
        complete=True,
    )


def _dimension(name: str, built: Equations, sheet: Sheet) -> Dimension:
    axis = built.axes[name]
    groups = [level for level in axis.under if level not in axis.leaves]
    first, *crossing = [_parents(axis, ways) for ways in _nested(axis, groups)] or [{}]
    return Dimension(name=name, levels=axis.leaves, parents=first, crossing=tuple(crossing))


def _nested(axis: Axis, groups: Iterable[str]) -> list[list[str]]:
    """The groups of a dimension in as few hierarchies as come of taking each into the first that it does not cross."""
    found: list[list[str]] = []
    for group in sorted(groups, key=lambda one: -len(axis.under[one])):
        host = next((ways for ways in found if not any(_cross(axis, group, other) for other in ways)), None)
        if host is None:
            found.append([group])
        else:
            host.append(group)
    return found


def _cross(axis: Axis, one: str, other: str) -> bool:
    """Whether two groups share some leaves and neither holds the other."""
    a, b = set(axis.under[one]), set(axis.under[other])
    return bool(a & b) and not (a <= b or b <= a)


def _parents(axis: Axis, nested: list[str]) -> dict[str, str]:
    """Each level of one hierarchy with the smallest group above it; of two alike, one stands above the other."""
    parents: dict[str, str] = {}
    for place, group in enumerate(nested):
        holding = [other for other in nested[:place] if set(axis.under[group]) <= set(axis.under[other])]
        parents |= {group: holding[-1]} if holding else {}
        parents |= {axis.leaves[leaf]: group for leaf in axis.under[group]}
    return parents


def _tables(sheet: Sheet) -> tuple[TableDeclaration, ...]:
    """The tables of the lines; what stands first in the file gives way last."""
    named = dict.fromkeys(tuple(sorted({name for name, _ in line.group})) for line in sheet.lines)
    return tuple(
        TableDeclaration(name=" by ".join(names) or TOTAL, dimensions=names, priority=place)
        for place, names in enumerate(sorted(named, key=len), start=1)
    )


def _solution(built: Equations) -> Ints:
    """Whole numbers of persons with the sums of all lines; raises Conflict when there are none."""
    program = program_of(built)
    program.integrality_ = [highspy.HighsVarType.kInteger] * built.size
    solver = solver_of(program)
    solver.setOptionValue("mip_max_nodes", SEARCH_MAX)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise Conflict(
            "No list of persons has the sums of all these lines: groups overlap, or a number is wrong.",
            code="report-contradicts",
            next_step="Run release check on the file, or give the hierarchies: --hierarchies FILE.",
        )
    return np.asarray(np.rint(np.array(solver.getSolution().col_value)), dtype=np.int64)


def _persons(built: Equations, solution: Ints) -> list[Person]:
    """A list of persons with every level, joined along the tree of tables, in which the sets agree where they meet."""
    _, joints = join_tree(built.sets)
    order = [host for _, host, _ in joints[-1:]] or list(built.sets[:1])
    persons = _of_set(built, order[0], solution)
    for one, _, shared in reversed(joints):
        persons = _joined(persons, _of_set(built, one, solution), shared)
    return persons


def _of_set(built: Equations, one: Set, solution: Ints) -> list[Person]:
    names = sorted(one)
    found: list[Person] = []
    for place, cell in enumerate(built.cells[one].tolist()):
        for outcome in range(built.outcomes):
            count = int(solution[built.starts[one] + place * built.outcomes + outcome])
            kind = YES if outcome == YES else 0
            found += [(dict(zip(names, cell, strict=True)), kind)] * count
    return found


def _joined(persons: Iterable[Person], others: Iterable[Person], shared: Set) -> list[Person]:
    """Each person with the further levels of one who is alike in what is shared."""
    waiting: dict[tuple[object, ...], list[Person]] = defaultdict(list)
    for other in others:
        waiting[_likeness(other, shared)].append(other)
    return [({**waiting[_likeness(person, shared)].pop()[0], **person[0]}, person[1]) for person in persons]


def _likeness(person: Person, shared: Set) -> tuple[object, ...]:
    return (person[1], *(person[0][name] for name in sorted(shared)))


def _written(report: Report, cells: Mapping[int, ReleasedCell]) -> str:
    columns = report.columns
    further = [name for name in FURTHER if name not in report.header and (columns.numerator or name == "status")]
    out = io.StringIO()
    writer = csv.DictWriter(out, [*report.header, *further], lineterminator="\n")
    writer.writeheader()
    for line in sorted((line for sheet in report.sheets for line in sheet.lines), key=lambda line: line.number):
        row = dict(report.rows[line.number - 2])
        writer.writerow({**row, **_fields(cells[line.number], line, report)})
    return out.getvalue()


def _fields(cell: ReleasedCell, line: Line, report: Report) -> dict[str, object]:
    columns, shown = report.columns, cell.status == FREE
    fields: dict[str, object] = {columns.count: cell.known if shown else "", "status": cell.status}
    if columns.numerator is not None:
        fields[columns.numerator] = "" if cell.k is None else cell.k
        fields |= {name: "" if (told := getattr(cell, name)) is None else told for name in ("rate_low", "rate_high")}
        if columns.rate is not None:
            fields[columns.rate] = "" if cell.rate is None else cell.rate
    return fields
