"""Offices are told by e-mail and webhook what became of their submissions: over real sockets."""

import json
import socket
import ssl
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import Invalid, NotFound
from hub.jobs import ATTEMPTS_MAX, FAILED, Job
from hub.log import Log
from hub.operations import roles
from hub.submissions.messages import KEY_ID, add_address, public_half, remove_address, webhook_key
from hub.submissions.tables import MessageAddress
from policies.signing import Message, SigningError, verify_request
from tests.certificates import certificate_of

pytestmark = pytest.mark.doors
OFFICE = "data-office@novato.invalid"


class MailBox:
    """Keeps what a real SMTP server on loopback was given."""

    def __init__(self):
        self.kept = []

    async def handle_DATA(self, server, session, envelope):
        self.kept.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 kept"


class Hook(BaseHTTPRequestHandler):
    """A receiver of webhooks on loopback; answers what the server is set to."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.kept.append((dict(self.headers), body))
        self.send_response(self.server.answers)
        self.end_headers()

    def log_message(self, *_):
        """Says nothing on the terminal."""


@pytest.fixture
def mail():
    box = MailBox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def hook():
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.kept, server.answers = [], 204
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server, f"http://127.0.0.1:{server.server_address[1]}/told"
    server.shutdown()
    server.server_close()
    thread.join()


def tell_at(hub, organisation, channel, address):
    with hub.database.transaction() as session:
        return add_address(session, organisation, channel, address, audit=hub.trail)


def send(hub, **settings):
    worker = roles.messenger(hub.settings.model_copy(update=settings), log=Log(clock=hub.clock), clock=hub.clock)
    done = worker.run_until_idle()
    worker.close()
    return done


def test_an_office_is_mailed_that_its_submission_was_accepted(sqlite_hub, mail):
    box, port = mail
    tell_at(sqlite_hub, "novato", "email", OFFICE)
    tell_at(sqlite_hub, "reed", "email", "another@reed.invalid")
    prepared = sqlite_hub.enrol("novato").deliver(range(12))

    assert send(sqlite_hub, smtp_host="127.0.0.1", smtp_port=port) == 1

    ((to, message),) = box.kept
    text = message.get_payload(decode=True).decode()
    assert (to, message["Subject"]) == ([OFFICE], "Promise Hub: k12 2026 is accepted")
    assert f"page: http://hub.test/submissions/{prepared.id}" in text
    assert "next step: nothing to do; keep the receipt" in text
    assert {"message_address.added", "message.sent"} <= set(sqlite_hub.events())
    assert send(sqlite_hub, smtp_host="127.0.0.1", smtp_port=port) == 0


def test_a_webhook_is_signed_and_names_hold_code_next_step_and_owner(sqlite_hub, hook):
    server, url = hook
    edge = sqlite_hub.enrol("novato")
    edge.deliver(range(40))
    key = webhook_key(sqlite_hub.home)
    tell_at(sqlite_hub, "novato", "webhook", url)
    edge.deliver(range(20, 40))

    send(sqlite_hub)

    ((headers, body),) = server.kept
    told, verified = json.loads(body), {name.title(): value for name, value in headers.items()}
    by = verify_request(
        Message("POST", url, verified), body, key_of={KEY_ID: key.public_key()}.get, now=sqlite_hub.clock()
    )
    assert by.key_id == KEY_ID
    assert (told["state"], told["code"], told["owner"]) == ("held", "HOLD-001", "provider")
    assert set(told) == {
        "provider", "kind", "school_year", "submission", "state", "code", "next_step", "owner", "page",
    }  # fmt: skip
    with pytest.raises(SigningError):
        verify_request(
            Message("POST", url, verified), body + b" ", key_of={KEY_ID: key.public_key()}.get, now=sqlite_hub.clock()
        )


def test_a_refusal_is_told_with_its_code(sqlite_hub, hook):
    server, url = hook
    webhook_key(sqlite_hub.home)
    tell_at(sqlite_hub, "novato", "webhook", url)
    edge = sqlite_hub.enrol("novato")
    facts = [{"t": "demographics", "r": edge.reference(1).hex(), "gender": "not-a-code"}]
    prepared = edge.prepare(range(12), facts=facts)
    edge.carry(prepared, prepared.chunks)

    send(sqlite_hub)

    ((_, body),) = server.kept
    told = json.loads(body)
    assert told["state"] == "refused"
    assert told["code"]
    assert b"not-a-code" not in body


def test_what_cannot_be_sent_is_tried_again_and_then_left(sqlite_hub, hook, clock):
    server, url = hook
    server.answers = 500
    webhook_key(sqlite_hub.home)
    tell_at(sqlite_hub, "novato", "webhook", url)
    sqlite_hub.enrol("novato").deliver(range(12))

    for _ in range(ATTEMPTS_MAX + 1):
        send(sqlite_hub)
        clock.advance(minutes=10)

    with sqlite_hub.database.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == "message.send")).one()
        assert (job.state, job.error_code) == (FAILED, "webhook-refused")
    assert len(server.kept) == ATTEMPTS_MAX
    assert "message.sent" not in sqlite_hub.events()
    assert "job.failed" in sqlite_hub.events()


@pytest.mark.parametrize(("channel", "address"), [("email", OFFICE), ("webhook", "https://office.invalid/told")])
def test_without_a_server_or_a_key_nothing_is_sent(channel, address, sqlite_hub):
    tell_at(sqlite_hub, "novato", channel, address)
    sqlite_hub.enrol("novato").deliver(range(12))

    send(sqlite_hub)

    assert "message.sent" not in sqlite_hub.events()


@pytest.mark.parametrize(("offers", "trusted", "sent"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_beyond_this_machine_mail_goes_under_tls_to_a_server_that_is_known_or_not_at_all(
    sqlite_hub, tmp_path, offers, trusted, sent
):
    """127.0.1.1 is another address than those that count as this machine."""
    certificate, key = certificate_of(tmp_path, "127.0.1.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    box = MailBox()
    with socket.socket() as probe:
        probe.bind(("127.0.1.1", 0))
        port = probe.getsockname()[1]
    tls = {"tls_context": context, "require_starttls": True} if offers else {}
    controller = Controller(box, hostname="127.0.1.1", port=port, **tls)
    controller.start()
    tell_at(sqlite_hub, "novato", "email", OFFICE)
    sqlite_hub.enrol("novato").deliver(range(12))

    send(sqlite_hub, smtp_host="127.0.1.1", smtp_port=port, smtp_ca_file=str(certificate) if trusted else "")
    controller.stop()

    assert len(box.kept) == sent


def test_an_address_that_was_removed_is_told_nothing_more(sqlite_hub, hook):
    server, url = hook
    webhook_key(sqlite_hub.home)
    number = tell_at(sqlite_hub, "novato", "webhook", url)
    sqlite_hub.enrol("novato").deliver(range(12))
    with sqlite_hub.database.transaction() as session:
        remove_address(session, number, audit=sqlite_hub.trail)

    send(sqlite_hub)

    assert server.kept == []
    assert "message_address.removed" in sqlite_hub.events()
    with pytest.raises(NotFound), sqlite_hub.database.transaction() as session:
        remove_address(session, number, audit=sqlite_hub.trail)


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", "nobody"), ("email", "a@b.invalid,c@d.invalid"), ("email", "a@b.invalid\nBcc: c@d.invalid"),
        ("webhook", "http://office.invalid/told"), ("webhook", "https://name@office.invalid/"), ("webhook", "ftp://x"),
        ("pigeon", OFFICE),
    ],
)  # fmt: skip
def test_an_address_of_another_form_is_refused(channel, address, sqlite_hub):
    with pytest.raises(Invalid):
        tell_at(sqlite_hub, "novato", channel, address)


def test_nobody_is_told_for_an_organisation_that_there_is_not(sqlite_hub):
    with pytest.raises(NotFound):
        tell_at(sqlite_hub, "nowhere", "email", OFFICE)


def test_the_same_address_again_is_one_address(sqlite_hub):
    assert tell_at(sqlite_hub, "novato", "email", OFFICE) == tell_at(sqlite_hub, "novato", "email", OFFICE)


def test_the_operator_adds_lists_and_removes_addresses(sqlite_hub):
    def operator(*command):
        done = CliRunner().invoke(app, ["messages", *command, "--home", str(sqlite_hub.home.path)])
        assert done.exit_code == 0, done.output
        return done.output

    added = operator("add", "novato", "webhook", "https://office.invalid/told")
    listed = operator("list")
    with sqlite_hub.database.reading() as session:
        number = session.scalars(select(MessageAddress.id)).one()
    operator("remove", str(number))

    assert public_half(webhook_key(sqlite_hub.home)) in added
    assert "https://office.invalid/told" in listed
    assert operator("list") == ""
