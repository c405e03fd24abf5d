"""Builds encoder.html, the one file that a preschool opens from disk: `python3 -m connectors.encoder_page.build`.

The same sources give the same bytes; a test compares what is kept with what they give. The linkage schema, the
tables of names and letters, the data dictionary and the rulebook are its data: both languages read one law.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from pathlib import Path

from connectors.encoder_page.page_data import data_script

FOLDER = Path(__file__).parent
PAGE, DIGEST = FOLDER / "encoder.html", FOLDER / "encoder.html.sha256"
MANUAL = FOLDER.parents[1] / "docs" / "doors" / "encoder-page.md"
MODULES = ("aes", "hashes", "normalise", "encode", "cells", "reading", "sheets", "roster", "submission", "page")
"""Each module stands behind those that it imports."""
POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; connect-src 'none'; "
    "worker-src 'none'; object-src 'none'; form-action 'none'; base-uri 'none'"
)
_IN_MANUAL = re.compile(r"^(?:[0-9a-f]{64}  encoder\.html|\{digest\})$", re.MULTILINE)
_IMPORT = re.compile(r"^import\s[^;]*?;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_NAME = re.compile(r"^(?:async )?(?:const|let|function|class)\s+([A-Za-z0-9_$]+)", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:const|let|function|class)\s+([A-Za-z0-9_$]+)", re.MULTILINE)


def page() -> str:
    """The whole file."""
    script, style = page_script(), _source("page.css")
    policy = POLICY.format(script=_allowed(script), style=_allowed(style))
    frame = _source("page.html")
    return frame.replace("{policy}", policy).replace("{style}", style).replace("{script}", script)


def page_script() -> str:
    """All modules as one script that needs no other file; what they export stands in `promiseEncoder` for tests."""
    sources = [_source(f"{name}.js") for name in MODULES]
    bodies = [_EXPORT.sub("", _IMPORT.sub("", source)).replace("\n\n", "\n") for source in sources]
    names = [name for body in bodies for name in _NAME.findall(body)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two modules give the same name: {', '.join(twice)}")
    exported = ", ".join(name for source in sources for name in _EXPORTED.findall(source))
    whole = "\n".join([data_script(), *bodies])
    return f'"use strict";\n(() => {{\n{whole}\nglobalThis.promiseEncoder = {{ DATA, {exported} }};\n}})();\n'


def digest_line(content: bytes) -> str:
    """What lies beside the page, in the form that `sha256sum --check` reads."""
    return f"{hashlib.sha256(content).hexdigest()}  {PAGE.name}\n"


def _allowed(text: str) -> str:
    """The one script or style that the policy lets run, by its digest."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _source(name: str) -> str:
    return (FOLDER / "src" / name).read_text("utf-8")


def main() -> int:
    """Writes the page, and its digest beside it and in the manual."""
    content = page().encode("ascii")
    PAGE.write_bytes(content)
    DIGEST.write_text(digest_line(content), "ascii")
    if MANUAL.exists():
        manual = _IN_MANUAL.sub(digest_line(content).rstrip(), MANUAL.read_text("utf-8"))
        MANUAL.write_text(manual, "utf-8")
    sys.stdout.write(f"{digest_line(content)}{content.count(10)} lines, {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
