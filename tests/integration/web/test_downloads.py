"""The rows of a table as workbook, JSON-stat and picture: the same numbers, and hidden ones in words everywhere."""

import io
import json
import re
import struct
import zlib
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

BY_RACE = {"indicator": "third-grade-reading", "by": "race", "cohort": "2026"}
FORMS = ("csv", "xlsx", "json-stat", "png")
HIDDEN = "hidden to protect students"


def download(client: httpx.Client, form: str, **more: str) -> httpx.Response:
    answer = client.get("/v1/observations", params={**BY_RACE, "format": form, **more})
    assert answer.status_code == 200
    return answer


def description(picture: bytes) -> str:
    """The text of the picture's Description chunk, its check sum held."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    at, found = 8, ""
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        chunk = picture[at + 4 : at + 8 + length]
        assert struct.pack(">I", zlib.crc32(chunk)) == picture[at + 8 + length : at + 12 + length]
        if chunk.startswith(b"iTXtDescription\0"):
            found = chunk.partition(b"\0\0\0en\0\0")[2].decode()
        at += 12 + length
    return found


def test_a_workbook_has_data_definitions_notes_and_citation(public: httpx.Client) -> None:
    book = load_workbook(io.BytesIO(download(public, "xlsx").content))

    assert book.sheetnames == ["Data", "Definitions", "Notes", "Citation"]
    rows = list(book["Data"].values)
    told = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    wanted = public.get("/v1/observations", params={**BY_RACE, "labels": "true"}).json()
    assert told == [
        {name: value or (0 if value == 0 else None) for name, value in row.items()} for row in wanted["rows"]
    ]
    assert [row[0] for row in list(book["Notes"].values)[1:]] == wanted["notes"]
    assert book["Citation"]["A2"].value == wanted["citation"]


def test_a_hidden_number_is_blank_in_a_workbook_with_its_reason(public: httpx.Client) -> None:
    sheet = load_workbook(io.BytesIO(download(public, "xlsx").content))["Data"]

    titles = [cell.value for cell in sheet[1]]
    hidden = [row for row in sheet.iter_rows(min_row=2, values_only=True) if row[titles.index("status")] == "C"]
    assert len(hidden) == 1
    told = dict(zip(titles, hidden[0], strict=True))
    assert [told[name] for name in ("n", "known", "k", "rate", "rate_low", "rate_high")] == [None] * 6
    assert told["status_reason"] == HIDDEN


def test_json_stat_has_one_value_and_status_for_each_place_and_null_for_what_is_hidden(public: httpx.Client) -> None:
    cube = download(public, "json-stat").json()

    assert (cube["version"], cube["class"]) == ("2.0", "dataset")
    assert cube["id"] == ["race", "cohort_year", "measure"]
    assert cube["size"] == [4, 1, 5]
    assert len(cube["value"]) == len(cube["status"]) == 20
    levels = cube["dimension"]["race"]["category"]["index"]
    places = {level: cube["value"][5 * at : 5 * at + 5] for at, level in enumerate(levels)}
    assert places == {
        "Total": [200, 120, 60, None, None],
        "hispanic": [90, 45, 50, None, None],
        "white": [14, None, None, 80, 100],
        "pacific-islander": [None] * 5,
    }
    at = 5 * levels.index("pacific-islander")
    assert cube["status"][at : at + 5] == ["C"] * 5
    assert {cube["extension"]["status_reason"][str(place)] for place in range(at, at + 5)} == {HIDDEN}


def test_a_range_in_json_stat_says_why_the_rate_is_not_there(public: httpx.Client) -> None:
    cube = download(public, "json-stat").json()

    at = 5 * cube["dimension"]["race"]["category"]["index"].index("white")
    assert cube["status"][at : at + 5] == ["F", "C", "C", "F", "F"]
    assert cube["extension"]["status_reason"][str(at + 2)] == "given as a range to protect students"


def test_a_picture_says_in_words_what_it_shows_and_what_is_hidden(public: httpx.Client) -> None:
    words = description(download(public, "png").content)

    assert "Hispanic or Latino 50 %, n 90" in words
    assert f"Pacific Islander {HIDDEN}" in words
    assert "release 2026-11-22.1" in words


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_bytes_for_the_same_tag(public: httpx.Client, form: str) -> None:
    first, second = download(public, form), download(public, form)

    assert first.headers["etag"] == second.headers["etag"]
    assert first.content == second.content
    again = public.get(
        "/v1/observations", params={**BY_RACE, "format": form}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_the_forms_have_tags_of_their_own(public: httpx.Client) -> None:
    assert len({download(public, form).headers["etag"] for form in (*FORMS, "json")}) == 5


def test_no_form_holds_a_number_that_stands_for_a_hidden_one(public: httpx.Client) -> None:
    texts = [
        download(public, "csv").text,
        json.dumps(download(public, "json-stat").json()["value"]),
        description(download(public, "png").content),
    ]

    for text in texts:
        assert not re.search(r"-\d|\b9{3,}\b|NaN", text.replace("2026-11-22", ""))


def test_what_is_asked_for_by_accept_comes_in_that_form(public: httpx.Client) -> None:
    answers: list[Any] = [
        public.get("/v1/observations", params=BY_RACE, headers={"Accept": kind})
        for kind in ("image/png", "application/vnd.json-stat+json")
    ]

    assert [one.headers["content-type"] for one in answers] == ["image/png", "application/vnd.json-stat+json"]


def test_definitions_come_in_no_form_but_json_and_csv(public: httpx.Client) -> None:
    answer = public.get("/v1/indicators", params={"format": "xlsx"})

    assert (answer.status_code, answer.json()["code"]) == (422, "format-unknown")


def test_an_answer_without_rows_is_still_a_file_in_every_form(public: httpx.Client) -> None:
    for form in FORMS:
        answer = download(public, form, indicator="employment", by="gender")

        assert answer.content or form == "csv"
