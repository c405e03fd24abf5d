"""The log as a PDF: its question, its checkpoint, the way to verify it, and the proofs attached; accessible."""

import io
import json
from hashlib import sha256

import pypdf
import pytest

from hub.audit.tables import Detail
from hub.web import printed_log
from policies.principal import Role
from policies.translog.bundle import Trust, verify_selection
from policies.translog.note import read_vkey
from tests.integration.hub.test_log_reading import officer, sign
from tests.matterhorn import failures

LOADED = "event:agreement.loaded"


@pytest.fixture
def printed(sqlite_hub):
    """The PDF of one question, and the text of it without the places where words may break."""
    ask = officer(sqlite_hub)
    sign(sqlite_hub)
    answer = ask("GET", "/v1/audit/export", params={"q": LOADED, "format": "pdf"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    read = pypdf.PdfReader(io.BytesIO(answer.content))
    text = " ".join("".join(page.extract_text() for page in read.pages).replace("\u200b", "").split())
    return answer, read, text.replace(" ", "")


def test_it_holds_the_question_the_checkpoint_and_the_way_to_verify_it(printed, sqlite_hub):
    _, read, text = printed

    attached = read.attachments[printed_log.ATTACHED][0]
    value = json.loads(attached)
    size, root = value["checkpoint"].split("\n")[1:3]
    assert f"Question:{LOADED}" in text
    assert all(one in text for one in (size, root, sha256(attached).hexdigest()))
    assert "promise-hubauditverifyaccess-log.json--keyhub.json" in text
    assert f"{len(value['events'])}printedof{len(value['events'])}thatanswer" in text
    assert "Everypersonbehindtheseeventsismadeup" in text


def test_what_is_attached_proves_every_event_that_is_printed(printed, sqlite_hub):
    _, read, text = printed
    attached = read.attachments[printed_log.ATTACHED][0]

    verdict = verify_selection(attached, Trust(read_vkey(sqlite_hub.facts["log_verifier"])))
    spoiled = verify_selection(
        attached.replace(b"agreement.loaded", b"agreement.signed", 1),
        Trust(read_vkey(sqlite_hub.facts["log_verifier"])),
    )

    assert (verdict.whole, verdict.events) == (True, len(json.loads(attached)["events"]))
    assert spoiled.whole is False
    assert text.count("agreement.loaded") == verdict.events + 1


def test_its_download_is_an_event(printed, sqlite_hub):
    with sqlite_hub.database.reading() as session:
        last = session.query(Detail).order_by(Detail.sequence.desc()).first()
        assert (last.event, last.resource) == ("audit.exported", "log:pdf")
        assert last.counts["events"] > 0


def test_a_screen_reader_reads_it(printed):
    answer, read, _ = printed

    assert failures(answer.content) == []
    assert "/Desc" in read.root_object["/Names"]["/EmbeddedFiles"]["/Names"][1].get_object()


def test_any_question_can_be_printed_and_who_reads_metadata_prints_nothing(sqlite_hub):
    ask, administrator = officer(sqlite_hub), officer(sqlite_hub, Role.ADMINISTRATOR)
    sign(sqlite_hub)

    signs = "".join(map(chr, range(0x7F, 0xA1)))
    odd = ask("GET", "/v1/audit/export", params={"q": f'漢字 -😀 "a b" "{signs}"', "format": "pdf"})
    page = ask("GET", "/access-log").text

    assert odd.status_code == 200
    assert "U+6F22" in pypdf.PdfReader(io.BytesIO(odd.content)).pages[0].extract_text().replace("\u200b", "")
    assert "format=pdf" in page
    narrow = administrator("GET", "/access-log").text
    assert "format=pdf" not in narrow
    assert (">Who</th>" in page, ">Who</th>" in narrow) == (True, False)
    assert administrator("GET", "/v1/audit/export", params={"format": "pdf"}).status_code == 403


def test_a_log_without_a_checkpoint_cannot_be_printed(sqlite_hub):
    answer = officer(sqlite_hub)("GET", "/v1/audit/export", params={"format": "pdf"})

    assert (answer.status_code, answer.json()["code"]) == (404, "log-unsigned")
