"""The closed list of what the audit log can say, and the trail that every service carries to say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from hub.db import Clock


class EventType(StrEnum):
    """One word for each thing that may happen; a new one is added here and nowhere else."""

    HUB_INITIALISED = "hub.initialised"
    HUB_STARTED = "hub.started"
    HUB_STOPPED = "hub.stopped"
    STORES_OPENED = "stores.opened"
    FILES_SWEPT = "files.swept"
    DATABASE_MIGRATED = "database.migrated"
    DATABASE_ROLES_SET = "database.roles_set"
    BACKUP_BEGUN = "backup.begun"
    BACKUP_RESTORED = "backup.restored"
    JOB_FAILED = "job.failed"
    JOB_RETRIED = "job.retried"
    ADMINISTRATION_READ = "administration.read"
    REQUEST_REFUSED = "request.refused"
    REQUEST_FAILED = "request.failed"
    OPERATOR_ALONE = "operator.alone"
    PERSON_ADDED = "person.added"
    PERSON_CHANGED = "person.changed"
    PERSON_SUSPENDED = "person.suspended"
    PERSON_REMOVED = "person.removed"
    SIGN_IN_LINK_MADE = "sign_in_link.made"
    SIGN_IN_REFUSED = "sign_in.refused"
    SIGN_IN_SENT = "sign_in.sent"
    SIGN_IN_PROVED = "sign_in.proved"
    PERSON_BOUND = "person.bound"
    ACCOUNT_SET_UP = "account.set_up"
    ACCOUNT_RESET = "account.reset"
    PASSWORD_CHANGED = "account.password_changed"  # noqa: S105 (the name of an event)
    PASSKEY_ASKED = "passkey.asked"
    PASSKEY_ADDED = "passkey.added"
    SIGNED_IN = "person.signed_in"
    SIGNED_OUT = "person.signed_out"
    SESSIONS_ENDED = "person.sessions_ended"
    ACT_ASKED = "act.asked"
    ACT_APPROVED = "act.approved"
    ACT_DECLINED = "act.declined"
    ACT_DONE = "act.done"
    ACTS_READ = "acts.read"
    TOKEN_MADE = "token.made"  # noqa: S105 (an event, no secret)
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 (an event, no secret)
    ROSTER_LOADED = "roster.loaded"
    AGENT_REGISTERED = "agent.registered"
    AGENT_REVOKED = "agent.revoked"
    EPOCH_PROPOSED = "epoch.proposed"
    EPOCH_COMMITTED = "epoch.committed"
    EPOCH_ENVELOPES_LEFT = "epoch.envelopes_left"
    EPOCH_READ = "epoch.read"
    EPOCH_ENVELOPES_READ = "epoch.envelopes_read"
    EPOCH_ACCEPTED = "epoch.accepted"
    EPOCH_BEGUN = "epoch.begun"
    ENCODINGS_DELETED = "encodings.deleted"
    AGREEMENT_LOADED = "agreement.loaded"
    PARTY_KEY_REGISTERED = "party_key.registered"
    AGREEMENT_SIGNED = "agreement.signed"
    AGREEMENT_ACTIVATED = "agreement.activated"
    AGREEMENT_AMENDED = "agreement.amended"
    AGREEMENT_REFUSED = "agreement.refused"
    AGREEMENT_READ = "agreement.read"
    AGREEMENT_WITHDRAWN = "agreement.withdrawn"
    AGREEMENT_WARNED = "agreement.warned"
    DESTRUCTION_BEGUN = "destruction.begun"
    DESTRUCTION_COMPLETED = "destruction.completed"
    DECISION_EXPLAINED = "decision.explained"
    SALT_MADE = "salt.made"
    SALT_DESTROYED = "salt.destroyed"
    SUBMISSION_OPENED = "submission.opened"
    SUBMISSION_READ = "submission.read"
    SUBMISSION_COMMITTED = "submission.committed"
    SUBMISSION_CHECKED = "submission.checked"
    SUBMISSION_ACCEPTED = "submission.accepted"
    SUBMISSION_HELD = "submission.held"
    SUBMISSION_REFUSED = "submission.refused"
    SUBMISSION_REPLACED = "submission.replaced"
    SUBMISSION_APPROVED = "submission.approved"
    SUBMISSION_DISCARDED = "submission.discarded"
    SUBMISSION_CERTIFIED = "submission.certified"
    SUBMISSION_WITHDRAWAL_ASKED = "submission.withdrawal_asked"
    SUBMISSION_WITHDRAWN = "submission.withdrawn"
    SUBMISSION_NOT_USED = "submission.not_used"
    RECORD_READ = "record.read"
    DISCLOSURES_READ = "disclosures.read"
    OPT_OUT_RECORDED = "opt_out.recorded"
    OPT_OUT_WITHDRAWN = "opt_out.withdrawn"
    OPT_OUTS_READ = "opt_outs.read"
    RECEIPT_READ = "receipt.read"
    MESSAGE_ADDRESS_ADDED = "message_address.added"
    MESSAGE_ADDRESS_REMOVED = "message_address.removed"
    MESSAGE_SENT = "message.sent"
    LINKAGE_REQUESTED = "linkage.requested"
    LINKAGE_COMPARED = "linkage.compared"
    LINKAGE_RESOLVED = "linkage.resolved"
    LINKAGE_ACCEPTED = "linkage.accepted"
    LINKAGE_REVERTED = "linkage.reverted"
    REVIEW_READ = "review.read"
    REVIEW_ANSWERED = "review.answered"
    REVIEW_APPROVED = "review.approved"
    LINKAGE_EVALUATED = "linkage.evaluated"
    SNAPSHOT_TAKEN = "snapshot.taken"
    COUNTED = "outcomes.counted"
    COUNT_REFUSED = "outcomes.count_refused"
    OUTCOMES_COMPARED = "outcomes.compared"
    STATE_FIGURES_IMPORTED = "state_figures.imported"
    RELEASE_PREPARED = "release.prepared"
    RELEASE_REFUSED = "release.refused"
    RELEASE_APPROVED = "release.approved"
    RELEASE_PUBLISHED = "release.published"
    RELEASE_WITHDRAWN = "release.withdrawn"
    RELEASE_EXPORTED = "release.exported"
    RELEASE_READ = "release.read"
    TABLE_REQUESTED = "table.requested"
    TABLE_COMMENTED = "table.commented"
    TABLE_COSTED = "table.costed"
    TABLE_APPROVED = "table.approved"
    TABLE_DECLINED = "table.declined"
    TABLE_JOINED = "table.joined"
    TABLE_REQUESTS_READ = "table_requests.read"
    VOICE_WRITTEN = "voice.written"
    VOICE_APPROVED = "voice.approved"
    VOICE_SHOWN = "voice.shown"
    VOICE_DECLINED = "voice.declined"
    VOICE_WITHDRAWN = "voice.withdrawn"
    VOICES_READ = "voices.read"
    QUERY_ANSWERED = "query.answered"
    CATALOGUE_READ = "catalogue.read"
    PAGE_READ = "page.read"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_VERIFIED = "audit.verified"
    AUDIT_RECONCILED = "audit.reconciled"
    SEARCH_SAVED = "search.saved"
    SEARCH_REMOVED = "search.removed"
    CHECKPOINT_COSIGNED = "checkpoint.cosigned"
    LOG_RECOVERED = "log.recovered"


@dataclass(frozen=True)
class AuditTrail:
    """Who acts, for whom, in which request and by which way; a required argument of whatever changes or reads.

    Args:
        method: the way it came: "POST /v1/submissions", "promise-hub linkage run", "matcher".
        clock: tells the time of the event, aware, in UTC.
    """

    actor: str
    organisation: str | None
    request_id: str
    method: str
    clock: Clock
    agreement: str | None = None
    purpose: str | None = None

    def under(self, *, agreement: str | None, purpose: str | None) -> AuditTrail:
        """The same trail, naming the agreement and purpose of what is asked."""
        return replace(self, agreement=agreement, purpose=purpose)
