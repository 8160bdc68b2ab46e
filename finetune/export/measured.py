"""What a model predicts, token by token, measured in the same way for every form of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from doceo.core.records import Message
from doceo.providers.chat_turns import DATE, end_of_turn

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase


class Scored(NamedTuple):
    """Predictions of the tokens of a text but the first.

    `best` are the likeliest ids, `losses` those of the true ones in nats, `margins` by how much (in logits) the
    likeliest leads over the second.
    """

    best: list[int]
    losses: list[float]
    margins: list[float]


class Written(NamedTuple):
    """An answer of the likeliest token each time, its end mark included, and the lead of each token where known."""

    ids: list[int]
    margins: list[float]


class Measured(Protocol):
    """A model in some form, asked by token ids."""

    def prompts(self, messages: Sequence[Message]) -> list[list[int]]:
        """Return the ids of a conversation's prompt in every way in which this form's programs make it."""
        ...

    def score(self, ids: Sequence[int]) -> Scored:
        """Return the prediction of each token from those before it."""
        ...

    def write(self, ids: Sequence[int], most: int) -> Written:
        """Return the greedy answer to a prompt."""
        ...

    def stops_at(self, token: int) -> bool:
        """Return whether an answer ends when this token is written."""
        ...


class TorchModel:
    """A model in transformers.

    Args:
        model: A causal language model with float32 weights, with or without an adapter switched on.
        tokenizer: Its tokenizer.
        ends: Ids that end an answer; left out, those that the model is trained to end with.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - peft ships no types
        tokenizer: PreTrainedTokenizerBase,
        ends: Collection[int] = (),
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.ends = sorted(ends) or ends_of(model, tokenizer)

    def prompts(self, messages: Sequence[Message]) -> list[list[int]]:
        """Return the ids of the rendered chat template. Raises jinja2's TemplateError."""
        return [ids_of(self.tokenizer, rendered(self.tokenizer, messages))]

    def logits(self, ids: Sequence[int]) -> torch.Tensor:
        """Return float32 logits of shape (len(ids), vocabulary)."""
        import torch

        with torch.inference_mode():
            found: torch.Tensor = self.model(input_ids=torch.tensor([list(ids)])).logits[0].float()
        return found

    def score(self, ids: Sequence[int]) -> Scored:
        """Return the prediction of each token from those before it."""
        import torch

        chances = torch.log_softmax(self.logits(ids)[:-1], dim=-1)
        two = chances.topk(2, dim=-1)
        losses = -chances.gather(1, torch.tensor(list(ids[1:]))[:, None])[:, 0]
        margins = two.values[:, 0] - two.values[:, 1]
        return Scored(two.indices[:, 0].tolist(), losses.tolist(), margins.tolist())

    def write(self, ids: Sequence[int], most: int) -> Written:
        """Return the greedy answer to a prompt.

        Written out, as `generate` would mix in what a base's generation config ships, such as a repetition penalty.
        """
        import torch

        found: list[int] = []
        margins: list[float] = []
        step, past = torch.tensor([list(ids)]), None
        with torch.inference_mode():
            while len(found) < most and not (found and found[-1] in self.ends):
                out = self.model(input_ids=step, past_key_values=past, use_cache=True)
                two = out.logits[0, -1].float().topk(2)
                found.append(int(two.indices[0]))
                margins.append(float(two.values[0] - two.values[1]))
                step, past = two.indices[:1][None], out.past_key_values
        return Written(found, margins)

    def stops_at(self, token: int) -> bool:
        """Return whether an answer ends when this token is written."""
        return token in self.ends


def ends_of(model: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:  # noqa: ANN401 - as above
    """Return the ids that end an answer: those that the model's files name, and the chat template's."""
    return sorted({*named_ends(model, tokenizer), turn_end(tokenizer)})


def named_ends(model: Any, tokenizer: PreTrainedTokenizerBase) -> set[int]:  # noqa: ANN401 - as above
    """Return the ids at which every program ends an answer: the generation config's and the tokenizer's own."""
    named = model.generation_config.eos_token_id
    more = named if isinstance(named, list) else [named]
    return {int(token) for token in (*more, tokenizer.eos_token_id) if token is not None}


def turn_end(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the id that a model is trained to end an answer with."""
    mark = end_of_turn(tokenizer)
    return int(tokenizer.convert_tokens_to_ids(mark) if mark else tokenizer.eos_token_id)


def rendered(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """Return a prompt as the chat template makes it. Raises jinja2's TemplateError where it refuses the messages."""
    turns = [message.model_dump() for message in messages]
    more = fixed_date(str(tokenizer.chat_template))
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **more))


def fixed_date(template: str) -> dict[str, str]:
    """Return the variable that keeps a template from writing today's date, so that equal models give equal prompts."""
    return {"date_string": DATE} if "date_string" in template else {}


def ids_of(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return the ids of a rendered text, nothing added."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return ids
