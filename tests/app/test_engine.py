"""Work in parts: however it is divided, and wherever it is done, the bytes are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.reader import distinct
from data.store import Run
from doceo.app.engine import HERE, Item, Made, Stage, open_engine
from doceo.app.parts import EmbedderInParts, chunk_in_parts
from doceo.app.settings import Settings
from doceo.app.stages.documents import ingest
from doceo.app.stages.pairs import make_pairs
from doceo.core.config import ChunkConfig, ReadConfig
from doceo.core.errors import MissingExtra, Unreachable
from doceo.core.progress import Silent
from doceo.core.records import Document, Skipped
from doceo.providers.embedders import open_embedder
from rag.indexing import update
from tests.conftest import DOCUMENTS

ROOT = Path(__file__).parents[2]
READ = ReadConfig()


class Divided:
    """An engine in this process that gives a stage a few items at a time, as JSON."""

    at_once = 3

    def __init__(self, part: int) -> None:
        self.part = part

    def each(self, stage: Stage[Item, Made], items: Sequence[Item]) -> Iterator[Made]:
        from pydantic import TypeAdapter

        takes, makes = TypeAdapter(stage.takes), TypeAdapter(stage.makes)
        for at in range(0, len(items), self.part):
            sent = [takes.validate_json(takes.dump_json(item)) for item in items[at : at + self.part]]
            yield from (makes.validate_json(makes.dump_json(made)) for made in stage.work(sent))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return documents, two of one text in places far apart, and a file that cannot be read."""
    folder = tmp_path_factory.mktemp("documents")
    for n in range(6):
        text = f"# Part {n}\n\n" + "\n\n".join(
            f"Passage {k} of part {n} is about number {n * k}." * 9 for k in range(5)
        )
        (folder / f"{n}.md").write_text(text, encoding="utf-8")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("3a.md", "9.md"):
        (folder / name).write_text((folder / "0.md").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "4a.pdf").write_bytes(b"%PDF-1.7 nothing")
    return folder


def made(engine: Any, folder: Path, to: Path) -> dict[str, bytes]:
    """Return the files of a run with its pairs, and the vectors of its index, made by an engine."""
    run, inner = Run(to), open_embedder()
    embedder = inner if engine is HERE else EmbedderInParts(inner, inner.name, engine)
    done = ingest(run, [str(folder)], READ, ChunkConfig(target_tokens=60), embedder, Silent())
    update(run.index, done.documents, done.chunks, embedder, sync=True, at_once=getattr(embedder, "at_once", 64))
    with pytest.MonkeyPatch.context() as patch:
        for room in ("crew", "stages.pairs"):
            patch.setattr(f"doceo.app.{room}.open_engine", lambda _: engine)
        make_pairs(run, done, Settings(executor="process" if engine is HERE else "ray"), Silent())
    stages = ("1-documents", "2-chunks", "3-pairs")
    files = {p.name: p.read_bytes() for stage in stages for p in (to / stage).glob("*.jsonl")}
    return files | {"vectors": embedder.embed([chunk.text for chunk in done.chunks]).tobytes()}


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return made(HERE, folder, tmp_path_factory.mktemp("whole") / "run")


def test_files_of_one_text_are_told_apart_over_all_parts() -> None:
    """The first of a text stays, in whichever part it was read; the others name it."""
    records = [_document(f"{n}.txt", text) for n, text in enumerate(("a", "b", "a", "b", "a"))]
    found = list(distinct(iter(records)))
    assert found[:2] == records[:2]
    assert [(one.source, one.detail) for one in found[2:] if isinstance(one, Skipped)] == [
        ("2.txt", "the same text as 0.txt"), ("3.txt", "the same text as 1.txt"), ("4.txt", "the same text as 0.txt"),
    ]  # fmt: skip


def _document(source: str, text: str) -> Document:
    return Document(
        id=Document.identify(text), source=source, media_type="text/plain", title="t", text=text, sha256="0" * 64,
        pages=(), metadata={},
    )  # fmt: skip


@pytest.mark.slow
def test_parts_give_the_same_bytes(folder: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    assert made(Divided(5), folder, tmp_path / "run") == whole
    assert b"the same text as" in whole["skipped.jsonl"]
    assert len(whole["vectors"]) >= 12 * 384 * 4
    assert whole["pairs.jsonl"].count(b"\n") >= 6


@settings(max_examples=8, deadline=None, derandomize=True)
@given(texts=st.lists(st.text(min_size=1, max_size=60), max_size=6), part=st.integers(1, 7))
def test_chunks_and_vectors_do_not_depend_on_the_parts(texts: list[str], part: int) -> None:
    inner = open_embedder()
    spread = EmbedderInParts(inner, inner.name, Divided(part))
    documents = [_document(f"{n}.txt", text) for n, text in enumerate(texts)]
    config = ChunkConfig(target_tokens=16, max_tokens=32)
    assert list(chunk_in_parts(documents, spread, config)) == list(chunk_in_parts(documents, inner, config))
    np.testing.assert_array_equal(spread.embed(texts), inner.embed(texts))


def test_without_the_package_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doceo.app.engine.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="--executor ray needs the package ray") as caught:
        open_engine("ray")
    assert "doceo[ray]" in caught.value.hint


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_a_machine_that_dies_changes_nothing(
    folder: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two nodes of a Ray cluster, one of which is killed in each stage, while the other parts are under way."""
    ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
    from ray.cluster_utils import Cluster

    from doceo.app.ray_engine import Ray

    with monkeypatch.context() as elsewhere, pytest.raises(Unreachable, match="no Ray cluster at 127"):
        elsewhere.setenv("RAY_ADDRESS", "127.0.0.1:1")
        Ray()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("FILES", "DOCUMENTS", "PASSAGES"):
        monkeypatch.setattr(f"doceo.app.parts.{name}", 2)
    node = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    killed = []

    class Killing(Ray):
        def each(self, stage: Stage[Item, Made], items: Sequence[Item]) -> Iterator[Made]:
            second = cluster.add_node(**node)
            cluster.wait_for_nodes()
            for n, one in enumerate(super().each(stage, items)):
                if n == 1:
                    cluster.remove_node(second, allow_graceful=False)
                    killed.append(second)
                yield one

    try:
        ray.init(address=cluster.address, include_dashboard=False, log_to_driver=False)
        assert made(Killing(), folder, tmp_path / "run") == whole
        assert len(killed) >= 6
    finally:
        ray.shutdown()
        cluster.shutdown()
