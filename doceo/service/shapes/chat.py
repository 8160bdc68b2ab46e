"""What `/v1/chat/completions` hears."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from doceo.app.store.engine import storable
from doceo.core.records import Message, Sampling
from doceo.service.refusals import Refusal
from doceo.service.shapes.any_json import AnyObject
from doceo.text.surrogates import without_surrogates

MOST_CHOICES = 16
MOST_MESSAGES = 2048
_MOST_STOPS = 4
_INT64 = 2**63
_REFUSED = {
    "tools": "Tools are not called here.",
    "functions": "Functions are not called here.",
    "audio": "There is no audio here.",
    "logprobs": "Probabilities of tokens are not told here.",
    "top_logprobs": "Probabilities of tokens are not told here.",
    "logit_bias": "Single tokens cannot be made likelier here.",
    "web_search_options": "The web is not searched here.",
    "moderation": "Nothing is moderated here.",
}
"""Parts of OpenAI's requests that change what an answer is, and are not kept to here."""


class Heard(BaseModel):
    """A part of a request; what is not known of it is ignored."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Part(Heard):
    """A piece of a message's content; only text can be read."""

    type: Literal["text"]
    text: str


class RefusalPart(Heard):
    """An assistant's refusal, as a piece of a message's content."""

    type: Literal["refusal"]
    refusal: str

    @property
    def text(self) -> str:
        """Its words."""
        return self.refusal


class Turn(Heard):
    """A message as clients send it."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Annotated[Part | RefusalPart, Field(discriminator="type")]] | None = None

    def message(self) -> Message:
        """Return it as a record."""
        content = self.content or ""
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        role = "system" if self.role == "developer" else self.role
        return Message(role=role, content=without_surrogates(text))


class StreamOptions(Heard):
    """What a stream carries besides the text."""

    include_usage: bool | None = False


class JsonSchema(Heard):
    """The schema that an answer is to satisfy."""

    name: str = ""
    form: AnyObject | None = Field(default=None, alias="schema")
    strict: bool | None = None


class ResponseFormat(Heard):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class CompletionRequest(Heard):
    """What is read of a request.

    `collection`, `conversation`, `profile` and `trace` are Doceo's own: the documents to answer from, none where it is
    empty; the kept conversation to go on with, or `new`; whether what is known of the user is shown to the model;
    whether it is told how the answer came about.
    """

    model: str = Field(min_length=1, max_length=512)
    messages: list[Turn] = Field(min_length=1, max_length=MOST_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=1, ge=1, le=MOST_CHOICES)
    stop: str | list[str] | None = None
    seed: int | None = Field(default=None, ge=-_INT64, lt=_INT64)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    response_format: ResponseFormat | None = None
    modalities: list[str] | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    audio: dict[str, Any] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    collection: str | None = Field(default=None, max_length=256)
    conversation: str | None = Field(default=None, max_length=128)
    profile: bool = False
    trace: bool = False

    @field_validator("model", "collection", "conversation")
    @classmethod
    def _storable(cls, value: str | None) -> str | None:
        return None if value is None else storable(value)

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with what it took."""
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def choices(self) -> int:
        """How many answers are wanted."""
        return self.n or 1

    def check(self) -> None:
        """Raise Refusal (400), naming the field, for what cannot be kept to here."""
        for name, words in _REFUSED.items():
            if getattr(self, name):
                raise unsupported(name, words)
        if set(self.modalities or ["text"]) != {"text"}:
            raise unsupported("modalities", "Answers are text here.")
        if len(self.stops) > _MOST_STOPS or "" in self.stops:
            raise unsupported("stop", f"There may be {_MOST_STOPS} stop marks at most, and none that is empty.")
        if self.messages[-1].role != "user":
            raise unsupported("messages", "The last message has to be the user's.")
        if not self.messages[-1].message().content.strip():
            raise unsupported("messages", "The last message is empty: it has to ask something.")
        if self.conversation and self.choices > 1:
            raise unsupported("n", "A conversation goes on with one answer.")

    @property
    def stops(self) -> tuple[str, ...]:
        """The marks before which an answer ends."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def form(self) -> dict[str, Any] | None:
        """The JSON schema that is asked for; an empty one stands for any object."""
        wanted = self.response_format
        if wanted is None or wanted.type == "text":
            return None
        return (wanted.json_schema.form if wanted.json_schema else None) or {}

    @property
    def strict(self) -> bool | None:
        """Whether the schema is to be kept to strictly; None where no form is asked for."""
        wanted = self.response_format.json_schema if self.response_format else None
        return None if self.form is None else bool(wanted and wanted.strict)

    def sampling(self) -> Sampling:
        """Return how the answer is drawn."""
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            seed=self.seed,
            stop=self.stops,
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
            form=self.form,
            strict=self.strict,
        )


def unsupported(param: str, words: str) -> Refusal:
    """Return the refusal of a field's value."""
    return Refusal(400, f"{words} (field {param!r})", code="unsupported_parameter", param=param)
