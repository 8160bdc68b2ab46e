"""Questions that were asked with the answers that were given: one line of JSON each, whoever keeps them.

What `doceo chat` and `doceo ask --record` write, and what is read of other logs: requests and responses of any service
with OpenAI's chat completions, ours among them, and conversations as plain messages.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator

from data.growing import grow
from data.jsonl import read_rows, storage_error
from doceo.core.errors import InputError
from doceo.core.fingerprint import identify
from doceo.core.records import Answer, Message

Rating = Literal["up", "down", 1, 2, 3, 4, 5]
"""What somebody thought of an answer: 5 is the best."""
_MESSAGES = TypeAdapter(tuple[Message, ...])
_OF_OURS = ("citations", "hits", "refused", "reason", "short", "chance", "failed")
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

    @field_validator("id", mode="before")
    @classmethod
    def _of_none(cls, given: object) -> object:
        return "" if given is None else given

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
    """Add traces to a file, which only its owner can read where it is made. Raises StorageError.

    Of a line that a killed process left half written nothing can be read: it is taken away.
    """
    if path.is_file() or not path.exists():
        _make_ready(path)
    grow(path, (trace.model_copy(update={"id": trace.key}) for trace in traces))


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
        if wrong := _impossible(trace):
            raise InputError(f"{path}, line {number}: {wrong}.", hint=_FORM)
        if found.setdefault(trace.key, trace) != trace:
            raise InputError(
                f"{path}, line {number}: another line has the id {trace.key} too.", hint="Give every line its own id."
            )
    if not found:
        raise InputError(f"{path} holds no traces.", hint=_FORM)
    return list(found.values())


def _make_ready(path: Path) -> None:
    """Make a file, or make the one that is there end with a whole line."""
    try:
        with open(path, "r+b", opener=lambda name, flags: os.open(name, flags | os.O_CREAT, 0o600)) as file:
            last = file.read().rpartition(b"\n")[2]
            if _is_torn(last):
                file.truncate(file.tell() - len(last))
            elif last:
                file.write(b"\n")
    except OSError as error:
        raise storage_error(error, path) from error


def _is_torn(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:  # JSON and UTF-8 errors are both ValueErrors
        return line.startswith(b"{")
    return False


def _impossible(trace: Trace) -> str:
    """Return what cannot be in a trace of the right form, in words; "" where all can."""
    if not trace.question.strip():
        return "the question is empty"
    chance = trace.answer.chance
    if chance is not None and not 0 <= chance <= 1:
        return f"answer.chance is {chance}, not between 0 and 1"
    wrong = [f"{name} is {used}" for name, used in trace.answer.usage if used is not None and not 0 <= used < math.inf]
    return f"answer.usage.{wrong[0]}, not a number from 0" if wrong else ""


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
    if isinstance(used, dict):
        used = {name: used[name] for name in ("prompt_tokens", "completion_tokens") if used.get(name) is not None}
    ours = {name: response[name] for name in _OF_OURS if name in response}
    known = {**row, "id": row.get("id") or str(response.get("id") or "")}
    return {**known, **_asked(_turns(request.get("messages"))), "answer": {"text": text, **ours, "usage": used}}


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
