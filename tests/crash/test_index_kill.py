"""kill -9 at any moment of writing an index, while another process reads it without an error."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.crash

COMMON = f"""
import random, sys, time
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests" / "rag")!r}]
from pathlib import Path
from conftest import WordVectors, corpus
from rag import building, versions
from rag.index import Index, delete
from rag.indexing import compact, update
building._SMALL = 20
folder, words = Path(sys.argv[1]), WordVectors()

def files(state):
    # every state has documents of its own and some that all have
    own = [(f"docs/{{state}}-{{n}}.txt", f"Only state{{state}}x says this, number {{n}}.") for n in range(20 + state)]
    return [*own, *((f"docs/all-{{n}}.txt", f"Every state has common number {{n}}.") for n in range(40))]
"""
WRITES = """
rng = random.Random(int(sys.argv[2]))
print("begun", flush=True)
while True:
    for state in rng.sample(range(6), 6):
        update(folder, *corpus(*files(state)), words, sync=True)
        print("written", flush=True)
        if rng.random() < 0.4:
            compact(folder)
            print("written", flush=True)
"""
READS = """
seen, until = set(), time.monotonic() + 600
while time.monotonic() < until and not Path(sys.argv[2]).exists():
    index = Index.open(folder, words)
    if not seen:
        print("begun", flush=True)
    for _ in range(3):
        own = [key for key, _ in index.lexical.search("says this only", 100)]
        texts = {stored.chunk.text.split()[1] for stored in index.texts.chunks(own).values()}
        assert len(texts) == 1, texts
        state = int(texts.pop()[5:-1])
        assert len(own) == 20 + state == index.manifest.chunks - 40
        vector = words.embed([f"Only state{state}x says this, number 3."])[0]
        best = index.vectors.search(vector, 1)
        assert index.texts.chunks([best[0][0]])[best[0][0]].chunk.text.split()[1] == f"state{state}x", best
        time.sleep(0.02)
    seen.add(index.version)
    index.close()
print(len(seen), flush=True)
"""
ENDS = """
update(folder, *corpus(*files(3)), words, sync=True)
index = Index.open(folder, words)
print(index.manifest.documents, index.lexical.search("state2x", 1) == [], flush=True)
"""
GONE = """
print("begun", flush=True)
while True:
    update(folder, *corpus(*files(1)), words, sync=True)
    print("written", flush=True)
    delete(folder)
    print("written", flush=True)
"""


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMON + code, *map(str, arguments)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def output(process: subprocess.Popen[str]) -> str:
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text
    return text


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    found = process.stdout.readline()
    assert found == f"{line}\n", found + process.communicate()[0]


def kill(process: subprocess.Popen[str], rng: random.Random) -> None:
    """Let a writer write once or twice, and kill it somewhere within what it does next."""
    wait_for(process, "begun")
    for _ in range(rng.randint(1, 2)):
        began = time.monotonic()
        wait_for(process, "written")
    time.sleep(rng.uniform(0, 1.2) * (time.monotonic() - began))
    assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


@pytest.mark.timeout(900)
def test_killed_writers_leave_a_whole_index(tmp_path: Path) -> None:
    folder, stop, rng = tmp_path / "i", tmp_path / "stop", random.Random(0)
    output(run(ENDS, folder))
    readers = [run(READS, folder, stop) for _ in range(2)]
    for reader in readers:
        wait_for(reader, "begun")
    for seed in range(8):
        kill(run(WRITES, folder, seed), rng)
        assert all(reader.poll() is None for reader in readers), [r.communicate()[0] for r in readers if r.poll()]
    stop.touch()
    assert all(int(output(reader)) > 1 for reader in readers)
    assert output(run(ENDS, folder)) == "63 True\n"
    held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert [state for state in range(6) if f"state{state}x".encode() in held] == [3]
    assert len([path for path in folder.iterdir() if path.is_dir() and path.name != ".readers"]) == 1


@pytest.mark.timeout(600)
def test_a_killed_delete_is_finished_by_the_next(tmp_path: Path) -> None:
    folder, rng = tmp_path / "i", random.Random(1)
    for _ in range(6):
        kill(run(GONE, folder), rng)
        assert output(run(ENDS, folder)) == "63 True\n"
    output(run("delete(folder)", folder))
    assert not folder.exists()
