"""The embedded service over a real socket: rows in, findings and states out, only with its token, nothing clear out."""

import datetime as dt
import ssl
import stat
import threading
from contextlib import contextmanager

import httpx
import pytest

from connectors.errors import WorkspaceError
from connectors.pulling import pull, pull_on_schedule
from connectors.push import Hub
from connectors.sample_sets import edfi_resources
from connectors.service import Service, server_of, token_of
from connectors.watching import due_years
from tests.certificates import certificate_of
from tests.integration.connectors.edfi_store import KEY, SECRET, EdFiStore, serving
from tests.spec.connectors import source_files as made
from tests.unit.connectors.accepting_hub import AcceptingHub, workspace_in

pytestmark = pytest.mark.doors
NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)


class Embedded:
    """A served service with a hub that stands in, and a client that carries the token."""

    def __init__(self, folder):
        self.hub, self.workspace, self.wire = AcceptingHub(), workspace_in(folder), []
        self.service = Service(self.workspace, self.connect, lambda: NOW)
        self.server = server_of(self.service, host="127.0.0.1", port=0)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        base = f"http://127.0.0.1:{self.server.server_port}"
        token = {"Authorization": f"Bearer {token_of(self.workspace)}"}
        self.client = httpx.Client(base_url=base, headers=token, timeout=30)

    @contextmanager
    def connect(self):
        def answer(request):
            self.wire.append(request.content)
            return self.hub(request)

        with httpx.Client(base_url="http://hub.test", transport=httpx.MockTransport(answer)) as client:
            key = self.workspace.keys.agent()
            yield Hub(client, key, self.workspace.key_id, lambda: NOW, sleep=lambda seconds: None)

    def close(self):
        self.client.close()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def embedded(tmp_path):
    made_here = Embedded(tmp_path)
    yield made_here
    made_here.close()


def people(count):
    return [
        {"local_id": f"L{n}", "ssid": 10**9 + n, "given": made.GIVEN, "surname": made.SURNAME,
         "birth_date": "2015-03-04", "gender": "F"}
        for n in range(count)
    ]  # fmt: skip


def enrollments(count):
    row = {"school": "6111111", "grade": "05", "enrollment_status": "10", "start_date": "2025-08-20"}
    return [{"local_id": f"L{n}", **row} for n in range(count)]


def lay_all(embedded):
    return [
        embedded.client.put("/v1/years/2026/k12/person", json={"rows": people(9)}),
        embedded.client.put("/v1/years/2026/k12/enrollment", json={"rows": enrollments(9)}),
    ]


def test_rows_go_the_whole_road_and_nothing_clear_leaves(embedded):
    laid = lay_all(embedded)
    checked = embedded.client.post("/v1/years/2026/check")

    sent = embedded.client.post("/v1/years/2026/send")

    assert [answer.status_code for answer in (*laid, checked, sent)] == [200] * 4
    assert [(file["rows"], file["accepted"]) for file in checked.json()["files"]] == [(9, 9), (9, 9)]
    assert [one["state"] for one in sent.json()["sent"]] == ["accepted"]
    assert list(embedded.hub.accepted.values()) == [1]
    out = b"".join(embedded.wire)
    for word in (*made.MARKED, "2015-03-04", "1000000003", '"L3"'):
        assert word.lower().encode() not in out.lower()
    assert due_years(embedded.workspace) == []


def test_rows_laid_in_again_replace_those_before(embedded):
    embedded.client.put("/v1/years/2026/k12/person", json={"rows": people(9)})

    embedded.client.put("/v1/years/2026/k12/person", json={"rows": people(5)})

    (file,) = embedded.client.post("/v1/years/2026/check").json()["files"]
    assert file["rows"] == 5


def test_refused_rows_are_not_kept_and_their_findings_name_no_value(embedded):
    wrong = [{**row, "birth_date": made.GIVEN} for row in people(9)]

    answer = embedded.client.put("/v1/years/2026/k12/person", json={"rows": wrong})

    assert answer.status_code == 422
    assert answer.json()["files"][0]["refused"]["code"] == "FIL-010"
    assert made.GIVEN not in answer.text
    assert list((embedded.workspace.inbox / "2026").iterdir()) == []


WRONG = {
    "no object": (b"[1]", "MAP-007"),
    "no JSON": (b"{", "MAP-007"),
    "no rows": (b'{"rows": []}', "MAP-007"),
    "a row that is none": (b'{"rows": [3]}', "MAP-007"),
    "an element that there is not": (b'{"rows": [{"shoe_size": 3}]}', "MAP-003"),
    "a path for a name": (b'{"rows": [{"../x": 3}]}', "MAP-007"),
    "a list for a value": (b'{"rows": [{"local_id": [1]}]}', "MAP-007"),
    "a line end in a value": (b'{"rows": [{"local_id": "a\\nb"}]}', "MAP-007"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_rows_is_refused_with_its_code(what, embedded):
    body, code = WRONG[what]

    answer = embedded.client.put("/v1/years/2026/k12/person", content=body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("path", ["/v1/years/2026/other/person", "/v1/years/2026/k12/other"])
def test_a_kind_or_table_that_there_is_not_is_refused(path, embedded):
    answer = embedded.client.put(path, json={"rows": [{"local_id": "L1"}]})

    assert (answer.status_code, answer.json()["code"]) == (422, "MAP-003")


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Basic eDp5"])
def test_without_the_token_nothing_is_told(token, embedded):
    for path in ("/v1/status", "/v1/openapi.json", "/other"):
        answer = embedded.client.get(path, headers={"Authorization": token})
        assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


def test_every_route_is_described_and_nothing_else_is_there(embedded):
    told = embedded.client.get("/v1/openapi.json").json()

    described = {(method.upper(), path) for path, one in told["paths"].items() for method in one}
    assert described == {
        ("GET", "/v1/openapi.json"), ("GET", "/v1/status"), ("PUT", "/v1/years/{year}/{kind}/{table}"),
        ("POST", "/v1/years/{year}/check"), ("POST", "/v1/years/{year}/send"),
    }  # fmt: skip
    assert embedded.client.get("/v1/years/2026/check").status_code == 404
    assert embedded.client.get("/v1/keys/agent.key").status_code == 404


def test_a_silent_hub_is_told_and_the_submission_waits(embedded):
    embedded.hub.silent = True
    lay_all(embedded)

    sent = embedded.client.post("/v1/years/2026/send")
    status = embedded.client.get("/v1/status").json()

    assert [one["code"] for one in sent.json()["sent"]] == ["PUSH-001"]
    assert status["hub_answers"] is False
    assert status["next_step"].startswith("promise-edge push")


def test_a_refused_file_in_the_inbox_stops_the_sending(embedded):
    folder = embedded.workspace.inbox / "2026"
    folder.mkdir()
    (folder / "users.csv").write_text(made.SDS_USERS)

    answer = embedded.client.post("/v1/years/2026/send")

    assert answer.status_code == 422
    assert (answer.json()["prepared"], embedded.hub.accepted) == ([], {})


def test_beyond_this_machine_it_asks_for_tls_and_its_token_is_its_owners(embedded):
    with pytest.raises(WorkspaceError, match="EDGE-047"):
        server_of(embedded.service, host="192.0.2.1", port=0)
    path = embedded.workspace.folder / "service" / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(token_of(embedded.workspace)) >= 43


def test_under_tls_it_answers_who_trusts_its_certificate_and_nobody_in_clear(embedded, tmp_path):
    certificate, key = certificate_of(tmp_path, "127.0.0.1")
    server = server_of(embedded.service, host="127.0.0.1", port=0, certificate=certificate, key=key)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told, address = {}, f"//127.0.0.1:{server.server_port}/v1/status"
    token = embedded.client.headers["authorization"]

    for name, scheme, trusted in (
        ("trusted", "https", certificate),
        ("unknown", "https", None),
        ("clear", "http", None),
    ):
        context = ssl.create_default_context(cafile=trusted)
        with httpx.Client(verify=context, headers={"Authorization": token}, timeout=10) as client:
            try:
                told[name] = client.get(f"{scheme}:{address}").status_code
            except httpx.TransportError as error:
                told[name] = type(error).__name__
    server.shutdown()
    thread.join()
    server.server_close()

    assert told == {"trusted": 200, "unknown": "ConnectError", "clear": told["clear"]}
    assert isinstance(told["clear"], str)


def write_settings(embedded, url):
    folder = embedded.workspace.folder
    (folder / "edfi.yaml").write_text(f"url: {url}\nkey: {KEY}\nsecret_file: edfi.secret\n")
    (folder / "edfi.secret").write_text(SECRET)
    (folder / "edfi.secret").chmod(0o600)


def test_a_store_is_pulled_and_sent_only_when_something_changed(embedded):
    store = EdFiStore(edfi_resources([(number, f"Qz{number}x", f"Vw{number}q") for number in range(1, 9)]))
    with serving(store) as url:
        write_settings(embedded, url)

        first, second = pull(embedded.service, 2026), pull(embedded.service, 2026)

    assert "sent: accepted" in first
    assert second == "Ed-Fi: nothing changed."
    assert len(embedded.hub.accepted) == 1


def test_a_schedule_says_what_stopped_a_pull_and_goes_on(embedded):
    stop, said = threading.Event(), []

    def say(line):
        said.append(line)
        if len(said) == 2:
            stop.set()

    pull_on_schedule(embedded.service, 2026, seconds=0.01, say=say, stop=stop).join(20)

    assert len(said) == 2
    assert all("EDF-001" in line for line in said)
