"""A GGUF file measured in llama.cpp itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from doceo.core.errors import RequestRejected
from doceo.core.records import Message
from doceo.providers.llama_server import LlamaServer
from finetune.export.go_template import render
from finetune.export.measured import Scored, Written, fixed_date

_FORCED = 10_000.0
"""Added to a token's logit after llama.cpp has noted the unchanged probabilities: that token is then written."""
_WHOLE = 1_000_000
"""More tokens than any vocabulary has."""


class LlamaModel:
    """A `Measured` over a GGUF file.

    Args:
        path: The file.
        context: Tokens that are needed.
        template: The Go template of a Modelfile, which is then rendered too.

    Raises:
        ProviderError: llama.cpp cannot open the file.
        MissingExtra: llama.cpp is not installed.
    """

    def __init__(self, path: Path, context: int, template: str | None = None) -> None:
        self._server = LlamaServer(path, context=context, exact=True)
        self._template = template
        self._plain = self._server.tokens("a")[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.close()

    def prompts(self, messages: Sequence[Message]) -> list[list[int]]:
        """Return the prompt's ids: rendered by transformers, by llama.cpp, and by the Go template where there is one.

        A template that a program cannot render gives no ids at all, which equal none.
        """
        turns = [message.model_dump() for message in messages]
        date = fixed_date(self._server.template)
        ways = [self._way(lambda: self._server.tokens(self._server.prompt(turns, **date)))]
        ways.append(self._way(lambda: self._server.tokens(self._server.own_prompt(turns, **date), add_special=True)))
        if (template := self._template) is not None:
            ways.append(self._server.tokens(render(template, turns), add_special=True))
        return ways

    @staticmethod
    def _way(ids: Callable[[], list[int]]) -> list[int]:
        from jinja2 import TemplateError

        try:
            return ids()
        except (RequestRejected, TemplateError):
            return []

    def score(self, ids: Sequence[int]) -> Scored:
        """Return the prediction of each token from those before it; each true token is forced and its chance noted."""
        best, losses, margins = [], [], []
        for end in range(1, len(ids)):
            first, second, chance = self._predicted(ids[:end], ids[end])
            best.append(int(first["id"]))
            losses.append(-chance)
            margins.append(_number(first) - _number(second))
        return Scored(best, losses, margins)

    def write(self, ids: Sequence[int], most: int) -> Written:
        """Return the greedy answer to a prompt; leads are not known here."""
        return Written(self._server.written(ids, most), [])

    def stops_at(self, token: int) -> bool:
        """Return whether an answer ends when this token is written."""
        reply = self._server.complete(self._body([token], 2, [[token, _FORCED]]))
        return bool(reply["choices"][0]["finish_reason"] == "stop")

    def _predicted(self, ids: Sequence[int], true: int) -> tuple[dict[str, Any], dict[str, Any], float]:
        """Return the two likeliest next tokens and the log of the true one's chance.

        llama.cpp reports nothing for a token that is the beginning of a character: there another token is forced, and
        the true one is looked up in the chances of the whole vocabulary.
        """
        noted = self._noted(ids, true, 2)
        if noted is not None:
            first, second = noted["top_logprobs"][:2]
            return first, second, _number(noted)
        noted = self._noted(ids, self._plain, _WHOLE)
        assert noted is not None
        top = noted["top_logprobs"]
        return top[0], top[1], next((_number(one) for one in top if one["id"] == true), -math.inf)

    def _noted(self, ids: Sequence[int], forced: int, top: int) -> dict[str, Any] | None:
        reply = self._server.complete({**self._body(ids, 1, [[forced, _FORCED]]), "logprobs": top})
        chances = reply["choices"][0]["logprobs"]
        return dict(chances["content"][0]) if chances else None

    def _body(self, ids: Sequence[int], most: int, bias: list[list[float]]) -> dict[str, object]:
        return {"prompt": list(ids), "max_tokens": most, "temperature": 0, "logit_bias": bias}


def _number(noted: dict[str, Any]) -> float:
    """Return the log of a chance; llama.cpp writes null for one that is no number."""
    return -math.inf if noted["logprob"] is None else float(noted["logprob"])
