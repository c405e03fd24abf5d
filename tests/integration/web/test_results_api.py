"""The results API over real HTTP: what may be asked, by whom, in which form, and what every answer leaves behind."""

import csv
import io
from typing import Any

import httpx
import pytest

READING = {"indicator": "third-grade-reading"}


def test_the_public_asks_a_table_of_the_report_card(public: httpx.Client) -> None:
    answer = public.get("/v1/observations", params={**READING, "by": "economic-status", "cohort": "2026"})

    assert answer.status_code == 200
    assert answer.json()["rows"][1] == {
        "indicator": "third-grade-reading",
        "cohort_year": 2026,
        "economic-status": "disadvantaged",
        "n": None,
        "known": 100,
        "k": 44,
        "rate": 44,
        "rate_low": None,
        "rate_high": None,
        "coverage_low": None,
        "coverage_high": None,
        "status": "F",
        "status_reason": "",
        "release": "2026-11-22.1",
        "vintage": "final",
        "definition_version": "1",
    }
    assert answer.json()["citation"].startswith("Marin Promise Partnership, Promise Hub, release 2026-11-22.1")


def test_a_hidden_row_keeps_its_place_with_nulls_a_status_and_the_reason_in_words(public: httpx.Client) -> None:
    answer = public.get("/v1/observations", params={**READING, "by": "race", "cohort": "2026"})

    hidden = [row for row in answer.json()["rows"] if row["race"] == "pacific-islander"]
    assert len(hidden) == 1
    assert {hidden[0][name] for name in ("n", "known", "k", "rate", "rate_low", "rate_high")} == {None}
    assert (hidden[0]["status"], hidden[0]["status_reason"]) == ("C", "hidden to protect students")
    assert "1 of 4 rows is hidden to protect students." in answer.json()["notes"]


@pytest.mark.parametrize("way", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_csv_has_the_same_rows_with_empty_fields_where_a_number_is_hidden(
    public: httpx.Client, way: dict[str, dict[str, str]]
) -> None:
    params = {**READING, "by": "race", "cohort": "2026", **way.get("params", {})}

    answer = public.get("/v1/observations", params=params, headers=way.get("headers", {}))

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row["race"] for row in rows] == ["Total", "hispanic", "white", "pacific-islander"]
    assert [(row["known"], row["rate"], row["status"]) for row in rows] == [
        ("200", "60", "F"),
        ("90", "50", "F"),
        ("14", "", "F"),
        ("", "", "C"),
    ]
    assert "*" not in answer.text


def test_a_linked_table_is_refused_to_the_public_and_to_whom_no_licence_names(
    public: httpx.Client, partner: httpx.Client
) -> None:
    linked = {**READING, "by": "preschool"}
    ways = [
        (public, {}, "R-01"),
        (public, {"agreement": "DUL-TEST", "purpose": "tutoring"}, "R-01"),
        (partner, {"purpose": "marketing"}, "R-11"),
        (partner, {"agreement": "DUL-OTHER", "purpose": "tutoring"}, "R-03"),
        (partner, {"purpose": "tutoring", "indicator": "eighth-grade-math", "by": "race"}, "R-12"),
        (partner, {"purpose": "tutoring", "by": "gender"}, "R-13"),
        (partner, {"purpose": "tutoring", "by": "preschool,economic-status"}, "R-14"),
    ]

    answers = [client.get("/v1/observations", params={**linked, **changed}) for client, changed, _ in ways]

    assert [answer.status_code for answer in answers] == [403] * len(ways)
    assert [answer.json()["rule"] for answer in answers] == [rule for _, _, rule in ways]
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)


def test_a_licence_opens_a_linked_table_and_can_only_hide(partner: httpx.Client, served: Any) -> None:
    answer = partner.get("/v1/observations", params={**READING, "by": "preschool", "purpose": "tutoring"})

    rows = [row for row in answer.json()["rows"] if row["cohort_year"] == 2026]
    assert [(row["preschool"], row["known"], row["status"]) for row in rows] == [
        ("Total", 200, "F"),
        ("any", 40, "F"),
        ("none", None, "C"),
    ]
    assert answer.headers["cache-control"] == "private, no-store"
    event = served.last_event()
    assert (event.event, event.agreement, event.purpose, event.rule) == (
        "query.answered",
        "DUL-TEST",
        "tutoring",
        "R-00",
    )
    assert event.counts == {"cells": 9, "hidden": 3}
    assert event.versions == {"release": "2026-11-22.1", "agreement DUL-TEST": "1"}


def test_every_answer_and_every_refusal_leaves_one_event(public: httpx.Client, served: Any) -> None:
    public.get("/v1/observations", params=READING)
    answered = served.last_event()
    public.get("/v1/observations", params={**READING, "by": "preschool"})
    refused = served.last_event()

    assert (answered.event, answered.resource, answered.decision) == (
        "query.answered",
        "observations/third-grade-reading/total",
        "permitted",
    )
    assert (refused.event, refused.decision, refused.rule) == ("request.refused", "refused", "R-01")
    assert refused.sequence == answered.sequence + 1


@pytest.mark.parametrize(
    ("path", "params", "code", "says"),
    [
        ("observations", {"indicator": "height"}, "indicator-unknown", "third-grade-reading"),
        ("observations", {**READING, "by": "shoe-size"}, "dimension-unknown", "economic-status"),
        ("observations", {**READING, "by": "race,gender,district"}, "table-not-declared", "race, economic-status"),
        ("observations", {**READING, "by": "race,gender,district,preschool"}, "split-too-deep", "at most 3"),
        (
            "observations",
            {**READING, "by": "preschool,economic-status", "level": "preschool:head-start"},
            "level-too-fine",
            "any, none",
        ),
        ("observations", {**READING, "cohort": "2028"}, "cohort-wrong", "2025-26 is 2026"),
        ("observations", {**READING, "cohort": "2024..2028"}, "cohort-wrong", "2025-26 is 2026"),
        ("pathway", {"cohort": "2028"}, "cohort-wrong", "2025-26 is 2026"),
        ("observations", {**READING, "cohort": "1999"}, "cohort-wrong", "2025-26 is 2026"),
        ("observations", {**READING, "cohort": "2026..2022"}, "cohort-wrong", "Ask 2022..2026."),
        ("observations", {**READING, "level": "race:white"}, "level-without-split", "`by`"),
        ("observations", {**READING, "by": "race", "level": "white"}, "level-wrong", "level=race:white"),
        ("observations", {**READING, "after": "there"}, "after-wrong", "`next`"),
        ("observations", {**READING, "format": "pdf"}, "format-unknown", "csv"),
        ("gaps", {"pair": "height"}, "gap-unknown", "economic-status"),
        ("gaps", {"indicator": "height"}, "indicator-unknown", "third-grade-reading"),
        ("indicators/height", {}, "indicator-unknown", "third-grade-reading"),
        ("voices", {"indicator": "height"}, "indicator-unknown", "third-grade-reading"),
    ],
)
def test_what_nobody_may_ask_is_refused_with_what_may_be_asked(
    public: httpx.Client, path: str, params: dict[str, str], code: str, says: str
) -> None:
    answer = public.get(f"/v1/{path}", params=params)

    assert answer.status_code == 422
    assert answer.json()["code"] == code
    assert says in answer.json()["next_step"]


@pytest.mark.parametrize(
    ("params", "place", "rule"),
    [
        ({}, "query.indicator", "This is needed."),
        ({**READING, "cohort": "last year"}, "query.cohort", "of another form"),
        ({**READING, "limit": "0"}, "query.limit", "too small"),
        ({**READING, "limit": "many"}, "query.limit", "a whole number"),
    ],
)
def test_what_does_not_keep_the_form_is_refused_with_its_place_and_rule_and_never_with_what_was_sent(
    public: httpx.Client, params: dict[str, str], place: str, rule: str
) -> None:
    answer = public.get("/v1/observations", params=params)

    fault = answer.json()["errors"][0]
    assert answer.status_code == 422
    assert fault["at"] == place
    assert rule in fault["rule"]
    assert not any(sent in answer.text for sent in ("last year", "many"))


def test_another_method_is_refused_with_those_that_there_are(public: httpx.Client) -> None:
    answer = public.post("/v1/observations", params=READING)

    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method-wrong", "GET")
    assert answer.json()["next_step"]


def test_a_year_without_cells_and_a_level_that_is_not_there_are_answered_alike(public: httpx.Client) -> None:
    later = public.get("/v1/observations", params={**READING, "by": "race", "cohort": "2027"})
    absent = public.get("/v1/observations", params={**READING, "by": "race", "level": "race:filipino"})

    assert (later.status_code, later.json()["rows"]) == (200, [])
    assert (absent.status_code, absent.json()["rows"]) == (200, [])


def test_pages_follow_each_other_without_loss_or_repeat(public: httpx.Client) -> None:
    whole = public.get("/v1/observations", params={**READING, "by": "race"}).json()["rows"]
    found, link = [], "/v1/observations?indicator=third-grade-reading&by=race&limit=5"

    while link:
        page = public.get(link).json()
        found += page["rows"]
        link = page["next"]

    assert found == whole
    assert len(whole) == 12


def test_a_known_tag_is_answered_with_304_and_logged(public: httpx.Client, served: Any) -> None:
    first = public.get("/v1/observations", params=READING)

    again = public.get("/v1/observations", params=READING, headers={"If-None-Match": first.headers["etag"]})
    as_csv = public.get("/v1/observations", params={**READING, "format": "csv"})

    assert (again.status_code, again.content) == (304, b"")
    assert as_csv.headers["etag"] != first.headers["etag"]
    assert served.last_event().event == "query.answered"


def test_gaps_tell_the_pace_needed_and_the_pace_made(public: httpx.Client) -> None:
    answer = public.get("/v1/gaps", params={"indicator": "third-grade-reading", "pair": "economic-status"}).json()

    assert [(row["cohort_year"], row["gap"], row["status"]) for row in answer["rows"]] == [
        (2023, 35, "F"),
        (2025, 31, "F"),
        (2026, 26, "F"),
    ]
    assert answer["pace"] == [
        {
            "indicator": "third-grade-reading",
            "pair": "economic-status",
            "latest_year": 2026,
            "latest_gap": 26,
            "since_year": 2023,
            "made": -3.0,
            "needed": -13.0,
            "standing": "not on pace",
        }
    ]


def test_a_gap_against_a_coded_rate_is_a_range(public: httpx.Client) -> None:
    answer = public.get("/v1/gaps", params={"indicator": "third-grade-reading", "pair": "race"}).json()

    last = answer["rows"][-1]
    assert (last["gap"], last["gap_low"], last["gap_high"]) == (None, 30.0, 50.0)
    assert last["status_reason"] == "given as a range to protect students"
    assert answer["pace"][0]["standing"] == "cannot be told"


def test_the_pathway_keeps_reached_not_reached_and_not_observed_apart(public: httpx.Client) -> None:
    answer = public.get("/v1/pathway", params={"cohort": 2023}).json()

    stages = {row["indicator"]: row for row in answer["rows"]}
    assert len(stages) == 7
    assert {
        name: stages["third-grade-reading"][name] for name in ("cohort_year", "state", "reached", "not_reached")
    } == {
        "cohort_year": 2026,
        "state": "observed",
        "reached": 120,
        "not_reached": 80,
    }
    assert stages["high-school-graduation"]["state"] == "not yet observed"


def test_definitions_dimensions_and_cohorts_are_open_to_everybody(public: httpx.Client) -> None:
    indicators = public.get("/v1/indicators").json()["rows"]
    one = public.get("/v1/indicators/third-grade-reading").json()["rows"]
    dimensions = public.get("/v1/dimensions").json()["rows"]
    cohorts = public.get("/v1/cohorts").json()["rows"]

    assert [card["set"] for card in indicators] == ["core"] * 7 + ["contributing"] * 7 + [None] * 14
    assert one[0].pop("state_figures") == []
    assert one == [card for card in indicators if card["id"] == "third-grade-reading"]
    assert {"definition", "numerator", "denominator", "unknown", "comparison", "version"} <= one[0].keys()
    assert {card["id"] for card in dimensions} >= {"race", "economic-status", "preschool", "district"}
    assert cohorts == [{"indicator": "third-grade-reading", "cohort_year": year} for year in (2023, 2025, 2026)]


def test_a_release_that_was_never_public_is_answered_like_one_that_does_not_exist(public: httpx.Client) -> None:
    listed = public.get("/v1/releases").json()["rows"]
    shown = public.get("/v1/releases/2026-11-22.1").json()
    missing = [public.get(f"/v1/releases/{name}") for name in ("2026-11-22.2", "nothing")]

    assert [release["id"] for release in listed] == ["2026-11-22.1"]
    assert shown["state"] == "published"
    assert [answer.status_code for answer in missing] == [404, 404]
    assert missing[0].content == missing[1].content


def test_the_description_of_the_api_names_every_question_and_its_parameters(public: httpx.Client) -> None:
    paths = public.get("/v1/openapi.json").json()["paths"]

    asked = {one["name"] for one in paths["/v1/observations"]["get"]["parameters"]}
    assert {
        f"/v1/{name}" for name in ("indicators", "dimensions", "cohorts", "gaps", "pathway", "releases")
    } <= paths.keys()
    assert asked >= {"indicator", "by", "cohort", "level", "agreement", "purpose", "release", "after", "limit"}


def test_without_the_split_that_hides_most_more_would_be_shown_says_a_note(public: httpx.Client) -> None:
    answer = public.get("/v1/observations", params={**READING, "by": "race", "cohort": "2026"}).json()

    assert answer["notes"] == [
        "1 of 4 rows is hidden to protect students.",
        "Without the split by race and ethnicity, hidden rows fall from 1 to 0.",
    ]
