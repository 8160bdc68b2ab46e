"""Answers of one model in memory to many requests at once, each with the adapter that it names.

What waits is generated for together: one pass over the base's weights a token, in which each row goes through its own
adapter. Requests that come meanwhile are the next batch. A row ends by itself: at its end token, its stop mark, its own
limit, or once nobody wants it any more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doceo.core.errors import ModelBusy, ProviderError, ServerFailed
from doceo.core.records import ChatReply, ChatRequest, Usage
from doceo.providers.hf_models import quiet
from doceo.providers.local_draw import Draw
from doceo.providers.local_settings import ends, settings
from doceo.providers.local_text import Shown, TokenText

if TYPE_CHECKING:
    from doceo.providers.kept_prefix import KeptPrefix
    from doceo.providers.local_weights import SharedWeights

Piece = str | ChatReply | ProviderError
_GATHERING = 0.005
"""Seconds that an idle model waits for more requests: far less than a batch of its own would take."""
_WAITING = 2
"""Batches that may wait: who comes then is told so at once, rather than kept waiting."""
_AGAIN = 1.0
"""Seconds after which one that was turned away may try again."""


@dataclass
class Row:
    """One request on its way.

    Attributes:
        ids: The prompt's tokens.
        new: Most tokens of the answer.
        request: How it is drawn.
        adapter: Its adapter; None: the base alone.
        take: Is given each piece of the answer, then the whole, or the error; called from the model's thread.
        kept: Keeps the beginning of prompts, where it is to be kept.
        left: Set once nobody waits for it.
    """

    ids: list[int]
    new: int
    request: ChatRequest
    adapter: Path | None
    take: Callable[[Piece], None]
    kept: KeptPrefix | None = None
    left: threading.Event = field(default_factory=threading.Event)
    tokens: list[int] = field(default_factory=list, init=False)
    done: bool = field(default=False, init=False)


class Batches:
    """Generates for what waits, in a thread of its own.

    Args:
        weights: The model.
        rows: Most requests at once.
        tokens: Most tokens at once, with padding and answers.
    """

    def __init__(self, weights: SharedWeights, *, rows: int = 32, tokens: int = 16384) -> None:
        self._weights, self._ends = weights, ends(weights)
        self._rows, self._tokens = rows, tokens
        self._waiting: deque[Row] = deque()
        self._turn = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, row: Row) -> None:
        """Put a request in the queue. Raises ModelBusy where as many wait as two batches take."""
        with self._turn:
            self._waiting = deque(one for one in self._waiting if not one.left.is_set())
            if self._full():
                raise ModelBusy(
                    f"{len(self._waiting)} questions wait for this model already.",
                    hint=f"Try again in {_AGAIN:g} s.",
                    retry_after=_AGAIN,
                )
            self._waiting.append(row)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="generate", daemon=True)
                self._thread.start()
            self._turn.notify()

    def _full(self) -> bool:
        tokens = sum(len(row.ids) + row.new for row in self._waiting)
        return len(self._waiting) >= _WAITING * self._rows or tokens >= _WAITING * self._tokens

    def _work(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._waiting)
                # requests that are made together do not arrive in one instant
                self._turn.wait_for(lambda: len(self._waiting) >= self._rows, timeout=_GATHERING)
                batch = self._next()
            if batch:
                self._answer(batch)

    def _answer(self, batch: list[Row]) -> None:
        """Answer a batch; where it fails, rows of which nothing was said yet are asked again, each by itself."""
        try:
            self._generate(batch)
            return
        except Exception as error:  # noqa: BLE001 - whatever a model's code raises: all others wait for this thread
            failed = error if isinstance(error, ProviderError) else _failed(error)
        for row in batch:
            if len(batch) > 1 and not row.tokens:
                self._answer([row])
            else:
                row.take(failed)

    def _next(self) -> list[Row]:
        """Take from the queue what fits together, by adapter; what does not fit keeps its place."""
        batch, rest, longest = list[Row](), list[Row](), 0
        while self._waiting:
            row = self._waiting.popleft()
            if row.left.is_set():
                continue
            width = max(longest, len(row.ids) + row.new)
            if batch and not self._joins(batch, row, width):
                rest.append(row)
                continue
            batch.append(row)
            longest = width
        self._waiting.extend(rest)
        return sorted(batch, key=lambda row: str(row.adapter or ""))

    def _joins(self, batch: Sequence[Row], row: Row, width: int) -> bool:
        if len(batch) >= self._rows or (len(batch) + 1) * width > self._tokens:
            return False
        if row.kept is not None or batch[0].kept is not None:  # a kept prefix is one row's
            return False
        adapters = {one.adapter for one in (*batch, row)}
        if len(adapters) == 1:
            return True
        fit = self._weights.most is None or len(adapters - {None}) <= self._weights.most
        return fit and all(map(self._weights.mixes, adapters))

    def _generate(self, batch: list[Row]) -> None:
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        began = time.perf_counter()
        width, pad = max(len(row.ids) for row in batch), self._weights.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(row.ids)) + row.ids for row in batch])
        mask = torch.tensor([[0] * (width - len(row.ids)) + [1] * len(row.ids) for row in batch])
        texts = [_Text(row, self._weights.tokenizer, self._ends) for row in batch]

        def step(input_ids: Any, scores: object, **more: object) -> Any:  # noqa: ANN401 - tensors of transformers
            done = [text.add(token) for text, token in zip(texts, input_ids[:, -1].tolist(), strict=True)]
            return torch.tensor(done, device=input_ids.device)

        adapters = [row.adapter for row in batch]
        with self._weights.using(adapters) as model, torch.inference_mode(), quiet(), _lent(model, batch[0]) as kept:
            device = next(model.parameters()).device
            model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                generation_config=settings(self._weights, max(row.new for row in batch)),
                logits_processor=LogitsProcessorList([Draw([(row.request, row.tokens) for row in batch])]),
                stopping_criteria=StoppingCriteriaList([step]),
                **kept,
            )
        seconds = (time.perf_counter() - began) / len(batch)
        for text in texts:
            text.close(seconds)


def _failed(error: Exception) -> ServerFailed:
    return ServerFailed(
        f"The model in this process failed: {' '.join(str(error).split())[:200] or type(error).__name__}.",
        hint="Ask for less at once; where memory runs out, a smaller model helps.",
    )


def _lent(model: object, row: Row) -> AbstractContextManager[dict[str, Any]]:
    return nullcontext({}) if row.kept is None else row.kept.lent(model, row.adapter, [row.ids])


class _Text:
    """One row's answer as it grows."""

    def __init__(self, row: Row, tokenizer: Any, ends: set[int]) -> None:  # noqa: ANN401 - of transformers
        self._row, self._ends = row, ends
        self._text, self._shown = TokenText(tokenizer), Shown(row.request.stop)
        self._said: list[str] = []
        self._finish = "length"

    def add(self, token: int) -> bool:
        """Take a token and return whether the row has ended."""
        row = self._row
        if row.done:
            return True
        row.tokens.append(token)
        if token in self._ends:
            self._finish = "stop"
        else:
            self._say(self._shown.add(self._text.add(token)))
        if self._shown.stopped:
            self._finish = "stop"
        row.done = token in self._ends or self._shown.stopped or len(row.tokens) >= row.new or row.left.is_set()
        if row.done:
            self._end()
        return row.done

    def close(self, seconds: float) -> None:
        """Give the whole reply out."""
        row = self._row
        if not row.done:
            row.done = True
            self._end()
        cached = row.kept.reused if row.kept else 0
        usage = Usage(
            prompt_tokens=len(row.ids),
            completion_tokens=len(row.tokens),
            cached_tokens=cached,
            cost=0.0,
            seconds=seconds,
        )
        row.take(ChatReply(text="".join(self._said), finish=self._finish, usage=usage))

    def _end(self) -> None:
        self._say(self._shown.add(self._text.end()))
        self._say(self._shown.end())

    def _say(self, text: str) -> None:
        if text:
            self._said.append(text)
            self._row.take(text)
