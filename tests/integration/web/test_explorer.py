"""The explorer answers the question of a form, cites it, and says in words what is hidden."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from policies.principal import Role

READING = {"indicator": "third-grade-reading"}
LICENCE = "DUL-TWO"
TWO_SPLITS = f"""
id: {LICENCE}
tier: DUL
version: 1
title: A licence for two splits at once
parties:
  - {{organisation: ten-thousand-degrees, role: licensee, authority: CBO, signatory: Somebody, signed_at: 2026-06-30}}
parent: MOU-1
legal_basis: [ferpa-deidentified]
purposes: [{{id: tutoring, text: Plan tutoring., activity: Ask for aggregates.}}]
outputs:
  min_n: 11
  indicators: [third-grade-reading]
  dimensions: [economic-status, race, preschool]
  max_dimensions: 2
retention: {{effective: 2026-07-01, expires: 2030-06-30, destroy_within_days: 90}}
clauses: {{use_limited_to_purpose: For it alone., further_disclosure_barred: None., no_reidentification: None.,
  dissemination: With its source., security: Kept safe., destruction: In time.}}
"""


@pytest.fixture(scope="module")
def analyst(served: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        client.post("/sign-in", data={"link": served.link_under(TWO_SPLITS, "ten-thousand-degrees", Role.PARTNER)})
        yield client


def test_the_form_begins_with_the_newest_years_of_the_release(public: httpx.Client) -> None:
    page = public.get("/explorer").text

    assert re.findall(r'<option value="(\d{4})" selected>', page) == ["2023", "2026"]
    assert "Third grade reading, economic status" in page


def test_reading_by_income_for_children_who_attended_preschool_is_one_choice_more(analyst: httpx.Client) -> None:
    page = analyst.get("/explorer", params={**READING, "by": "economic-status", "only": "preschool:any"}).text

    rows = re.findall(r"<tr><td>2026</td>(.*?)</tr>", page)
    assert [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows] == [
        "Any preschool of the partnership All 75 % 40",
        "Any preschool of the partnership Socioeconomically disadvantaged 68 % 25",
        "Any preschool of the partnership Not socioeconomically disadvantaged hidden to protect students",
    ]
    assert "Third grade reading, economic status; only: Any preschool of the partnership" in page


def test_the_citation_names_release_log_entry_definition_and_an_address_that_finds_the_rows(
    analyst: httpx.Client, served: Any
) -> None:
    page = analyst.get("/explorer", params={**READING, "by": "economic-status", "only": "preschool:any"}).text

    found = re.search(r'<p class="cite">Cite: (.*?) (http://\S+?)</p>', page)
    assert found is not None
    assert re.fullmatch(
        r"Marin Promise Partnership, Promise Hub, release 2026-11-22\.1 \(log entry \d+\), “Third grade reading”, "
        r"definition version 1\.",
        found[1],
    )
    address = found[2].replace("&amp;", "&").partition("/v1/")[2]
    told = analyst.get(f"{served.url}/v1/{address}").json()
    assert (told["release"], len(told["rows"])) == ("2026-11-22.1", 9)


def test_the_citation_of_a_release_names_the_event_that_published_it(public: httpx.Client, served: Any) -> None:
    told = public.get("/v1/observations", params=READING).json()["citation"]

    entry = int(re.findall(r"log entry (\d+)", told)[0])
    assert served.event_at(entry).event == "release.published"


def test_the_gap_of_a_pair_and_its_pace_stand_above_the_chart(public: httpx.Client) -> None:
    page = public.get("/explorer", params={**READING, "by": "economic-status"}).text

    assert "To close by 2028 it must narrow 13 points a year" in page
    assert 'href="/report#third-grade-reading"' in page


def test_every_number_of_the_charts_words_stands_in_the_table(public: httpx.Client) -> None:
    page = public.get("/explorer", params={**READING, "by": "race"}).text

    table = "".join(re.findall(r"<tbody>.*?</tbody>", page, re.DOTALL))
    for words in re.findall(r'role="img" aria-label="(.*?)"', page):
        told = set(re.findall(r"\d+ %(?: or more| or less)?", words))
        assert told
        assert all(f">{rate}<" in table for rate in told)


def test_a_group_that_is_hidden_in_a_year_breaks_its_line_and_is_named(public: httpx.Client) -> None:
    page = public.get("/explorer", params={**READING, "by": "race"}).text

    assert "2023, 2025, 2026: hidden to protect students" in page


def test_a_level_that_is_none_is_refused_in_words(public: httpx.Client) -> None:
    page = public.get("/explorer", params={**READING, "by": "race", "only": "race"})

    assert page.status_code == 422
    assert "A level is named as dimension:level." in page.text


def test_linked_splits_and_licences_are_offered_to_those_who_have_one(
    public: httpx.Client, analyst: httpx.Client
) -> None:
    offered = ["From a linked record" in client.get("/explorer").text for client in (public, analyst)]

    assert offered == [False, True]
    assert f"{LICENCE}: Plan tutoring." in analyst.get("/explorer").text


def test_before_a_year_is_shown_the_page_says_so(public: httpx.Client) -> None:
    page = public.get("/explorer", params={"indicator": "employment", "by": "gender"})

    assert page.status_code == 200
    assert "The release holds no cohort of these years." in page.text


def test_a_class_is_followed_with_what_is_not_observed_kept_apart(public: httpx.Client) -> None:
    page = public.get("/pathway", params={"cohort": "2023"}).text

    rows = dict(re.findall(r'<th scope="row"><a [^>]*>(.*?)</a></th><td>[^<]*</td>(.*?)</tr>', page))
    assert rows["Third grade reading"] == "<td>60 %</td><td>40 %</td><td>0 to 5 %</td><td>200</td>"
    assert rows["High school graduation"] == '<td colspan="4" class="hidden">not yet observed</td>'
    assert len(rows) == 7
    assert "High school graduation: not yet observed" in page
    assert "/v1/pathway?cohort=2023&amp;release=2026-11-22.1" in page


def test_the_pathway_begins_with_the_class_of_which_most_is_shown(public: httpx.Client) -> None:
    page = public.get("/pathway").text

    assert re.findall(r'<option value="(\d{4})" selected>', page) == ["2023"]


def test_a_class_that_has_not_begun_is_refused_in_words(public: httpx.Client) -> None:
    page = public.get("/pathway", params={"cohort": "2090"})

    assert page.status_code == 422
    assert "A cohort year lies between" in page.text
