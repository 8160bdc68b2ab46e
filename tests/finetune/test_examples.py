"""Exactly the answer and its end are learned, whatever the template."""

from __future__ import annotations

import pytest
from transformers import PreTrainedTokenizerFast

from doceo.core.errors import TrainingError
from doceo.core.records import Message
from doceo.pretrain.tokenizer import train_tokenizer
from doceo.text.chat_template import PLAIN
from finetune.checks import Row
from finetune.examples import IGNORED, encode, encode_rows, trained_text

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
    prompt = plain.decode([t for t, label in zip(*encode(plain, CHAT), strict=True) if label == IGNORED])
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
    other.chat_template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    with pytest.raises(TrainingError, match="no system"):
        encode(other, CHAT)


def test_long_rows_are_left_out_whole(tokenizer: PreTrainedTokenizerFast) -> None:
    long = (Message(role="user", content="why " * 200), CHAT[-1])
    dataset = encode_rows(tokenizer, [Row(1, CHAT), Row(2, long)], 128)
    assert len(dataset.rows) == 1
    assert dataset.too_long == [2]
    assert dataset.tokens == len(dataset.rows[0].input_ids)
