"""A model in this process, through transformers: a base, alone or with LoRA adapters switched on.

A base is opened once; `with_adapter` gives further models over the same weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doceo.core.errors import RequestRejected
from doceo.core.records import ChatReply, ChatRequest, Message, Usage
from doceo.providers.chat_turns import render
from doceo.providers.hf_models import open_model, quiet
from doceo.providers.local_batches import Batches, Piece, Row
from doceo.providers.local_settings import ends, settings
from doceo.providers.local_weights import SharedWeights, Size
from doceo.providers.model_folder import ADAPTER, base_of, check_adapter
from doceo.text.thinking import without_thinking

if TYPE_CHECKING:
    import torch

    from doceo.providers.kept_prefix import KeptPrefix
    from doceo.providers.local_async import AsyncLocal

BATCH_ROWS = 32
BATCH_TOKENS = 16384
"""Most rows, and most tokens with padding and answers, that are generated for at once."""


class LocalModel:
    """A `Provider` over a local or hub model with its own chat template. Safe to call from several threads.

    A JSON schema in a request is not enforced here; whoever asks for one parses the reply tolerantly.

    Args:
        path: A model folder, a name on the hub, or an adapter folder (its base is then opened).
        adapter: A PEFT folder to switch on.
        name: How the model is called; left out, `hf:` and the path.
        most: Adapters that are in memory at once; those used longest ago are read again. None: all.

    Raises:
        ModelNotFound: There is no such model or adapter.
        ProviderError: The files cannot be used.
    """

    _kept: KeptPrefix | None = None

    def __init__(
        self, path: str | Path, adapter: Path | None = None, name: str | None = None, *, most: int | None = None
    ) -> None:
        self.name = name or f"hf:{path}"
        if adapter is None and (Path(path) / ADAPTER).exists():
            path, adapter = base_of(Path(path)), Path(path)
        check_adapter(adapter)
        self._weights = SharedWeights(open_model(str(path)), most)
        self._adapter = self._weights.attach(adapter) if adapter else None

    def with_adapter(self, adapter: Path | None, name: str) -> LocalModel:
        """Return a model over the same weights with another adapter switched on, or with none. Raises as above."""
        other = object.__new__(LocalModel)
        other.name, other._weights = name, self._weights
        other._adapter = self._weights.attach(adapter) if adapter else None
        return other

    def detach(self, adapter: Path) -> None:
        """Let go of an adapter's weights; models that have it on may not be asked any more."""
        self._weights.detach(adapter)

    def keep_prefix(self) -> None:
        """Read the beginning that a prompt shares with the one before only once (`doceo.providers.kept_prefix`)."""
        from doceo.providers.kept_prefix import KeptPrefix

        self._kept = self._kept or KeptPrefix()

    def size(self) -> Size:
        """Return what base and adapter take."""
        return self._weights.size(self._adapter)

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return self._weights.context

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the tokens of a prompt, with the chat template's own."""
        return len(self._encode(messages))

    def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises RequestRejected where the prompt is longer than the model can read."""
        return self.complete_many([request])[0]

    def complete_many(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Answer many requests, generated for in batches of similar length; replies come in the order of requests.

        Raises RequestRejected where a prompt is longer than the model can read.
        """
        encoded = [self._fit(request) for request in requests]
        order = sorted(range(len(requests)), key=lambda n: (_recipe(requests[n]), encoded[n][1], len(encoded[n][0])))
        replies: dict[int, ChatReply] = {}
        batch: list[int] = []
        for n in order:
            if batch and not self._joins(batch, n, requests, encoded):
                replies.update(self._generate(batch, requests, encoded))
                batch = []
            batch.append(n)
        if batch:
            replies.update(self._generate(batch, requests, encoded))
        return [replies[n] for n in range(len(requests))]

    def stream(self, request: ChatRequest) -> Iterator[str | ChatReply]:
        """Yield the reply piece by piece, then whole. Raises RequestRejected; leaving early stops the generation."""
        from doceo.providers.local_stream import pieces

        ids, new = self._fit(request)
        start = time.perf_counter()

        def generate(**more: object) -> ChatReply:
            (row,) = self._run([ids], new, request, **more)
            return self._reply(row, len(ids), request.stop, time.perf_counter() - start)

        yield from pieces(generate, self._weights.tokenizer, request.stop)

    def asynchronous(self) -> AsyncLocal:
        """Return the same model for an event loop, where many requests are generated for together."""
        from doceo.providers.local_async import AsyncLocal

        return AsyncLocal(self)

    @property
    def batches(self) -> Batches:
        """What generates for the requests of an event loop: one for all models over the same weights."""
        return self._weights.batches()

    def row(self, request: ChatRequest, take: Callable[[Piece], None]) -> Row:
        """Return a request as `batches` takes it. Raises RequestRejected where the prompt is too long."""
        ids, new = self._fit(request)
        return Row(ids, new, request, self._adapter, take, self._kept)

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        from jinja2 import TemplateError

        turns = [message.model_dump() for message in messages]
        try:
            text = render(self._weights.tokenizer, turns, answering=True)
        except TemplateError as error:
            raise RequestRejected(
                f"The chat template of {self.name} refuses these messages: {error}",
                hint="Some templates allow no system message, or want user and assistant in turn.",
            ) from error
        ids: list[int] = self._weights.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def _fit(self, request: ChatRequest) -> tuple[list[int], int]:
        """Return the prompt's tokens and how many new ones fit behind them."""
        ids = self._encode(request.messages)
        room = self.context - len(ids)
        if room < 1:
            raise RequestRejected(
                f"The prompt has {len(ids)} tokens; {self.name} can read {self.context}, answer included.",
                hint="Ask with fewer or shorter passages, or choose a model with a longer context.",
            )
        return ids, min(request.max_tokens, room)

    def _joins(
        self, batch: list[int], n: int, requests: Sequence[ChatRequest], encoded: Sequence[tuple[list[int], int]]
    ) -> bool:
        first = requests[batch[0]]
        same = _recipe(first) == _recipe(requests[n]) and encoded[batch[0]][1] == encoded[n][1]
        rows = len(batch) + 1
        fits = rows * (len(encoded[n][0]) + encoded[n][1]) <= BATCH_TOKENS
        return same and first.temperature == 0 and rows <= BATCH_ROWS and fits

    def _generate(
        self, batch: list[int], requests: Sequence[ChatRequest], encoded: Sequence[tuple[list[int], int]]
    ) -> dict[int, ChatReply]:
        start, first = time.perf_counter(), requests[batch[0]]
        rows = self._run([encoded[n][0] for n in batch], encoded[batch[0]][1], first)
        seconds = (time.perf_counter() - start) / len(batch)
        return {
            n: self._reply(row, len(encoded[n][0]), first.stop, seconds) for n, row in zip(batch, rows, strict=True)
        }

    def _reply(self, row: list[int], prompt: int, stop: Sequence[str], seconds: float) -> ChatReply:
        ending = ends(self._weights)
        length = next((n for n, token in enumerate(row) if token in ending), None)
        text = self._weights.tokenizer.decode(row[:length], skip_special_tokens=True)
        cut = min((at for mark in stop if (at := text.find(mark)) >= 0), default=None)
        finish = "length" if length is None and cut is None else "stop"
        usage = Usage(
            prompt_tokens=prompt,
            completion_tokens=len(row) if length is None else length + 1,
            cached_tokens=self._kept.reused if self._kept else 0,
            cost=0.0,
            seconds=seconds,
        )
        return ChatReply(text=without_thinking(text[:cut]).strip(), finish=finish, usage=usage)

    def _run(self, prompts: Sequence[list[int]], new: int, request: ChatRequest, **more: object) -> list[list[int]]:
        """Generate for prompts padded on the left and return the new tokens of each row, padding included."""
        import torch

        width = max(map(len, prompts))
        pad = self._weights.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in prompts])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in prompts])
        with (
            self._weights.using([self._adapter]) as model,
            torch.inference_mode(),
            _seeded(request),
            quiet(),
            self._lent(model, prompts) as kept,
        ):
            device = next(model.parameters()).device
            out: torch.Tensor = model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                generation_config=settings(
                    self._weights, new, temperature=request.temperature, top_p=request.top_p, stop=request.stop
                ),
                tokenizer=self._weights.tokenizer,
                **kept,
                **more,
            )
        rows: list[list[int]] = out[:, width:].tolist()
        return rows

    def _lent(self, model: object, prompts: Sequence[list[int]]) -> AbstractContextManager[dict[str, Any]]:
        return nullcontext({}) if self._kept is None else self._kept.lent(model, self._adapter, prompts)


def _recipe(request: ChatRequest) -> tuple[float, int, tuple[str, ...]]:
    return request.temperature, -1 if request.seed is None else request.seed, request.stop


@contextmanager
def _seeded(request: ChatRequest) -> Iterator[None]:
    """Draw from the request's seed, and leave the random state as it was."""
    import torch

    if request.temperature == 0 or request.seed is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(request.seed)
        yield
