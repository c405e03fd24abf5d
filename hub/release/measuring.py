"""Measures what the published release cost, on the counts that it was made of; for the officer, never published."""

from hub.audit import service as audit_log
from hub.audit.events import AuditTrail, EventType
from hub.db import Database
from hub.errors import Conflict
from hub.files import AnalysisStore
from hub.outcomes.service import blocks, newest_snapshot
from hub.release.publishing import declared_tables
from hub.release.quality import Quality, release_quality
from hub.release.requests.service import catalogue_to_count
from hub.release.service import ledger
from policies.catalogue_files import Catalogue


def measure_release(database: Database, *, analysis: AnalysisStore, catalogue: Catalogue, audit: AuditTrail) -> Quality:
    """The quality of the blocks that were released from the newest snapshot; raises Conflict before the first."""
    with database.reading() as session:
        snapshot, known = newest_snapshot(session), ledger(session)
        tables = declared_tables(catalogue_to_count(session, catalogue))
    final = {key for key, made_of in known.snapshots.items() if snapshot is not None and made_of == snapshot.id}
    if snapshot is None or not final:
        raise Conflict(
            "No final figures were released from the newest snapshot.",
            code="nothing-measured",
            next_step="Publish a release first.",
        )
    names = {indicator for indicator, _ in final}
    told = {name: found for name, found in tables.items() if name in names}
    counted = blocks(database, snapshot, analysis=analysis, tables=told, audit=audit, told=known.snapshots)
    released = [block for block in counted if (block.indicator, block.cohort_year) in final]
    quality = release_quality(released, [cell for key in sorted(final) for cell in known.cells[key]])
    with database.transaction() as session:
        audit_log.append(session, audit, EventType.RELEASE_READ, resource="release-quality")
    return quality
