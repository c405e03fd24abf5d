"""A steward uploads a submission file piece by piece: resumed where it stopped, refused where a piece was altered."""

import json

import pytest

from policies.principal import Role

pytestmark = pytest.mark.doors


@pytest.fixture
def office(sqlite_hub):
    return sqlite_hub.enrol("novato")


@pytest.fixture
def steward(sqlite_hub):
    return {"cookie": sqlite_hub.sign_in("novato", Role.STEWARD)}


def begin(hub, headers, made):
    told = {"manifest": made.manifest, "signature": made.signature}
    return hub.client.post("/submissions/upload/begin", headers=headers, content=json.dumps(told))


def test_an_upload_goes_on_where_it_stopped_and_ends_in_one_accepted_submission(sqlite_hub, office, steward):
    made = office.prepare(range(30))
    opened = begin(sqlite_hub, steward, made).json()
    before = len(sqlite_hub.events())
    first, *others = opened["missing"]
    path, pieces = f"/submissions/{opened['submission']}/upload", f"/submissions/{opened['submission']}/chunks"

    early = sqlite_hub.client.post(f"{path}/end", headers=steward)
    kept = sqlite_hub.client.put(f"{pieces}/{first}", headers=steward, content=made.chunks[first])
    again = begin(sqlite_hub, steward, made).json()
    for digest in again["missing"]:
        sqlite_hub.client.put(f"{pieces}/{digest}", headers=steward, content=made.chunks[digest])
    ended = sqlite_hub.client.post(f"{path}/end", headers=steward)
    sqlite_hub.work()

    assert (early.status_code, early.json()["code"], kept.status_code) == (409, "chunks-missing", 204)
    assert (again["submission"], again["missing"]) == (opened["submission"], others)
    assert ended.json() == {"submission": opened["submission"], "state": "checking"}
    assert begin(sqlite_hub, steward, made).json()["state"] == "accepted"
    told = [event for event in sqlite_hub.events()[before:] if event.startswith("submission")]
    assert told == [
        "submission.committed", "submission.checked", "submission.checked", "submission.accepted",
    ]  # fmt: skip


def test_an_altered_piece_one_that_nobody_named_and_another_office_are_refused(sqlite_hub, office, steward):
    made = office.prepare(range(30))
    opened = begin(sqlite_hub, steward, made).json()
    digest = next(chunk["sha256"] for chunk in made.manifest["chunks"] if chunk["holds"] == "rows")
    path, pieces = f"/submissions/{opened['submission']}/upload", f"/submissions/{opened['submission']}/chunks"
    altered = bytes([made.chunks[digest][0] ^ 1]) + made.chunks[digest][1:]
    other = {"cookie": sqlite_hub.sign_in("community-action-marin", Role.STEWARD)}
    partner = {"cookie": sqlite_hub.sign_in("canal-alliance", Role.PARTNER)}

    answers = [
        sqlite_hub.client.put(f"{pieces}/{digest}", headers=steward, content=altered),
        sqlite_hub.client.put(f"{pieces}/{'0' * 64}", headers=steward, content=b"x"),
        sqlite_hub.client.put(f"{pieces}/{digest}", headers=other, content=made.chunks[digest]),
        sqlite_hub.client.post(f"{path}/end", headers=other),
        begin(sqlite_hub, other, made),
        sqlite_hub.client.put(f"{pieces}/{digest}", headers=partner, content=made.chunks[digest]),
    ]

    assert [one.status_code for one in answers] == [422, 404, 404, 404, 422, 403]
    assert [answers[0].json()["code"], answers[4].json()["code"]] == ["SUB-003", "SUB-002"]
    assert begin(sqlite_hub, steward, made).json()["missing"] == opened["missing"]


def test_what_the_script_sends_is_what_the_routes_take(sqlite_hub, steward):
    script = sqlite_hub.client.get("/static/upload.js")
    page = sqlite_hub.client.get("/submissions", headers=steward)

    assert "script-src 'self'; connect-src 'self'" in page.headers["content-security-policy"]

    assert script.headers["content-type"].startswith("text/javascript")
    for path in ("/submissions/upload/begin", "/upload/end", "/chunks/${"):
        assert path in script.text
