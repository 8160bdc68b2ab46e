"""What all tests share: no network but this machine, no user config, and one small run of everything."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# What is built at first use is kept where it hurts nobody, and is built anew on a fresh machine.
os.environ.setdefault(
    "DOCEO_CACHE", str(Path(tempfile.gettempdir()) / f"doceo-test-cache-{os.getuid() if hasattr(os, 'getuid') else 0}")
)
for _name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
    os.environ.pop(_name, None)

LOOPBACK = {"127.0.0.1", "::1", "localhost", "", "0.0.0.0"}
SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


class NetworkCalled(RuntimeError):
    """A test reached for the network."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail on every connection that leaves this machine, and on every look-up of a name."""
    block_network(monkeypatch)


def block_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guard the sockets of this process."""
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            raise NetworkCalled(f"a test reached for {address}")
        connect(self, address)

    def guarded_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        if (host.decode() if isinstance(host, bytes) else host) not in {*LOOPBACK, None}:
            raise NetworkCalled(f"a test looked up {host}")
        return lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_lookup)


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test in an empty folder, so that no doceo.toml and no runs/ of the developer is seen."""
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real documents beside the checkout; tests that need it are skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared/data, which is not here")
    return SHARED


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six small documents with facts to ask about, in a folder."""
    folder = tmp_path_factory.mktemp("sources") / "library"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_run(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole loop at a tiny size, made once, offline; copy it before changing it."""
    import doceo

    questions = library.parent / "questions.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS), encoding="utf-8")
    workers = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else None
    out = (workers or tmp_path_factory.mktemp("runs")) / "tiny"
    # Processes that test at once make it once.
    with FileLock(out.with_suffix(".lock")), pytest.MonkeyPatch.context() as patch:
        block_network(patch)
        doceo.run(
            library,
            out=out,
            questions=questions,
            pairs=20,
            finetune={"epochs": 1},
            evaluate={"resamples": 200},
        )
    return out


class ChatTeacher:
    """A teacher behind HTTP, in a process of its own."""

    def __init__(self, seconds: float) -> None:
        script = Path(__file__).with_name("teacher_server.py")
        self._child = subprocess.Popen(
            [sys.executable, "-S", str(script), str(seconds)], stdout=subprocess.PIPE, text=True
        )
        assert self._child.stdout is not None
        self.address = f"http://127.0.0.1:{int(self._child.stdout.readline())}/v1"

    def seen(self) -> int:
        """Return how many requests were answered."""
        with urllib.request.urlopen(self.address, timeout=10) as reply:
            return int(json.load(reply)["seen"])

    def close(self) -> None:
        """Kill the process."""
        self._child.kill()
        self._child.wait()
        if self._child.stdout:
            self._child.stdout.close()


@pytest.fixture
def teacher() -> Iterator[Callable[[float], ChatTeacher]]:
    """Start teachers that answer after so many seconds; they end with the test."""
    started: list[ChatTeacher] = []

    def start(seconds: float = 0.0) -> ChatTeacher:
        started.append(ChatTeacher(seconds))
        return started[-1]

    yield start
    for one in started:
        one.close()


QUESTIONS = [
    {
        "question": "Who engineered the lighthouse at Aldern?",
        "answer": "Maria Holt",
        "source": "library/lighthouse.md",
        "quote": "by the engineer Maria Holt",
    },
    {
        "question": "What can the Bryne ferry carry?",
        "answer": "12 cars and 60 passengers",
        "source": "library/ferry.md",
        "quote": "The ferry carries 12 cars and 60 passengers.",
    },
]

DOCUMENTS = {
    "lighthouse.md": """# The Aldern lighthouse

The Aldern lighthouse is a stone tower that guards the northern entrance of the Aldern harbour.
The tower was built in 1874 by the engineer Maria Holt. The lighthouse is 41 metres high.

## The lamp

The lamp of the Aldern lighthouse was converted to electricity in 1931. The lamp reaches ships at a distance of
28 kilometres. A Fresnel lens is a lens that bends light into a narrow beam with a series of rings.
The Fresnel lens of the tower was made in Lyon because no workshop nearer could cut rings of that size.
""",
    "ferry.md": """# The Bryne ferry

The Bryne ferry is a cable ferry that connects the villages of Bryne and Osterby.
The ferry was opened in 1902. The ferry carries 12 cars and 60 passengers.

## Timetable

The ferry leaves Bryne every 20 minutes between six in the morning and ten at night.
The crossing takes seven minutes. The ferry stops in winter storms because the cable could break.
""",
    "mill.html": """<html><head><title>The Corvin mill</title></head><body><nav>Home | About</nav><main>
<h1>The Corvin mill</h1><p>The Corvin mill is a water mill that ground rye for the town of Corvin until 1958.
The mill wheel has a diameter of 6 metres. The mill was restored in 1996 by the Corvin Society.</p>
<h2>The pond</h2><p>A mill pond is a body of water that stores water for a mill. The pond of the Corvin mill holds
4,000 cubic metres of water. The pond was dug in 1790 because the river ran dry in summer.</p></main></body></html>
""",
    "railway.md": """# The Dorn railway

The Dorn railway is a narrow-gauge railway that carried slate from the Dorn quarry to the coast.
The railway was opened in 1868. The track has a gauge of 597 millimetres. The line is 14 kilometres long.

## Locomotives

The first locomotive of the Dorn railway was built in 1867 by George Hallam. A tank engine is a steam locomotive that
carries its own water. Steam was replaced by diesel in 1963 because coal had become too expensive.
""",
    "garden.txt": """The Elmet garden

The Elmet garden is a botanical garden that grows plants from mountain regions. The garden was founded in 1921 by
Sofia Lindqvist. The garden holds 3,200 species. An alpine house is an unheated glasshouse that protects plants from
rain. The alpine house of the garden was built in 1937. The garden is closed in January because the paths are icy.
""",
    "bridge.md": """# The Farrow bridge

The Farrow bridge is a suspension bridge that crosses the river Farrow near its mouth. The bridge was opened in 1911.
The main span of the bridge is 182 metres long. A suspension bridge is a bridge whose deck hangs from cables.

## Repairs

The cables of the Farrow bridge were replaced in 1978. The repair took 14 months. The bridge is inspected every
two years because salt water corrodes the anchorages.
""",
}
