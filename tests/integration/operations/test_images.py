"""Both images are built by the steps of their own container files, and the hub serves from its one: as nobody, on a
read-only file system, without any capability. Needs root, buildah and the base image, but no container engine."""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.bucket_server import free_port

ROOT = Path(__file__).parents[3]
SERVE_SECONDS = 120
MADE = ("buildah", "unshare", "setpriv")
PIP_SETTINGS = (Path("/etc/pip.conf"), Path.home() / ".config" / "pip" / "pip.conf")
"""Where a machine says from which index it installs; laid into the build, never into the image."""
LOCKED_DOWN = """
set -e
mount --make-rprivate /
mount --bind "$IMAGE" "$IMAGE"
mount -o remount,bind,ro "$IMAGE"
mount -t tmpfs -o mode=1777 none "$IMAGE/tmp"
mount -t proc none "$IMAGE/proc"
mount --bind "$STATE" "$IMAGE/var/lib/$NAME"
exec chroot "$IMAGE" /usr/bin/setpriv --reuid "$ID" --regid "$ID" --clear-groups --no-new-privs --inh-caps=-all \\
  --bounding-set=-all /usr/bin/env -i PATH=/opt/promise/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 \\
  NUMBA_CACHE_DIR=/tmp PROMISE_HUB_HOME=/var/lib/promise-hub/home HOME="/var/lib/$NAME" "$@"
"""
"""What compose and the manifests ask of an engine, done by hand: read-only but for /tmp and the state, one user without
rights."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or any(shutil.which(name) is None for name in MADE), reason="needs root and buildah"
    ),
]


def buildah(*words, check=True):
    return subprocess.run(["buildah", *map(str, words)], capture_output=True, text=True, check=check)


class Image:
    """An image that was just built, mounted."""

    def __init__(self, side, user, state):
        self.name, self.user, self.state, self.tag = f"promise-{side}", user, state, f"localhost/promise-{side}-trial"
        volumes = [f"--volume={path}:{path}:ro" for path in PIP_SETTINGS if path.is_file()]
        built = buildah(
            "build", "--format=docker", "--isolation=chroot", "--network=host", *volumes,
            "-f", ROOT / "deploy" / f"Containerfile.{side}", "-t", self.tag, ROOT, check=False,
        )  # fmt: skip
        if built.returncode and "initializing source" in built.stderr and not os.environ.get("REQUIRE_IMAGES"):
            pytest.skip("the base image cannot be had here")
        assert built.returncode == 0, built.stderr[-3000:]
        self.container = buildah("from", "--pull-never", self.tag).stdout.strip()
        self.folder = Path(buildah("mount", self.container).stdout.strip())
        state.mkdir()
        os.chown(state, user, user)

    def command(self, *words):
        told = {"IMAGE": str(self.folder), "STATE": str(self.state), "NAME": self.name, "ID": str(self.user)}
        return ["unshare", "-m", "/bin/bash", "-c", LOCKED_DOWN, "image", *words], os.environ | told

    def run(self, *words):
        command, environment = self.command(*words)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    @contextlib.contextmanager
    def started(self, *words):
        command, environment = self.command(*words)
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

    def remove(self):
        buildah("umount", self.container)
        buildah("rm", self.container)
        buildah("rmi", self.tag)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    image = Image("hub", 10001, tmp_path_factory.mktemp("hub") / "state")
    image.state.parent.chmod(0o755)
    yield image
    image.remove()


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    image = Image("edge", 10002, tmp_path_factory.mktemp("edge") / "state")
    yield image
    image.remove()


def waited_for(url, process):
    until = time.monotonic() + SERVE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(url, timeout=5)
            if answer.status_code == 200:
                return answer
        time.sleep(0.5)
    pytest.fail("the hub did not answer from its image")


def test_the_hub_serves_from_its_image_as_nobody_on_a_read_only_file_system_without_capabilities(hub):
    made = hub.run("promise-hub", "init", "/var/lib/promise-hub/home")
    assert made.returncode == 0, made.stderr[-2000:]
    port = str(free_port())

    with hub.started("promise-hub", "serve", "--host", "127.0.0.1", "--port", port) as process:
        ready = waited_for(f"http://127.0.0.1:{port}/v1/ready", process)
        status = (Path("/proc") / str(process.pid) / "status").read_text("utf-8")
    told = {line.split(":")[0]: line.split(":")[1].split() for line in status.splitlines()}
    doctor = hub.run("promise-hub", "doctor", "--home", "/var/lib/promise-hub/home")

    assert ready.status_code == 200
    assert (set(told["Uid"]), set(told["Gid"]), told["NoNewPrivs"]) == ({"10001"}, {"10001"}, ["1"])
    assert {int(told[kind][0], 16) for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert "0 faults" in doctor.stdout, doctor.stdout + doctor.stderr


def test_nothing_of_an_image_can_be_written_but_its_state(hub):
    tried = hub.run("python", "-c", "open('/opt/promise/new', 'w')")
    state = hub.run("python", "-c", "open('/var/lib/promise-hub/new', 'w')")

    assert (tried.returncode, "Read-only file system" in tried.stderr, state.returncode) == (1, True, 0)


def test_the_other_side_of_the_wall_is_in_neither_image(hub, edge):
    found = {
        image.name: {
            name
            for name in ("connectors", "hub", "migrations", "linkage.encode", "linkage.match")
            if image.run("python", "-c", f"import {name}").returncode == 0
        }
        for image in (hub, edge)
    }

    assert found == {
        "promise-hub": {"hub", "migrations", "linkage.match"},
        "promise-edge": {"connectors", "linkage.encode"},
    }


def test_the_edge_reads_a_file_from_its_image(edge):
    (edge.state / "wrong.csv").write_text("no layout of ours\n1\n")

    helped = edge.run("promise-edge", "--help")
    checked = edge.run("promise-edge", "check", "/var/lib/promise-edge/wrong.csv")

    assert (helped.returncode, checked.returncode) == (0, 1)
    assert "FIL-" in checked.stdout + checked.stderr
