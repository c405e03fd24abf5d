"""From the linked facts to a published release in one go: snapshot, one count, one protection, one joint audit.

Long work stands between short transactions: nobody waits for the audit, and a ledger that moved meanwhile refuses
the draft.
"""

from collections.abc import Sequence

from hub.agreements.service import known_agreements
from hub.audit import service as audit_log
from hub.audit.events import AuditTrail, EventType
from hub.db import Database
from hub.errors import Conflict
from hub.files import FileStore
from hub.outcomes.service import blocks, definition_versions, take_snapshot
from hub.release.draft import Draft, Proposal, draft_release
from hub.release.service import Release, ledger, publish, store_release
from hub.submissions.service import accepted
from policies.agreements import Agreement, in_force
from policies.catalogue_files import Catalogue
from policies.decision import threshold
from policies.disclosure.types import DEFAULT_RULES, Rules, TableDeclaration


def prepare_from_facts(database: Database, *, analysis: FileStore, catalogue: Catalogue, audit: AuditTrail) -> Release:
    """Snapshot, count, protect and store what is new; a draft that the joint audit refuses is logged and raised."""
    snapshot = take_snapshot(database, analysis=analysis, audit=audit)
    counted = blocks(database, snapshot, analysis=analysis, tables=declared_tables(catalogue), audit=audit)
    with database.reading() as session:
        everything = ledger(session)
        providers = frozenset(one.provider for one in accepted(session))
        rules = release_rules(known_agreements(session), providers=providers, audit=audit)
    versions = definition_versions(catalogue.indicators)
    try:
        draft = draft_release(
            Proposal(counted, snapshot.id, versions, catalogue.version), rules=rules, ledger=everything
        )
    except Conflict as refusal:
        _log_refusal(database, refusal, audit=audit)
        raise
    return _stored(database, draft, audit=audit)


def publish_prepared(database: Database, release: str, *, audit: AuditTrail) -> Release:
    """Publish a prepared release in its own transaction."""
    with database.transaction() as session:
        return publish(session, release, audit=audit)


def declared_tables(catalogue: Catalogue) -> dict[str, tuple[TableDeclaration, ...]]:
    """The catalogue's tables in the form of disclosure control."""
    return {
        indicator: tuple(
            TableDeclaration(name=table.name, dimensions=table.dimensions, priority=table.priority) for table in tables
        )
        for indicator, tables in catalogue.tables.items()
    }


def release_rules(agreements: Sequence[Agreement], *, providers: frozenset[str], audit: AuditTrail) -> Rules:
    """The rules of a release: of each threshold the strictest among the providers' agreements in force."""
    active = in_force(agreements, audit.clock().date())
    contributing = [one for one in active if one.tier == "DSA" and one.contributors() & providers]
    return Rules(
        min_n=max(DEFAULT_RULES.min_n, threshold(active, providers=providers)),
        numerator_min=max((one.outputs.numerator_min for one in contributing), default=DEFAULT_RULES.numerator_min),
    )


def _stored(database: Database, draft: Draft, *, audit: AuditTrail) -> Release:
    with database.transaction() as session:
        return store_release(session, draft, audit=audit)


def _log_refusal(database: Database, refusal: Conflict, *, audit: AuditTrail) -> None:
    with database.transaction() as session:
        audit_log.append(
            session,
            audit,
            EventType.RELEASE_REFUSED,
            resource="release",
            decision="refused",
            rule=refusal.code,
            outcome="refused",
        )
