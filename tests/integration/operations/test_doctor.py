"""The doctor finds each thing that is wrong by its code, says what to do, and changes nothing."""

import datetime as dt
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from typer.testing import CliRunner

from hub.audit.tables import Detail
from hub.cli import app
from hub.db import Database
from hub.jobs import Job
from hub.operations import doctor
from hub.operations.backup import make_backup
from hub.operations.destruction import scrub
from hub.operations.doctor import Patient, examine
from hub.operations.installation import downgrade
from tests.certificates import certificate_of
from tests.conftest import StandingClock
from tests.databases import ABOUT_THE_FILE, ALL_ON_POSTGRESQL, EACH_ITS_LOGIN, address_of, copy_home
from tests.integration.hub.conftest import MadeUpHub

SOURCE = Path(doctor.__file__).read_text("utf-8")
OF_POSTGRESQL = {"database-superuser", "database-one-login", "clock-apart"}
"""What the server of the tests has wrong; the clock of a test stands, that of the server goes."""
OF_THE_MACHINE = {"disk-low"} | (OF_POSTGRESQL if ALL_ON_POSTGRESQL else set())
CODES = set(re.findall(r'_(?:fault|warning)\(\s*"([a-z-]+)"', SOURCE))


@pytest.fixture(scope="module")
def sound_template(tmp_path_factory, home_template):
    """The folder of a hub at work, backed up, signed and cosigned by nobody yet."""
    folder = tmp_path_factory.mktemp("sound") / "hub"
    copy_home(home_template, folder)
    hub = MadeUpHub(folder, address_of(folder), StandingClock())
    make_backup(hub.home, hub.database, tmp_path_factory.mktemp("backups"), audit=hub.trail)
    hub.work()
    hub.close()
    scrub(hub.database)
    hub.database.close()
    return folder


@pytest.fixture
def sound(sound_template, tmp_path):
    folder = tmp_path / "hub"
    copy_home(sound_template, folder)
    url = address_of(folder)
    hub = MadeUpHub(folder, url, StandingClock(), filled=True, public_url="http://127.0.0.1:8400")
    yield hub
    hub.close()


def codes(hub, **changes):
    return [code for code in every_code(hub, **changes) if code not in OF_THE_MACHINE]


def every_code(hub, **changes):
    settings = hub.settings.model_copy(update=changes)
    return [one.code for one in examine(Patient(settings, hub.home, hub.database, hub.clock))]


def count(hub):
    with hub.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Detail))


def break_home(hub):
    hub.home.public.unlink()


def open_home(hub):
    hub.home.path.chmod(0o755)


def lose_key(hub):
    hub.home.key_file("matcher", "rows.key").unlink()


def open_key(hub):
    hub.home.key_file("signer", "log.key").chmod(0o644)


def shorten_key(hub):
    hub.home.key_file("backup", "backup.key").write_bytes(b"short")


def lose_signer(hub):
    (hub.home.signer / "last-checkpoint").unlink()


def rewrite_log(hub):
    with hub.database.transaction() as session:
        session.execute(text("UPDATE audit_head SET root = :root"), {"root": bytes(32)})


def let_events_wait(hub):
    hub.enrol("novato")
    hub.clock.advance(minutes=11)


def put_clock_back(hub):
    hub.clock.advance(minutes=-5)


def with_job(**values):
    def break_it(hub):
        now = hub.clock()
        job = {"kind": "rows.check", "key": "k", "payload": {}, "state": "waiting", "attempts": 0, "created_at": now}
        with hub.database.transaction() as session:
            session.add(Job(**job | {"available_at": now} | {name: value(now) for name, value in values.items()}))

    return break_it


def forget_backups(hub):
    hub.clock.advance(days=3)


def let_witnesses_rest(hub):
    hub.enrol("novato")
    hub.work()
    hub.clock.advance(days=4)


HOUR = dt.timedelta(hours=1)
WRONG = {
    "home-missing": break_home,
    "home-open": open_home,
    "key-missing": lose_key,
    "key-open": open_key,
    "key-short": shorten_key,
    "signer-forgot": lose_signer,
    "log-rewritten": rewrite_log,
    "signer-behind": let_events_wait,
    "clock-behind": put_clock_back,
    "lease-lost": with_job(state=lambda now: "running", lease_until=lambda now: now - HOUR),
    "jobs-wait": with_job(available_at=lambda now: now - HOUR),
    "jobs-failed": with_job(state=lambda now: "failed", finished_at=lambda now: now - HOUR),
    "backup-late": forget_backups,
    "witnesses-late": let_witnesses_rest,
}


def test_a_sound_hub_has_nothing_wrong_and_is_left_as_it_was(sound):
    before = count(sound)

    assert codes(sound) == []
    assert count(sound) == before


@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_is_found_by_its_code(sound, code):
    WRONG[code](sound)

    assert code in codes(sound)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"public_url": "http://hub.test"}, "url-plain"),
        ({"public_url": "https://127.0.0.1:1"}, "url-unreachable"),
        ({"messages": True}, "mail-not-set"),
        ({"smtp_host": "127.0.0.1", "smtp_port": 1}, "mail-unreachable"),
        ({"smtp_password_file": "/nowhere/at-all"}, "mail-password"),
    ],
)
def test_a_wrong_setting_is_found(sound, changes, code):
    assert codes(sound, **changes) == [code]


def test_a_database_that_is_away_or_behind_is_a_finding_and_no_crash(sound):
    away = Database(f"sqlite:///{sound.home.path}/no/such/place.db")
    told = [
        one.code for one in examine(Patient(sound.settings, sound.home, away, sound.clock)) if one.code != "disk-low"
    ]
    away.close()
    downgrade(sound.database.url, "0014")

    assert told[-1] == "database-unavailable"
    assert codes(sound) == ["revision-behind"]


def test_a_superuser_one_login_for_all_and_another_time_are_found_on_postgresql(made_up_hub):
    wrong = {"clock-apart"} if EACH_ITS_LOGIN else OF_POSTGRESQL

    assert set(every_code(made_up_hub)) & OF_POSTGRESQL == (set() if made_up_hub.database.is_sqlite else wrong)


@pytest.fixture(params=[89])
def tls(request, tmp_path):
    """The port of a server with a certificate so many days old that ends tomorrow, and the file by which it is
    trusted."""
    certificate, key = certificate_of(tmp_path, "127.0.0.1", days_old=request.param)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening, stop = socket.create_server(("127.0.0.1", 0)), threading.Event()
    listening.settimeout(0.1)

    def serve():
        while not stop.is_set():
            with suppress(OSError), listening.accept()[0] as plain, context.wrap_socket(plain, server_side=True):
                pass

    serving = threading.Thread(target=serve)
    serving.start()
    yield listening.getsockname()[1], certificate
    stop.set()
    serving.join()
    listening.close()


def test_a_certificate_that_nobody_trusts_is_wrong(sound, tls):
    port, _ = tls

    assert codes(sound, public_url=f"https://127.0.0.1:{port}") == ["certificate-wrong"]


@pytest.mark.parametrize(("tls", "warned"), [(89, {"certificate-ends"}), (0, set())], indirect=["tls"])
def test_a_certificate_in_the_last_quarter_of_its_life_is_a_warning(home, tls, warned, tmp_path):
    port, certificate = tls
    environment = os.environ | {
        "SSL_CERT_FILE": str(certificate), "PROMISE_HUB_PUBLIC_URL": f"https://127.0.0.1:{port}",
    }  # fmt: skip
    told = tmp_path / "found.json"
    command = [sys.executable, "-m", "hub.cli", "doctor", "--home", str(home), "--summary", str(told)]

    done = subprocess.run(command, env=environment, capture_output=True, check=False)

    assert done.returncode == 0
    assert warned == set(re.findall(r"certificate-[a-z]+", told.read_text("utf-8")))


@ABOUT_THE_FILE
def test_a_damaged_database_file_is_found(sound):
    """A page of one index is overwritten."""
    with sound.database.reading() as session:
        page = session.scalar(text("SELECT rootpage FROM sqlite_master WHERE name = 'ix_jobs_state'"))
        size = session.scalar(text("PRAGMA page_size"))
        file = Path(sound.database.engine.url.database)
    scrub(sound.database)
    sound.database.close()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(bytes([255]) * 64)

    assert "database-damaged" in codes(sound)


def test_the_command_tells_findings_and_ends_by_them(home, tmp_path):
    bad = CliRunner().invoke(app, ["doctor", "--home", str(home), "--summary", str(tmp_path / "found.json")])
    home.joinpath("keys/matcher/rows.key").unlink()
    worse = CliRunner().invoke(app, ["doctor", "--home", str(home)])

    assert (bad.exit_code, worse.exit_code) == (0, 1)
    assert "backup-late" in (tmp_path / "found.json").read_text()
    assert "fault key-missing: The key matcher/rows.key is missing.\n  Next step:" in worse.stdout


def test_every_code_is_on_the_page_of_operations():
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")

    assert len(CODES) >= 20
    assert {code for code in CODES | {"key-missing", "key-open", "key-short"} if f"`{code}`" not in page} == set()


def test_jobs_that_are_done_are_no_finding(sound):
    with sound.database.transaction() as session:
        session.execute(update(Job).values(state="done"))

    assert codes(sound) == []
