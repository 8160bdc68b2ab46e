"""Rows to tokens and labels: what the model reads, and which of it is learned.

A row is a prompt (every message but the last) and its completion (the last one), which is TRL's prompt/completion
form; it is split here rather than there, so that the split can be shown and tested, and so that the end of the turn
is always among the learned tokens, whatever the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from doceo.core.errors import TrainingError
from doceo.core.records import Message
from finetune.checks import Row

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that is read but not learned (PyTorch's convention)."""


class Encoded(NamedTuple):
    """One row: token ids, and labels of the same length, `IGNORED` where nothing is learned."""

    input_ids: list[int]
    labels: list[int]


class Dataset(NamedTuple):
    """Encoded rows, and the lines that were left out because they are longer than the model reads."""

    rows: list[Encoded]
    too_long: list[int]

    @property
    def tokens(self) -> int:
        """Tokens that one pass reads."""
        return sum(len(row.input_ids) for row in self.rows)


def encode(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> Encoded:
    """Return the tokens of a conversation, its last message labelled.

    The learned part is what stands behind the prompt as the model is given it when it answers, so that training and
    answering agree; a template without an end-of-sequence token at its end gets one.

    Raises TrainingError where the template refuses the messages.
    """
    from jinja2 import TemplateError

    turns = [message.model_dump() for message in messages]
    try:
        prompt = str(tokenizer.apply_chat_template(turns[:-1], tokenize=False, add_generation_prompt=True))
        whole = str(tokenizer.apply_chat_template(turns, tokenize=False))
    except TemplateError as error:
        raise TrainingError(
            f"The base model's chat template refuses a row: {error}",
            hint="Some templates allow no system message; make the rows without one or choose another base.",
        ) from error
    # Some templates render the prompt otherwise once it is answered; what the model will be given counts.
    answer = whole[len(prompt) :].rstrip() if whole.startswith(prompt) else turns[-1]["content"]
    prompt_ids = _ids(tokenizer, prompt)
    answer_ids = _ids(tokenizer, answer)
    if not answer_ids or answer_ids[-1] not in _ends(tokenizer):
        answer_ids.append(_end(tokenizer))
    return Encoded(prompt_ids + answer_ids, [IGNORED] * len(prompt_ids) + answer_ids)


def encode_rows(tokenizer: PreTrainedTokenizerBase, rows: Iterable[Row], max_length: int) -> Dataset:
    """Return all rows that are at most `max_length` tokens long.

    Rows are never cut: a cut row would teach an answer without its end, or without what it rests on.
    """
    fit: list[Encoded] = []
    too_long: list[int] = []
    for row in rows:
        encoded = encode(tokenizer, row.messages)
        if len(encoded.input_ids) > max_length:
            too_long.append(row.line)
        else:
            fit.append(encoded)
    return Dataset(fit, too_long)


def trained_text(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """Return exactly what is learned of a conversation, special tokens shown."""
    row = encode(tokenizer, messages)
    return str(tokenizer.decode([label for label in row.labels if label != IGNORED]))


def _ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return ids


def _end(tokenizer: PreTrainedTokenizerBase) -> int:
    return int(tokenizer.eos_token_id)


def _ends(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Return the tokens that can end a turn: the end of sequence and well-known special tokens of the vocabulary."""
    names = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|eot|>", "<turn|>")
    vocabulary = tokenizer.get_vocab()
    return {_end(tokenizer), *(vocabulary[name] for name in names if name in vocabulary)}
