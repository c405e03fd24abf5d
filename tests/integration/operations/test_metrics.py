"""The figures for a monitor have closed labels, no organisation, and an address of their own."""

import httpx
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hub.app import create_app
from hub.db import Database
from hub.jobs import STATES
from hub.operations.metrics import LABELS, METHODS, Meter
from tests.databases import take_away
from tests.integration.hub.conftest import BASE, AppTransport


def read(meter):
    return list(text_string_to_metric_families(generate_latest(meter.registry).decode()))


def samples(meter, name):
    return {
        tuple(sorted(one.labels.items())): one.value
        for family in read(meter)
        for one in family.samples
        if one.name == name
    }


def test_answers_are_counted_by_route_and_class_of_status_and_by_nothing_that_was_sent(sqlite_hub):
    meter = Meter(sqlite_hub.database, clock=sqlite_hub.clock)
    client = httpx.Client(transport=AppTransport(create_app(sqlite_hub.parts, meter=meter)), base_url=BASE)
    sqlite_hub.enrol("novato").deliver(range(10))

    client.get("/v1/ready")
    client.get("/v1/submissions/" + "a" * 64)
    client.get("/no/such/qorvax")
    client.request("BREW", "/v1/ready")

    found = samples(meter, "promise_requests_total")
    routes = {dict(labels)["route"] for labels in found}
    assert found[("method", "GET"), ("route", "/v1/ready"), ("status", "2xx")] == 1
    assert {dict(labels)["method"] for labels in found} <= METHODS | {"other"}
    assert {"/v1/submissions/{submission}", "other"} <= routes
    assert not any("qorvax" in route or "aaaa" in route for route in routes)


def test_no_label_is_outside_the_list_and_no_organisation_is_told(sqlite_hub):
    sqlite_hub.enrol("novato").deliver(range(10))
    meter = Meter(sqlite_hub.database, clock=sqlite_hub.clock)
    meter.note(route="/v1/ready", method="GET", status=200, seconds=0.01)

    ours = [one for family in read(meter) if family.name.startswith("promise_") for one in family.samples]

    assert {label for one in ours for label in one.labels} - {"le"} <= LABELS
    assert {one.labels["state"] for one in ours if one.name == "promise_jobs"} <= set(STATES)
    assert "novato" not in generate_latest(meter.registry).decode()
    assert samples(meter, "promise_log_unsigned_events")[()] == 0


def test_a_database_that_is_away_is_a_figure_and_no_crash(sqlite_hub, tmp_path):
    away = Database(f"sqlite:///{tmp_path}/no/such.db")
    meter = Meter(away, clock=sqlite_hub.clock)

    assert samples(meter, "promise_database_up") == {(): 0.0}
    assert samples(meter, "promise_log_events") == {}
    away.close()


def test_the_figures_are_served_at_an_address_of_their_own_and_not_by_the_api(sqlite_hub):
    meter = Meter(sqlite_hub.database, clock=sqlite_hub.clock)
    server, thread = meter.serve(0, address="127.0.0.1")

    told = httpx.get(f"http://127.0.0.1:{server.server_port}/metrics")
    hidden = sqlite_hub.client.get("/metrics")
    server.shutdown()
    server.server_close()
    thread.join(5)

    assert (told.status_code, hidden.status_code) == (200, 404)
    assert "promise_database_up 1.0" in told.text


def test_a_hub_is_live_and_ready_apart(sqlite_hub):
    answers = [sqlite_hub.client.get(f"/v1/{name}") for name in ("live", "ready")]
    sqlite_hub.parts.database.close()
    take_away(sqlite_hub.home.path)
    sqlite_hub.home.path.joinpath("hub.db").mkdir()

    gone = [sqlite_hub.client.get(f"/v1/{name}").status_code for name in ("live", "ready")]

    assert [one.status_code for one in answers] == [200, 200]
    assert gone == [200, 503]
