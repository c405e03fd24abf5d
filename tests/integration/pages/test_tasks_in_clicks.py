"""The main tasks of the three people take at most five clicks from sign-in, and work with scripts off."""

import base64
import json

import pytest

from policies.principal import Role
from tests.integration.access.conftest import HUB, NOVATO
from tests.integration.pages.conftest import SHOTS

pytestmark = pytest.mark.pages
CLICKS_MAX = 5


class Clicker:
    """A browser with scripts off, whose every click is counted; to choose in a list or to give a file is a click."""

    def __init__(self, chromium, address):
        self.page, self.clicks = chromium.new_context(java_script_enabled=False).new_page(), 0
        self.page.goto(address)

    def click(self, place):
        self.clicks += 1
        self.page.click(place)

    def choose(self, place, value):
        self.clicks += 1
        self.page.select_option(place, value)

    def give(self, place, path):
        self.clicks += 1
        self.page.set_input_files(place, path)

    def close(self, name):
        self.page.screenshot(path=SHOTS / f"task-{name}.png", full_page=True)
        self.page.context.close()


@pytest.fixture
def mended(filled, tmp_path):
    """A submission file as the encoder page saves it, of rows that were mended."""

    prepared = filled.examples["mended"]
    chunks = {name: base64.b64encode(content).decode() for name, content in prepared.chunks.items()}
    path = tmp_path / "mended.json"
    path.write_text(
        json.dumps({"manifest": prepared.manifest, "signature": prepared.signature, "chunks": chunks, "commit": True}),
        "utf-8",
    )
    return path, prepared.id


def test_a_steward_finds_what_is_wrong_and_sends_the_mended_file(chromium, filled, mended):
    path, name = mended
    steward = Clicker(chromium, filled.link(Role.STEWARD, NOVATO))

    steward.click("main button")
    steward.click("main a[href='/submissions']")
    steward.click(f"main a[href='/submissions/{filled.examples['submission']}']")
    said = steward.page.inner_text("main")
    steward.give("main input[type=file]", path)
    steward.click("main form[enctype] button")

    assert "2 causes explain 4 findings" in said
    assert "How to mend it" in said
    assert steward.page.url.endswith(f"/submissions/{name}")
    assert "Next step: hub" in steward.page.inner_text("main")
    assert steward.clicks <= CLICKS_MAX
    steward.close("mend-a-file")


def test_an_analyst_answers_the_question_and_cites_it(chromium, filled):
    analyst = Clicker(chromium, filled.link(Role.PARTNER, "canal-alliance"))

    analyst.click("main button")
    analyst.click("main a[href='/explorer']")
    analyst.choose("select[name=only]", "preschool:any")
    analyst.click("form.ask button")

    rows = analyst.page.locator("#rows tbody tr").all_inner_texts()
    assert len([row for row in rows if "Socioeconomically disadvantaged" in row]) == 3
    assert "release 2026-11-22.1" in analyst.page.inner_text("p.cite")
    assert analyst.clicks <= CLICKS_MAX
    analyst.close("the-question")


def test_an_officer_searches_the_log_and_takes_it_with_its_proof(chromium, filled):
    officer = Clicker(chromium, filled.link(Role.COMPLIANCE, HUB))

    officer.click("main button")
    officer.click("main a[href='/access-log']")
    officer.page.fill("input[name=q]", "event:release.*")
    officer.click("form.ask button")
    rows = officer.page.locator("tbody tr").all_inner_texts()
    export = officer.page.get_attribute("a:has-text('JSON with proofs')", "href")
    proved = officer.page.request.get(filled.url + export)

    assert rows
    assert all("release." in row for row in rows)
    assert proved.status == 200
    assert officer.clicks <= CLICKS_MAX
    officer.close("search-the-log")


def test_an_officer_prints_the_disclosure_record_of_one_district(chromium, filled):
    officer = Clicker(chromium, filled.link(Role.COMPLIANCE, HUB))

    officer.click("main button")
    officer.click("main a[href='/disclosures']")
    officer.page.fill("main input[name=office]", NOVATO)
    officer.click("main form button")
    officer.page.emulate_media(media="print")
    printed = officer.page.inner_text("main")
    officer.page.pdf(path=SHOTS / "disclosure-record.pdf")

    assert f"office={NOVATO}" in officer.page.url
    assert officer.page.input_value("main input[name=office]") == NOVATO
    assert "34 CFR 99.32" in printed
    assert not officer.page.locator("header nav").is_visible()
    assert officer.clicks + 1 <= CLICKS_MAX  # printing is one more
    officer.close("print-a-record")
