"""The tutorial, from its first line to its last, as a beginner would follow it; only the training is shorter."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "learn" / "from-scratch.md"
_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_step_works(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    said: list[str] = []
    for kind, block in _BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        command = [sys.executable, "-c", block]
        if kind == "sh":
            words = shlex.split(block.replace("--seconds 240", "--max-steps 200").replace("--epochs 20", "--epochs 8"))
            assert words[0] == "doceo"
            command = [sys.executable, "-m", "doceo", *words[1:]]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        assert ran.returncode == 0, f"{command[2:]}\n{ran.stdout}\n{ran.stderr}"
        said.append(ran.stdout)
    assert len(said) == 9
    assert "characters per token" in said[2]
    assert said[7].strip(), "the model says nothing"
    for name in (
        "model/curve.svg",
        "model/samples.jsonl",
        "adapter/curve.svg",
        "clean/dropped.jsonl",
        "tok/merges.txt",
        "tokens.svg",
    ):
        assert (tmp_path / name).stat().st_size > 0
    assert json.loads((tmp_path / "gguf" / "parity.json").read_text())["passed"] is True
