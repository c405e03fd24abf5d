"""Data-sharing agreements that the machine evaluates: their form, their clauses and their days.

Three tiers (AISP; Rhode Island EOHHS): MOU (all contributors: mission and governance), DSA (data in, by provider),
DUL (data out, by project). The JSON Schema is generated from these models. A clause that a legal basis demands and
that is missing refuses activation and is named.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from policies.agreement_clauses import Clauses, LegalBasis, Tier, demanded_clauses
from policies.dictionary import dictionary
from policies.disclosure_floor import MINIMUM_N
from policies.organisation_files import organisations
from policies.refusal import StatementRefused
from policies.submission import canonical_json
from policies.yaml_text import read_yaml

Slug = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
Text = Annotated[str, Field(min_length=3, max_length=4000)]
SchoolYear = Annotated[int, Field(ge=2000, le=2100)]
FORMAT = "promise-agreement/1"
"""What a text hash begins with: another way to write an agreement is another format, and needs new signatures."""


LATER_PARTS = ("grades", "areas")
"""Parts of `populations` that the form got after its first signatures."""


class AgreementError(StatementRefused):
    """An agreement that cannot be read or activated: code, place (a clause) and next step."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Party(_Strict):
    """One organisation and the part it plays; `signed_at` tells of paper, and counts for nothing here."""

    organisation: Slug
    role: Literal["contributor", "hub", "licensee"]
    authority: Literal["LEA", "county", "IHE", "preschool", "CBO", "state", "hub"]
    signatory: Text | None = None
    signed_at: dt.date | None = None


class Purpose(_Strict):
    """What the data are for; a query names `id`.

    `under`: in a licence, the purpose of those who give the records that this project serves; its own id when left out.
    """

    id: Slug
    under: Slug | None = None
    text: Text
    activity: Text
    why_identity: Text | None = None


ViewName = Literal[
    "date_spelling",
    "spellings_year",
    "spellings_day",
    "spellings_place",
    "ssid",
    "dob",
    "names",
    "place",
    "guardian",
]


class ElementTerms(_Strict):
    """What may be done with one element of facts; an element that is only listed may be reported and split by.

    `class` is the dictionary's, said here for the reader. Facts never link: identifiers stand under `linkage`.
    """

    element_class: Literal["quasi", "outcome", "sensitive"] | None = Field(default=None, alias="class")
    may_link: Literal[False] = False
    may_report: bool = True
    may_disaggregate: bool = True


class Populations(_Strict):
    """Whose records are meant: in words, and the school years (by their ending year) that may be sent.

    `grades` (codes of the data dictionary) and `areas` (of the county) narrow it; empty means all.
    """

    text: Text
    first_year: SchoolYear | None = None
    last_year: SchoolYear | None = None
    grades: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()

    def hold(self, school_year: int) -> bool:
        """Whether records of that school year are meant."""
        after = self.first_year is None or self.first_year <= school_year
        return after and (self.last_year is None or school_year <= self.last_year)


class OptOuts(_Strict):
    """Whose objections are honoured before records leave; one takes effect from the next cohort's release."""

    directory_block: bool
    parent_list: bool


class Breach(_Strict):
    """Within how many hours of its discovery a breach is told, and to whom."""

    notify_hours: Annotated[int, Field(ge=1, le=720)]
    contacts: Text


class Review(_Strict):
    """When the parties look at the agreement again, and under which policy of the board."""

    next: dt.date
    board_policy: Text | None = None


class Linkage(_Strict):
    """With which kinds of provider records may be linked, and through which views."""

    allowed_sources: frozenset[Literal["county", "elementary", "unified", "high", "preschool", "college", "partner"]]
    identifiers: frozenset[Literal["given_name", "surname", "birth_date", "sex", "postcode", "ssid", "guardian"]]
    views: tuple[ViewName, ...]
    key_custodian: Text


class Outputs(_Strict):
    """What may leave: thresholds upward only, dimensions, depth, and the finest place that is told."""

    min_n: Annotated[int, Field(ge=MINIMUM_N, le=1000)] = MINIMUM_N
    numerator_min: Annotated[int, Field(ge=0, le=1000)] = 0
    indicators: frozenset[str] = frozenset()
    dimensions: frozenset[str] = frozenset()
    max_dimensions: Annotated[int, Field(ge=0, le=4)] = 2
    geographic_floor: Literal["county", "district"] = "district"


class Retention(_Strict):
    """From when to when, and what happens then."""

    effective: dt.date
    expires: dt.date
    destroy_within_days: Annotated[int, Field(ge=1, le=365)]


LISTED = ElementTerms()
"""The terms of an element that an agreement only lists."""


class Agreement(_Strict):
    """One version of one agreement."""

    id: Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,40}$")]
    tier: Tier
    version: Annotated[int, Field(ge=1, le=10_000)]
    title: Text
    parent: str | None = None
    parties: Annotated[tuple[Party, ...], Field(min_length=1)]
    legal_basis: tuple[LegalBasis, ...]
    state_basis: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...]
    populations: Populations | None = None
    elements: Mapping[str, tuple[str, ...] | Mapping[str, ElementTerms]] = Field(default_factory=dict)
    linkage: Linkage | None = None
    outputs: Outputs = Outputs()
    retention: Retention
    opt_outs: OptOuts | None = None
    breach: Breach | None = None
    review: Review | None = None
    clauses: Clauses = Clauses()

    def text_hash(self) -> str:
        """SHA-256 of the canonical content: what a signature binds."""
        content = {"format": FORMAT, **self.model_dump(mode="json", by_alias=True)}
        if self.populations is not None:
            # Parts that came later are left out while they are empty, so that what was signed before still holds.
            content["populations"] = {
                name: value for name, value in content["populations"].items() if value or name not in LATER_PARTS
            }
        return hashlib.sha256(canonical_json(_ordered(content))).hexdigest()

    def terms(self, table: str, element: str) -> ElementTerms | None:
        """What may be done with an element; None where it is not named, so that it does not leave the provider."""
        named = self.elements.get(table, ())
        if element not in named:
            return None
        return named[element] if isinstance(named, Mapping) else LISTED

    def active_on(self, day: dt.date) -> bool:
        """Whether it is in force on the day, by itself: effective to expires, both included."""
        return self.retention.effective <= day <= self.retention.expires

    def contributors(self) -> frozenset[str]:
        """The organisations that give data under it."""
        return frozenset(party.organisation for party in self.parties if party.role == "contributor")

    def licensees(self) -> frozenset[str]:
        """The organisations that get results under it."""
        return frozenset(party.organisation for party in self.parties if party.role == "licensee")


def read_agreement(text: str) -> Agreement:
    """The agreement of a YAML text; raises AgreementError AGR-001 naming the place."""
    try:
        return Agreement.model_validate(read_yaml(text))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "agreement"
        raise AgreementError("AGR-001", place, f"mend the agreement there: {first['msg']}") from None
    except yaml.YAMLError:
        raise AgreementError("AGR-001", "file", "save the agreement as YAML") from None


def missing_clauses(agreement: Agreement) -> tuple[str, ...]:
    """The clauses that tier, legal bases and state law demand and that it lacks, each once, in a fixed order."""
    held = agreement.clauses.model_dump()
    demanded = demanded_clauses(tier=agreement.tier, bases=agreement.legal_basis, state_laws=agreement.state_basis)
    return tuple(clause for clause in demanded if held[clause] is None)


def missing_parts(agreement: Agreement) -> tuple[str, ...]:
    """The parts beside clauses that its legal bases demand and that it lacks.

    34 CFR 99.35(a)(3): the personally identifiable information, and why it is needed; Cal. Ed. Code 49073.1: how a
    breach is told; 45 CFR 1303: objections of parents. A licence names what it asks, a DSA what it gives.
    """
    bases, gives = set(agreement.legal_basis), agreement.tier == "DSA"
    audited = gives and "ferpa-audit-evaluation" in bases
    unexplained = [f"purposes.{one.id}.why_identity" for one in agreement.purposes if audited and not one.why_identity]
    parts = (
        ("purposes", not agreement.purposes),
        ("elements", gives and not agreement.elements),
        ("populations", gives and agreement.populations is None),
        *((place, True) for place in unexplained),
        ("breach", gives and "ferpa-school-official" in bases and agreement.breach is None),
        ("opt_outs", gives and "head-start" in bases and agreement.opt_outs is None),
        ("outputs.indicators", agreement.tier == "DUL" and not agreement.outputs.indicators),
        ("parent", agreement.tier != "MOU" and agreement.parent is None),
    )
    return tuple(place for place, lacks in parts if lacks)


def check_activation(agreement: Agreement, *, signed_by: Collection[str]) -> None:
    """Raises AgreementError when it is not whole, or a party that gives or gets has not signed its text."""
    check_whole(agreement)
    for party in agreement.parties:
        if party.role != "hub" and party.organisation not in signed_by:
            raise AgreementError("AGR-003", f"parties.{party.organisation}", "let the party sign first")


def check_whole(agreement: Agreement) -> None:
    """Raises AgreementError when a clause, a part, an element or a linkage identifier is missing or wrong."""
    missing = missing_clauses(agreement)
    if missing:
        raise AgreementError("AGR-002", missing[0], "add the clause: the legal basis demands it")
    lacking = missing_parts(agreement)
    if lacking:
        raise AgreementError("AGR-006", lacking[0], "add the part: the legal basis or the tier demands it")
    if agreement.retention.expires < agreement.retention.effective:
        raise AgreementError("AGR-004", "retention", "let it expire after it takes effect")
    _check_populations(agreement)
    _check_views(agreement)
    _check_elements(agreement)


GRADE_ELEMENTS = (("enrollment", "grade"), ("assessment", "grade_assessed"))
"""The elements of facts that say a record's grade."""


def grade_codes() -> frozenset[str]:
    """The grades of the data dictionary."""
    return frozenset(dictionary().tables["enrollment"].elements["grade"].codes)


def _check_populations(agreement: Agreement) -> None:
    """Grades are the dictionary's and areas the county's."""
    meant = agreement.populations
    if meant is None:
        return
    if not set(meant.grades) <= grade_codes():
        raise AgreementError("AGR-017", "populations.grades", "name grades by the codes of the data dictionary")
    if not set(meant.areas) <= set(organisations().areas):
        raise AgreementError("AGR-017", "populations.areas", "name areas of the county as its list of members does")


# What each view blocks on: a view may be encoded only when every identifier behind it is agreed.
IDENTIFIERS_BY_VIEW: Mapping[str, frozenset[str]] = {
    "date_spelling": frozenset({"birth_date", "given_name", "surname"}),
    "spellings_year": frozenset({"birth_date", "given_name", "surname"}),
    "spellings_day": frozenset({"birth_date", "given_name", "surname"}),
    "spellings_place": frozenset({"postcode", "given_name", "surname"}),
    "dob": frozenset({"birth_date"}),
    "names": frozenset({"given_name", "surname"}),
    "ssid": frozenset({"ssid"}),
    "place": frozenset({"postcode", "surname", "given_name"}),
    "guardian": frozenset({"guardian"}),
}


def _check_views(agreement: Agreement) -> None:
    if agreement.linkage is None:
        return
    for view in agreement.linkage.views:
        if not IDENTIFIERS_BY_VIEW[view] <= agreement.linkage.identifiers:
            raise AgreementError("AGR-005", f"linkage.views.{view}", "agree the identifiers this view blocks on")


def _check_elements(agreement: Agreement) -> None:
    """Every element is the data dictionary's, and of the class that is said of it."""
    tables = dictionary().tables
    for table, named in agreement.elements.items():
        for name in named:
            known = tables[table].elements.get(name) if table in tables else None
            place = f"elements.{table}.{name}"
            if known is None:
                raise AgreementError("AGR-007", place, "name tables and elements of the data dictionary")
            said = (agreement.terms(table, name) or LISTED).element_class
            if said not in (None, known.element_class):
                raise AgreementError("AGR-008", place, f"its class is {known.element_class}")


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of an agreement file."""
    schema = Agreement.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Promise Hub agreement", **schema}


def in_force(agreements: Sequence[Agreement], day: dt.date) -> tuple[Agreement, ...]:
    """Of each agreement the newest version that has taken effect, where it has not expired; in order of id."""
    return tuple(one for one in effective(agreements, day) if one.active_on(day))


def effective(agreements: Sequence[Agreement], day: dt.date) -> tuple[Agreement, ...]:
    """Of each agreement the newest version that has taken effect by the day, expired or not; in order of id.

    An amendment takes the place of the version before it on the day from which it holds, and not sooner.
    """
    newest: dict[str, Agreement] = {}
    for agreement in agreements:
        known = newest.get(agreement.id)
        if agreement.retention.effective <= day and (known is None or known.version < agreement.version):
            newest[agreement.id] = agreement
    return tuple(newest[key] for key in sorted(newest))


def _ordered(value: Any) -> Any:
    """Sets come out of pydantic in any order: sort every list of plain strings that is a set in the model."""
    if isinstance(value, dict):
        return {key: _sorted_set(key, _ordered(item)) for key, item in value.items()}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


def _sorted_set(key: str, value: Any) -> Any:
    return sorted(value) if key in ("allowed_sources", "identifiers", "indicators", "dimensions") else value
