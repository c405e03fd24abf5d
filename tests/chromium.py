"""A real Chromium for tests, driven over its DevTools protocol by a pipe: no library, no port, no download."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None and "REQUIRE_BROWSER" not in os.environ, reason="no Chromium here")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe")
TIMEOUT_SECONDS = 120


class Chromium:
    """One browser with one page; `events` are those that the page sent."""

    def __init__(self, downloads):
        self._folder = Path(tempfile.mkdtemp(prefix="chromium-"))
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        flags = " ".join([*FLAGS, f"--user-data-dir={self._folder}", "about:blank"])
        script = f"exec {CHROMIUM} {flags} 3<&{theirs_in} 4>&{theirs_out}"
        self._process = subprocess.Popen(
            ["bash", "-c", script],
            pass_fds=(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = os.fdopen(ours_in, "rb", buffering=0), os.fdopen(ours_out, "wb", buffering=0)
        self._number, self._session, self._rest, self.events = 0, None, b"", []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """One command; its result."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": params}
        self._out.write(json.dumps(message | ({"sessionId": self._session} if self._session else {})).encode() + b"\0")
        while (told := self._read()).get("id") != number:
            self.events.append(told)
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']['message']}")
        return told["result"]

    def _read(self):
        while b"\0" not in self._rest:
            read = self._in.read(1 << 20)
            if not read:
                raise RuntimeError("Chromium ended")
            self._rest += read
        told, _, self._rest = self._rest.partition(b"\0")
        return json.loads(told)

    def open(self, address):
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def run(self, script):
        """The value of an expression in the page; a promise is waited for."""
        told = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"].get("description", "the page's script failed"))
        return told["result"].get("value")

    def wait(self, condition):
        """Until an expression is true."""
        until = time.monotonic() + TIMEOUT_SECONDS
        while not self.run(condition):
            if time.monotonic() > until:
                raise TimeoutError(condition)
            time.sleep(0.05)

    def choose_file(self, selector, path):
        """As a person chooses a file."""
        found = self.send("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        self.send("DOM.setFileInputFiles", files=[str(path)], objectId=found["result"]["objectId"])

    def press_key(self, key, *, text=""):
        code = {"Tab": 9, "Enter": 13}.get(key, 0)
        params = {"key": key, "code": key, "windowsVirtualKeyCode": code} | ({"text": text} if text else {})
        self.send("Input.dispatchKeyEvent", type="keyDown", **params)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def requests(self):
        """The addresses that the page asked for, those of its own file and of its downloads left out."""
        asked = [
            told["params"]["request"]["url"] for told in self.events if told["method"] == "Network.requestWillBeSent"
        ]
        return [address for address in asked if not address.startswith(("file:", "blob:"))]

    def close(self):
        self._session = None
        self._out.write(json.dumps({"id": 0, "method": "Browser.close", "params": {}}).encode() + b"\0")
        self._process.wait(timeout=TIMEOUT_SECONDS)
        self._in.close()
        self._out.close()
        shutil.rmtree(self._folder, ignore_errors=True)
