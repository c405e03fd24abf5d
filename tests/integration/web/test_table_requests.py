"""Requests for further tables over real HTTP: asked, commented, read and decided by those who may, and by no other."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from hub.audit.events import AuditTrail
from policies.principal import Role
from tests.conftest import stand_in_force

LICENCE = """
id: DUL-WIDE
tier: DUL
version: 1
title: A wider licence
parties:
  - {organisation: canal-alliance, role: licensee, authority: CBO, signatory: Somebody, signed_at: 2026-06-30}
parent: MOU-1
legal_basis: [ferpa-deidentified]
purposes: [{id: tutoring, text: Plan tutoring., activity: Ask for aggregates.}]
outputs: {indicators: [third-grade-reading], dimensions: [gender, race, district], max_dimensions: 2}
retention: {effective: 2026-07-01, expires: 2030-06-30, destroy_within_days: 90}
clauses: {use_limited_to_purpose: For it alone., further_disclosure_barred: None., no_reidentification: None.,
  dissemination: With its source., security: Kept safe., destruction: In time.}
"""
CONTRIBUTOR = """
id: DSA-TEST
tier: DSA
version: 1
title: A contributor's agreement
parties: [{organisation: novato, role: contributor, authority: LEA}]
legal_basis: [public-record]
purposes: []
outputs: {min_n: 11}
retention: {effective: 2026-01-01, expires: 2030-01-01, destroy_within_days: 90}
"""
ASKED = {"indicator": "third-grade-reading", "agreement": "DUL-WIDE", "purpose": "tutoring", "why": "Plan where."}


@pytest.fixture(scope="module")
def hub(served: Any) -> Any:
    trail = AuditTrail("tester", None, "request-1", "test", lambda: served_now(served))
    with served.database.transaction() as session:
        stand_in_force(session, LICENCE, audit=trail)
        session.execute(_contributor(trail))
    return served


def served_now(served: Any) -> Any:
    return served.last_event().time


def _contributor(trail: AuditTrail) -> Any:
    from sqlalchemy import insert

    from hub.agreements.tables import AgreementVersion
    from policies.agreements import read_agreement

    one = read_agreement(CONTRIBUTOR)
    return insert(AgreementVersion).values(
        id=one.id,
        version=one.version,
        tier=one.tier,
        text=CONTRIBUTOR,
        activated_at=trail.clock(),
        text_hash=one.text_hash(),
        effective=one.retention.effective,
        expires=one.retention.expires,
        loaded_at=trail.clock(),
    )


@contextmanager
def signed_in(served: Any, role: Role) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        client.post("/sign-in", data={"link": served.link(role)})
        token = re.search(r'name="form_token" value="([^"]+)"', client.get("/account").text)
        client.headers["x-form-token"] = token[1] if token else ""
        yield client


def test_a_partner_asks_contributors_comment_and_the_officer_must_wait(hub: Any) -> None:
    with signed_in(hub, Role.PARTNER) as partner:
        asked = partner.post("/v1/table-requests", json={**ASKED, "by": ["gender", "race"]})
        event = hub.last_event()
        own = partner.get("/v1/table-requests").json()["rows"]
    number = asked.json()["id"]
    with signed_in(hub, Role.STEWARD) as steward:
        said = steward.post(f"/v1/table-requests/{number}/comments", json={"stance": "concern", "text": "Few of us."})
        commented = hub.last_event().event
        seen = steward.get(f"/v1/table-requests/{number}").json()
        read = hub.last_event().event
    with signed_in(hub, Role.COMPLIANCE) as officer:
        early = officer.post(f"/v1/table-requests/{number}/approve", json={"note": "Good."})
        declined = officer.post(f"/v1/table-requests/{number}/decline", json={"note": "Too deep for so few."})
        decided = hub.last_event().event
        again = officer.post(f"/v1/table-requests/{number}/decline", json={"note": "Once more."})

    assert asked.status_code == 201
    assert (asked.json()["state"], asked.json()["title"]) == ("open", "Gender by race and ethnicity")
    assert (event.event, event.agreement, event.purpose, event.rule) == (
        "table.requested", "DUL-WIDE", "tutoring", "R-00",
    )  # fmt: skip
    assert (commented, read, decided) == ("table.commented", "table_requests.read", "table.declined")
    assert [row["id"] for row in own] == [number]
    assert said.status_code == 201
    assert [(one["organisation"], one["stance"]) for one in seen["comments"]] == [("novato", "concern")]
    assert "cost" not in seen
    assert (early.status_code, early.json()["code"]) == (409, "request-open")
    assert declined.json()["note"] == "Too deep for so few."
    assert (again.status_code, again.json()["code"]) == (409, "request-decided")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"indicator": "height", "by": ["gender"]}, 422, "indicator-unknown"),
        ({"by": ["shoe-size"]}, 422, "dimension-unknown"),
        ({"by": []}, 422, "dimension-unknown"),
        ({"indicator": "employment", "by": ["district"]}, 422, "dimension-unknown"),
        ({"by": ["gender", "race", "district", "preschool"]}, 422, "split-too-deep"),
        ({"by": ["gender", "preschool"]}, 403, "query-refused"),
        ({"by": ["gender", "race", "district"]}, 403, "query-refused"),
        ({"by": ["gender"]}, 409, "table-declared"),
        ({"by": ["gender", "district"], "why": "x"}, 422, "request-wrong"),
        ({"by": ["gender", "district"], "why": "x" * 501}, 422, "request-wrong"),
        ({"by": "gender"}, 422, "request-wrong"),
        ({"by": ["gender"], "further": 1}, 422, "request-wrong"),
        ({"by": ["gender"], "agreement": 1}, 422, "request-wrong"),
    ],
)
def test_what_cannot_be_requested_is_refused_with_what_can(
    hub: Any, changed: dict[str, Any], status: int, code: str
) -> None:
    with signed_in(hub, Role.PARTNER) as partner:
        answer = partner.post("/v1/table-requests", json={**ASKED, **changed})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["next_step"]
    assert hub.last_event().event == "request.refused"


def test_a_body_that_is_no_object_is_refused(hub: Any) -> None:
    with signed_in(hub, Role.PARTNER) as partner:
        answers = [partner.post("/v1/table-requests", content=body) for body in (b"", b"[]", b"{")]

    assert [answer.json()["code"] for answer in answers] == ["request-wrong"] * 3


def test_a_request_of_another_is_answered_like_one_that_there_is_not(hub: Any, public: httpx.Client) -> None:
    with signed_in(hub, Role.PARTNER) as partner:
        number = partner.post("/v1/table-requests", json={**ASKED, "by": ["district", "race"]}).json()["id"]
        waiting = partner.post("/v1/table-requests", json={**ASKED, "by": ["race", "district"]})
    with signed_in(hub, Role.SIGNATORY) as signatory:  # of the partnership, which contributes nothing
        listed = signatory.get("/v1/table-requests").json()["rows"]
        other, absent = (signatory.get(f"/v1/table-requests/{one}") for one in (number, 999))
    with signed_in(hub, Role.ADMINISTRATOR) as administrator:
        viewed = administrator.get(f"/v1/table-requests/{number}")
        refused = administrator.post(f"/v1/table-requests/{number}/approve", json={"note": "Good."})
    with signed_in(hub, Role.PARTNER) as partner:
        own = partner.post(f"/v1/table-requests/{number}/approve", json={"note": "Good."})
    token = httpx.post(
        f"{hub.url}/v1/table-requests", json=ASKED, headers={"Authorization": f"Bearer {hub.token}"}, trust_env=False
    )

    assert waiting.json()["code"] == "table-declared"
    assert listed == []
    assert (other.status_code, other.content) == (absent.status_code, absent.content)
    assert other.json()["code"] == "request-unknown"
    assert viewed.status_code == 200
    assert "cost" not in viewed.json()
    assert refused.status_code == own.status_code == 403
    assert public.get("/v1/table-requests").status_code == 401
    assert token.json()["code"] == "token-reads-only"


def test_the_page_has_the_forms_of_each_role_and_tells_refusals_in_words(hub: Any) -> None:
    with signed_in(hub, Role.PARTNER) as partner:
        fields = {"indicator": "third-grade-reading", "by0": "gender", "by1": "district", "why": "Plan where."}
        done = partner.post("/requests", data={**fields, "licence": "DUL-WIDE/tutoring"})
        again = partner.post("/requests", data={**fields, "licence": "DUL-WIDE/tutoring"})
        page = partner.get("/requests").text
        number = max(row["id"] for row in partner.get("/v1/table-requests").json()["rows"])
    with signed_in(hub, Role.STEWARD) as steward:
        said = steward.post(f"/requests/{number}/comments", data={"stance": "support", "text": "It helps us."})
        wrong = steward.post(f"/requests/{number}/comments", data={"stance": "shrug", "text": "It helps us."})
        commented = steward.get("/requests").text
    with signed_in(hub, Role.COMPLIANCE) as officer:
        early = officer.post(f"/requests/{number}/decision", data={"decision": "approve", "note": "Good."})
        declined = officer.post(f"/requests/{number}/decision", data={"decision": "decline", "note": "Not this year."})
        decided = officer.get("/requests").text

    assert done.status_code == 303
    assert again.status_code == 409
    assert "in the catalogue, or requested already" in again.text
    assert "Ask for a table" in page
    assert "Gender by district (open)" in page
    assert said.status_code == declined.status_code == 303
    assert wrong.status_code == 422
    assert "novato (support): It helps us." in commented
    assert "Ask for a table" not in commented
    assert "Contributors may still comment." in early.text
    assert "Decision: Not this year." in decided
    assert "<script" not in decided
