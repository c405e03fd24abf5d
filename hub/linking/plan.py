"""What a step reads of its run before it computes: submissions that came and went, their numbers and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.db import Database
from hub.linking.service import links_of
from hub.linking.tables import LinkageRun
from hub.submissions.service import chunk_files
from hub.submissions.tables import Submission, SubmissionChunk
from linkage.match.memory_files import Numbering


@dataclass(frozen=True)
class Source:
    """One submission that came: its number, its provider's number, and its files."""

    number: int
    provider: int
    name: str
    files: Mapping[str, tuple[str, ...]]
    key_file: str | None


@dataclass(frozen=True)
class Plan:
    """The submissions that came since the run that this one takes up, and the numbers of those that went.

    `numbering`: all submissions of the run by number, then those that went; and all providers by number. `memory`: the
    files in which each role remembers the run that is taken up, empty where everything is compared anew.
    """

    version: int
    state: str
    numbering: Numbering
    came: tuple[Source, ...]
    gone: tuple[int, ...]
    pairs: Mapping[str, str]
    memory: Mapping[str, Mapping[str, str]]

    @property
    def from_nothing(self) -> bool:
        """Whether everything is compared anew."""
        return not self.memory


def read_plan(database: Database, version: int, *, holds: str) -> Plan:
    """The plan of a run, with the files of one kind of chunk."""
    with database.reading() as session:
        run = session.get_one(LinkageRun, version)
        base = None if run.continues is None else session.get_one(LinkageRun, run.continues)
        before = [] if base is None else base.inputs
        gone = [name for name in before if name not in set(run.inputs)]
        numbering = Numbering((*run.inputs, *gone), tuple(run.providers))
        came = [name for name in run.inputs if name not in set(before)]
        return Plan(
            version,
            run.state,
            numbering,
            _sources(session, came, numbering=numbering, holds=holds),
            tuple(range(len(run.inputs), len(numbering.submissions))),
            run.pairs,
            {} if base is None else base.memory,
        )


def previous_links(database: Database, version: int, providers: Sequence[str]) -> dict[tuple[int, bytes], str]:
    """The persons of the run that a run rests on, by provider number and record reference."""
    with database.reading() as session:
        base = session.get_one(LinkageRun, version).based_on
        if base is None:
            return {}
        links = links_of(session, base)
    number = {provider: at for at, provider in enumerate(providers)}
    keys = ((number[one], bytes.fromhex(ref)) for one, ref in zip(links.provider, links.reference, strict=True))
    return dict(zip(keys, links.person, strict=True))


def _sources(session: Session, names: Sequence[str], *, numbering: Numbering, holds: str) -> tuple[Source, ...]:
    found = {row.id: row for row in session.scalars(select(Submission).where(Submission.id.in_(names)))}
    return tuple(
        Source(
            numbering.submissions.index(name),
            numbering.providers.index(found[name].provider),
            name,
            _files(session, name, holds),
            found[name].key_file,
        )
        for name in names
    )


def _files(session: Session, name: str, holds: str) -> dict[str, tuple[str, ...]]:
    views = session.scalars(
        select(SubmissionChunk.view)
        .where(SubmissionChunk.submission == name, SubmissionChunk.holds == holds)
        .distinct()
        .order_by(SubmissionChunk.view)
    ).all()
    return {view: chunk_files(session, name, holds, view=view) for view in views}
