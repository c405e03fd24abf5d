"""The clauses of an agreement in words, and which of them each legal basis demands: refused by name where one lacks.

Law on both sides of the wall. What is cited is read as the statute's list; a partnership's counsel reads the statute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Words = Annotated[str, Field(min_length=3, max_length=4000)]
Tier = Literal["MOU", "DSA", "DUL"]
LegalBasis = Literal[
    "ferpa-school-official",
    "ferpa-audit-evaluation",
    "ferpa-studies",
    "ferpa-deidentified",
    "head-start",
    "public-record",
]


class Clauses(BaseModel):
    """The clauses in words; which of them must stand depends on tier, legal basis and state law."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authorised_representative: Words | None = None
    use_limited_to_purpose: Words | None = None
    identification_limited: Words | None = None
    destruction: Words | None = None
    further_disclosure_barred: Words | None = None
    reasonable_methods: Words | None = None
    records_stay_property: Words | None = None
    pupil_content: Words | None = None
    no_other_use: Words | None = None
    review_and_correct: Words | None = None
    security: Words | None = None
    trained_persons: Words | None = None
    breach_notice: Words | None = None
    not_retained_after: Words | None = None
    joint_compliance: Words | None = None
    no_targeted_advertising: Words | None = None
    annual_notice: Words | None = None
    parent_right_to_inspect: Words | None = None
    parent_right_to_object: Words | None = None
    record_of_access: Words | None = None
    no_reidentification: Words | None = None
    dissemination: Words | None = None


CLAUSES_BY_BASIS: Mapping[LegalBasis, tuple[str, ...]] = {
    # 34 CFR 99.35(a)(2) and (a)(3)(ii); 99.33 on redisclosure
    "ferpa-audit-evaluation": (
        "authorised_representative",
        "use_limited_to_purpose",
        "destruction",
        "further_disclosure_barred",
        "reasonable_methods",
        "security",
    ),
    # 34 CFR 99.31(a)(6)(iii)(C)
    "ferpa-studies": ("use_limited_to_purpose", "identification_limited", "destruction"),
    # 34 CFR 99.31(a)(1)(i)(B): direct control, use and redisclosure under 99.33
    "ferpa-school-official": (
        "records_stay_property",
        "no_other_use",
        "further_disclosure_barred",
        "review_and_correct",
        "security",
        "breach_notice",
    ),
    # 34 CFR 99.31(b): results that identify nobody
    "ferpa-deidentified": ("no_reidentification", "further_disclosure_barred"),
    # 45 CFR 1303.20 to 1303.24
    "head-start": (
        "annual_notice",
        "parent_right_to_inspect",
        "parent_right_to_object",
        "use_limited_to_purpose",
        "further_disclosure_barred",
        "destruction",
    ),
    "public-record": (),
}

CLAUSES_BY_STATE_LAW: Mapping[str, tuple[str, ...]] = {
    # AB 1584: what a contract on pupil records must hold
    "Cal. Ed. Code 49073.1": (
        "records_stay_property",
        "pupil_content",
        "no_other_use",
        "review_and_correct",
        "security",
        "trained_persons",
        "breach_notice",
        "not_retained_after",
        "joint_compliance",
        "no_targeted_advertising",
    ),
    "Cal. Ed. Code 76240": ("record_of_access", "further_disclosure_barred"),
}

CLAUSES_BY_TIER: Mapping[Tier, tuple[str, ...]] = {
    "MOU": (),
    "DSA": (),
    # What a licence holds is signed before access: no re-identification, dissemination, security (APHSA 2022).
    "DUL": (
        "use_limited_to_purpose",
        "further_disclosure_barred",
        "no_reidentification",
        "dissemination",
        "security",
        "destruction",
    ),
}


def demanded_clauses(*, tier: Tier, bases: Sequence[LegalBasis], state_laws: Sequence[str]) -> tuple[str, ...]:
    """The clauses that must stand, each once, in a fixed order."""
    by_basis = [clause for basis in bases for clause in CLAUSES_BY_BASIS[basis]]
    by_state = [clause for law in state_laws for clause in CLAUSES_BY_STATE_LAW.get(law, ())]
    return tuple(dict.fromkeys((*CLAUSES_BY_TIER[tier], *by_basis, *by_state)))
