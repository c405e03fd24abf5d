"""The state's figure stands beside ours on the pages, with why the two differ."""

import datetime as dt
import re
from html import unescape

import pytest

from hub.audit.events import AuditTrail
from hub.outcomes.state import import_state_file
from hub.release.service import publish, store_release
from policies.indicator_files import indicators
from tests.databases import address_of
from tests.integration.hub.conftest import MadeUpHub
from tests.integration.web.conftest import cell, draft_of

ABSENCE = "chronic-absence"
NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
FILE = (
    "Academic Year\tAggregate Level\tCounty Code\tDistrict Code\tSchool Code\tCounty Name\tDistrict Name\tSchool Name\t"
    "Charter School\tDASS\tReporting Category\tChronicAbsenteeismEligibleCumulativeEnrollment\t"
    "ChronicAbsenteeismCount\tChronicAbsenteeismRate\r\n"
    "2022-23\tC\t21\t00000\t0000000\tA\tB\tC\tAll\tAll\tTA\t30000\t6000\t20.0\r\n"
    "2022-23\tT\t00\t00000\t0000000\tA\tB\tC\tAll\tAll\tTA\t5900000\t1470000\t24.9\r\n"
)


@pytest.fixture
def hub(home, clock, tmp_path):
    """A hub that has released chronic absence, and has the state's file of the same year."""
    made = MadeUpHub(home, address_of(home), clock)
    trail = AuditTrail("tester", None, "request-1", "test", lambda: NOW)
    file = tmp_path / "chronicabsenteeism23.txt"
    file.write_bytes(FILE.encode("utf-8-sig"))
    draft = draft_of({(ABSENCE, 2023): (cell(2023, "total", {}, indicator=ABSENCE, known=200, k=38, rate=19),)})
    with made.database.transaction() as session:
        import_state_file(session, file, audit=trail)
        release = store_release(session, draft, audit=trail)
        publish(session, release.id, audit=trail)
    yield made
    made.close()


@pytest.mark.parametrize("path", [f"/explorer?indicator={ABSENCE}&by="])
def test_it_stands_beside_ours_with_its_source_and_why_it_differs(hub, path):
    page = unescape(hub.client.get(path).text)

    table = next(one for one in re.findall(r"<table.*?</table>", page, re.DOTALL) if "The state’s, county" in one)
    row = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", table.partition("<tbody>")[2])).strip()
    assert row.startswith("2023 19 % 20 % 24.9 %")
    assert "cde.ca.gov/ds/ad/fsabd.asp" in row
    assert indicators()[ABSENCE].comparison in table
