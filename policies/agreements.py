"""Data-sharing agreements that the machine evaluates: their form, their clauses and their days.

Three tiers (AISP; Rhode Island EOHHS): MOU (all contributors: mission and governance), DSA (data in, by provider),
DUL (data out, by project). The JSON Schema is generated from these models. A clause that a legal basis demands and
that is missing refuses activation and is named.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from policies.disclosure_floor import MINIMUM_N
from policies.refusal import StatementRefused
from policies.submission import canonical_json
from policies.yaml_text import read_yaml

Slug = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
Text = Annotated[str, Field(min_length=3, max_length=4000)]
LegalBasis = Literal["ferpa-school-official", "ferpa-audit-evaluation", "ferpa-studies", "head-start", "public-record"]
IDENTIFIERS = ("given_name", "surname", "birth_date", "sex", "postcode", "ssid", "guardian")


class AgreementError(StatementRefused):
    """An agreement that cannot be read or activated: code, place (a clause) and next step."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Party(_Strict):
    """One organisation and the part it plays."""

    organisation: Slug
    role: Literal["contributor", "hub", "licensee"]
    authority: Literal["LEA", "county", "IHE", "preschool", "CBO", "state", "hub"]
    signatory: Text | None = None
    signed_at: dt.date | None = None


class Purpose(_Strict):
    """What the data are for; a query names `id`."""

    id: Slug
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


class Linkage(_Strict):
    """With which kinds of provider records may be linked, and through which views."""

    allowed_sources: frozenset[Literal["county", "elementary", "unified", "high", "preschool", "college", "partner"]]
    identifiers: frozenset[Literal["given_name", "surname", "birth_date", "sex", "postcode", "ssid", "guardian"]]
    views: tuple[ViewName, ...]
    key_custodian: Text


class Outputs(_Strict):
    """What may leave: thresholds upward only, dimensions and depth."""

    min_n: Annotated[int, Field(ge=MINIMUM_N, le=1000)] = MINIMUM_N
    numerator_min: Annotated[int, Field(ge=0, le=1000)] = 0
    indicators: frozenset[str] = frozenset()
    dimensions: frozenset[str] = frozenset()
    max_dimensions: Annotated[int, Field(ge=0, le=4)] = 2


class Retention(_Strict):
    """From when to when, and what happens then."""

    effective: dt.date
    expires: dt.date
    destroy_within_days: Annotated[int, Field(ge=1, le=365)]


class Clauses(_Strict):
    """The clauses in words; which of them must stand depends on the legal basis."""

    authorised_representative: Text | None = None
    use_limited_to_purpose: Text | None = None
    identification_limited: Text | None = None
    destruction: Text | None = None
    further_disclosure_barred: Text | None = None
    records_stay_property: Text | None = None
    no_other_use: Text | None = None
    review_and_correct: Text | None = None
    security: Text | None = None
    breach_notice: Text | None = None
    annual_notice: Text | None = None
    parent_right_to_object: Text | None = None


class Agreement(_Strict):
    """One version of one agreement."""

    id: Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,40}$")]
    tier: Literal["MOU", "DSA", "DUL"]
    version: Annotated[int, Field(ge=1, le=10_000)]
    title: Text
    parent: str | None = None
    parties: Annotated[tuple[Party, ...], Field(min_length=1)]
    legal_basis: tuple[LegalBasis, ...]
    state_basis: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...]
    elements: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    linkage: Linkage | None = None
    outputs: Outputs = Outputs()
    retention: Retention
    clauses: Clauses = Clauses()

    def text_hash(self) -> str:
        """SHA-256 of the canonical content: what a signature binds."""
        content = self.model_dump(mode="json")
        return hashlib.sha256(canonical_json(_ordered(content))).hexdigest()

    def active_on(self, day: dt.date) -> bool:
        """Whether it is in force on the day, by itself: effective to expires, both included."""
        return self.retention.effective <= day <= self.retention.expires

    def contributors(self) -> frozenset[str]:
        """The organisations that give data under it."""
        return frozenset(party.organisation for party in self.parties if party.role == "contributor")

    def licensees(self) -> frozenset[str]:
        """The organisations that get results under it."""
        return frozenset(party.organisation for party in self.parties if party.role == "licensee")


# The clauses each basis must have: PTAC guidance on reasonable methods and written agreements;
# 34 CFR 99.31(a)(6)(iii)(C), 99.35(a)(3); Cal. Ed. Code 49073.1; 45 CFR 1303 subpart C.
CLAUSES_BY_BASIS: Mapping[str, tuple[str, ...]] = {
    "ferpa-audit-evaluation": (
        "authorised_representative",
        "use_limited_to_purpose",
        "destruction",
        "further_disclosure_barred",
        "security",
    ),
    "ferpa-studies": ("use_limited_to_purpose", "identification_limited", "destruction"),
    "ferpa-school-official": (
        "records_stay_property",
        "no_other_use",
        "review_and_correct",
        "security",
        "breach_notice",
    ),
    "head-start": ("annual_notice", "parent_right_to_object", "use_limited_to_purpose", "destruction"),
    "public-record": (),
}


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
    """The clauses that its legal bases demand and that it lacks, each once, in a fixed order."""
    held = agreement.clauses.model_dump()
    demanded = [clause for basis in agreement.legal_basis for clause in CLAUSES_BY_BASIS[basis]]
    return tuple(dict.fromkeys(clause for clause in demanded if held[clause] is None))


def check_activation(agreement: Agreement) -> None:
    """Raises AgreementError when a clause, a signature or a linkage identifier is missing."""
    missing = missing_clauses(agreement)
    if missing:
        raise AgreementError("AGR-002", missing[0], "add the clause: the legal basis demands it")
    for party in agreement.parties:
        if party.role != "hub" and party.signed_at is None:
            raise AgreementError("AGR-003", f"parties.{party.organisation}", "let the party sign first")
    if agreement.retention.expires < agreement.retention.effective:
        raise AgreementError("AGR-004", "retention", "let it expire after it takes effect")
    _check_views(agreement)


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


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of an agreement file."""
    return Agreement.model_json_schema()


def in_force(agreements: Sequence[Agreement], day: dt.date) -> tuple[Agreement, ...]:
    """The newest version of each agreement, where it is active on the day; in order of id."""
    newest: dict[str, Agreement] = {}
    for agreement in agreements:
        if agreement.id not in newest or newest[agreement.id].version < agreement.version:
            newest[agreement.id] = agreement
    return tuple(newest[key] for key in sorted(newest) if newest[key].active_on(day))


def _ordered(value: Any) -> Any:
    """Sets come out of pydantic in any order: sort every list of plain strings that is a set in the model."""
    if isinstance(value, dict):
        return {key: _sorted_set(key, _ordered(item)) for key, item in value.items()}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


def _sorted_set(key: str, value: Any) -> Any:
    return sorted(value) if key in ("allowed_sources", "identifiers", "indicators", "dimensions") else value
