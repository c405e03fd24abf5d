"""The encoder page as an office uses it in a real Chromium, for the tests of it: a list, the buttons, the file."""

import datetime as dt
import json

from connectors.encoder_page import build

OFFICE, PASSPHRASE = "community-action-marin", "four words of a made-up song"
TITLES = "Child Number,First Name,Last Name,DOB,Gender,Race,ZIP,Center,Entry Date,Exit Date,Days Scheduled,Days Present"
SYLLABLES = ("qua", "zor", "xel", "vim", "jub", "wyx", "fyn", "kre")


def made_up_list(count):
    """Children with names that are no words."""
    lines = [TITLES]
    for number in range(count):
        given = "".join(SYLLABLES[number // 8**place % 8] for place in range(3)).title()
        surname = "".join(SYLLABLES[number * 7 // 8**place % 8] for place in (1, 0, 2)).title()
        born = dt.date(2021, 1, 1) + dt.timedelta(days=number * 37 % 700)
        lines.append(
            f"{number},{given},{surname},{born},F,White,9490{number % 5 + 1},north,2025-08-20,,180,{150 + number % 30}"
        )
    return "\r\n".join(lines)


def press(browser, name, then):
    browser.run(f"document.getElementById('{name}').click()")
    browser.wait(f"!document.getElementById('{name}').disabled")
    assert browser.run("document.getElementById('fault').textContent") == ""
    browser.wait(f"!document.getElementById('step-{then}').hidden")


def go_to_check(browser, keys, roster):
    """From the keys to the list that was checked."""
    browser.open(build.PAGE.as_uri())
    browser.choose_file("#key-file", keys)
    browser.run(f"document.getElementById('passphrase').value = {json.dumps(PASSPHRASE)}")
    press(browser, "open-keys", "file")
    browser.run("document.getElementById('year').value = 2026")
    browser.choose_file("#roster", roster)
    press(browser, "read-file", "map")
    browser.run("document.getElementById('constant-funding').value = 'HEAD-START'")
    press(browser, "check", "found")


def saved_file(browser, folder):
    browser.run("document.getElementById('save-file').click()")
    for _ in range(200):
        found = list(folder.glob("*.submission.json"))
        if found:
            return found[0]
        browser.run("new Promise((resolve) => setTimeout(resolve, 50))")
    raise TimeoutError("no file was saved")
