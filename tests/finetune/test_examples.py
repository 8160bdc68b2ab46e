"""Exactly the answer and its end are learned, whatever the template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from doceo.core.errors import TrainingError
from doceo.core.records import Message
from doceo.pretrain.tokenizer import train_tokenizer
from doceo.text.chat_template import PLAIN
from finetune.checks import Row, load_rows
from finetune.examples import IGNORED, OPEN, Encoded, encode, encode_rows, marked, trained_text

CHAT = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="Who wrote it?"),
    Message(role="assistant", content="Nobody."),
    Message(role="user", content="And the first program?"),
    Message(role="assistant", content="Ada wrote it in 1843."),
)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["Ada wrote the first program in 1843."], 300, 256)


def test_only_the_last_answer_and_its_end_are_learned(tokenizer: PreTrainedTokenizerFast) -> None:
    assert trained_text(tokenizer, CHAT) == "Ada wrote it in 1843.<|im_end|>"
    row = encode(tokenizer, CHAT)
    learned = [label for label in row.labels if label != IGNORED]
    assert row.input_ids[-len(learned) :] == learned == row.labels[-len(learned) :]
    prompt = [m.model_dump() for m in CHAT[:-1]]
    shown = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert row.input_ids[: -len(learned)] == shown


def test_the_template_marks_the_same_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    turns = [m.model_dump() for m in CHAT]
    rendered = tokenizer.apply_chat_template(turns, return_dict=True, return_assistant_tokens_mask=True)
    masks, ids = rendered["assistant_masks"], rendered["input_ids"]
    marked = tokenizer.decode([token for token, mask in zip(ids, masks, strict=True) if mask])
    assert marked == "Nobody.<|im_end|>Ada wrote it in 1843.<|im_end|>"


def test_a_model_without_a_template(tokenizer: PreTrainedTokenizerFast) -> None:
    plain = train_tokenizer(["Ada wrote the first program in 1843."], 300, 256)
    plain.chat_template = PLAIN
    assert trained_text(plain, CHAT) == " Ada wrote it in 1843.<|im_end|>"
    row = encode(plain, CHAT)
    prompt = plain.decode(row.input_ids[: row.prompt])
    assert prompt == (
        "Be brief.\n\nUser: Who wrote it?\n\nAnswer: Nobody.<|im_end|>\n\nUser: And the first program?\n\nAnswer:"
    )


@pytest.mark.parametrize(
    ("template", "learned"),
    [
        (
            "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
            "{% if add_generation_prompt %}assistant: {% endif %}",
            "Ada wrote it in 1843.<|im_end|>",
        ),
        ("{% for m in messages %}{{ loop.length }}{{ m.content }}{% endfor %}", "Ada wrote it in 1843.<|im_end|>"),
    ],
    ids=["no end of turn", "prompt is not a prefix"],
)
def test_templates_of_others(tokenizer: PreTrainedTokenizerFast, template: str, learned: str) -> None:
    other = train_tokenizer(["Ada wrote the first program in 1843."], 300, 256)
    other.chat_template = template
    assert trained_text(other, CHAT) == learned


def test_a_template_that_refuses() -> None:
    other = train_tokenizer(["Ada wrote the first program."], 300, 256)
    other.chat_template = "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}"
    with pytest.raises(TrainingError, match="one turn only"):
        encode(other, CHAT)


def test_long_rows_are_left_out_whole(tokenizer: PreTrainedTokenizerFast) -> None:
    long = (Message(role="user", content="why " * 200), CHAT[-1])
    dataset = encode_rows(tokenizer, [Row(1, CHAT), Row(2, long)], 128)
    assert len(dataset.rows) == 1
    assert dataset.too_long == ["line 2"]
    assert dataset.tokens == len(dataset.rows[0].input_ids)


def test_every_assistants_turn_is_learned_and_never_a_users(tokenizer: PreTrainedTokenizerFast) -> None:
    (row,) = encode_rows(tokenizer, [Row(1, CHAT)], 128).rows
    shown = marked(tokenizer, row)
    assert shown.count(OPEN) == 2
    assert "⟦Nobody.<|im_end|>⟧" in shown
    assert shown.endswith("⟦Ada wrote it in 1843.<|im_end|>⟧")
    (last,) = encode_rows(tokenizer, [Row(1, CHAT, learned=(4,))], 128).rows
    assert last == encode(tokenizer, CHAT)


def test_a_single_turn_is_encoded_as_it_always_was(tokenizer: PreTrainedTokenizerFast) -> None:
    """The tokens are those of the prompt and of the answer, each tokenized by itself."""
    chat = (CHAT[1], CHAT[4])
    prompt = "<|im_start|>user\nWho wrote it?<|im_end|>\n<|im_start|>assistant\n"
    ids = [
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, "Ada wrote it in 1843.<|im_end|>")
    ]
    assert encode(tokenizer, chat) == Encoded(ids[0] + ids[1], [IGNORED] * len(ids[0]) + ids[1])


def test_all_of_a_plain_text_is_learned_in_pieces_with_one_end(tokenizer: PreTrainedTokenizerFast) -> None:
    text = "Ada wrote the first program in 1843. " * 8
    dataset = encode_rows(tokenizer, [Row(1, text=text)], 64)
    ids = [token for row in dataset.rows for token in row.input_ids]
    assert dataset.cut == 1
    assert all(row.labels == row.input_ids and len(row.input_ids) <= 64 for row in dataset.rows)
    assert tokenizer.decode(ids) == text + "<|im_end|>"
    going_on = encode_rows(tokenizer, [Row(1, text="Ada wrote", ends=False)], 64)
    assert tokenizer.decode(going_on.rows[0].input_ids) == "Ada wrote"


def test_an_answer_of_weight_0_is_read_and_not_learned(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    """The mask is made by hand: every piece of the text, and whether it is learned."""
    turns = [message.model_dump() for message in CHAT]
    turns[2]["weight"], turns[4]["weight"] = 0, 1
    more = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Who knows.", "weight": 0}]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"messages": said}) + "\n" for said in (turns, turns + more)))
    pieces = [
        ("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWho wrote it?<|im_end|>\n", False),
        ("<|im_start|>assistant\nNobody.<|im_end|>\n", False),
        ("<|im_start|>user\nAnd the first program?<|im_end|>\n<|im_start|>assistant\n", False),
        ("Ada wrote it in 1843.<|im_end|>", True),
    ]
    ids = [(tokenizer(text, add_special_tokens=False)["input_ids"], learned) for text, learned in pieces]
    expected = Encoded(
        [token for part, _ in ids for token in part],
        [token if learned else IGNORED for part, learned in ids for token in part],
    )
    assert encode_rows(tokenizer, load_rows(path).rows, 256).rows == [expected, expected]
