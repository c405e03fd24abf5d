"""Images, units and manifests say what the runbook promises: nobody is root, nothing is writable that need not be."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from hub.operations.environment import reference
from hub.settings import Settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
CONTAINERFILES = sorted(DEPLOY.glob("Containerfile.*"))
UNITS = sorted(DEPLOY.glob("systemd/*"))
INSTRUCTIONS = {
    "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT",
    "CMD",
}  # fmt: skip


def instructions(path):
    """The instructions of a container file, continued lines joined."""
    text = re.sub(r"^#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def test_the_environment_reference_is_what_the_settings_say():
    again = "promise-hub operations environment > deploy/hub.env"
    assert (DEPLOY / "hub.env").read_text("utf-8") == reference(), again


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda path: path.name)
def test_an_image_is_slim_runs_as_nobody_and_tells_its_health(path):
    found = instructions(path)
    last = dict(found)

    assert {name for name, _ in found} <= INSTRUCTIONS
    assert [rest for name, rest in found if name == "FROM"][-1].startswith("docker.io/library/python:3.11-slim")
    assert re.fullmatch(r"1000[12]:1000[12]", last["USER"])
    assert found.index(("USER", last["USER"])) < found.index(("ENTRYPOINT", last["ENTRYPOINT"]))
    assert {"HEALTHCHECK", "VOLUME", "CMD"} <= set(last)
    assert "--require-hashes" in path.read_text("utf-8")


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda path: path.name)
def test_what_an_image_copies_is_there(path):
    sources = [word for name, rest in instructions(path) if name == "COPY" for word in rest.split()[:-1]]

    assert [word for word in sources if not word.startswith(("--", "/")) and not (ROOT / word).exists()] == []


def test_each_side_of_the_wall_stays_out_of_the_others_image():
    hub, edge = ((DEPLOY / f"Containerfile.{side}").read_text("utf-8") for side in ("hub", "edge"))

    assert all(part in hub for part in ("site-packages/connectors", "linkage/encode", "bin/promise-edge"))
    assert all(part in edge for part in ("site-packages/hub", "linkage/match", "bin/promise-hub"))


def test_compose_runs_everything_read_only_without_rights_and_shows_only_the_proxy():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = compose["services"]

    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert [name for name, service in services.items() if "ports" in service] == ["caddy"]
    assert compose["networks"]["inside"] == {"internal": True}
    given = {name.removeprefix("PROMISE_HUB_").lower() for name in services["hub"]["environment"]}
    assert given - {"pgpassfile"} <= set(Settings.model_fields)
    secrets = {
        one if isinstance(one, str) else one["source"] for of in services.values() for one in of.get("secrets", [])
    }
    assert secrets == set(compose["secrets"])
    modes = [one["mode"] for of in services.values() for one in of.get("secrets", []) if "mode" in one]
    assert set(modes) == {0o600}


@pytest.mark.skipif(shutil.which("caddy") is None, reason="no Caddy on this machine")
def test_caddy_reads_its_file():
    told = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile"],
        env=os.environ | {"PUBLIC_NAME": "hub.example.org"}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 0, told.stderr


def test_the_manifests_run_as_nobody_with_probes_and_a_closed_network():
    found = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "hub.yaml").read_text("utf-8")))
    kinds = {one["kind"]: one for one in found}
    pod = kinds["StatefulSet"]["spec"]["template"]["spec"]

    assert all({"apiVersion", "kind", "metadata"} <= set(one) for one in found)
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert container["resources"]["limits"]["memory"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(pod["containers"][0])
    assert kinds["NetworkPolicy"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    given = {name.removeprefix("PROMISE_HUB_").lower() for name in kinds["ConfigMap"]["data"]}
    assert given - {"pgpassfile"} <= set(Settings.model_fields)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_reads_the_units_and_finds_nothing_but_the_missing_program(tmp_path):
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/promise/bin/promise-", "/bin/true promise-")
        (tmp_path / unit.name).write_text(text)

    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("path", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda path: path.name)
def test_a_unit_has_no_rights_and_a_read_only_machine(path):
    lines = set(path.read_text("utf-8").splitlines())

    assert {"NoNewPrivileges=true", "CapabilityBoundingSet=", "ProtectSystem=strict", "ProtectHome=true"} <= lines
    assert any(line.startswith("User=promise-") for line in lines)
