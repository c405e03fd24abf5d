"""Writes docs/sources/rules.md, the page of all rules, from the rulebook: `python -m connectors.rules_page`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

from policies.rules.rulebook import Rule, rulebook

EFFECTS = {
    "refuse": "nothing of the file is used",
    "reject": "the row is not used",
    "leave": "the row is left out; no fault",
    "drop": "the cell is not used, the row is",
    "note": "used; have a look",
}
_TITLES = {
    "files": "The file as a whole",
    "rows": "The row as a whole",
    "identity": "Who the row is about",
    "dates": "Dates",
    "codes": "Codes and text",
    "numbers": "Numbers",
    "demographics": "Demographics",
    "caaspp": "Test scores",
    "reports": "CALPADS report exports",
    "rosters": "OneRoster, School Data Sync and Ed-Fi sets",
    "clearinghouse": "Clearinghouse reports",
    "employment": "Employment aggregates",
    "plausibility": "Against last time",
}
_HEAD = """# Rules

What `promise-edge check` may say of a file, by code. A code never changes its meaning. Codes ending in 51 and above \
name the same fault as the code 50 below, in a column without which the row cannot be used.
"""


def rules_page() -> str:
    """The page as Markdown."""
    return "\n".join((_HEAD, *_sections()))


def _sections() -> Iterator[str]:
    order = list(_TITLES)
    rules = sorted(rulebook().values(), key=lambda rule: (order.index(rule.page), rule.code))
    for page, of_page in itertools.groupby(rules, key=lambda rule: rule.page):
        yield f"## {_TITLES[page]}\n"
        yield "| Code | What is wrong | Effect | What to do | Example |\n| --- | --- | --- | --- | --- |"
        yield from (_row(rule) for rule in of_page)
        yield ""


def _row(rule: Rule) -> str:
    anchor = f'<a id="{rule.code.lower()}"></a>{rule.code}'
    return f"| {anchor} | {rule.cause} | {EFFECTS[rule.severity]} | {rule.fix} | {rule.example} |"


if __name__ == "__main__":
    sys.stdout.write(rules_page())
