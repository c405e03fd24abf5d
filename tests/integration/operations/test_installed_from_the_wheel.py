"""The steps of the image, on this machine: a wheel and the lock file in an empty environment, started as a
nobody who can write to the home and to temporary files alone."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NOBODY = 65534
SIDES = {
    "hub": ("requirements.lock", ("connectors", "linkage/encode")),
    "edge": ("requirements-edge.lock", ("hub", "migrations", "linkage/match")),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.cli import hatchling; sys.exit(hatchling())"
    subprocess.run([sys.executable, "-c", build, "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def installed(request, wheel):
    """An environment as the image of one side has it, owned by this user and readable by all."""
    lock, left_out = SIDES[request.param]
    folder = Path(tempfile.mkdtemp(prefix="promise-image-"))
    folder.chmod(0o755)
    subprocess.run([sys.executable, "-m", "venv", "--copies", folder / "opt"], check=True)
    python, uv = folder / "opt" / "bin" / "python", Path(sys.executable).with_name("uv")
    pip = [uv, "pip", "install", "-q", "--python", python] if uv.exists() else [python, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / lock], check=True)
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    site = next((folder / "opt" / "lib").glob("python3*")) / "site-packages"
    for name in left_out:
        shutil.rmtree(site / name)
    yield folder
    shutil.rmtree(folder)


def as_nobody(folder):
    """How a program is started: as a user who owns only `state`, with a bare environment."""
    state = folder / "state"
    state.mkdir(exist_ok=True)
    environment = {
        "PATH": f"{folder}/opt/bin:/usr/bin:/bin", "HOME": str(state), "TMPDIR": str(state),
        "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": str(state / "numba"),
        "PROMISE_HUB_HOME": str(state / "home"),
    }  # fmt: skip
    if os.getuid() != 0:
        return {"env": environment, "cwd": state}
    os.chown(state, NOBODY, NOBODY)
    assert pwd.getpwuid(NOBODY).pw_name == "nobody"
    return {"env": environment, "cwd": state, "user": NOBODY, "group": NOBODY, "extra_groups": []}


@pytest.mark.slow
@pytest.mark.parametrize("installed", ["hub"], indirect=True)
def test_the_hub_of_the_image_is_made_served_ready_and_stopped_as_nobody(installed):
    how, program = as_nobody(installed), installed / "opt" / "bin" / "promise-hub"
    subprocess.run([program, "init", installed / "state" / "home"], check=True, **how)
    serving = subprocess.Popen([program, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True, **how)
    url = serving.stdout.readline().strip()

    begun = time.monotonic()
    with urllib.request.urlopen(f"{url}/v1/ready", timeout=10) as answer:
        ready = answer.status
    doctor = subprocess.run([program, "doctor"], capture_output=True, text=True, check=False, **how)
    serving.terminate()
    ended = serving.wait(20)
    serving.stdout.close()
    verified = subprocess.run([program, "audit", "verify"], capture_output=True, text=True, check=False, **how)

    assert (ready, ended, verified.returncode) == (200, 0, 0), verified.stderr
    assert time.monotonic() - begun < 30
    assert "fault" not in doctor.stdout.replace("0 faults", "")


@pytest.mark.slow
@pytest.mark.parametrize("installed", ["edge"], indirect=True)
def test_the_edge_of_the_image_makes_a_sample_and_checks_it_as_nobody(installed):
    how, program = as_nobody(installed), installed / "opt" / "bin" / "promise-edge"
    made = subprocess.run([program, "sample", "--help"], capture_output=True, text=True, check=False, **how)
    here = subprocess.run([program, "--help"], capture_output=True, text=True, check=False, **how)

    assert (made.returncode, here.returncode) == (0, 0), here.stderr
    assert "check" in here.stdout
