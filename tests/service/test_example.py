"""The example does what the README says, against a served program, with nothing but the stock client."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.working import until

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_the_example_runs_from_documents_to_nothing_left(library: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    log = tmp_path / "serve.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "doceo", "serve", "--port", "0"]
        server = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=out, stderr=out)
    try:
        address = until(lambda: re.search(r"http://[\d.:]+/v1", log.read_text()), 60).group()
        made = subprocess.run(
            [sys.executable, ROOT / "examples" / "openai_client.py", library, "--pairs", "20"],
            env={**env, "OPENAI_BASE_URL": address},
            text=True,
            capture_output=True,
            timeout=300,
        )
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) in (0, 143), log.read_text()
    assert made.returncode == 0, made.stdout + made.stderr + log.read_text()
    said = made.stdout
    assert f"Indexed {len(list(library.iterdir()))} of" in said
    assert "quote:" in said
    assert "[1]" in said, "the answer cites"
    assert re.search(r"Tuned ft:doceo-5m:local:library:\w+ on \d+ tokens", said)
    assert "3 jobs" in said
    left = [path for folder in (".files", ".jobs") for path in (tmp_path / "runs" / folder).glob("[!.]*")]
    assert left == []
