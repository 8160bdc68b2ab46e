"""A LangChain message in the shape of a chat completion, which one reader reads for every provider."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage
    from langchain_core.messages.ai import UsageMetadata

_FINISHES = ("finish_reason", "stop_reason", "stopReason", "done_reason")
_LENGTH = {"length", "max_tokens", "max_output_tokens", "model_length", "max_completion_tokens"}
_WITHHELD = {
    "content_filter", "content_filtered", "guardrail_intervened", "refusal", "safety", "recitation", "blocklist",
    "prohibited_content", "spii",
}  # fmt: skip


def as_completion(message: AIMessage, *, formed: bool = False) -> dict[str, object]:
    """Return a message as the body of a chat completion: text, finish, usage.

    Args:
        message: What the model said.
        formed: Whether a JSON form was asked for; then the arguments of its call, if it made one, are the text.
    """
    said: dict[str, object] = {"content": _text(message, formed=formed)}
    refusal = message.additional_kwargs.get("refusal")
    if refusal:
        said["refusal"] = str(refusal)
    choice = {"finish_reason": _finish(message.response_metadata), "message": said}
    return {"choices": [choice], "usage": _usage(message.usage_metadata)}


class Told:
    """What the chunks of a stream tell beside their text."""

    def __init__(self) -> None:
        self._used: UsageMetadata | None = None
        self._finish = ""

    def add(self, chunk: AIMessage) -> None:
        """Take the next chunk: tokens are added up, as LangChain does, and the last word on the end counts."""
        from langchain_core.messages.ai import add_usage

        if chunk.usage_metadata is not None:
            self._used = add_usage(self._used, chunk.usage_metadata)
        if _ends(chunk.response_metadata):
            self._finish = _finish(chunk.response_metadata)

    @property
    def anything(self) -> bool:
        """Whether an end or tokens were told: an answer without a word is one, too."""
        return bool(self._finish) or self._used is not None

    def ending(self) -> dict[str, object]:
        """Return finish and usage in the shape of a chat completion."""
        return {"finish_reason": self._finish or "stop", "usage": _usage(self._used)}


def _text(message: AIMessage, *, formed: bool) -> str:
    if formed and message.tool_calls:
        return json.dumps(message.tool_calls[0]["args"], ensure_ascii=False)
    if formed and message.invalid_tool_calls:
        return message.invalid_tool_calls[0]["args"] or ""
    return str(message.text)


def _ends(facts: dict[str, object]) -> set[str]:
    """Return what is said of why a reply ended."""
    details = facts.get("incomplete_details")
    named = [facts.get(name) for name in _FINISHES]
    named += [details.get("reason")] if isinstance(details, dict) else []
    return {str(word).rpartition(".")[2].lower() for word in named if word}


def _finish(facts: dict[str, object]) -> str:
    """Return `stop`, `length` or `content_filter`, whatever a vendor calls it."""
    words = _ends(facts)
    if words & _LENGTH:
        return "length"
    return "content_filter" if words & _WITHHELD else "stop"


def _usage(used: UsageMetadata | None) -> dict[str, object]:
    if used is None:
        return {}
    kept = (used.get("input_token_details") or {}).get("cache_read")
    return {
        "prompt_tokens": used["input_tokens"],
        "completion_tokens": used["output_tokens"],
        "prompt_tokens_details": {"cached_tokens": kept or 0},
    }
