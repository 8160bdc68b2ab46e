"""What one OpenAI-compatible server accepts, learned from what it refuses.

Servers differ in four places: how a JSON form is asked for, what the token limit is called, which sampling parameters
a model takes, and whether a stream ends with what it took. A refusal that names one of them is answered by the next
weaker request, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from doceo.core.records import ChatRequest

_FORMS = ("json_schema", "json_object", "none")
_FORM_WORDS = re.compile(
    r"response_format|json_schema|json_object|json mode|json_mode|structured[ _]outputs?|guided|grammar", re.IGNORECASE
)
_USAGE_WORDS = re.compile(r"stream[_ ]options|stream_usage|include_usage", re.IGNORECASE)
_REFUSAL_WORDS = re.compile(
    r"unsupported|not support|n.t support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|extra inputs|"
    r"only the default|deprecated|instead",
    re.IGNORECASE,
)
OPTIONAL = ("temperature", "seed", "stop", "top_p", "presence_penalty", "frequency_penalty")
"""Parts of a request that it can do without."""
USAGE = "stream_options"
"""The part of a streamed request that asks for what the reply took."""


@dataclass(frozen=True)
class Dialect:
    """How a request is written for one server.

    `form` is `json_schema`, `json_object` or `none`; `dropped` holds parameters that the server refuses.
    """

    form: str = "json_schema"
    limit: str = "max_tokens"
    dropped: frozenset[str] = frozenset()

    def write(self, model: str, request: ChatRequest, *, streamed: bool = False) -> dict[str, object]:
        """Return the body of a chat completion request; the reply to a streamed one is asked to say what it took."""
        body: dict[str, object] = {
            "model": model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            self.limit: request.max_tokens,
            "temperature": request.temperature,
        }
        if request.seed is not None:
            body["seed"] = request.seed
        if request.stop:
            body["stop"] = list(request.stop)
        for name, usual in (("top_p", 1.0), ("presence_penalty", 0.0), ("frequency_penalty", 0.0)):
            if (value := getattr(request, name)) != usual:
                body[name] = value
        if streamed:
            body[USAGE] = {"include_usage": True}
        # a client's own form is sent as it is: what the server says of it is for the client
        form = self.form if request.strict is None else "json_schema"
        if request.form and form == "json_schema":
            schema = {"name": "reply", "schema": request.form, "strict": request.strict is not False}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif request.form is not None and form != "none":
            body["response_format"] = {"type": "json_object"}
        return {key: value for key, value in body.items() if key not in self.dropped}

    def after(self, refusal: str, body: dict[str, object], *, own_form: bool = False) -> Dialect | None:
        """Return the dialect to ask in after a 400 or 422, or None where the refusal names nothing that can change.

        Args:
            refusal: What the server said.
            body: The request that it refused, as made by `write`.
            own_form: Whether its JSON form is a client's own, which says nothing of other forms.
        """
        if "response_format" in body and refuses_form(refusal):
            if own_form:
                return None
            return replace(self, form=_FORMS[_FORMS.index(self.form) + 1])
        if USAGE in body and refuses_usage(refusal):
            return replace(self, dropped=self.dropped | {USAGE})
        name = refused_part(refusal, [name for name in (self.limit, *OPTIONAL) if name in body])
        if name == self.limit:
            other = "max_completion_tokens" if self.limit == "max_tokens" else "max_tokens"
            if other in self.dropped:
                return None
            return replace(self, limit=other, dropped=self.dropped | {self.limit})
        return None if name is None else replace(self, dropped=self.dropped | {name})


def refuses_form(refusal: str) -> bool:
    """Say whether a server's refusal is about the way in which a JSON form was asked for."""
    return bool(_FORM_WORDS.search(refusal))


def refuses_usage(refusal: str) -> bool:
    """Say whether a server's refusal is about being asked what a stream took."""
    return bool(_USAGE_WORDS.search(refusal))


def refused_part(refusal: str, parts: Iterable[str]) -> str | None:
    """Return the first of a request's parts that a server's refusal names as one it does not take, or None."""
    if not _REFUSAL_WORDS.search(refusal):
        return None
    return next((name for name in parts if re.search(rf"\b{name}\b", refusal)), None)
