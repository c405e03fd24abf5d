"""Runs functions over the script of encoder.html in node, which knows no page and no network there."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from connectors.encoder_page import build

HERE = Path(__file__).parent
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None and "REQUIRE_NODE" not in os.environ, reason="node is not here")


def run_page(functions, name, *arguments):
    """The result of one function of a file beside this one, over the script of encoder.html in node."""
    command = [NODE or "node", HERE / "run_in_node.mjs", build.PAGE, HERE / functions, name]
    done = subprocess.run(command, input=json.dumps(arguments), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
