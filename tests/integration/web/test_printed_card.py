"""The printed card of a county of which everything may be shown: still two pages that can be read."""

import io

import pypdf
import pytest

from hub.audit.events import AuditTrail
from hub.audit.service import open_log
from hub.db import Database
from hub.languages import LANGUAGES
from hub.operations.installation import upgrade
from hub.release.printed_card import SIZES, fitting_size, printed_card
from hub.release.report_card import report_card
from hub.release.service import publish, store_release
from policies.catalogue_files import catalogue
from policies.indicator_files import dimensions
from policies.indicator_sets import indicator_sets
from policies.organisation_files import organisations
from tests.conftest import NOW
from tests.databases import empty_address
from tests.integration.web.conftest import cell, draft_of

READABLE = 7.0
"""Points; below this a printed letter strains the eye."""


def levels_of(split):
    if split == "district":
        found = [one.id for one in organisations().members if one.kind in ("county", "elementary", "high", "unified")]
        return found[:22]
    return [level.id for level in dimensions()[split].levels]


def everything_shown():
    cells = {}
    for place, indicator in enumerate(indicator_sets().core):
        for year in range(2019, 2027):
            found = [cell(year, "total", {}, indicator=indicator, known=2000, k=1100, rate=55 + place)]
            for split in ("economic-status", "race", "gender", "district"):
                for rank, level in enumerate(levels_of(split)):
                    rate = 40 + (7 * rank + place + year) % 50
                    found.append(
                        cell(year, split, {split: level}, indicator=indicator, known=200, k=2 * rate, rate=rate)
                    )
            cells[indicator, year] = tuple(found)
    return cells


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    url = empty_address(tmp_path_factory.mktemp("county") / "hub")
    upgrade(url)
    database = Database(url)
    trail = AuditTrail("tester", None, "request-1", "test", lambda: NOW)
    with database.transaction() as session:
        open_log(session)
        release = store_release(session, draft_of(everything_shown()), audit=trail)
        published = publish(session, release.id, audit=trail)
    yield database, published
    database.close()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_a_card_on_which_everything_is_shown_still_has_two_pages_in_letters_that_can_be_read(county, language):
    database, release = county
    with database.reading() as session:
        card = report_card(session, release, catalogue=catalogue(), language=language)

    size = fitting_size(card)
    read = pypdf.PdfReader(io.BytesIO(printed_card(card)))

    assert len(read.pages) == 2
    assert READABLE <= size <= SIZES[0]
