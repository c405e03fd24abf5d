"""docs/indicators.md is made from the definitions and from the tables that run; this holds it to them.

Run as a program it writes the page anew.
"""

from pathlib import Path
from typing import Any

import yaml

from policies.indicator_files import DimensionFile, Indicator, ParameterValue, dimensions, indicators

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "indicators.md"
WORDS = (
    ("Source", "source"),
    ("Cohort", "cohort"),
    ("Numerator", "numerator"),
    ("Denominator", "denominator"),
    ("Timing", "timing"),
    ("Not counted", "exclusions"),
    ("Unknown", "unknown"),
    ("District", "attribution"),
    ("Cohort year", "cohort_year"),
    ("Unit", "unit"),
    ("Beside the state's figure", "comparison"),
)
HEAD = """\
# Indicators and dimensions

The seven outcomes, their companions and the dimensions they are split by, as the hub counts them. Each is data: words, parameters, dates and one query in `policies/indicators`; the version and digest stand beside every number made from it. This page is made from those files and from the tables in `tests/spec/outcomes`, which run as tests: rows in, yes, no or unknown out. To change a rule, change its file and its table, then run `python tests/spec/outcomes/test_indicator_manual.py`.

## How to read a number

- **n** is the cohort, **known** those of it whose outcome is known, **k** those who reached it. The rate is k / known; coverage is known / n.
- A missing record is not a negative outcome. Whether an outcome is known never depends on what it is.
- A person counts once in a cohort, however many agencies sent records of the child.
- "County" is the agencies of the partnership. A school year is named by its ending year: 2025-26 is 2026.
- Small districts stand in groups that are fixed in `policies/organisations`, never by a year's numbers; groups and districts are summed into areas, areas into the county.
- What is counted is not what is shown: small counts are withheld by disclosure control ([disclosure](disclosure.md)).

## What the definitions do not see

- Repeaters of the first year in the data: nobody is known to have been in the grade before it.
- Schools outside the partnership: a student who left for another county of California looks like a lost transfer, and a child of a private preschool has no preschool record.
- For graduation, cohorts whose ninth grade lies before the data, which are left out whole.
- Kindergarten readiness by different instruments: never put them into one trend.
"""  # noqa: E501


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## The seven outcomes\n"]
    parts += [_indicator(one) for one in indicators().values() if one.core]
    parts.append("## Companions\n")
    parts += [_indicator(one) for one in indicators().values() if not one.core]
    parts.append("## Dimensions\n")
    parts += [_dimension(one) for one in dimensions().values()]
    return "\n".join(parts)


def _indicator(one: Indicator) -> str:
    lines = [f"### {one.title}", "", f"`{one.id}`, version {one.version}. {one.definition}", ""]
    lines += [f"- **{title}.** {getattr(one, name)}" for title, name in WORDS]
    lines += [f"- **Parameters.** {_parameters(one.parameters)}", ""]
    return "\n".join([*lines, *_cases(HERE / ("aggregates" if one.aggregate else "tables") / f"{one.id}.yaml")])


def _dimension(one: DimensionFile) -> str:
    lines = [f"### {one.title}", "", f"`{one.id}`, version {one.version}. {one.definition}", ""]
    lines.append(f"- **Source.** {one.source}")
    lines.append(f"- **Levels.** {'; '.join(f'{level.label} (`{level.id}`)' for level in one.levels)}.")
    least = {f"`{level}` {least}" for level, least in one.minimum.items()}
    lines += [f"- **Shown only from.** {', '.join(sorted(least))}"] if least else []
    lines += [f"- **Parameters.** {_parameters(one.parameters)}"] if one.parameters else []
    return "\n".join([*lines, "", *_cases(HERE / "dimensions" / f"{one.id}.yaml")])


def _parameters(parameters: dict[str, ParameterValue]) -> str:
    return "; ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in parameters.items()) + "."


def _value(value: ParameterValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(value)
    return ", ".join(f"{item} {one}" for item, one in value.items())


def _cases(file: Path) -> list[str]:
    if not file.exists():
        return []
    lines = []
    for case in yaml.safe_load(file.read_text("utf-8"))["cases"]:
        lines += [f"**{case['says']}**", "", *_case(case)]
    return lines


def _case(case: dict[str, Any]) -> list[str]:
    lines = []
    if "parameters" in case:
        lines += [f"With {_parameters(case['parameters'])}", ""]
    for name, text in case.items():
        if name not in ("says", "parameters"):
            lines += [f"{'Gives' if name == 'expect' else f'`{name}`'}:", "", *_table(text)]
    return lines


def _table(text: str) -> list[str]:
    rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    if len(rows) == 1:
        return ["nobody", ""]
    ruled = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return [*(f"| {' | '.join(row)} |" for row in ruled), ""]


def test_the_manual_page_is_made_from_the_definitions_and_the_tables_that_run() -> None:
    written = PAGE.read_text("utf-8")

    assert written == page(), "run: python tests/spec/outcomes/test_indicator_manual.py"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
