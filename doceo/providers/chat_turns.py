"""A conversation as the string that a model reads, the same in training, in answering and after an export.

All of them go through here, so that a model is asked as it was trained, whatever its chat template is like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DATE = "26 Jul 2024"
"""The day that Llama's templates write into the prompt: their own default, since the day at hand would make the same
rows give other bytes tomorrow."""
_ASKED, _SAID = "What is it?", "Something"

Turns = Sequence[Mapping[str, str]]
"""Turns as {"role", "content"}."""


def render(tokenizer: PreTrainedTokenizerBase, turns: Turns, *, answering: bool = False) -> str:
    """Return a conversation as the chat template writes it.

    A template that refuses a system message, or leaves it out, is given it at the head of the first user turn.

    Args:
        tokenizer: Has the template.
        turns: The conversation.
        answering: Write also what opens the assistant's next turn.

    Raises:
        jinja2.TemplateError: The template refuses the conversation.
    """
    return written(lambda given: _apply(tokenizer, given, answering=answering), turns)


def written(apply: Callable[[Turns], str], turns: Turns) -> str:
    """Return a conversation as `apply` writes it by a chat template, with a system message wherever there is one.

    Raises jinja2's TemplateError as `render`.
    """
    from jinja2 import TemplateError

    merged = with_system_merged(turns)
    try:
        text = apply(turns)
    except TemplateError:
        if merged == list(turns):
            raise
        return apply(merged)
    system = turns[0]["content"].strip() if turns else ""
    # A later turn may hold the same words.
    lost = merged != list(turns) and text.count(system) < sum(turn["content"].count(system) for turn in turns)
    return apply(merged) if lost else text


def takes_system(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether the template writes a system message of its own, rather than refusing or dropping it."""
    from jinja2 import TemplateError

    turns = [{"role": "system", "content": _SAID}, {"role": "user", "content": _ASKED}]
    try:
        return _SAID in _apply(tokenizer, turns, answering=True)
    except TemplateError:
        return False


def with_system_merged(turns: Turns) -> list[Mapping[str, str]]:
    """Return the turns with a system message at the beginning put before the user's first words."""
    if len(turns) < 2 or turns[0]["role"] != "system" or turns[1]["role"] != "user":
        return list(turns)
    first = {"role": "user", "content": f"{turns[0]['content']}\n\n{turns[1]['content']}"}
    return [first, *turns[2:]]


def end_of_turn(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the special token that the template writes after an assistant's words, such as `<|im_end|>`, or nothing.

    It need not be the end-of-sequence token, and a generation has to stop at it all the same.
    """
    from jinja2 import TemplateError

    turns = [{"role": "user", "content": _ASKED}, {"role": "assistant", "content": _SAID}]
    try:
        text = _apply(tokenizer, turns, answering=False)
    except TemplateError:
        return ""
    tail = text.rpartition(_SAID)[2].strip()
    ids: list[int] = tokenizer(tail, add_special_tokens=False, verbose=False)["input_ids"] if tail else []
    return str(tokenizer.convert_ids_to_tokens(ids[0])) if ids and ids[0] in special_ids(tokenizer) else ""


def special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Return the tokens that no text is meant to hold: those that the tokenizer names or marks as special."""
    marked = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
    return marked | set(tokenizer.all_special_ids)


def _apply(tokenizer: PreTrainedTokenizerBase, turns: Turns, *, answering: bool) -> str:
    plain = [dict(turn) for turn in turns]
    return str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=answering, date_string=DATE))
