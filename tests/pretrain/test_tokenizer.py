"""Tokenizers from streams: the same bytes, held-out figures by hand, and a template whose mask is exact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from data.texts import read_texts
from doceo.app.tokenizing import TokenizerReport, make_tokenizer
from doceo.core.config import TokenizerConfig
from doceo.core.errors import NothingReadable, StorageError, UsageError
from doceo.core.progress import Silent
from doceo.pretrain.held_out import HeldOut
from doceo.pretrain.tokenizer import longest_tokens, save_tokenizer, token_count, train_tokenizer

PARAGRAPH = "Ada Lovelace wrote the first program in 1843, for a machine that was never built: the engine. "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tok")


@pytest.fixture(scope="module")
def made(folder: Path) -> TokenizerReport:
    (folder / "a.txt").write_text(PARAGRAPH * 40)
    return make_tokenizer([folder / "a.txt"], folder / "tok", TokenizerConfig(vocab_size=310), ["text"], Silent())


def test_the_folder_and_its_figures(made: TokenizerReport, folder: Path) -> None:
    names = {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "vocab.json", "merges.txt"}
    assert {path.name for path in (folder / "tok").iterdir()} == names
    assert made.tokens == made.asked == 310
    assert made.characters == len(PARAGRAPH) * 40
    # one text: its last twentieth is held out, from the next blank on
    text = PARAGRAPH * 40
    at = len(text) - len(text) // 20
    held = text[text.index(" ", at) :]
    assert made.held_out_characters == len(held)
    tokenizer = AutoTokenizer.from_pretrained(folder / "tok")
    count = len(tokenizer.encode(held, add_special_tokens=False))
    assert made.characters_per_token == made.bytes_per_token == round(len(held) / count, 3)
    assert len(made.longest) == 10
    assert made.longest == sorted(made.longest, key=lambda token: (-len(token), token))
    vocabulary = tokenizer.get_vocab()
    assert all(len(tokenizer.encode(token, add_special_tokens=False)) == 1 for token in made.longest[:3])
    assert len(vocabulary) == 310
    assert made.longest[0] in PARAGRAPH * 2


def test_a_stream_gives_the_bytes_of_a_list_and_is_never_held(folder: Path, tmp_path: Path) -> None:
    texts = [f"{PARAGRAPH} Number {n}." for n in range(400)]

    def stream() -> Iterator[str]:
        yield from texts

    for name, source in (("list", texts), ("stream", stream())):
        save_tokenizer(train_tokenizer(source, 400, 128), tmp_path / name)
    for path in (tmp_path / "list").iterdir():
        assert path.read_bytes() == (tmp_path / "stream" / path.name).read_bytes()


def test_the_template_marks_exactly_the_assistants_words_and_end(made: TokenizerReport, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder / "tok")
    config = json.loads((folder / "tok" / "tokenizer_config.json").read_text())
    assert "{%- generation -%}" in config["chat_template"]
    assert config["chat_template"] == tokenizer.chat_template
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who wrote the first program?"},
        {"role": "assistant", "content": "Ada Lovelace, in 1843."},
        {"role": "user", "content": "For what?"},
        {"role": "assistant", "content": "The engine."},
    ]
    found = tokenizer.apply_chat_template(chat, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    spans: list[list[int]] = [[]]
    for token, marked in zip(found["input_ids"], found["assistant_masks"], strict=True):
        if marked:
            spans[-1].append(token)
        elif spans[-1]:
            spans.append([])
    assert [tokenizer.decode(span) for span in spans if span] == [
        "Ada Lovelace, in 1843.<|im_end|>",
        "The engine.<|im_end|>",
    ]
    assert all(span[-1] == tokenizer.eos_token_id for span in spans if span)


def test_little_text_gives_fewer_tokens(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("so little")
    made = make_tokenizer([tmp_path / "a.txt"], tmp_path / "tok", TokenizerConfig(vocab_size=5000), ["text"], Silent())
    assert 260 < made.tokens < 300
    assert made.asked == 5000
    assert made.characters_per_token is None
    AutoTokenizer.from_pretrained(tmp_path / "tok")


def test_only_a_tokenizer_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PARAGRAPH * 3)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_text("weights")
    for out in (tmp_path / "model", tmp_path / "a.txt"):
        with pytest.raises(UsageError, match="more than a tokenizer"):
            make_tokenizer([tmp_path / "a.txt"], out, TokenizerConfig(), ["text"], Silent())
    for size in (300, 310):
        make_tokenizer([tmp_path / "a.txt"], tmp_path / "t", TokenizerConfig(vocab_size=size), ["text"], Silent())
    assert len(AutoTokenizer.from_pretrained(tmp_path / "t")) == 310
    (tmp_path / "blank.txt").write_text(" \n ")
    with pytest.raises(NothingReadable, match="no text"):
        make_tokenizer([tmp_path / "blank.txt"], tmp_path / "n", TokenizerConfig(), ["text"], Silent())
    assert not (tmp_path / "n").exists()


@given(st.lists(st.text(min_size=1, max_size=60), max_size=40), st.integers(2, 30))
def test_held_out_and_other_texts_are_the_whole(texts: list[str], every: int) -> None:
    held = HeldOut(every)
    others = list(held.others(texts))
    assert sum(map(len, others)) + sum(map(len, held.texts)) == sum(map(len, texts))
    assert bool(others) is bool(texts)
    if len(others) + len(held.texts) == len(texts):
        assert sorted([*others, *held.texts]) == sorted(texts)
        # where the hashes choose all, one has to be learned from
        assert not set(others) & set(held.texts) or all(map(HeldOut(every)._chooses, texts))


def test_one_text_in_so_many_is_held_out_up_to_a_limit() -> None:
    texts = [f"text number {n}" for n in range(4000)]
    held = HeldOut(20)
    assert len(list(held.others(texts))) + len(held.texts) == 4000
    assert 140 < len(held.texts) < 260
    few = HeldOut(20, limit=300)
    list(few.others(texts))
    assert 15 < len(few.texts) < 26
    one = HeldOut(20)
    assert list(one.others(["word " * 100])) == ["word " * 95 + "word"]
    chosen = next(text for text in (f"{n} of these " * 20 for n in range(99)) if HeldOut(2)._chooses(text))
    only = HeldOut(2)
    assert list(only.others([chosen])) + only.texts == [chosen[: len(only.texts[0]) * -1], only.texts[0]]
    assert 0 < len(only.texts[0]) < len(chosen) / 10


def test_counts_and_longest_tokens_by_hand() -> None:
    tokenizer = train_tokenizer(["banana banana banana " * 9], 300, 64)
    assert isinstance(tokenizer, PreTrainedTokenizerFast)
    assert longest_tokens(tokenizer, 2)[0] == " banana"
    assert token_count(tokenizer, ["banana banana", ""]) == 2
    # é is two bytes, and no merge was learned for them
    assert token_count(tokenizer, ["é"]) == 2
    assert token_count(tokenizer, ["<|im_end|>"]) > 1


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    tokenizer = train_tokenizer([PARAGRAPH], 300, 64)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limit[1]))
    try:
        with pytest.raises(StorageError, match="disk is full"):
            save_tokenizer(tokenizer, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_real_text(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "lm" / "tinyshakespeare.txt.gz"
    made = make_tokenizer([source], tmp_path / "tok", TokenizerConfig(vocab_size=2048), ["text"], Silent())
    assert made.tokens == 2048
    assert made.characters_per_token is not None
    assert 2.8 < made.characters_per_token < 3.6
    assert made.characters == sum(len(text.text) for text in read_texts([source]))
