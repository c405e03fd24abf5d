"""The wall itself: what each side loads when it starts, and what the repository may hold."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "docs" / "sources" / "samples"
LOADED = "import importlib, sys; [importlib.import_module(name) for name in {names!r}]; print('\\n'.join(sys.modules))"


def modules_of(folder, skip=()):
    paths = sorted((ROOT / folder).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return [name for name in names if not name.startswith(tuple(skip)) and not name.endswith("__main__")]


def loaded_by(names):
    command = [sys.executable, "-c", LOADED.format(names=names)]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def starting_with(loaded, *prefixes):
    return {name for name in loaded if any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)}


def test_the_edge_loads_nothing_of_the_hub_and_no_matcher():
    loaded = loaded_by(modules_of("connectors"))

    assert starting_with(loaded, "hub", "linkage.match", "migrations", "sqlalchemy", "fastapi", "duckdb") == set()
    assert starting_with(loaded, "linkage.encode") != set()


def test_the_hub_loads_no_encoder_and_no_connector():
    loaded = loaded_by(modules_of("hub") + modules_of("linkage/match"))

    assert starting_with(loaded, "connectors", "linkage.encode") == set()
    assert starting_with(loaded, "hub.linking", "linkage.match") != set()


def test_the_law_and_the_mathematics_load_neither_side():
    loaded = loaded_by(modules_of("policies") + modules_of("linkage"))

    assert starting_with(loaded, "connectors", "hub", "migrations", "sqlalchemy", "httpx", "fastapi") == set()


def tracked_files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_no_package_initialiser_holds_anything():
    assert [path for path in tracked_files() if path.name == "__init__.py" and path.read_text().strip()] == []


OF_CONTAINERS = ("/tmp/numba", "/tmp/pgpass")
"""Places of deploy/: a container and a unit have a /tmp of their own."""


def _without_own_scratch(path):
    text = path.read_text("utf-8", "ignore")
    if "deploy" in path.parts:
        for place in OF_CONTAINERS:
            text = text.replace(place, "")
    return text


@pytest.mark.parametrize(
    "forbidden",
    [
        r"(^|[\s\"'=])/(home|root|work|tmp)/[a-z]",
        r"https?://[^\s\"')]+/simple",
        r"(?i)index-url *[=:]",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    ],
)
def test_the_repository_holds_no_machine_path_no_registry_and_no_private_key(forbidden):
    pattern = re.compile(forbidden)
    texts = [path for path in tracked_files() if path.suffix not in {".png", ".ico", ".woff2", ".gz"}]

    found = [path.name for path in texts if path != Path(__file__) and pattern.search(_without_own_scratch(path))]

    assert found == []


def test_the_repository_holds_no_data_of_persons():
    """Samples of layouts are made by a program of ours, which test_samples_are_read.py holds them to."""
    kinds = {".csv", ".txt", ".parquet", ".xlsx", ".db", ".sqlite", ".rows"}

    found = [
        path
        for path in tracked_files()
        if path.suffix in kinds and "tests" not in path.parts and SAMPLES not in path.parents
    ]

    assert found == []
