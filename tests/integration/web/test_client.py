"""The client tells the rows, follows pages, and raises the hub's own words."""

from typing import Any

import pytest

from hub.client import Client, ProblemError


def test_the_client_reads_all_pages_of_an_answer(served: Any) -> None:
    with Client(served.url) as client:
        whole = client.observations(indicator="third-grade-reading", by="race")
        paged = client.observations(indicator="third-grade-reading", by="race", limit="5")

    assert paged.rows == whole.rows
    assert len(whole.rows) == 12
    assert whole.citation.startswith("Marin Promise Partnership")


def test_the_client_reads_definitions_gaps_and_the_pathway(served: Any) -> None:
    with Client(served.url) as client:
        indicators = client.indicators()
        dimensions = client.dimensions()
        gaps = client.gaps(indicator="third-grade-reading", pair="economic-status")
        road = client.pathway(cohort=2023)

    core = [one for one in indicators if one["set"] == "core"]
    assert len(core) == len(road.rows) == 7
    assert {row["id"] for row in dimensions} >= {"race", "district"}
    assert gaps.body["pace"][0]["needed"] == -13.0


def test_a_refusal_is_raised_with_code_and_next_step(served: Any) -> None:
    with Client(served.url) as client, pytest.raises(ProblemError) as refused:
        client.observations(indicator="height")

    assert (refused.value.status, refused.value.code) == (422, "indicator-unknown")
    assert "third-grade-reading" in refused.value.next_step


def test_a_token_opens_what_its_agreement_names(served: Any) -> None:
    with Client(served.url, token=served.token) as client:
        answer = client.observations(indicator="third-grade-reading", by="preschool", purpose="tutoring")

    assert {row["status"] for row in answer.rows} == {"F", "C"}


def test_a_frame_keeps_whole_numbers_whole_and_a_hidden_number_missing(served: Any) -> None:
    with Client(served.url) as client:
        frame = client.observations(indicator="third-grade-reading", by="race", cohort="2026").frame()

    rates = dict(zip(frame["race"], frame["rate"], strict=True))
    assert (str(frame["rate"].dtype), rates["hispanic"]) == ("Int64", 50)
    assert frame.loc[frame["race"] == "pacific-islander", ["known", "k", "rate"]].isna().all(axis=None)
