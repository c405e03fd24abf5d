"""The encoder page as an office opens it: from disk, in a real Chromium, to a submission that a real hub accepts."""

import json
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from connectors.encoder_page import build
from hub.submissions.tables import Submission
from policies.principal import Role
from tests.chromium import needs_chromium
from tests.encoder_page import OFFICE, PASSPHRASE, go_to_check, made_up_list, press, saved_file

pytestmark = [pytest.mark.pages, pytest.mark.doors, needs_chromium]
ROOT = Path(__file__).parents[3]
TRYING = """(async () => {
  const to = 'http://127.0.0.1:PORT/x', tries = [
    () => fetch(to), () => navigator.sendBeacon(to, 'x'), () => { new Image().src = to; },
    () => new WebSocket('ws://127.0.0.1:PORT'), () => new EventSource(to), () => import(to),
    () => new Worker(to), () => document.head.append(Object.assign(document.createElement('script'), { src: to })),
    () => document.body.append(Object.assign(document.createElement('iframe'), { src: to })),
    () => { const form = document.createElement('form'); form.action = to; document.body.append(form); form.submit(); },
  ];
  for (const one of tries) { try { await one(); } catch { continue; } }
})()"""


def upload(hub, cookie, content, *, form=True):
    headers, body = {"cookie": cookie}, content
    if form:
        headers["content-type"] = "multipart/form-data; boundary=qxq"
        begin = (
            b'--qxq\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\nContent-Type: application/json'
        )
        body = begin + b"\r\n\r\n" + content + b"\r\n--qxq--\r\n"
    return hub.client.post("/submissions/upload", headers=headers, content=body)


def test_a_list_becomes_a_file_that_the_hub_accepts_and_nothing_else_leaves(sqlite_hub, office, browser, tmp_path):
    roster = tmp_path / "children.csv"
    roster.write_text(made_up_list(60), "utf-8")
    steward = sqlite_hub.sign_in(OFFICE, Role.STEWARD)

    go_to_check(browser, office, roster)
    counts = browser.run("document.getElementById('counts').textContent")
    press(browser, "make", "made")
    content = saved_file(browser, tmp_path).read_bytes()
    before = len(sqlite_hub.events())
    first, again = upload(sqlite_hub, steward, content), upload(sqlite_hub, steward, content)
    sqlite_hub.work()

    name = first.headers["location"].removeprefix("/submissions/")
    page = sqlite_hub.client.get(f"/submissions/{name}", headers={"cookie": steward})
    assert counts == "60 rows: 60 accepted, 0 rejected."
    assert (first.status_code, again.headers["location"]) == (303, first.headers["location"])
    with sqlite_hub.database.reading() as session:
        kept = session.get_one(Submission, name)
        assert (kept.provider, kept.kind, kept.state, kept.refusal) == (OFFICE, "preschool", "accepted", None)
    assert "Receipt" in page.text
    events = sqlite_hub.events()[before:]
    assert [one for one in events if one.startswith("submission")] == [
        "submission.opened", "submission.committed", "submission.checked", "submission.checked",
        "submission.accepted", "submission.read",
    ]  # fmt: skip
    assert browser.requests() == []
    names = {name for line in made_up_list(60).splitlines()[1:] for name in line.lower().split(",")[1:4]}
    assert [name for name in names if name.encode() in content.lower()] == []


@pytest.fixture
def served(sqlite_hub):
    """The hub on a port of loopback, for a browser."""
    server = uvicorn.Server(uvicorn.Config(sqlite_hub.app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)


def wait_until(browser, condition):
    """As the page's own wait, over the moment in which it leads to another page."""
    for _ in range(600):
        try:
            if browser.run(condition):
                return
        except RuntimeError:
            continue
        time.sleep(0.05)
    raise TimeoutError(condition)


def line(browser, *, offline=False, bytes_a_second=-1):
    browser.send(
        "Network.emulateNetworkConditions",
        offline=offline,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=bytes_a_second,
    )


def test_a_list_too_long_for_one_request_is_uploaded_although_the_line_is_cut(
    sqlite_hub, office, browser, served, tmp_path
):
    roster = tmp_path / "children.csv"
    roster.write_text(made_up_list(10_000), "utf-8")
    go_to_check(browser, office, roster)
    press(browser, "make", "made")
    file = saved_file(browser, tmp_path)
    name, _, value = sqlite_hub.sign_in(OFFICE, Role.STEWARD).partition("=")
    said = "document.getElementById('upload-said').textContent"

    browser.send("Network.setCookie", name=name, value=value, url=served)
    browser.open(f"{served}/submissions")
    browser.choose_file("#upload input[type=file]", file)
    line(browser, bytes_a_second=1024 * 1024)
    browser.run("document.querySelector('#upload button').click()")
    wait_until(browser, f"{said}.startsWith('Sending piece 2')")
    line(browser, offline=True)
    wait_until(browser, f"{said}.includes('trying again')")
    line(browser)
    wait_until(
        browser, "location.pathname.length > 60 && document.querySelector('h1').textContent.includes('preschool')"
    )
    sqlite_hub.work()

    with sqlite_hub.database.reading() as session:
        assert [(one.state, one.refusal) for one in session.query(Submission)] == [("accepted", None)]
    assert file.stat().st_size > 8 * 1024 * 1024
    assert sqlite_hub.events().count("submission.opened") == 1


def test_a_file_of_another_organisation_and_a_changed_one_are_refused_alike(sqlite_hub, office, browser, tmp_path):
    roster = tmp_path / "children.csv"
    roster.write_text(made_up_list(12), "utf-8")
    go_to_check(browser, office, roster)
    press(browser, "make", "made")
    content = saved_file(browser, tmp_path).read_bytes()
    own, other = sqlite_hub.sign_in(OFFICE, Role.STEWARD), sqlite_hub.sign_in("novato", Role.STEWARD)
    changed = content.replace(b'"school_year":2026', b'"school_year":2025')

    answers = [
        upload(sqlite_hub, other, content),
        upload(sqlite_hub, own, changed),
        upload(sqlite_hub, own, b"no file"),
        upload(sqlite_hub, own, b"no file", form=False),
        upload(sqlite_hub, sqlite_hub.sign_in("canal-alliance", Role.PARTNER), content),
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (422, "SUB-002"), (422, "SUB-002"), (422, "SUB-001"), (422, "SUB-001"), (403, answers[4].json()["code"]),
    ]  # fmt: skip
    assert "submission.opened" not in sqlite_hub.events()


def bytes_that_came(server):
    """All that anybody sent: before a frame or form is refused, Chromium may open a connection and say nothing."""
    came = b""
    try:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(1)
                came += connection.recv(1000)
    except TimeoutError:
        return came


def test_no_byte_leaves_the_page_by_any_way_that_a_script_has(browser):
    browser.open(build.PAGE.as_uri())

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        browser.run(TRYING.replace("PORT", str(server.getsockname()[1])))
        came = bytes_that_came(server)

    assert came == b""
    assert browser.run("location.protocol") == "file:"


def test_the_vectors_come_out_the_same_in_a_real_browser(browser):
    vectors = json.loads((ROOT / "tests/vectors/encoding.json").read_text("utf-8"))
    browser.open(build.PAGE.as_uri())
    browser.run((ROOT / "tests/unit/encoder_page/parity.js").read_text("utf-8") + ";0")

    made = browser.run(f"madeFromVectors({json.dumps(vectors)}, [])")

    of_both = set(made) & set(vectors)
    assert {name: made[name] for name in of_both} == {name: vectors[name] for name in of_both}


@pytest.mark.parametrize("width", [320, 1280])
def test_each_step_keeps_the_rules_of_accessibility_and_fits_the_window(browser, office, tmp_path, width):
    import axe_playwright_python as axe

    source = (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")
    roster = tmp_path / "children.csv"
    roster.write_text(made_up_list(12).replace("2021-01-01", "1899-12-30"), "utf-8")
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)

    go_to_check(browser, office, roster)
    browser.run("for (const step of document.querySelectorAll('section')) step.hidden = false")
    browser.run(source + ";0")
    told = browser.run("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})")

    assert [(one["id"], [node["html"][:80] for node in one["nodes"]]) for one in told["violations"]] == []
    assert browser.run("document.documentElement.scrollWidth") <= width


def tab_to(browser, name):
    for _ in range(60):
        if browser.run("document.activeElement.id") == name:
            return
        browser.press_key("Tab")
    raise AssertionError(f"the keyboard does not reach {name}")


def test_the_page_is_used_by_keyboard_alone(browser, office, tmp_path):
    roster = tmp_path / "children.csv"
    roster.write_text(made_up_list(12), "utf-8")
    browser.open(build.PAGE.as_uri())

    browser.press_key("Tab")
    first = browser.run("document.activeElement.className")
    tab_to(browser, "key-file")
    browser.choose_file("#key-file", office)
    tab_to(browser, "passphrase")
    browser.send("Input.insertText", text=PASSPHRASE)
    for button, step in (("open-keys", "file"), ("read-file", "map"), ("check", "found"), ("make", "made")):
        if step == "map":
            browser.choose_file("#roster", roster)
            browser.run("document.getElementById('year').value = 2026")
        if step == "found":
            browser.run("document.getElementById('constant-funding').value = 'HEAD-START'")
        tab_to(browser, button)
        browser.press_key("Enter", text="\r")
        browser.wait(f"!document.getElementById('step-{step}').hidden")
        assert browser.run("document.activeElement.id") == f"h-{step}"

    assert first == "skip"


def test_a_wrong_passphrase_and_a_file_that_is_none_are_told_in_words(browser, office, tmp_path):
    browser.open(build.PAGE.as_uri())
    told = []
    for keys, passphrase in ((None, ""), (office, "another passphrase"), (build.PAGE, PASSPHRASE)):
        if keys is not None:
            browser.choose_file("#key-file", keys)
        browser.run(f"document.getElementById('passphrase').value = {json.dumps(passphrase)}")
        browser.run("document.getElementById('open-keys').click()")
        browser.wait("!document.getElementById('open-keys').disabled")
        told.append(browser.run("document.getElementById('fault').textContent"))

    assert told == [
        "Choose the key file first.",
        "The key file does not open: the passphrase is wrong, or the file was altered.",
        "The file chosen is no key file of this page.",
    ]
    assert browser.run("document.getElementById('step-file').hidden") is True
