"""A hub with a few accepted submissions of made-up people under an accepted linkage run."""

import datetime as dt
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.agreements.tables import AgreementVersion
from hub.db import Database
from hub.files import AnalysisStore, FileStore, analysis_store
from hub.linking.tables import ACCEPTED as RUN_ACCEPTED
from hub.linking.tables import CurrentRun, Link, LinkageRun
from hub.settings import Home, Settings
from hub.submissions.tables import ACCEPTED, Submission, SubmissionChunk
from policies.organisation_files import organisations

DAY = dt.datetime(2026, 11, 22, 14, 0, tzinfo=dt.UTC)
ANN, BOB, CAT = "a" * 32, "b" * 32, "c" * 32


def score(reference: str, level: str) -> dict[str, Any]:
    return {
        "t": "assessment", "r": reference, "subject": "ELA", "grade_assessed": "03", "achievement_level": level,
        "valid": "Y",
    }  # fmt: skip


def demographics(reference: str, gender: str) -> dict[str, Any]:
    return {"t": "demographics", "r": reference, "gender": gender, "race_ethnicity": "500"}


FACTS: Mapping[tuple[str, str, int], list[dict[str, Any]]] = {
    ("novato", "k12", 2023): [score(ANN, "3"), demographics(ANN, "F"), score(BOB, "1"), demographics(BOB, "M")],
    ("kentfield", "k12", 2023): [score(CAT, "4"), demographics(CAT, "F")],
    ("community-action-marin", "preschool", 2019): [
        {"t": "preschool", "r": BOB, "site": "s1", "funding": "HEAD-START", "start_date": "2018-09-01"}
    ],
}
# The child of the preschool is the first child of Novato.
LINKS = [
    ("novato", ANN, "1" * 32),
    ("novato", BOB, "2" * 32),
    ("kentfield", CAT, "3" * 32),
    ("community-action-marin", BOB, "1" * 32),
]


AGREEMENT = """
id: a
tier: DSA
version: 1
title: Everybody's agreement
parties: [{parties}]
legal_basis: [public-record]
purposes: []
retention: {{effective: 2000-01-01, expires: 2100-01-01, destroy_within_days: 90}}
"""


def everybodys_agreement() -> AgreementVersion:
    """An agreement in force under which every organisation may send everything."""
    parties = ", ".join(
        f"{{organisation: {one.id}, role: contributor, authority: LEA}}" for one in organisations().members
    )
    days = {"effective": dt.date(2000, 1, 1), "expires": dt.date(2100, 1, 1)}
    return AgreementVersion(
        id="a",
        version=1,
        tier="DSA",
        text=AGREEMENT.format(parties=parties),
        text_hash="0" * 64,
        loaded_at=DAY,
        activated_at=DAY,
        **days,
    )


@dataclass(frozen=True)
class Filled:
    database: Database
    analysis: AnalysisStore

    def accept(
        self, provider: str, kind: str, school_year: int, facts: list[dict[str, Any]], *, suffix: str = ""
    ) -> str:
        name = f"{provider}-{kind}-{school_year}{suffix}".ljust(64, "0")
        lines = "".join(json.dumps(row, sort_keys=True) + "\n" for row in facts).encode()
        file = self.analysis.put(gzip.compress(lines, mtime=0))
        row = Submission(
            id=name, provider=provider, kind=kind, school_year=school_year, epoch=1, agreement="a",
            agreement_version=1, key_id="k", manifest="{}", signature="s", state=ACCEPTED, rows_checked=True,
            spans_checked=True, refusal=None, holds=[], opened_at=DAY,
        )  # fmt: skip
        chunk = SubmissionChunk(
            submission=name, position=0, sha256="0" * 64, size=1, holds="facts", view="", count=len(facts), file=file
        )
        with self.database.transaction() as session:
            session.merge(everybodys_agreement())
            session.add(row)
            session.flush()
            session.add(chunk)
        return name

    def link(self, inputs: list[str], *, version: int = 1) -> None:
        with self.database.transaction() as session:
            run = LinkageRun(
                version=version, state=RUN_ACCEPTED, inputs=inputs, based_on=None, schema_hash="s", pairs={},
                quality={}, requested_at=DAY,
            )  # fmt: skip
            session.add(run)
            session.flush()
            session.add_all([Link(run=version, provider=one, reference=ref, person=who) for one, ref, who in LINKS])
            session.merge(CurrentRun(number=1, run=version))


@pytest.fixture
def unlinked(database: Database, tmp_path: Path) -> Filled:
    salts = FileStore(tmp_path / "salts", b"s" * 32)
    return Filled(database, AnalysisStore(tmp_path / "analysis", b"k" * 32, pepper=b"p" * 32, salts=salts))


@pytest.fixture
def filled(unlinked: Filled) -> Filled:
    unlinked.link([unlinked.accept(*key, facts) for key, facts in FACTS.items()])
    return unlinked


@pytest.fixture
def filled_home(home: Path) -> Path:
    database = Database(Settings(home=home).resolved_database_url())
    there = Filled(database, analysis_store(Home(home)))
    there.link([there.accept(*key, facts) for key, facts in FACTS.items()])
    database.close()
    return home
