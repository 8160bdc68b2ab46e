"""The files for containers: pinned, without rights that nobody needs, and true to the program."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from doceo.app.settings import load_settings
from doceo.app.tunable import tunable
from scripts.check_docs import program, wrong_command

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?")


def steps() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their words."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.M).replace("\\\n", " ").splitlines()
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def words(name: str) -> list[str]:
    return [rest for step, rest in steps() if step == name]


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    loaded = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = loaded["services"]
    named = {volume.split(":")[0] for one in found.values() for volume in one.get("volumes", ())}
    assert named == set(loaded["volumes"])
    return found


def test_the_image_is_pinned_and_runs_as_nobody() -> None:
    bases = [rest.split()[0] for rest in words("FROM")]
    assert bases
    assert all(PINNED.fullmatch(base) and base.count(".") == 2 for base in bases)
    assert len(set(bases)) == 1
    assert words("USER")[-1].isdigit()
    assert int(words("USER")[-1]) >= 10000
    assert [step for step, _ in steps()].index("USER") < [step for step, _ in steps()].index("ENTRYPOINT")
    assert not words("ADD")
    assert words("HEALTHCHECK")
    installed = [rest for rest in words("RUN") if "pip install" in rest]
    assert all(re.search(r"torch==|-r \S+requirements\.txt|/src$", rest) for rest in installed)


def test_the_image_installs_what_make_installs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    torch = re.search(r"^TORCH := (\S+)", makefile, re.M)
    assert torch
    assert torch[1] in DOCKERFILE
    version = re.search(r"FROM python:(\d+)\.(\d+)", DOCKERFILE)
    assert version
    assert (int(version[1]), int(version[2])) >= (3, 11)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", ".env", "runs"} <= set(ignored)


def test_the_image_can_trace() -> None:
    lists = [(ROOT / f"requirements{end}.txt").read_text(encoding="utf-8") for end in ("", "-dev")]
    installed = set(re.findall(r"^([\w.-]+)==", lists[0], re.M)) | set(
        re.findall(r"^(opentelemetry-[\w.-]+)==", lists[1], re.M)
    )
    waiting = [one for one in requires("doceo") or () if 'extra == "otel"' in one]
    assert waiting
    needed = set[str]()
    while waiting:
        one = Requirement(waiting.pop())
        name = canonicalize_name(one.name)
        if name not in needed and (one.marker is None or one.marker.evaluate({"extra": "otel"})):
            needed.add(name)
            waiting += requires(name) or ()
    assert needed <= installed
    assert "grep ^opentelemetry- /src/requirements-dev.txt" in DOCKERFILE


def test_the_commands_are_the_programs(services: dict[str, dict[str, Any]]) -> None:
    flags = program()
    started = [shlex.split(words("CMD")[-1].translate(str.maketrans("[],", "   ")))]
    started += [services[name]["command"] for name in ("service", "worker") if "command" in services[name]]
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    started += [line.split() for line in re.findall(r"docker compose run --rm service (.*)", text)]
    assert len(started) == 3
    for command in started:
        assert wrong_command(command, flags) is None


def test_every_service_is_pinned_and_has_no_more_rights_than_it_needs(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"service", "worker", "database", "vllm"}
    for name, service in services.items():
        assert PINNED.fullmatch(service["image"]), name
        assert "latest" not in service["image"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "network_mode", "pid", "cap_add", "devices"} & set(service)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        secrets = {
            key: value for key, value in service.get("environment", {}).items() if "PASSWORD" in key or "URL" in key
        }
        assert all("${DOCEO_DATABASE_PASSWORD:?" in value for value in secrets.values())
    for name in ("service", "worker"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert services["vllm"]["profiles"] == ["gpu"]
    assert "ports" not in services["database"]
    assert "ports" not in services["vllm"]


def test_the_variables_are_settings(services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in services["service"]["environment"].items():
        monkeypatch.setenv(name, value)
    # what the file says of the vLLM in it
    said = re.findall(r"^#   (DOCEO_SERVICE__\w+)=(\S+)$", (ROOT / "compose.yaml").read_text(encoding="utf-8"), re.M)
    for name, value in said:
        monkeypatch.setenv(name, *shlex.split(value))
    settings = load_settings({})
    assert settings.service.workers == 0
    assert settings.service.vllm == "http://vllm:8000/v1"
    served = re.search(r":-([\w./-]+)}", services["vllm"]["command"][1])
    assert served
    assert served[1] in tunable(settings)
    for name in ("service", "worker"):
        assert services[name]["env_file"] == [{"path": "doceo.env", "required": False}]
    assert int(services["service"]["stop_grace_period"].rstrip("s")) > settings.service.drain_seconds
