"""30,000 children through the encoder page in a real Chromium, at full speed and at a sixth of it.

`python3 run.py bench encoder_page`. It tells the processor seconds of the page's thread, which work beside it on the
machine changes little, and the seconds on the wall. Nobody in the list exists.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from connectors.encoder_page import build
from tests.chromium import Chromium

CHILDREN = 30_000
MADE = """globalThis.encodeMadeUp = async (count) => {
  const page = globalThis.promiseEncoder, random = new page.Randomness();
  const one = (list) => list[random.below(list.length)], two = (number) => String(number).padStart(2, '0');
  const syllable = () => one('bcdfghjklmnprstvwz') + one('aeiou');
  const name = () => Array.from({ length: 2 + random.below(3) }, syllable).join('');
  const given = Array.from({ length: 3000 }, name), surnames = Array.from({ length: 6000 }, name);
  const people = Array.from({ length: count }, (_, record) => ({
    record, given: one(given), middle: one(given), surname: one(surnames) + (record % 5 ? '' : ` ${one(surnames)}`),
    birth_date: `${2018 + random.below(4)}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`,
    sex: one('FM'), postcode: `9490${random.below(9)}`,
  }));
  const spans = people.map(({ record }) => ({
    record, reference: new Uint8Array(16), school_year: 2026, grade: -2, full_time: false, start: 300, end: 310,
  }));
  const views = ['date_spelling', 'spellings_year', 'spellings_day', 'spellings_place'], began = performance.now();
  const made = await page.encodeRoster(people, spans, {
    secret: new Uint8Array(32), submissionKey: new Uint8Array(32), views,
  });
  const rows = Object.values(made.rows).reduce((sum, of) => sum + of.length / 120, 0);
  return [(performance.now() - began) / 1000, rows];
};0"""


def thread_seconds(browser: Chromium) -> float:
    """Processor seconds that the page's thread has taken."""
    told = browser.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in told if one["name"] == "ThreadTime"))


def main() -> int:
    """Prints one line for each speed."""
    with tempfile.TemporaryDirectory() as folder:
        browser = Chromium(Path(folder))
        browser.open(build.PAGE.as_uri())
        browser.run(MADE)
        browser.send("Performance.enable", timeDomain="threadTicks")
        browser.run("encodeMadeUp(2000)")
        for rate in (1, 6):
            browser.send("Emulation.setCPUThrottlingRate", rate=rate)
            before = thread_seconds(browser)
            wall, rows = browser.run(f"encodeMadeUp({CHILDREN})")
            spent = thread_seconds(browser) - before
            print(
                f"{CHILDREN:,} children, {rows:,} rows, {rate}x throttle: {spent:.1f} CPU s, {wall:.1f} s on the wall"
            )
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
