"""The page of the log names every event, every route of the log and every code that its formats refuse with."""

import re
from pathlib import Path

import policies.translog
from hub.audit.events import EventType
from hub.web.log import router

ROOT = Path(policies.translog.__path__[0]).parents[1]
PAGE = (ROOT / "docs" / "log.md").read_text("utf-8")


def test_every_event_is_on_the_page() -> None:
    assert not [kind.value for kind in EventType if f"`{kind.value}`" not in PAGE]


def test_every_public_route_of_the_log_is_on_the_page() -> None:
    names = {route.path.split("/")[3] for route in router.routes if hasattr(route, "path")}

    assert names - {"growth", "cosignatures"} <= set(re.findall(r"[a-z]+", PAGE))


def test_every_code_of_a_refused_receipt_or_checkpoint_is_on_the_page() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "policies" / "translog").glob("*.py")]
    codes = {code for text in sources for code in re.findall(r'"((?:NOTE|PROOF|ENTRY|CHECKPOINT|COSIGN)-\d{3})"', text)}

    assert len(codes) > 8
    assert not sorted(code for code in codes - {"COSIGN-001"} if f"`{code}`" not in PAGE)
