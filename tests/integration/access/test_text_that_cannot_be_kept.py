"""What no database can keep (a zero byte, half a character) or no reader can read is refused, wherever it comes in."""

import json

import pytest

from policies.principal import Role
from tests.integration.access.conftest import HUB, NOVATO

STEWARD, PARTNER, OFFICER = (Role.STEWARD, NOVATO), (Role.PARTNER, "canal-alliance"), (Role.COMPLIANCE, HUB)


@pytest.mark.parametrize(
    ("who", "method", "path", "body"),
    [
        (STEWARD, "GET", "/v1/submissions/%00", b""),
        (OFFICER, "GET", "/v1/audit/events?q=%00", b""),
        (OFFICER, "PUT", "/v1/audit/searches/a%00", b'{"query": "R-12"}'),
        (OFFICER, "PUT", "/v1/audit/searches/half", json.dumps({"query": "half \ud800 a character"}).encode()),
        (OFFICER, "PUT", "/v1/audit/searches/none", json.dumps({"query": "none \x00"}).encode()),
        (PARTNER, "POST", "/voices", b"english=none+%00"),
    ],
)  # fmt: skip
def test_it_is_refused_and_nothing_fails(people_on_both, who, method, path, body):
    answer = people_on_both.ask(method, path, people_on_both.cookie(*who), content=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "text-wrong")


def test_a_chunk_may_hold_any_bytes(people):
    edge = people.hub.enrol(NOVATO)

    answer = edge.ask("PUT", f"/v1/submissions/{'0' * 64}/chunks/{'0' * 64}", b"any \x00 bytes %00")

    assert answer.status_code == 404


def test_a_number_beyond_every_epoch_is_refused_in_place_of_failing(people):
    answer = people.ask("GET", f"/v1/epochs/{10**30}", people.cookie(*OFFICER))

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


NESTED = b'{"query":' * 50_000


@pytest.mark.parametrize(
    ("who", "method", "path"),
    [
        (OFFICER, "PUT", "/v1/audit/searches/deep"),
        (PARTNER, "POST", "/v1/table-requests"),
        (STEWARD, "POST", "/v1/acts"),
        ("agent", "POST", "/v1/records"),
        ("agent", "POST", "/v1/opt-outs"),
        ("agent", "POST", "/v1/submissions"),
        ("agent", "POST", "/v1/linkage/reviews/answers"),
        ("agent", "POST", "/v1/epochs/1/commitments"),
    ],
)
def test_a_body_nested_deeper_than_it_can_be_read_is_refused_with_its_place(people, who, method, path):
    if who == "agent":
        answer = people.hub.enrol(NOVATO).ask(method, path, NESTED)
    else:
        answer = people.ask(method, path, people.cookie(*who), content=NESTED)

    told = answer.json()
    assert answer.status_code == 422
    assert told["code"]
    assert told["errors"][0]["at"]
