"""From the linked facts to a published release in one go: snapshot, one count, one protection, one joint audit.

Long work stands between short transactions: nobody waits for the audit, and a ledger that moved meanwhile refuses
the draft.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy.orm import Session

from hub.agreements.service import known_agreements
from hub.audit import service as audit_log
from hub.audit.events import AuditTrail, EventType
from hub.db import Database
from hub.errors import Conflict
from hub.files import AnalysisStore
from hub.identity.witnesses import needs_witnesses
from hub.outcomes.service import blocks, definition_versions, take_snapshot
from hub.release.draft import FINAL, Draft, Proposal, draft_release
from hub.release.joining import joining_blocks
from hub.release.kept import KeptProtections, keep_protections, kept_protections
from hub.release.processes import processes_for
from hub.release.requests.service import catalogue_to_count
from hub.release.service import Release, approve, ledger, next_provisional_vintage, publish, store_release
from hub.release.tellings import told_blocks
from hub.submissions.agreed import agreed
from policies.agreements import Agreement, in_force
from policies.catalogue_files import Catalogue
from policies.decision import threshold
from policies.disclosure.types import DEFAULT_RULES, Block, Rules, TableDeclaration


def prepare_from_facts(
    database: Database, *, analysis: AnalysisStore, catalogue: Catalogue, audit: AuditTrail
) -> Release:
    """Snapshot, count, protect and store what is not final yet, to become final when it is published."""
    made = _draft(database, analysis=analysis, catalogue=catalogue, audit=audit, vintage_of=lambda session: FINAL)
    return _stored(database, *made, audit=audit)


def prepare_provisional(
    database: Database, *, analysis: AnalysisStore, catalogue: Catalogue, audit: AuditTrail
) -> Release | None:
    """The same, told provisionally: counts rounded, rates in bands, under the same joint audit; nothing is final.

    None when every block is final already.
    """
    vintage_of = next_provisional_vintage
    draft, kept = _draft(database, analysis=analysis, catalogue=catalogue, audit=audit, vintage_of=vintage_of)
    return _stored(database, draft, kept, audit=audit) if draft.new_cells else None


def _draft(
    database: Database,
    *,
    analysis: AnalysisStore,
    catalogue: Catalogue,
    audit: AuditTrail,
    vintage_of: Callable[[Session], str],
) -> tuple[Draft, KeptProtections]:
    """A draft of what is linked, and what it leaves to be taken over; one that the joint audit refuses is logged and
    raised."""
    snapshot = take_snapshot(database, analysis=analysis, audit=audit)
    with database.reading() as session:
        catalogue = catalogue_to_count(session, catalogue)
    tables = declared_tables(catalogue)
    with database.reading() as session:
        everything, vintage, before = ledger(session), vintage_of(session), kept_protections(session)
    counted = blocks(database, snapshot, analysis=analysis, tables=tables, audit=audit, told=everything.snapshots)
    with database.reading() as session:
        providers = frozenset(one.provider for one in agreed(session, day=audit.clock().date()))
        rules = release_rules(known_agreements(session), providers=providers, audit=audit)
    joining: tuple[Block, ...] = ()
    if vintage == FINAL:
        joining = joining_blocks(
            database, analysis=analysis, declared=tables, ledger=everything, counted=counted, audit=audit
        )
    versions = definition_versions(catalogue.indicators)
    new = {(block.indicator, block.cohort_year) for block in counted} - everything.cells.keys()
    earlier = told_blocks(database, analysis=analysis, declared=tables, ledger=everything, new=new, audit=audit)
    proposal = Proposal(counted, snapshot.id, versions, catalogue.version, joining, earlier)
    with log_refusal(database, audit=audit), processes_for((*counted, *joining)) as each:
        kept = KeptProtections(before, rules=rules, name_of=analysis.name_of, each=each)
        draft = draft_release(proposal, rules=rules, ledger=everything, vintage=vintage, each=kept)
        return replace(draft, taken_over=kept.taken_over), kept


@contextmanager
def log_refusal(database: Database, *, audit: AuditTrail) -> Iterator[None]:
    """What is refused inside leaves its event, and is raised on."""
    try:
        yield
    except Conflict as refusal:
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
        raise


def publish_prepared(database: Database, release: str, *, audit: AuditTrail) -> Release:
    """Publish a prepared release, or let it wait for its witnesses where districts have agents to cosign."""
    with database.transaction() as session:
        return publish_within(session, release, audit=audit)


def publish_within(session: Session, release: str, *, audit: AuditTrail) -> Release:
    """The same, in the transaction of an approval."""
    if needs_witnesses(session):
        return approve(session, release, audit=audit)
    return publish(session, release, audit=audit)


def declared_tables(catalogue: Catalogue) -> dict[str, tuple[TableDeclaration, ...]]:
    """The catalogue's tables in the form of disclosure control."""
    return {
        indicator: tuple(
            TableDeclaration(name=table.name, dimensions=table.dimensions, priority=table.priority, coarse=table.coarse)
            for table in tables
        )
        for indicator, tables in catalogue.tables.items()
    }


def release_rules(agreements: Sequence[Agreement], *, providers: frozenset[str], audit: AuditTrail) -> Rules:
    """The rules of a release: of each threshold the strictest among the providers' agreements in force.

    Every two providers together are audited as one insider: two districts that tell each other their numbers could
    else take both out of a county's figure and read a third (`docs/disclosure.md`).
    """
    active = in_force(agreements, audit.clock().date())
    contributing = [one for one in active if one.tier == "DSA" and one.contributors() & providers]
    return Rules(
        min_n=max(DEFAULT_RULES.min_n, threshold(active, providers=providers)),
        numerator_min=max((one.outputs.numerator_min for one in contributing), default=DEFAULT_RULES.numerator_min),
        pairs=True,
    )


def _stored(database: Database, draft: Draft, kept: KeptProtections, *, audit: AuditTrail) -> Release:
    with database.transaction() as session:
        keep_protections(session, kept.found)
        return store_release(session, draft, audit=audit)
