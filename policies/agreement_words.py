"""An agreement in plain words, and what changed between two versions of it: for people who do not read YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.agreements import LISTED, Agreement
from policies.dictionary import dictionary

TIERS: Mapping[str, str] = {
    "MOU": "memorandum of understanding: lets no data move by itself",
    "DSA": "data-sharing agreement: data in, by provider",
    "DUL": "data use licence: results out, by project",
}


@dataclass(frozen=True)
class Change:
    """One place in which two versions differ; None where a version has nothing there."""

    place: str
    before: str | None
    after: str | None

    def line(self) -> str:
        """The change as one line."""
        if self.before is None:
            return f"+ {self.place}: {self.after}"
        if self.after is None:
            return f"- {self.place}: {self.before}"
        return f"~ {self.place}: {self.before} -> {self.after}"


def plain_words(agreement: Agreement) -> str:
    """The agreement as a page in Markdown: who, why, what, how long, and every clause."""
    return "\n".join(_lines(agreement)) + "\n"


def changes(before: Agreement, after: Agreement) -> tuple[Change, ...]:
    """Every place that differs, in order of place; lists are compared by their members and not by their order."""
    old, new = dict(_places(_content(before))), dict(_places(_content(after)))
    return tuple(
        Change(place, old.get(place), new.get(place))
        for place in sorted(old.keys() | new.keys())
        if old.get(place) != new.get(place)
    )


def _lines(agreement: Agreement) -> Iterator[str]:
    until = f"from {agreement.retention.effective} to {agreement.retention.expires}"
    yield f"# {agreement.title}"
    yield f"{agreement.id} version {agreement.version}, {TIERS[agreement.tier]}. In force {until}, if activated."
    if agreement.parent is not None:
        yield f"It stands under {agreement.parent}."
    yield f"Legal basis: {', '.join((*agreement.legal_basis, *agreement.state_basis)) or 'none'}."
    yield from _section("Parties", (f"{one.organisation}: {one.role}, {one.authority}" for one in agreement.parties))
    yield from _section("Purposes", (f"{one.id}: {one.text} {one.activity}" for one in agreement.purposes))
    if agreement.populations is not None:
        years = f"{agreement.populations.first_year or 'any'} to {agreement.populations.last_year or 'any'}"
        narrowed = [f"{agreement.populations.text}; school years {years}"]
        for name in ("grades", "areas"):
            if found := getattr(agreement.populations, name):
                narrowed.append(f"only {name}: {', '.join(found)}")
        yield from _section("Whose records", narrowed)
    yield from _section("What may be sent", _element_lines(agreement))
    yield from _section("What may link", _linkage_lines(agreement))
    yield from _section("What may come out", _output_lines(agreement))
    yield from _section("Days and duties", _duty_lines(agreement))
    held = ((name, words) for name, words in agreement.clauses if words is not None)
    yield from _section("Clauses", (f"{name.replace('_', ' ')}: {words}" for name, words in held))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"\n## {title}"
        yield from (f"- {line}" for line in found)


def _element_lines(agreement: Agreement) -> Iterator[str]:
    tables = dictionary().tables
    for table, named in agreement.elements.items():
        for name in named:
            terms = agreement.terms(table, name) or LISTED
            known = tables[table].elements[name]
            split = "splits" if terms.may_disaggregate else "does not split"
            told = "is reported" if terms.may_report else "is not reported"
            yield f"{table}.{name} ({known.element_class}; {known.ceds}): {told}, {split}"


def _linkage_lines(agreement: Agreement) -> Iterator[str]:
    if agreement.linkage is not None:
        yield f"identifiers, encoded at the provider: {', '.join(sorted(agreement.linkage.identifiers))}"
        yield f"with records of: {', '.join(sorted(agreement.linkage.allowed_sources))}"
        yield f"views: {', '.join(agreement.linkage.views)}; the key is with {agreement.linkage.key_custodian}"


def _output_lines(agreement: Agreement) -> Iterator[str]:
    outputs = agreement.outputs
    yield f"counts of {outputs.min_n} persons or more, at most {outputs.max_dimensions} splits at once"
    yield f"no place finer than the {outputs.geographic_floor}"
    if outputs.numerator_min:
        yield f"at least {outputs.numerator_min} who reached the outcome"
    if outputs.indicators:
        yield f"indicators: {', '.join(sorted(outputs.indicators))}"
    if outputs.dimensions:
        yield f"splits: {', '.join(sorted(outputs.dimensions))}"


def _duty_lines(agreement: Agreement) -> Iterator[str]:
    yield f"destroyed within {agreement.retention.destroy_within_days} days after the end, with a certificate"
    if agreement.opt_outs is not None:
        kinds = {"directory block": agreement.opt_outs.directory_block, "parents' list": agreement.opt_outs.parent_list}
        honoured = ", ".join(name for name, held in kinds.items() if held) or "none"
        yield f"objections honoured from the next cohort's release: {honoured}"
    if agreement.breach is not None:
        yield f"a breach is told within {agreement.breach.notify_hours} hours to: {agreement.breach.contacts}"
    if agreement.review is not None:
        yield f"looked at again on {agreement.review.next}"


def _content(agreement: Agreement) -> dict[str, Any]:
    """What is compared: parties and purposes by name, so that one that is added does not move the others."""
    content = agreement.model_dump(mode="json", by_alias=True, exclude={"elements"})
    content["parties"] = {one.pop("organisation"): one for one in content["parties"]}
    content["purposes"] = {one.pop("id"): one for one in content["purposes"]}
    content["elements"] = {
        table: {name: (agreement.terms(table, name) or LISTED).model_dump(by_alias=True) for name in named}
        for table, named in agreement.elements.items()
    }
    return content


def _places(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        yield from ((f"{at}.{one}", "named") for one in value)
    elif value is not None:
        yield at, str(value)
