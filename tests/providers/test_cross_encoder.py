from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from doceo.core.errors import ModelNotFound
from doceo.providers.cross_encoder import CrossEncoderReranker

WORDS = ["the", "lamp", "burns", "oil", "keeper", "fills", "it", "every", "six", "hours", "bread", "rises"]
WORDS += ["wild", "yeast", "who", "what"]
TEXTS = ["the lamp burns oil", "bread rises", "wild yeast rises every six hours"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder with random weights that reads 24 tokens."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    place = tmp_path_factory.mktemp("models") / "reader"
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    tokenizer = Tokenizer(models.WordLevel({name: at for at, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=24,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(place)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(names),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        num_labels=1,
        initializer_range=1.0,
    )
    BertForSequenceClassification(config).save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def reader(folder: Path) -> CrossEncoderReranker:
    return CrossEncoderReranker(str(folder), device="cpu")


def test_scores(reader: CrossEncoderReranker) -> None:
    scores = reader.score("what burns oil", TEXTS, 60)
    assert scores is not None
    assert len(set(scores)) == 3
    assert all(0 < score < 1 for score in scores)
    for at, text in enumerate(TEXTS):
        alone = reader.score("what burns oil", [text], 60)
        assert alone == [pytest.approx(scores[at], abs=1e-5)]
    assert (reader.name, reader.score("what", [], 60)) == ("reader", [])


def test_a_long_passage_has_the_score_of_its_best_part(reader: CrossEncoderReranker) -> None:
    # 24 tokens hold three marks, a question of two and nineteen of the passage
    parts, question = ["oil " * 19, "bread " * 19, "the keeper fills it"], "what rises"
    apart, whole = reader.score(question, parts, 60), reader.score(question, [" ".join(parts)], 60)
    assert apart is not None
    assert whole == [pytest.approx(max(apart), abs=1e-5)]
    assert max(apart) > min(apart) + 0.01
    back = reader.score(question, [" ".join(reversed(parts))], 60)
    assert back is not None
    assert back[0] != pytest.approx(min(apart), abs=1e-3)
    assert reader.score("what " * 400, parts, 60) is not None


def test_too_late(reader: CrossEncoderReranker) -> None:
    began = time.monotonic()
    assert reader.score("what burns oil", TEXTS * 3000, 0.05) is None
    assert reader.score("what burns oil", TEXTS, 60) is not None  # what was given up is left off
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("change", ["no model", "plain encoder", "three labels", "pickled"])
def test_what_is_no_cross_encoder(folder: Path, tmp_path: Path, change: str) -> None:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    place = tmp_path / "changed"
    shutil.copytree(folder, place)
    config = BertConfig.from_pretrained(place)
    if change == "no model":
        shutil.rmtree(place)
        place.mkdir()
    elif change == "plain encoder":
        BertModel(config).save_pretrained(place)
    elif change == "three labels":
        config.num_labels = 3
        BertForSequenceClassification(config).save_pretrained(place)
    else:
        torch.save(BertForSequenceClassification(config).state_dict(), place / "pytorch_model.bin")
        (place / "model.safetensors").unlink()
    with pytest.raises(ModelNotFound):
        CrossEncoderReranker(str(place), device="cpu")
