"""Every command that a page tells a reader to type is one that the programs know, with options that they have.

What stands in a block of code is typed as it is, so it must be whole but for what the environment says; a command
within a sentence may leave out its arguments.
"""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from connectors.cli import app as edge
from hub.cli import app as hub

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/doors/*.md"), *ROOT.glob("docs/sources/*.md")]
)
PROGRAMS = {"promise-hub": get_command(hub), "promise-edge": get_command(edge)}
FENCE = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.M | re.S)
INLINE = re.compile(r"`((?:promise-hub|promise-edge) [^`]+)`")
NOT_TYPED = {"...", "[", "]", "…"}


def lines_of(block):
    """The commands of a block of code: prompts, comments and what is before the program are left out."""
    for line in block.replace("\\\n", " ").splitlines():
        found = re.search(r"(?:^|[\s$&|;])((?:promise-hub|promise-edge) [a-z-].*)$", line)
        if found:
            yield found[1]


def commands_of(page):
    """(text, whole) of each command of a page."""
    text = page.read_text("utf-8")
    for block in FENCE.findall(text):
        yield from ((line, True) for line in lines_of(block))
    yield from ((found, False) for found in INLINE.findall(FENCE.sub("", text)))


def words_of(line):
    """The words as a shell would give them; brackets and dots, which mean "where wanted", are no words."""
    plain = re.sub(r"[\[\]]", " ", line.replace("\\|", "|"))
    words = shlex.split(re.split(r" (?:\||>|&&|;) ", plain)[0], comments=True)
    return [word for word in words if word not in NOT_TYPED]


def wrong(line, whole):
    """What is wrong with a command; empty where nothing is."""
    program, *words = words_of(line)
    command = PROGRAMS[program]
    path = [program]
    while hasattr(command, "commands"):
        if not words:
            return "" if not whole else "no command"
        path.append(words.pop(0))
        if path[-1] not in command.commands:
            return f"no such command: {' '.join(path)}"
        command = command.commands[path[-1]]
    context = command.context_class(command, info_name=path[-1])
    try:
        given, left, _ = command.make_parser(context).parse_args(list(words))
    except Exception as error:
        told = getattr(error, "message", str(error))
        return told if whole or "requires an argument" not in told else ""
    if left:
        return f"more than it takes: {' '.join(left)}"
    told = {one.name for one in command.params if one.envvar or given.get(one.name) not in (None, ())}
    lacking = [one.name for one in command.params if one.required and one.name not in told]
    return f"without {', '.join(lacking)}" if whole and lacking else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_is_one_that_can_be_typed(page):
    assert [(line, told) for line, whole in commands_of(page) if (told := wrong(line, whole))] == []


def test_a_wrong_command_an_unknown_option_and_a_missing_argument_are_found():
    lines = ["promise-hub bakcup F", "promise-hub backup F --keep 3", "promise-hub backup", "promise-hub backup A B"]

    told = [wrong(line, True) for line in lines]

    assert told[0] == "no such command: promise-hub bakcup"
    assert all(told[1:])
    assert wrong("promise-hub backup", False) == ""


def test_the_runbook_has_its_steps_as_blocks_of_commands():
    typed = [line for line, whole in commands_of(ROOT / "docs" / "runbook.md") if whole]

    assert len(typed) > 20
