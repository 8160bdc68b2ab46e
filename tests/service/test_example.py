"""The example does what the README says, against a served program, with nothing but the stock client."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.working import until

ROOT = Path(__file__).resolve().parents[2]
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    log = tmp_path / "serve.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "doceo", "serve", "--port", "0"]
        server = subprocess.Popen(command, cwd=tmp_path, env=ENV, stdout=out, stderr=out)
    try:
        yield until(lambda: re.search(r"http://[\d.:]+/v1", log.read_text()), 60).group()
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) in (0, 143), log.read_text()


def run(folder: Path, address: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "examples" / "openai_client.py", folder, "--pairs", "20"]
    env = {**ENV, "OPENAI_BASE_URL": address}
    return subprocess.run(command, env=env, text=True, capture_output=True, timeout=300)


def left(home: Path) -> list[Path]:
    return [path for folder in (".files", ".jobs") for path in (home / "runs" / folder).glob("[!.]*")]


def test_the_example_runs_from_documents_to_nothing_left(library: Path, tmp_path: Path, address: str) -> None:
    made = run(library, address)
    assert made.returncode == 0, made.stdout + made.stderr
    said = made.stdout
    assert f"Indexed {len(list(library.iterdir()))} of" in said
    assert "quote:" in said
    assert "[1]" in said, "the answer cites"
    assert re.search(r"Tuned ft:doceo-5m:local:library:\w+ on \d+ tokens", said)
    assert re.search(r"Deleted all \d+ things", said)
    until(lambda: not left(tmp_path), 60)


def test_the_example_says_what_cannot_be_read_and_leaves_nothing(tmp_path: Path, address: str) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.md").write_text("Hello.")
    (folder / "b.pdf").write_text("%PDF-1.4 cut off")
    made = run(folder, address)
    assert made.returncode == 1
    assert "Indexed 1 of 2" in made.stdout
    assert "b.pdf: damaged" in made.stdout
    assert made.stderr.startswith("No pairs: 0 of 20 pairs"), made.stderr
    until(lambda: not left(tmp_path), 60)
