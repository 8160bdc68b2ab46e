"""Questions that were asked with the answers that were given: one line of JSON each, whoever keeps them.

What `doceo chat` and `doceo ask --record` write, and what is read of other logs: requests and responses of any service
with OpenAI's chat completions, ours among them, and conversations as plain messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator

from data.growing import grow
from data.jsonl import read_rows
from doceo.core.errors import InputError
from doceo.core.fingerprint import identify
from doceo.core.records import Answer, Message

Rating = Literal["up", "down", 1, 2, 3, 4, 5]
"""What somebody thought of an answer: 5 is the best."""
_MESSAGES = TypeAdapter(tuple[Message, ...])
_OF_OURS = ("citations", "hits", "refused", "reason", "short", "chance")
"""Fields of our service's responses that OpenAI's do not have."""
_FORM = (
    'A line looks like {"question": "...", "answer": {...}}, the answer as `doceo ask --json` prints it or a text, or '
    '{"request": {"messages": [...]}, "response": {"choices": [...]}}, or {"messages": [...]}.'
)


class Trace(BaseModel):
    """A question in its conversation, and its answer. Other fields are ignored.

    `references` are right answers, `rating` is of the answer given; either may be missing.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = ""
    question: str
    history: tuple[Message, ...] = ()
    answer: Answer
    references: tuple[str, ...] = ()
    rating: Rating | None = None

    @field_validator("answer", mode="before")
    @classmethod
    def _of_text(cls, given: object) -> object:
        return {"text": given} if isinstance(given, str) else given

    @property
    def key(self) -> str:
        """The id, or one made from what was said."""
        turns = [turn.model_dump() for turn in self.history]
        return self.id or identify("t_", self.question, turns, self.answer.text)


def record(path: Path, traces: Iterable[Trace]) -> None:
    """Add traces to a file, which only its owner can read where it is made. Raises StorageError."""
    new = not path.exists()
    grow(path, (trace.model_copy(update={"id": trace.key}) for trace in traces))
    if new:
        path.chmod(0o600)


def read_traces(path: Path) -> list[Trace]:
    """Return the traces of a file, each once.

    Raises InputError, naming the line, where one is no trace, or two of one id differ, or there are none.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Check the spelling and the current folder.")
    found: dict[str, Trace] = {}
    for number, row in read_rows(path):
        try:
            trace = Trace.model_validate(_plain(row))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(f"{path}, line {number}: {place}: {first['msg']}.", hint=_FORM) from error
        if not trace.question.strip():
            raise InputError(f"{path}, line {number}: the question is empty.", hint=_FORM)
        if found.setdefault(trace.key, trace) != trace:
            raise InputError(
                f"{path}, line {number}: another line has the id {trace.key} too.", hint="Give every line its own id."
            )
    if not found:
        raise InputError(f"{path} holds no traces.", hint=_FORM)
    return list(found.values())


def _plain(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a line in our own form."""
    if "request" in row and "response" in row:
        return _of_response(row)
    if "messages" in row and "question" not in row:
        turns = _turns(row["messages"])
        if len(turns) > 1 and turns[-1].role == "assistant" and turns[-2].role == "user":
            return {**row, **_asked(turns[:-1]), "answer": turns[-1].content}
    return row


def _of_response(row: Mapping[str, Any]) -> Mapping[str, Any]:
    request, response = row["request"], row["response"]
    if not isinstance(request, dict) or not isinstance(response, dict):
        return {}
    try:
        text = response["choices"][0]["message"]["content"]
    except (LookupError, TypeError):
        return {}
    used = response.get("usage") or {}
    tokens = {name: used[name] for name in ("prompt_tokens", "completion_tokens") if name in used}
    ours = {name: response[name] for name in _OF_OURS if name in response}
    known = {"id": str(response.get("id", ""))} | {key: value for key, value in row.items() if key != "request"}
    return {**known, **_asked(_turns(request.get("messages"))), "answer": {"text": text, **ours, "usage": tokens}}


def _turns(messages: object) -> tuple[Message, ...]:
    """Return messages without the system's; content in parts is joined."""
    if not isinstance(messages, list):
        return ()
    plain = [
        {"role": turn.get("role"), "content": _text(turn.get("content"))} for turn in messages if isinstance(turn, dict)
    ]
    return _MESSAGES.validate_python([turn for turn in plain if turn["role"] not in ("system", "developer")])


def _text(content: object) -> object:
    if not isinstance(content, list):
        return content
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def _asked(turns: Sequence[Message]) -> dict[str, object]:
    """Return the last question and what was said before it; nothing where the last turn is no question."""
    if not turns or turns[-1].role != "user":
        return {}
    return {"question": turns[-1].content, "history": tuple(turns[:-1])}
