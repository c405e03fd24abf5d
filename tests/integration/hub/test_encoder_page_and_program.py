"""The encoder page beside `promise-edge`: the same manifest of the same list, each state open to everybody."""

import datetime as dt
import json
from pathlib import Path

import openpyxl
import pytest

from connectors.batches import batches, read_reports
from connectors.encoder_page import build
from connectors.prepare import agreed, prepare, sealing_of
from connectors.workspace import open_workspace
from tests.chromium import needs_chromium
from tests.encoder_page import PASSPHRASE, go_to_check, made_up_list, press, saved_file

pytestmark = [pytest.mark.pages, pytest.mark.doors, needs_chromium]
RULES = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
NEVER_ALIKE = ("created_at", "submission_key")
"""The moment, and what is sealed anew each time."""


def comparable(manifest):
    """A manifest without what differs from one making to the next: moments, sealed bytes and their digests."""
    told = {name: value for name, value in manifest.items() if name not in NEVER_ALIKE}
    told["chunks"] = sorted([one["holds"], one["view"], one["count"]] for one in manifest["chunks"])
    return told


def as_workbook(path, text):
    book = openpyxl.Workbook()
    for line in text.splitlines():
        book.active.append([int(cell) if cell.isdigit() else cell or None for cell in line.split(",")])
    book.save(path)
    return path


def by_program(office, roster, titles):
    """The manifest that `prepare` writes of the same list by the same meanings."""
    workspace = open_workspace(office.parent / "edge")
    (workspace.folder / "sources.yaml").write_text(json.dumps({"version": 1, "files": [titles]}), "utf-8")
    now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    reports = read_reports([roster], source_map=workspace.source_map(), school_year=2026, latest=dt.date(2026, 6, 30))
    (batch,) = batches(reports, school_year=2026)
    done = prepare(
        batch.readings, workspace=workspace, sealing=sealing_of(workspace), kind=batch.kind, school_year=2026,
        agreement=agreed(workspace, workspace.agreements(), now.date()), now=now,
    )  # fmt: skip
    return json.loads((done.folder / "manifest.json").read_bytes())


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_page_and_program_write_the_same_manifest_of_the_same_list(office, browser, tmp_path, form):
    roster, text = tmp_path / f"children.{form}", made_up_list(230)
    if form == "csv":
        roster.write_text(text, "utf-8")
    else:
        as_workbook(roster, text)

    go_to_check(browser, office, roster)
    press(browser, "make", "made")
    of_page = json.loads(saved_file(browser, tmp_path).read_bytes())["manifest"]
    browser.run("document.getElementById('save-map').click()")
    for _ in range(100):
        if (tmp_path / "sources.yaml").exists():
            break
        browser.run("new Promise((resolve) => setTimeout(resolve, 50))")
    (titles,) = json.loads((tmp_path / "sources.yaml").read_text("utf-8"))["files"]
    of_program = by_program(office, roster, titles)

    assert list(of_page) == list(of_page | of_program)
    assert sorted(of_page) == sorted(of_program)
    assert comparable(of_page) == comparable(of_program)


def states(browser, office, roster, broken):
    """Every state that the page can be in, one after another, by name."""
    browser.open(build.PAGE.as_uri())
    yield "as it opens"
    browser.choose_file("#key-file", office)
    browser.run("document.getElementById('open-keys').click()")
    browser.wait("document.getElementById('fault').textContent !== ''")
    yield "a passphrase that does not open the keys"
    browser.run(f"document.getElementById('passphrase').value = {json.dumps(PASSPHRASE)}")
    press(browser, "open-keys", "file")
    yield "keys open"
    browser.choose_file("#roster", broken)
    browser.run("document.getElementById('year').value = 2026")
    browser.run("document.getElementById('read-file').click()")
    browser.wait("document.getElementById('fault').textContent !== ''")
    yield "a list that is refused"
    browser.choose_file("#roster", roster)
    press(browser, "read-file", "map")
    yield "titles and meanings"
    browser.run("document.getElementById('check').click()")
    browser.wait("document.getElementById('fault').textContent !== ''")
    yield "a meaning is missing"
    browser.run("document.getElementById('constant-funding').value = 'HEAD-START'")
    press(browser, "check", "found")
    yield "findings"
    press(browser, "make", "made")
    yield "the file is ready"
    browser.run("document.getElementById('save-file').click()")
    browser.wait("document.getElementById('said').textContent.startsWith('Saved as')")
    yield "saved"


@pytest.mark.parametrize("width", [320, 1280])
def test_each_state_of_the_page_keeps_the_rules_of_accessibility_and_fits_the_window(browser, office, tmp_path, width):
    import axe_playwright_python as axe

    source = (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")
    roster, broken = tmp_path / "children.csv", tmp_path / "broken.xlsx"
    roster.write_text(made_up_list(12).replace("2021-01-01", "1899-12-30"), "utf-8")
    broken.write_bytes(b"PK\x03\x04 cut short")
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)

    faults, seen = [], []
    for state in states(browser, office, roster, broken):
        browser.run(source + ";0")
        told = browser.run(RULES)
        faults += [(state, one["id"], [node["html"][:80] for node in one["nodes"]]) for one in told["violations"]]
        faults += [] if browser.run("document.documentElement.scrollWidth") <= width else [(state, "too wide", [])]
        seen.append(state)

    assert faults == []
    assert len(seen) == 9


def test_a_file_is_chosen_by_keyboard_alone(browser):
    browser.open(build.PAGE.as_uri())
    browser.send("Page.setInterceptFileChooserDialog", enabled=True)
    for _ in range(10):
        browser.press_key("Tab")
        if browser.run("document.activeElement.id") == "key-file":
            break

    browser.press_key("Enter", text="\r")
    browser.run("new Promise((resolve) => setTimeout(resolve, 200))")

    assert [one["method"] for one in browser.events if "fileChooser" in one["method"]] == ["Page.fileChooserOpened"]
