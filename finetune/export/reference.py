"""The model as it was trained, adapter on base, measured once; every export is compared with this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from doceo.core.errors import ExportFailed
from doceo.core.protocols import Progress
from doceo.core.records import Message
from finetune.export.measured import Scored, TorchModel, Written, ids_of, rendered, turn_end

if TYPE_CHECKING:
    import torch

_LOGITS = 64
"""Positions whose logits are kept, to be compared with those of a merged model."""


class Case(NamedTuple):
    """One conversation: its messages up to a question, the ids of the prompt and of the whole, what was predicted."""

    messages: tuple[Message, ...]
    prompt: list[int]
    ids: list[int]
    scored: Scored
    written: Written


class Reference(NamedTuple):
    """All cases, the ids that end an answer, the special ids, and the logits of the first positions.

    `logits` has the shape (positions, vocabulary) and belongs to the first case.
    """

    cases: list[Case]
    ends: list[int]
    special: list[int]
    logits: torch.Tensor


def measure(
    model: TorchModel,
    conversations: Sequence[Sequence[Message]],
    context: int,
    positions: int,
    answer_tokens: int,
    progress: Progress,
) -> Reference:
    """Measure a model on conversations that end with an answer.

    Args:
        model: The trained model.
        conversations: In the order in which they are taken, until there are enough positions.
        context: Tokens that the model can read; conversations that do not fit are left out.
        positions: Most positions in all; the last conversation taken is cut.
        answer_tokens: Tokens of the greedy answer to each.
        progress: Where it is shown.

    Raises:
        ExportFailed: No conversation fits, or the chat template refuses all.
    """
    cases: list[Case] = []
    left = positions
    with progress.task("measure", total=len(conversations), unit="conversations") as task:
        for messages in conversations:
            ids = _encoded(model, messages)
            if ids is not None and left > 1 and max(len(ids[1]), len(ids[0]) + answer_tokens) <= context:
                whole = ids[1][: left + 1]
                left -= len(whole) - 1
                case = Case(tuple(messages[:-1]), ids[0], whole, model.score(whole), model.write(ids[0], answer_tokens))
                cases.append(case)
            task.advance()
    if not cases:
        raise ExportFailed(
            f"No conversation fits into the {context} tokens that the model reads, so nothing can be compared.",
            hint="Its chat template may refuse plain messages; try it with: doceo chat --no-documents --model hf:DIR",
        )
    return Reference(cases, model.ends, list(model.tokenizer.all_special_ids), model.logits(cases[0].ids[:_LOGITS]))


def _encoded(model: TorchModel, messages: Sequence[Message]) -> tuple[list[int], list[int]] | None:
    """Return the ids of the prompt, and with the answer and its end; None where the template refuses the messages."""
    from jinja2 import TemplateError

    try:
        prompt = ids_of(model.tokenizer, rendered(model.tokenizer, messages[:-1]))
    except TemplateError:
        return None
    return prompt, [*prompt, *ids_of(model.tokenizer, messages[-1].content), turn_end(model.tokenizer)]
