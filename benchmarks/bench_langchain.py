"""What LangChain costs: CPU time of one call through it, and of the same call without it.

    python benchmarks/bench_langchain.py [calls]

Search and models are stand-ins that cost next to nothing, so that what is left is the way there and back: our search as
a LangChain retriever, our answerer as a runnable, a LangChain retriever as an arm, a chat model behind `langchain:`.
Where `langchain-openai` is installed, also the same model behind the same server (`fake_openai.py`) as `openai:` and as
`langchain:openai:`. Medians of five runs, one thread; the process's CPU milliseconds a call. Writes
benchmarks/results/langchain.json.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.retrievers import BaseRetriever
from record import save

from doceo.core.records import ChatRequest, Hit, Message, Passage, Span
from doceo.providers.blocking import Blocking
from doceo.providers.chat import open_blocking
from doceo.providers.langchain_chat import LangChainChat
from doceo.providers.scripted import Scripted
from rag.answerer import ModelAnswerer
from rag.langchain import AnswererRunnable, LangChainArm, PassageRetriever

RUNS = 5
K = 5
TEXT = "The permit is valid for one year and is issued by the harbour office on the second floor. " * 8
ASK = ChatRequest(messages=(Message(role="user", content=TEXT),), max_tokens=64)
PACKAGES = ("langchain", "langchain-core", "openai")


class Found:
    """A search that has found already."""

    def search(self, _question: str, k: int) -> list[Passage]:
        """Return k passages."""
        return [
            Passage(
                hit=Hit(
                    chunk_id=f"c_{n}",
                    source="a.txt",
                    span=Span(document_id="d_1", start=n, end=n + len(TEXT)),
                    score=1.0,
                ),
                title="A",
                text=TEXT,
            )
            for n in range(k)
        ]


class FoundThere(BaseRetriever):
    """The same as LangChain's retriever."""

    documents: list[Document]

    def _get_relevant_documents(self, query: str, *, run_manager: object) -> list[Document]:
        return self.documents


def cost(call: Callable[[], object], calls: int) -> float:
    """Return the CPU milliseconds of one call, the median of the runs."""
    call()
    taken = []
    for _ in range(RUNS):
        began = time.process_time()
        for _ in range(calls):
            call()
        taken.append((time.process_time() - began) / calls * 1000)
    return round(statistics.median(taken), 3)


def search(calls: int) -> dict[str, float]:
    """Measure searches."""
    ours, theirs = Found(), FoundThere(documents=[Document(TEXT + str(n), metadata={"source": "a"}) for n in range(K)])
    retriever, arm = PassageRetriever(source=ours, k=K), LangChainArm(theirs)
    with asyncio.Runner() as runner:
        return {
            "our search": cost(lambda: ours.search("?", K), calls),
            "our search as a LangChain retriever": cost(lambda: retriever.invoke("?"), calls),
            "the same, asynchronously": cost(lambda: runner.run(retriever.ainvoke("?")), calls),
            "LangChain's retriever": cost(lambda: theirs.invoke("?"), calls),
            "LangChain's retriever as an arm": cost(lambda: arm.search("?", K), calls),
        }


def answers(calls: int) -> dict[str, float]:
    """Measure answers of a scripted model over five passages."""
    answerer = ModelAnswerer("m+rag", Scripted(lambda _: "It is valid for one year [1]."), Found(), k=K)
    whole, text = AnswererRunnable(answerer), AnswererRunnable(answerer, text=True)
    return {
        "our answerer": cost(lambda: answerer.answer("How long?"), calls),
        "our answerer as a runnable": cost(lambda: whole.invoke("How long?"), calls),
        "our answerer, streamed": cost(lambda: list(answerer.stream("How long?")), calls),
        "our answerer as a runnable, streamed": cost(lambda: list(text.stream("How long?")), calls),
    }


def models(calls: int) -> dict[str, float]:
    """Measure replies: a scripted model, and LangChain's fake one as a provider, both asked from other threads."""
    scripted = Blocking(Scripted(lambda _: "Yes.").asynchronous())
    fake = Blocking(LangChainChat(FakeListChatModel(responses=["Yes."]), "fake", "fake"))
    return {
        "a scripted model": cost(lambda: scripted.complete(ASK), calls),
        "a fake model of LangChain's": cost(lambda: fake.complete(ASK), calls),
    }


@contextmanager
def server() -> Iterator[str]:
    """Run the stand-in server; give its address."""
    command = [sys.executable, str(Path(__file__).with_name("fake_openai.py")), "--latency", "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(child.stdout.readline())}/v1"
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def requests(calls: int) -> dict[str, float]:
    """Measure whole requests to a server on this machine, the server's own time not counted."""
    os.environ["OPENAI_API_KEY"] = "stand-in-key"
    rows = {}
    with server() as address:
        for kind in ("openai:", "langchain:openai:"):
            opened = open_blocking(f"{kind}m", base_url=address)
            rows[f"a request, {kind}MODEL"] = cost(partial(opened.complete, ASK), calls)
            opened.close()
    return rows


def main() -> None:
    """Measure everything and print it."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rows = search(calls) | answers(calls) | models(calls)
    packages = PACKAGES
    if find_spec("langchain_openai"):
        rows |= requests(calls)
        packages += ("langchain-openai",)
    for name, milliseconds in rows.items():
        print(f"{milliseconds:8.3f} ms  {name}")
    save("langchain", {name: {"cpu_ms": value} for name, value in rows.items()}, packages)


if __name__ == "__main__":
    main()
