"""Verifying records at the edge: references become local numbers here, and answers go back without them."""

import csv

import pytest

from connectors.errors import WorkspaceError
from connectors.keystore import ReferenceKey
from connectors.references import record_reference
from connectors.review import COLUMNS, fetch_list, read_answers, send_answers

KEY = ReferenceKey(b"\x05" * 32)


class ListeningHub:
    """What the hub answers, and what it was told; held to the real routes in tests/integration/hub/test_reviews.py."""

    def __init__(self, lines=()):
        self.lines, self.told = list(lines), []

    def ask(self, method, path, body=b""):
        self.told.append((method, path, body))
        return {"lines": self.lines} if method == "GET" else {"taken": 1}


def line(item, local_id, fields, state="open"):
    return {"item": item, "reference": record_reference(KEY, local_id).hex(), "fields": fields, "state": state}


def filled(path, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def test_the_list_names_local_numbers_and_fields_and_leaves_the_answer_open(tmp_path):
    hub = ListeningHub(
        [line("i1", "zq1", ["names", "date"]), line("i2", "gone", ["sex"]), line("i3", "zq1", [], "answered")]
    )
    out = tmp_path / "list.csv"

    listed = fetch_list(hub, local_ids=["zq1", "zq2"], key=KEY, out=out)

    rows = list(csv.reader(out.read_text().splitlines()))
    assert rows[0] == list(COLUMNS)
    assert [(row[0], row[1], row[2], row[4]) for row in rows[1:]] == [
        ("i1", "zq1", "names", ""), ("i1", "zq1", "date", ""), ("i2", "not in the inbox", "sex", ""),
    ]  # fmt: skip
    assert (listed.lines, listed.unknown) == (2, 1)
    assert hub.told == [("GET", "/v1/linkage/reviews", b"")]


def test_a_local_number_that_a_spreadsheet_would_run_is_written_as_text(tmp_path):
    out = tmp_path / "list.csv"

    fetch_list(ListeningHub([line("i1", "=1,2", ["names"])]), local_ids=["=1,2"], key=KEY, out=out)

    assert next(iter(list(csv.reader(out.read_text().splitlines()))[1:]))[1] == "'=1,2"


def test_answers_go_back_by_line_and_field_without_local_numbers(tmp_path):
    hub = ListeningHub()
    file = filled(
        tmp_path / "a.csv", ("i1", "zq1", "names", "", "Right"), ("i1", "zq1", "date", "", "corrected"),
        ("i2", "zq2", "sex", "", "right"), ("i2", "zq2", "names", "", ""),
    )  # fmt: skip

    send_answers(hub, file)

    [(method, path, body)] = hub.told
    assert (method, path) == ("POST", "/v1/linkage/reviews/answers")
    assert body == b'{"answers":[{"answers":{"date":"corrected","names":"right"},"item":"i1"}]}'


@pytest.mark.parametrize(
    ("row", "code"),
    [(("i1", "zq1", "names", "", "maybe"), "EDGE-032"), (("", "zq1", "names", "", "right"), "EDGE-030")],
)
def test_a_row_that_is_not_as_it_should_be_is_named_without_its_value(tmp_path, row, code):
    file = filled(tmp_path / "a.csv", row)

    with pytest.raises(WorkspaceError) as refused:
        read_answers(file)

    assert refused.value.code == code
    assert "Row 2" in str(refused.value)
    assert "maybe" not in str(refused.value)


def test_a_list_that_nobody_answered_or_that_is_no_list_is_refused(tmp_path):
    binary = tmp_path / "b.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    empty = filled(tmp_path / "a.csv", ("i1", "zq1", "names", "", ""))

    codes = []
    for file in (empty, binary, tmp_path / "none.csv"):
        with pytest.raises(WorkspaceError) as refused:
            send_answers(ListeningHub(), file)
        codes.append(refused.value.code)

    assert codes == ["EDGE-031", "EDGE-030", "EDGE-030"]
