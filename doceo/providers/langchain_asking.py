"""How one vendor's LangChain class is asked, learned from what it refuses.

A JSON form is asked for by the vendor's JSON schema mode, else as the arguments of a tool call, which most vendors
have, else not at all. Settings go into the fields of a copy of the model, under the names that its class has for them.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from doceo.core.records import ChatRequest
from doceo.providers.dialect import OPTIONAL, refused_part, refuses_form, refuses_usage
from doceo.providers.langchain_vendor import field_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

LIMITS = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "num_predict",
    "max_tokens_to_sample",
    "max_new_tokens",
)
"""What classes call the most tokens of a reply."""
_SEEDS = ("seed", "random_seed")
_STOPS = ("stop", "stop_sequences")
_USAGE = "stream_usage"
"""Whether a stream is to say what it took: OpenAI's class asks that of no other address unless it is told to."""
_FORMS = ("json_schema", "tool", "none")
_METHODS = {"json_schema": "json_schema", "tool": "function_calling"}
_NAMED = {"title": "reply", "description": "The reply."}
"""LangChain takes no schema without a name."""


@dataclass(frozen=True)
class Manner:
    """How a request is put. `form` is one of json_schema, tool, none; `dropped` holds settings that are refused."""

    form: str = "json_schema"
    dropped: frozenset[str] = frozenset()

    @classmethod
    def of(cls, model: BaseChatModel) -> Manner:
        """Return the manner to begin with: a class that has no methods to choose from makes calls of forms."""
        return cls("json_schema" if "method" in inspect.signature(model.with_structured_output).parameters else "tool")

    def put(self, model: BaseChatModel, request: ChatRequest) -> Runnable[Any, Any]:
        """Return what is to be invoked with the messages of a request.

        Raises NotImplementedError, ValueError or TypeError where the class has no such way to ask for a form.
        """
        asked = self.settle(model, request)
        if request.form is None or self.form == "none":
            return asked
        known = inspect.signature(asked.with_structured_output).parameters
        how: dict[str, Any] = {"method": _METHODS[self.form]} if "method" in known else {}
        if self.form == "json_schema" and "strict" in known:
            how["strict"] = True
        return asked.with_structured_output(_NAMED | request.form, include_raw=True, **how)

    def settle(self, model: BaseChatModel, request: ChatRequest) -> BaseChatModel:
        """Return a copy of a model with a request's settings, as far as its class has fields for them."""
        settings = {}
        for names, value in (
            (("temperature",), request.temperature),
            (LIMITS, request.max_tokens),
            (_SEEDS, request.seed),
            (_STOPS, list(request.stop) or None),
            (("top_p",), request.top_p if request.top_p < 1 else None),
            (("presence_penalty",), request.presence_penalty or None),
            (("frequency_penalty",), request.frequency_penalty or None),
            ((_USAGE,), True),
        ):
            if value is not None and names[0] not in self.dropped and (field := field_of(type(model), names)):
                settings[field] = value
        return model.model_copy(update=settings)

    def weaker(self) -> Manner | None:
        """Return the manner with the next weaker form, or None where it has none already."""
        return replace(self, form=_FORMS[_FORMS.index(self.form) + 1]) if self.form != "none" else None

    def after(self, refusal: str, request: ChatRequest) -> Manner | None:
        """Return the manner to ask in after a refusal, or None where it names nothing that can change."""
        if request.form is not None and (refuses_form(refusal) or "tool" in refusal.lower()):
            return self.weaker()
        if _USAGE not in self.dropped and refuses_usage(refusal):
            return replace(self, dropped=self.dropped | {_USAGE})
        name = refused_part(refusal, [name for name in OPTIONAL if name not in self.dropped])
        return None if name is None else replace(self, dropped=self.dropped | {name})
