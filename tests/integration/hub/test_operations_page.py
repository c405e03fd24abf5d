"""The manual's page for operators says what the code says."""

from pathlib import Path

from hub.settings import Settings
from hub.submissions.status import NEXT_STEPS, OWNERS
from hub.submissions.tables import STATES
from policies.holds import HOLDS

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")


def test_every_setting_stands_on_the_page_with_its_help_text():
    for name, field in Settings.model_fields.items():
        default = "" if field.is_required() or field.default == "" else f" {field.default}"
        assert f"| `{name}` |{default} | {field.description} |" in PAGE


def test_every_state_stands_on_the_page_with_owner_and_next_step():
    assert set(STATES) == set(NEXT_STEPS) == set(OWNERS)
    for state in STATES:
        assert f"| {state} | {OWNERS[state]} | {NEXT_STEPS[state]} |" in PAGE


def test_every_hold_stands_on_the_page():
    assert all(f"`{code}`" in PAGE for code in HOLDS)
