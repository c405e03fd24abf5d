"""Whether a manifest may be taken: its form, its signature, the agreement, the epoch, the schema, the profile.

The first thing that the intake asks, before anything is stored. Beside `hub.submissions.service`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements
from hub.audit.events import AuditTrail
from hub.epochs.service import may_send, present_epoch
from hub.errors import Fault, Invalid, Refused
from hub.identity.agents import agent_key
from hub.submissions.inbox import Inbox
from linkage.errors import LinkageError
from linkage.profile import ViewProfile, check_profile
from policies.decision import decide_submission
from policies.dictionary import FactError
from policies.principal import Principal
from policies.submission import Manifest, SubmissionError, check_signature, read_manifest


@dataclass(frozen=True)
class Intake:
    """What the API needs to take a submission in: the inbox, and what hub.json says to the edges."""

    inbox: Inbox
    resolver_public_key: str
    schema_hash: str
    epoch: int


def checked_manifest(
    session: Session, value: Any, signature: str, *, principal: Principal, intake: Intake, audit: AuditTrail
) -> Manifest:
    """The manifest that a caller may send; raises Invalid or Refused."""
    try:
        manifest = read_manifest(value)
        key = agent_key(session, manifest.agent_key)
        if key is None or principal.actor != f"agent:{manifest.agent_key}":
            raise SubmissionError("SUB-002", "agent_key", "sign the manifest with the key that signs the request")
        check_signature(manifest, signature, key[0])
    except SubmissionError as error:
        raise not_of_the_form(error) from error
    _check_agreement(session, manifest, principal=principal, audit=audit)
    _check_epoch(session, manifest, intake)
    return manifest


def _check_agreement(session: Session, manifest: Manifest, *, principal: Principal, audit: AuditTrail) -> None:
    decision = decide_submission(
        principal,
        provider=manifest.provider,
        agreement=(manifest.agreement.id, manifest.agreement.version),
        school_year=manifest.school_year,
        agreements=known_agreements(session),
        day=audit.clock().date(),
    )
    if not decision.permitted:
        steps = {"R-21": "Fetch the agreement again and prepare the submission under its present version."}
        raise Refused(
            decision.reason, code=decision.rule, rule=decision.rule, next_step=steps.get(decision.rule, ""),
            versions=decision.versions,
        )  # fmt: skip


def _check_epoch(session: Session, manifest: Manifest, intake: Intake) -> None:
    if not may_send(session, manifest.epoch, manifest.provider):
        raise Invalid(
            "This provider has not accepted the epoch.",
            code="epoch-not-accepted",
            next_step="Run `promise-edge keys accept` and `promise-edge keys begin`, then prepare and push again.",
            faults=[Fault("epoch", "epoch-not-accepted")],
        )
    if manifest.epoch != present_epoch(session, intake.epoch):
        raise Invalid(
            "The submission was encoded in another epoch.",
            code="epoch-wrong",
            next_step="Run `promise-edge keys begin`, then prepare and push again.",
            faults=[Fault("epoch", "epoch-wrong")],
        )
    if manifest.schema_hash != intake.schema_hash:
        raise Invalid(
            "The submission was encoded by another linkage schema.",
            code="schema-wrong",
            next_step="Update the edge tool and encode again.",
            faults=[Fault("schema_hash", "schema-wrong")],
        )
    profile = {view: ViewProfile(of.values, of.largest) for view, of in manifest.profile.items()}
    try:
        check_profile(profile, records=manifest.records)
    except LinkageError as error:
        raise Invalid(
            "A value of a view is too common.",
            code=error.code,
            next_step=error.next_step,
            faults=[Fault("profile", error.code)],
        ) from error


def not_of_the_form(error: FactError | SubmissionError) -> Invalid:
    """The answer to what does not keep the form: place and code, never the value."""
    return Invalid(
        f"It does not keep the form at {error.place}.",
        code=error.code,
        next_step=error.next_step,
        faults=[Fault(error.place, error.code)],
    )
