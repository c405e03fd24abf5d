"""A real Chromium for tests that drive it by playwright; `tests.chromium` drives one without a library."""

import os
from contextlib import contextmanager

import pytest

from tests.chromium import CHROMIUM


@contextmanager
def started_browser():
    """The browser while the block runs: no longer than a module of tests, for no other loop of asyncio runs beside it.

    Without a browser the tests are skipped, or fail where one is required.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if CHROMIUM is None or sync_playwright is None:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)("needs Chromium and playwright")
    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield found
        found.close()
