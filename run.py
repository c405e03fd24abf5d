"""Sets up on a fresh machine and runs Promise Hub: `python3 run.py demo | test | check | bench | serve | soak`.

Standard library only. It makes `.venv` beside this file, puts uv into it, installs exactly what the lock files name
(by hash), and then starts the program. A second run finds everything in place.
"""

import ast
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "promise-hub.stamp"
LOCKS = {"user": "requirements.lock", "developer": "requirements-dev.lock"}
SPARK_LOCK, PEERS_LOCK = "requirements-spark.lock", "requirements-peers.lock"
PEERS = ROOT / ".cache" / "peers"
HELP = ("-h", "--help", "help")
USE = """usage: python3 run.py COMMAND [options]
  demo   makes a county of made-up young people and runs the whole road   (--small, --serve, --summary FILE)
  test   runs every test                                    (options of pytest, such as -m slow; -m spark needs Java)
  check  style, types, import contracts, lock files; writes the list of parts (SBOM) to build/
  bench  NAME [--peers] [--summary FILE]: measures one part         (without a name: which there are, a line each)
  serve  starts the hub on the demonstration's data"""


def environment() -> dict[str, str]:
    """What a child process gets: no interpreter downloads, the system's certificates, this folder to import from."""
    here = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1", "VIRTUAL_ENV": str(VENV), "PYTHONPATH": str(ROOT)}
    return {**os.environ, **here, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}


def call(*command: object) -> int:
    """Runs a program to its end in this folder; its exit status."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=environment(), check=False).returncode


def stamp_of(kind: str) -> str:
    """What must stand in the stamp when this kind of environment is complete."""
    read = b"".join((ROOT / name).read_bytes() for name in (LOCKS[kind], "pyproject.toml"))
    return f"{kind} {hashlib.sha256(read).hexdigest()} {sys.version_info[:2]}"


def set_up(kind: str) -> None:
    """Makes `.venv` hold what the lock file names, unless it does already; ends with advice if it cannot."""
    stamp = STAMP.read_text() if STAMP.exists() else ""
    if PYTHON.exists() and stamp in {stamp_of(kind), stamp_of("developer")}:
        return
    print(f"setting up in {VENV.name} (once; from the lock file, by hash) ...", flush=True)
    if not PYTHON.exists():
        make_environment()
    uv = BIN / ("uv.exe" if os.name == "nt" else "uv")
    steps = [
        (PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements-uv.lock"),
        (uv, "pip", "sync", "--quiet", "--require-hashes", LOCKS[kind]),
        (uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."),
    ]
    for step in steps[uv.exists() :]:
        if call(*step) != 0:
            sys.exit(f"set-up stopped at: {' '.join(str(part) for part in step[1:3])}. Is the package index reachable?")
    STAMP.write_text(stamp_of(kind))


def add_spark() -> None:
    """Adds Apache Spark to `.venv`, on top of what is there, unless it is."""
    stamp, wanted = VENV / "spark.stamp", hashlib.sha256((ROOT / SPARK_LOCK).read_bytes()).hexdigest()
    here = stamp.exists() and stamp.read_text() == f"{wanted} {STAMP.read_text()}"
    if not here:
        print("adding Apache Spark (once; some hundred megabytes) ...", flush=True)
        uv = BIN / ("uv.exe" if os.name == "nt" else "uv")
        if call(uv, "pip", "install", "--quiet", "--require-hashes", "-r", SPARK_LOCK) != 0:
            sys.exit("Apache Spark could not be installed. Is the package index reachable?")
        stamp.write_text(f"{wanted} {STAMP.read_text()}")


def set_up_peers() -> None:
    """Makes `.cache/peers`, an environment of its own for the tools that benchmarks compare us with."""
    stamp, wanted = PEERS / "peers.stamp", hashlib.sha256((ROOT / PEERS_LOCK).read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("setting up the peers in .cache/peers (once) ...", flush=True)
    uv = BIN / ("uv.exe" if os.name == "nt" else "uv")
    made = call(uv, "venv", "--quiet", "--clear", "--python", sys.executable, PEERS)
    python = PEERS / BIN.name / PYTHON.name
    if made or call(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, PEERS_LOCK):
        sys.exit("The peers could not be installed: benchmarks run without --peers, and what names a peer is not held.")
    stamp.write_text(wanted)


def wants_spark(options: list[str]) -> bool:
    """Whether the tests that are asked for are among those on Spark."""
    chosen = options[options.index("-m") + 1] if "-m" in options[:-1] else ""
    return "spark" in chosen and "not spark" not in chosen


def make_environment() -> None:
    """An empty virtual environment with pip."""
    try:
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    except (subprocess.CalledProcessError, OSError):
        sys.exit("Python could not make a virtual environment. On Debian: apt-get install python3-venv, then again.")


def check() -> int:
    """Style, types and contracts; the first that fails decides."""
    steps = [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports",),
        (PYTHON, "deploy/check_locks.py"),
        (PYTHON, "deploy/sbom.py"),
    ]
    return next((code for step in steps if (code := call(BIN / step[0], *step[1:]))), 0)


def benchmarks() -> str:
    """The benchmarks by name, with the first sentence of what each says of itself."""
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "bench").glob("*.py"))}
    told = {name: ast.get_docstring(ast.parse(text)) or "" for name, text in scripts.items() if "def main(" in text}
    lines = [f"  {name:<13} {' '.join(text.split()).split('. ')[0].rstrip('.')}" for name, text in told.items()]
    return "\n".join(
        ["usage: python3 run.py bench NAME [--peers] [--summary FILE] [options of its own: --help]", *lines]
    )


def bench(options: list[str]) -> int:
    """Runs one benchmark; without a known name says which there are."""
    name = options[0] if options else "--help"
    script = ROOT / "tests" / "bench" / f"{name}.py"
    if not script.exists():
        print(benchmarks() if name in HELP else f"no benchmark of that name\n{benchmarks()}")
        return 0 if name in HELP else 2
    set_up("developer")
    if "--peers" in options:
        set_up_peers()
    return call(PYTHON, script, *options[1:])


def main() -> int:
    """Reads the command line and runs one command."""
    command, options = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if sys.version_info < (3, 11):
        sys.exit("Promise Hub needs Python 3.11 or newer: run it with a newer python3")
    if command in ("bench", "soak"):
        return bench(options if command == "bench" else ["soak", *options])
    if command in ("demo", "serve"):
        set_up("user")
        return call(PYTHON, "deploy/demo.py", *(["--only-serve"] if command == "serve" else []), *options)
    if command in ("test", "check"):
        set_up("developer")
    if command == "test" and wants_spark(options):
        add_spark()
    if command == "test":
        usual = ("-m", "not slow and not spark and not pages and not faults", "-n", "2", "--dist", "loadfile")
        chosen = [] if "-m" in options else usual
        return call(PYTHON, "-m", "pytest", "-q", *chosen, *options)
    if command == "check":
        return check()
    print(USE)
    return 0 if command in HELP else 2


if __name__ == "__main__":
    sys.exit(main())
