"""The steward's pages say what the program does: rules, layouts, commands, codes."""

import re
from pathlib import Path

import pytest

from connectors.cli import app
from connectors.layout_files import READERS, layouts
from connectors.readers.mapped import IDENTITY
from connectors.rules_page import rules_page
from policies.rules.rulebook import rulebook

DOCS = Path("docs")


def test_the_page_of_rules_is_made_from_the_rulebook():
    assert (DOCS / "sources" / "rules.md").read_text("utf-8") == rules_page()


@pytest.mark.parametrize("layout", layouts())
def test_every_layout_has_its_page(layout):
    assert (DOCS / "sources" / f"{layouts()[layout].page}.md").exists()


def test_every_command_and_identity_element_is_described():
    page = (DOCS / "edge.md").read_text("utf-8")

    for command in app.registered_commands:
        assert f"promise-edge {command.name or command.callback.__name__}" in page
    for element in IDENTITY:
        assert f"`{element}`" in page


def test_every_code_that_the_program_uses_is_a_rule():
    used = set()
    for path in Path("connectors").rglob("*.py"):
        used |= set(re.findall(r"\"((?:FIL|ROW|IDN|DAT|COD|NUM|TXT|DEM|AST|NSC|EMP)-\d{3})\"", path.read_text("utf-8")))

    assert used <= set(rulebook())


def test_every_reader_serves_a_layout():
    assert set(READERS.values()) == {layout.read for layout in layouts().values()}
