"""The same query of the explorer in Python, in R and as an address: each gives the numbers of the page."""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import httpx
import pytest

from hub.audit.events import AuditTrail
from hub.identity.service import add_person, make_token
from hub.release.slices import HIDDEN_REASON
from policies.principal import Role
from tests.integration.web.conftest import NOW
from tests.integration.web.test_explorer import TWO_SPLITS

ROOT = Path(__file__).parents[3]
QUESTIONS = (
    {"indicator": "third-grade-reading", "by": "race"},
    {"indicator": "third-grade-reading", "by": "economic-status", "only": "preschool:any"},
)
NUMBERS = ("known", "k", "rate", "rate_low", "rate_high")
R_PACKAGES = ("httr2", "readr")


@pytest.fixture(scope="module")
def office(served):
    """An analyst of an office with a licence for two splits: a signed-in browser, and a token for programs."""
    licence = TWO_SPLITS.replace("DUL-TWO", "DUL-SAME").replace("ten-thousand-degrees", "canal-alliance")
    link = served.link_under(licence, "canal-alliance", Role.PARTNER)
    trail = AuditTrail("tester", None, "request-1", "test", lambda: NOW)
    with served.database.transaction() as session:
        person = add_person(session, organisation="canal-alliance", roles=frozenset({Role.PARTNER}), audit=trail)
        token = make_token(session, person, agreement="DUL-SAME", audit=trail)
    with httpx.Client(base_url=served.url, trust_env=False, timeout=60) as client:
        client.post("/sign-in", data={"link": link})
        yield client, token


def asked(client, question, served):
    """What the page tells: its table by year and group, and the three ways to ask the same."""
    page = client.get("/explorer", params=question).text
    rows = re.findall(r"<tr><td>(\d{4})</td>(.*?)</tr>", page)
    lines = [unescape(one) for one in re.findall(r"<code>(.*?)</code></pre>", page, re.DOTALL)]
    return rows, [re.sub(r"http://127\.0\.0\.1:\d+", served.url, one) for one in lines]


def by_address(address, token):
    with httpx.Client(trust_env=False, timeout=60, headers={"authorization": f"Bearer {token}"}) as program:
        return rows_of(program.get(address, params={**httpx.URL(address).params, "format": "csv"}).text)


def run(command, text, *, token, says=0):
    """The rows that a program prints that is given these lines, after so many lines with the citation."""
    told = {"PROMISE_HUB_TOKEN": token, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=120, env={**os.environ, **told}, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    lines = ran.stdout.splitlines()
    assert all("Promise Hub, release 2026-11-22.1 (log entry" in line for line in lines[:says])
    return rows_of("\n".join(lines[says:]))


def rows_of(text):
    """Each row's year, levels and numbers; an empty field, NA and <NA> are nothing."""
    found = []
    for row in csv.DictReader(io.StringIO(text)):
        numbers = {name: float(row[name]) if row[name] not in ("", "NA") else None for name in NUMBERS}
        found.append({"year": int(row["cohort_year"]), "status": row["status"], **numbers})
    return found


def shown(row):
    """The numbers of a row of the page, as it tells them: nothing of a hidden one."""
    year, cells = row
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", cells)).split())
    return int(year), None if HIDDEN_REASON in told else told


def of_page(row):
    """How the page would tell a row of the answer: the rate, and how many were counted."""
    if row["status"] == "C":
        return None
    if row["rate"] is None:
        return re.compile(rf"{row['rate_low']:.0f} % or more {row['known']:.0f}|{row['rate_high']:.0f} % or less")
    return re.compile(rf"{row['rate']:.0f} % {row['known']:.0f}\b")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one["by"])
def test_an_address_and_python_give_the_numbers_of_the_page(office, served, question):
    client, token = office
    rows, (address, python, _) = asked(client, question, served)

    told = by_address(address, token)
    framed = run([sys.executable, "-"], f"{python}\nprint(frame.to_csv(index=False))", token=token, says=1)

    assert framed == told
    assert len(rows) == len(told) > 0
    for (year, words), row in zip(map(shown, rows), told, strict=True):
        expected = of_page(row)
        assert year == row["year"]
        assert (words is None) == (expected is None)
        assert expected is None or expected.search(words)


@pytest.fixture(scope="module")
def r():
    """R with the packages of the manual's lines."""
    if not shutil.which("Rscript"):
        pytest.skip("needs R")
    here = subprocess.run(
        ["Rscript", "-e", f"quit(status = !all(c{R_PACKAGES} %in% rownames(installed.packages())))"], check=False
    )
    if here.returncode:
        pytest.skip("needs httr2 and readr of R")
    return lambda lines, token: run(
        ["Rscript", "-"], f"rows <- {{\n{lines}\n}}\nwrite.csv(rows, row.names = FALSE)", token=token
    )


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one["by"])
def test_r_gives_the_same_numbers(office, served, r, question):
    client, token = office
    _, (address, _, lines) = asked(client, question, served)

    told = r(lines, token)

    assert told == by_address(address, token)


@pytest.mark.slow
def test_a_public_table_is_read_by_r_without_a_package(served, public, r):
    address = f"{served.url}/v1/observations?indicator=third-grade-reading&by=race&format=csv"

    assert r(f'read.csv("{address}")', "") == rows_of(public.get(address).text)
