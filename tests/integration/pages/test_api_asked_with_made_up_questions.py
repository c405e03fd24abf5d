"""The API asked with made-up questions as one role: it never fails, and answers as its description says.

The short form of `bench api_fuzz`, which asks two thousand cases as each role.
"""

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("caller", ["anonymous", "steward", "agent"])
def test_no_question_breaks_it_and_no_answer_has_another_form(caller):
    from tests.bench.api_fuzz import measure

    found = measure([caller], cases=130)

    told = found["callers"][caller]
    assert told["faults"] == []
    assert told["cases"] >= 130
