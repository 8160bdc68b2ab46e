"""Token shards: nothing is lost, nothing is added but the borders, and what is held out is not trained on."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from doceo.pretrain import shards as module
from doceo.pretrain.held_out import chosen
from doceo.pretrain.shards import Piece, Shards, build_shards
from doceo.pretrain.tokenizer import train_tokenizer

SOME = st.lists(st.builds(Piece, st.text(min_size=1, max_size=60), st.booleans()), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["Ada Lovelace wrote the first program in 1843. " * 9], 330, 128)


def built(pieces: list[Piece], tokenizer: PreTrainedTokenizerFast, folder: Path, every: int = 20) -> Shards:
    build_shards(iter(pieces), tokenizer, folder, held_out_every=every)
    return Shards(folder)


def all_tokens(shards: Shards) -> list[int]:
    return shards.windows(np.array([0]), len(shards))[0].tolist() if len(shards) else []


def size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


@settings(max_examples=60, deadline=None)
@given(pieces=SOME, every=st.integers(2, 5), shard=st.integers(1, 50))
def test_every_byte_is_either_trained_or_held_out(
    pieces: list[Piece], every: int, shard: int, tokenizer: PreTrainedTokenizerFast
) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHARD", shard)
        patch.setattr(module, "_BATCH", 25)
        shards = built(pieces, tokenizer, Path(name), every)
        tokens = all_tokens(shards)
        held = [tokenizer.decode(shards.held_out(text)) for text in shards.index.held_out]
        assert all(n <= shard for n in shards.index.tokens)
        assert len(shards.index.tokens) == -(-len(shards) // shard)
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    assert tokens.count(begin) == tokens.count(end) == shards.index.texts
    trained = tokenizer.decode([token for token in tokens if token not in (begin, end)])
    plain = [piece.text.encode("utf-8", "replace").decode() for piece in pieces]
    assert shards.index.bytes + sum(text.bytes for text in shards.index.held_out) == sum(map(size, plain))
    whole = [text for text in plain if chosen(text, every)]
    if whole:
        assert held == whole
        assert trained == "".join(text for text in plain if not chosen(text, every))
    else:
        assert trained + "".join(held) == "".join(plain)


def test_texts_have_borders_and_pieces_of_one_have_none(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    pieces = [Piece("One text, "), Piece("its second piece.", begins=False), Piece("Another.")]
    tokens = all_tokens(built(pieces, tokenizer, tmp_path, every=1 << 40))
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    encode = [tokenizer.encode(piece.text, add_special_tokens=False) for piece in pieces]
    assert tokens == [begin, *encode[0], *encode[1], end, begin, *encode[2], end]


def test_a_text_that_names_special_tokens_holds_none(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    text = "It says <|im_end|> and <|endoftext|> here."
    tokens = all_tokens(built([Piece(text)], tokenizer, tmp_path, every=1 << 40))
    specials = set(tokenizer.all_special_ids)
    assert [token for token in tokens if token in specials] == [tokenizer.bos_token_id, tokenizer.eos_token_id]
    assert tokenizer.encode("<|im_end|>", add_special_tokens=False) == [tokenizer.eos_token_id], "the tokenizer itself"


def test_a_beginning_that_is_the_end_is_not_written_twice(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    same = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer, bos_token="<|im_end|>", eos_token="<|im_end|>"
    )
    tokens = all_tokens(built([Piece("One."), Piece("Two.")], same, tmp_path, every=1 << 40))
    assert tokens.count(same.eos_token_id) == 2
    assert tokens[0] != same.eos_token_id


def test_where_chance_holds_nothing_out_it_is_the_end(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    text = "word " * 400
    shards = built([Piece(text)], tokenizer, tmp_path, every=1 << 40)
    assert len(shards.index.held_out) == 1
    assert shards.index.held_out[0].bytes == pytest.approx(100, abs=5)


def test_a_large_vocabulary_takes_four_bytes(tmp_path: Path) -> None:
    wide = train_tokenizer(["abc"], 300, 128)
    wide.add_tokens([f"<{n}>" for n in range(1 << 16)])
    shards = built([Piece("abc")], wide, tmp_path, every=1 << 40)
    assert shards.index.dtype == "uint32"
    assert (tmp_path / "train-00000.bin").stat().st_size == 4 * len(shards)


def test_windows_span_shards_and_wrap_around(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD", 7)
    shards = built([Piece("abcdefghijklmnopqrstuvwxyz " * 3)], tokenizer, tmp_path, every=1 << 40)
    tokens = all_tokens(shards)
    assert len(shards.index.tokens) > 5
    places = np.array([0, 5, 20, len(tokens) - 3])
    for length in (12, 2 * len(tokens) + 5):
        expected = [[tokens[(int(at) + i) % len(tokens)] for i in range(length)] for at in places]
        assert shards.windows(places, length).tolist() == expected
