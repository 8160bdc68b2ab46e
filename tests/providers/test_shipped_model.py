"""The small model that ships: what its card says of it, and its name wherever a model is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from safetensors import safe_open

from doceo.core.errors import ModelNotFound, ProviderError
from doceo.providers.hf_models import open_config, open_tokenizer
from doceo.providers.model_folder import base_of, check_name
from doceo.providers.shipped_model import NAME, located, named, shipped_folder

WEIGHTS = shipped_folder() / "model.safetensors"
MOST = 12_000_000


def test_it_is_small_and_in_half_precision() -> None:
    assert WEIGHTS.stat().st_size <= MOST
    with safe_open(WEIGHTS, framework="np") as weights:
        tensors = [weights.get_slice(key) for key in weights.keys()]  # noqa: SIM118 - no mapping
        assert {tensor.get_dtype() for tensor in tensors} == {"F16"}


def test_the_card_names_these_weights_and_every_text_with_its_licence() -> None:
    folder = shipped_folder()
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in card
    texts = json.loads((folder / "pretraining.json").read_text(encoding="utf-8"))["origin"]["texts"]
    assert len(texts) == 6
    for text, digest in texts.items():
        assert digest in card
        assert (folder / "sources" / f"{Path(text).stem}-copyright").is_file()
    assert (folder / "curve.svg").is_file()


def test_its_name_opens_it_and_is_what_is_written_down(tmp_path: Path) -> None:
    assert open_config(NAME).num_hidden_layers == 4
    assert len(open_tokenizer(NAME)) == 8192
    assert (located("other/model"), named("other/model")) == ("other/model", "other/model")
    assert named(located(NAME)) == NAME
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": NAME}))
    assert base_of(tmp_path) == str(shipped_folder())


def test_a_folder_without_a_tokenizer_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ProviderError, match="has no tokenizer"):
        check_name(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "no readable"),
        ("{}", "does not name its base"),
        ('{"base_model_name_or_path": "/gone/x"}', "no longer in"),
    ],
)
def test_an_adapter_whose_base_is_not_known(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "adapter_config.json").write_text(content)
    with pytest.raises(ModelNotFound, match=words):
        base_of(tmp_path)
