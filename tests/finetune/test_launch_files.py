"""The launch files call the program as it is: the verbs, flags and presets that they name exist."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from typer.main import get_command

from doceo.cli.main import app

LAUNCH = Path(__file__).parents[2] / "examples" / "launch"
PAGE = (LAUNCH.parents[1] / "docs" / "several-machines.md").read_text(encoding="utf-8")


def flags(words: list[str]) -> set[str]:
    """Return the flags behind `-m doceo finetune`."""
    at = words.index("finetune")
    assert words[at - 2 : at] == ["-m", "doceo"]
    return {word for word in words[at:] if word.startswith("--")}


def known() -> set[str]:
    verb = get_command(app).commands["finetune"]  # type: ignore[attr-defined]  # the program is a group of verbs
    return {name for parameter in verb.params for name in parameter.opts}


def test_slurm() -> None:
    text = (LAUNCH / "slurm.sh").read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", str(LAUNCH / "slurm.sh")], check=True)
    assert {"--base", "--out", "--batch-size"} <= flags(text.replace("\\\n", " ").split()) <= known()


def test_kubernetes() -> None:
    service, job = yaml.safe_load_all((LAUNCH / "kubernetes.yaml").read_text(encoding="utf-8"))
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert flags(container["args"]) <= known()
    name = service["metadata"]["name"]
    assert f"--rdzv_endpoint={name}-0.{name}:29500" in container["args"]
    assert f"--nnodes={job['spec']['completions']}" in container["args"]


@pytest.mark.parametrize(("preset", "kind"), [("fsdp2", "FSDP"), ("zero3", "DEEPSPEED")])
def test_presets_of_trl(preset: str, kind: str) -> None:
    assert f"--accelerate_config {preset}" in PAGE
    config = load_config_from_file(str(files("trl").joinpath("accelerate_configs", f"{preset}.yaml")))
    assert str(config.distributed_type).endswith(kind)
