"""30,000 children through the encoder page in a real Chromium, at full speed and at a sixth of it.

`python3 run.py bench encoder_page`: reading the list, checking it, encoding it under the views that are used by
default, and writing the file, each by its button. It tells the seconds on the wall and the processor seconds of the
page's thread, which work beside it on the machine changes little. `--profile` names the functions that cost most.
Nobody in the list exists.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from connectors.encoder_page import build
from connectors.encoder_page.key_file import page_keys
from connectors.workspace import make_workspace
from linkage.schema import current_schema
from linkage.sealing import generate_recipient_key
from tests.chromium import Chromium

CHILDREN, SECONDS_BAR, SLOWER = 30_000, 10.0, 6
OFFICE, PASSPHRASE = "community-action-marin", "four words of a made-up song"
TITLES = (
    "Child Number,First Name,Middle Name,Last Name,DOB,Gender,Race,ZIP,Center,Entry Date,Exit Date,"
    "Days Scheduled,Days Present"
)
STEPS = (("read-file", "map"), ("check", "found"), ("make", "made"), ("save-file", "made"))
PRESS = """(async (button, step) => {
  const began = performance.now(), pressed = document.getElementById(button);
  pressed.click();
  while (pressed.disabled) await new Promise((resolve) => setTimeout(resolve));
  const fault = document.getElementById('fault').textContent;
  if (fault || document.getElementById(`step-${step}`).hidden) throw new Error(fault || 'the step did not open');
  return (performance.now() - began) / 1000;
})"""


def main() -> int:
    """Prints one line for each speed."""
    reader = argparse.ArgumentParser(prog="bench encoder_page", description=__doc__)
    reader.add_argument("--profile", action="store_true")
    reader.add_argument("--children", type=int, default=CHILDREN)
    options = reader.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "office.keys.json").write_text(json.dumps(_keys(folder)), "utf-8")
        for children in (2000, options.children):
            (folder / f"{children}.csv").write_text("\r\n".join([TITLES, *_children(children)]), "utf-8")
        browser = Chromium(folder)
        browser.send("Performance.enable", timeDomain="threadTicks")
        browser.open(build.PAGE.as_uri())
        _open_keys(browser, folder / "office.keys.json")
        _journey(browser, folder / "2000.csv")
        for slower in (1, SLOWER):
            _measure(browser, folder / f"{options.children}.csv", slower=slower, profile=options.profile)
        browser.close()
    return 0


def _measure(browser: Chromium, roster: Path, *, slower: int, profile: bool) -> None:
    browser.send("Emulation.setCPUThrottlingRate", rate=slower)
    before = thread_seconds(browser)
    steps = _journey(browser, roster, profile=profile and slower == 1)
    spent, wall = thread_seconds(browser) - before, sum(steps.values())
    told = ", ".join(f"{step} {seconds:.1f}" for step, seconds in steps.items())
    print(
        f"{roster.stem} children, {slower}x throttle: {wall:.1f} s on the wall ({told}), {spent:.1f} CPU s", flush=True
    )
    if slower == SLOWER:
        print(f"bar: {SECONDS_BAR:.0f} s at {SLOWER}x: {'held' if wall <= SECONDS_BAR else 'NOT HELD'}")


def _journey(browser: Chromium, roster: Path, *, profile: bool = False) -> dict[str, float]:
    """Seconds of each step."""
    browser.choose_file("#roster", roster)
    taken = {}
    for button, step in STEPS:
        if button == "check":
            browser.run("document.getElementById('constant-funding').value = 'HEAD-START'")
        if profile:
            browser.send("Profiler.enable")
            browser.send("Profiler.start")
        taken[button] = float(browser.run(f"{PRESS}({button!r}, {step!r})"))
        if profile:
            _print_profile(button, browser.send("Profiler.stop")["profile"])
    return taken


def _open_keys(browser: Chromium, keys: Path) -> None:
    browser.choose_file("#key-file", keys)
    browser.run(f"document.getElementById('passphrase').value = {json.dumps(PASSPHRASE)}")
    browser.run(f"{PRESS}('open-keys', 'file')")
    browser.run("document.getElementById('year').value = 2026")


def _keys(folder: Path) -> Any:
    """A key file for a hub that there is not."""
    workspace = make_workspace(folder / "edge", organisation=OFFICE, hub="http://127.0.0.1:9")
    facts = {
        "matcher_public_key": generate_recipient_key().public(),
        "resolver_public_key": generate_recipient_key().public(),
        "schema_hash": current_schema().hash,
        "epoch": 1,
    }
    (workspace.folder / "hub.json").write_text(json.dumps(facts), "utf-8")
    agreements = Path(__file__).parents[2] / "policies" / "agreements"
    shutil.copytree(agreements, workspace.folder / "agreements", dirs_exist_ok=True)
    workspace.keys.keep_secret(1, bytes(range(32)))
    workspace.keys.begin(1)
    return page_keys(workspace, passphrase=PASSPHRASE.encode(), now=dt.datetime.now(dt.UTC))


def _children(count: int) -> list[str]:
    """Lines of children whose names are no words: as many given names and surnames as a large county has."""
    dice = random.Random(1)

    def name() -> str:
        return "".join(dice.choice("bcdfghjklmnprstvwz") + dice.choice("aeiou") for _ in range(dice.randint(2, 4)))

    given, surnames = [name().title() for _ in range(3000)], [name().title() for _ in range(6000)]
    born = [dt.date(2018, 1, 1) + dt.timedelta(days=day) for day in range(1400)]
    return [
        f"{number},{dice.choice(given)},{dice.choice(given)},"
        f"{dice.choice(surnames)}{'' if number % 5 else ' ' + dice.choice(surnames)},{dice.choice(born)},"
        f"{dice.choice('FM')},White,9490{dice.randint(1, 9)},center{number % 90},2025-08-20,,180,{100 + number % 80}"
        for number in range(count)
    ]


def thread_seconds(browser: Chromium) -> float:
    """Processor seconds that the page's thread has taken."""
    told = browser.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in told if one["name"] == "ThreadTime"))


def _print_profile(button: str, profile: dict[str, Any]) -> None:
    frames = {node["id"]: node["callFrame"] for node in profile["nodes"]}
    names = {number: f"{frame['functionName']}:{frame['lineNumber'] + 1}" for number, frame in frames.items()}
    taken: Counter[str] = Counter()
    for node, micros in zip(profile["samples"], profile["timeDeltas"], strict=True):
        taken[names[node]] += micros
    print(button)
    for name, micros in taken.most_common(16):
        print(f"{micros / 1e6:8.2f} s  {name}")


if __name__ == "__main__":
    sys.exit(main())
