"""Apache Spark for tests: whether it is here, and a real cluster on loopback."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def spark_is_here():
    """Skips where pyspark or Java is missing; REQUIRE_JAVA makes that a failure."""
    try:
        import pyspark  # noqa: F401

        missing = shutil.which("java") is None
    except ImportError:
        missing = True
    if missing:
        (pytest.fail if os.environ.get("REQUIRE_JAVA") else pytest.skip)(
            "needs pyspark (requirements-spark.lock) and Java"
        )


@pytest.fixture(scope="session")
def cluster(spark_is_here, tmp_path_factory):
    """A standalone master and two workers on loopback, of one core each."""
    import pyspark

    folder = tmp_path_factory.mktemp("cluster")
    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    home = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_SCALA_VERSION": "2.13", "PYSPARK_PYTHON": sys.executable}
    port = free_port()
    master = ("org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", port, "--webui-port", "0")
    commands = [master]
    for number in (1, 2):
        place = ("--host", "127.0.0.1", "--webui-port", "0", "--work-dir", folder / f"worker-{number}")
        size = ("--cores", "1", "--memory", "1g", f"spark://127.0.0.1:{port}")
        commands.append(("org.apache.spark.deploy.worker.Worker", *place, *size))
    with contextlib.ExitStack() as stack:
        for number, command in enumerate(commands):
            log = stack.enter_context((folder / f"{number}.log").open("wb"))
            words = [str(program), *(str(word) for word in command)]
            started_one = subprocess.Popen(words, env={**os.environ, **home}, stdout=log, stderr=log)
            stack.callback(started_one.wait, timeout=60)
            stack.callback(started_one.terminate)
            if number == 0:
                wait_until(lambda: answers(port))
        wait_until(lambda: (folder / "0.log").read_text("utf-8", errors="replace").count("Registering worker") == 2)
        yield f"spark://127.0.0.1:{port}", folder


def free_port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(holds, *, seconds=180):
    for _ in range(seconds * 5):
        if holds():
            return
        time.sleep(0.2)
    pytest.fail("Spark did not start in time")
