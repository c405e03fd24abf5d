"""The office's answer to a parent, as a letter to print: what the hub was given of the child, and who got results.

The hub answers by the record reference alone; the letter is made in the office, which knows to whom it goes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from policies.opt_outs import SCOPE_WORDS, OptOutScope

ANSWER_DAYS = 45
"""34 CFR 99.10(b): a request to inspect is answered within a reasonable time, at most 45 days."""


def disclosure_letter(told: Mapping[str, Any], *, day: dt.date) -> str:
    """The answer to a parent who asks what was given of the child (34 CFR 99.10, 99.32; Cal. Ed. Code 49064)."""
    return "\n".join(_lines(told, day)) + "\n"


def objection_letter(told: Mapping[str, Any], *, day: dt.date) -> str:
    """The answer to a parent who objects, or takes an objection back."""
    scope = SCOPE_WORDS[OptOutScope(told["scope"])]
    lines = [f"{day:%d %B %Y}", "", "To the parent or guardian", ""]
    if told["word"] == "record":
        lines += [
            f"We have recorded your objection against {scope}.", "",
            "From now on your child is left out wherever the agreement with the partnership honours it, in every group "
            "of children of which no figure has been published yet. Figures that are published stay as they are: to "
            "publish them again without one child would show that child. What a law demands of us is not affected.",
        ]  # fmt: skip
    else:
        lines += [
            f"We have taken back your objection against {scope}.", "",
            "Your child counts again in every group of children of which no figure has been published yet.",
        ]  # fmt: skip
    return "\n".join((*lines, "", *_rights())) + "\n"


def _lines(told: Mapping[str, Any], day: dt.date) -> Iterator[str]:
    yield from (f"{day:%d %B %Y}", "", "To the parent or guardian", "")
    yield "You asked what we gave of your child's records to the Promise partnership, and who received results of it."
    yield ""
    if not told["submissions"]:
        yield "We gave nothing of your child's records to the partnership."
    else:
        yield "We gave records, with the identity encoded so that nobody at the partnership can read it:"
        yield from (f"- school year {one['school_year']}, under {one['agreement']}" for one in told["submissions"])
    yield ""
    if not told["recipients"]:
        yield "No result that was made with the record has been published."
    else:
        yield "Nobody received your child's record. Counts of groups of children, protected so that no child can be"
        yield "told from them, were made with it and received by:"
        yield from (_received(one) for one in told["recipients"])
    yield ""
    for one in told.get("opt_outs", ()):
        until = f", taken back on {one['withdrawn'][:10]}" if one["withdrawn"] else ""
        yield f"Your objection of {one['since'][:10]}: {SCOPE_WORDS[OptOutScope(one['scope'])]}{until}."
    yield from _rights()


def _received(one: Mapping[str, Any]) -> str:
    if not one["agreement"]:
        return f"- the public, in the release {one['release']}"
    return f"- {one['organisation']}, under {one['agreement']}, for {one['purpose']}, release {one['release']}"


def _rights() -> tuple[str, ...]:
    return (
        f"You may inspect your child's records here within {ANSWER_DAYS} days of asking, and ask us to correct them.",
        "You may object to further use, and take an objection back, by telling this office. You may complain to the",
        "Student Privacy Policy Office of the U.S. Department of Education.",
    )
