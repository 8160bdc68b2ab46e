"""Rows to tokens and labels: what the model reads, and which of it is learned.

Of a conversation every assistant's turn is learned, with the end of the turn, and never a user's; of a plain text all
of it. `finetune.masks` finds the turns in what the chat template writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from doceo.core.errors import TrainingError
from doceo.core.records import Message
from finetune.checks import Row
from finetune.masks import IGNORED, Encoded, Masks

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["IGNORED", "Dataset", "Encoded", "encode", "encode_rows", "marked", "trained_text"]

OPEN, CLOSE = "⟦", "⟧"
"""Marks around what is learned, where a row is shown."""
REJECTED = "\nrather than "
"""Stands before the answer that is not preferred."""


class Dataset(NamedTuple):
    """Encoded rows, and the places of those that were left out because they are longer than the model reads.

    `split` counts the conversations that became several rows, `cut` the plain texts that did.
    """

    rows: list[Encoded]
    too_long: list[str]
    split: int = 0
    cut: int = 0

    @property
    def tokens(self) -> int:
        """Tokens that one pass reads."""
        return sum(row.tokens for row in self.rows)

    @property
    def learned(self) -> int:
        """Tokens that one pass learns (from); the first token of a row is never predicted."""
        return sum(len(row.rejected) + sum(label != IGNORED for label in row.labels[1:]) for row in self.rows)


def encode(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> Encoded:
    """Return the tokens of a conversation, its last message labelled.

    The learned part is what stands behind the prompt as the model is given it when it answers, so that training and
    answering agree; a template without an end-of-sequence token at its end gets one.

    Raises TrainingError where the template refuses the messages.
    """
    return _encoded(Masks(tokenizer), messages, (len(messages) - 1,))[0]


def encode_rows(tokenizer: PreTrainedTokenizerBase, rows: Iterable[Row], max_length: int) -> Dataset:
    """Return all rows that are at most `max_length` tokens long.

    Conversations are never cut: a cut row would teach an answer without its end, or without what it rests on. Plain
    texts are cut into rows of that length.

    Raises TrainingError where the template refuses the messages.
    """
    masks = Masks(tokenizer)
    fit: list[Encoded] = []
    too_long: list[str] = []
    split = cut = 0
    for row in rows:
        if row.text:
            found = _pieces(tokenizer, row, max_length)
            cut += len(found) > 1
        elif row.rejected:
            found = [_both(masks, row)]
        else:
            found = _encoded(masks, row.messages, row.taught, row.place)
            split += len(found) > 1
        good = [encoded for encoded in found if encoded.length <= max_length]
        fit += good
        if len(good) < len(found):
            too_long.append(row.place)
    return Dataset(fit, too_long, split, cut)


def trained_text(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """Return exactly what is learned of the last turn of a conversation, special tokens shown."""
    row = encode(tokenizer, messages)
    return str(tokenizer.decode([label for label in row.labels if label != IGNORED]))


def marked(tokenizer: PreTrainedTokenizerBase, row: Encoded) -> str:
    """Return a row as text, special tokens shown, each learned part between ⟦ and ⟧, a rejected answer behind it."""
    text, begun = "", 0
    for n in range(1, len(row.labels) + 1):
        if n < len(row.labels) and (row.labels[n] == IGNORED) == (row.labels[begun] == IGNORED):
            continue
        part = str(tokenizer.decode(row.input_ids[begun:n]))
        text += part if row.labels[begun] == IGNORED else f"{OPEN}{part}{CLOSE}"
        begun = n
    return text + (f"{REJECTED}{OPEN}{tokenizer.decode(row.rejected)}{CLOSE}" if row.rejected else "")


def _encoded(masks: Masks, messages: Sequence[Message], learned: Sequence[int], place: str = "") -> list[Encoded]:
    from jinja2 import TemplateError

    try:
        return masks.encode(messages, learned)
    except TemplateError as error:
        raise TrainingError(
            f"The base model's chat template refuses {place or 'a row'}: {error}",
            hint="Make the row as the template wants it (user and assistant in turn), or choose another base.",
        ) from error
    except TrainingError as error:
        raise TrainingError(f"{place}: {error}" if place else str(error), hint=error.hint) from error


def _both(masks: Masks, row: Row) -> Encoded:
    """Return a row with two answers to one prompt, each with the mark that ends it."""
    place = (len(row.messages) - 1,)
    other = (*row.messages[:-1], Message(role="assistant", content=row.rejected))
    better, worse = (_encoded(masks, said, place, row.place)[0] for said in (row.messages, other))
    return better._replace(rejected=worse.input_ids[worse.prompt :])


def _pieces(tokenizer: PreTrainedTokenizerBase, row: Row, max_length: int) -> list[Encoded]:
    """Return the rows of a plain text: as many tokens each as the model reads, the end of sequence at its end."""
    ids: list[int] = tokenizer(row.text, verbose=False)["input_ids"]
    end = int(tokenizer.eos_token_id)
    if row.ends and ids[-1:] != [end]:
        ids = [*ids, end]
    pieces = [ids[at : at + max_length] for at in range(0, len(ids), max_length)]
    # A last piece of one token would have nothing to predict.
    kept = [piece for piece in pieces if len(piece) > 1]
    return [Encoded(piece, list(piece)) for piece in kept]
