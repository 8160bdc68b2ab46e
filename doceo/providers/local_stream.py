"""A local model's answer piece by piece: generation runs in a thread, the pieces come out here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from doceo.core.records import ChatReply
from doceo.text.thinking import pieces_without_thinking

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def pieces(
    generate: Callable[..., ChatReply], tokenizer: PreTrainedTokenizerBase, stop: Sequence[str]
) -> Iterator[str | ChatReply]:
    """Yield the text of a generation as it comes, cut before the first stop mark, without reasoning at its beginning.

    The whole reply comes last.

    Args:
        generate: Called in a thread with `streamer` and `stopping_criteria`; returns the reply, of which the text is
            that of the pieces here.
        tokenizer: Turns the tokens into text.
        stop: Marks that end the answer and are not part of it.

    Raises:
        Exception: Whatever the generation raised.
    """
    from transformers import StoppingCriteriaList, TextIteratorStreamer

    streamer: Any = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    left = threading.Event()
    said: list[str] = []
    replies: list[ChatReply] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            replies.append(generate(streamer=streamer, stopping_criteria=StoppingCriteriaList([_left(left)])))
        except BaseException as error:  # noqa: BLE001 - handed on to the reader below, in its own thread
            failures.append(error)
        finally:
            streamer.end()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        for piece in pieces_without_thinking(cut(stripped(streamer), stop)):
            said.append(piece)
            yield piece
    finally:
        left.set()
        thread.join()
    if failures:
        raise failures[0]
    yield replies[0].model_copy(update={"text": "".join(said)})


def cut(parts: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """Yield text up to the first stop mark, holding back what could be the beginning of one."""
    hold = max(map(len, stop), default=1) - 1
    text = ""
    for part in parts:
        text += part
        at = min((found for mark in stop if (found := text.find(mark)) >= 0), default=None)
        if at is not None:
            yield text[:at].rstrip()
            return
        ready = len(text) - hold
        if ready > 0:
            yield text[:ready]
            text = text[ready:]
    if text:
        yield text


def stripped(parts: Iterator[str]) -> Iterator[str]:
    """Leave out white space before the first and after the last word, as the whole answer does."""
    space, begun = "", False
    for part in parts:
        text = space + part if begun else part.lstrip()
        kept = text.rstrip()
        space = text[len(kept) :]
        if kept:
            begun = True
            yield kept


def _left(event: threading.Event) -> Callable[..., object]:
    """Return a stopping criterion that ends every row once the reader has gone."""

    def criterion(input_ids: Any, scores: object, **more: object) -> Any:  # noqa: ANN401 - tensors of transformers
        return input_ids.new_full((input_ids.shape[0],), event.is_set()).bool()

    return criterion
