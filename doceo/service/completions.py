"""Chat completions as OpenAI writes them, with Doceo's own fields beside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from doceo.app.served import Ended
from doceo.core.records import Answer, Citation
from doceo.service.shapes.conversations import cited

DONE = "data: [DONE]\n\n"
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Completion:
    """What all parts of one reply share.

    Attributes:
        id: Of the reply.
        created: Seconds since 1970.
        model: The id that was asked.
        conversation: Id of the kept conversation, or nothing.
        trace: Whether it is told how the answer came about.
        files: Ids of the files of a vector store that are cited, by their names.
    """

    id: str
    created: int
    model: str
    conversation: str = ""
    trace: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    def whole(self, answers: Sequence[Ended]) -> dict[str, object]:
        """Return the reply that is no stream; Doceo's fields stand at its top, those of further answers in choices."""
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": ended.answer.text, "refusal": None},
                "finish_reason": ended.finish,
                "logprobs": None,
                **(self._own(ended.answer) if index else {}),
            }
            for index, ended in enumerate(answers)
        ]
        head = {"id": self.id, "object": "chat.completion", "created": self.created, "model": self.model}
        return {**head, "choices": choices, "usage": usage(answers), **self._own(answers[0].answer)}

    def begin(self, index: int = 0) -> str:
        """Return the first event of a choice."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None}, index=index)

    def text(self, piece: str, index: int = 0) -> str:
        """Return the event of a piece of text."""
        before, after = self._around
        return f'{before}{index},"delta":{{"content":{_dumps(piece)}}}{after}'

    def citation(self, citation: Citation, index: int = 0) -> str:
        """Return the event of a citation that is sure."""
        return self._chunk({}, index=index, own={"citations": [cited(citation, self.files)]})

    def end(self, ended: Ended, index: int = 0) -> str:
        """Return the last event of a choice: why it ended, and all that is Doceo's own."""
        return self._chunk({}, ended.finish, index=index, own=self._own(ended.answer))

    def usage(self, answers: Sequence[Ended]) -> str:
        """Return the event that says what the stream took."""
        return event({**self._head(), "choices": [], "usage": usage(answers)})

    @cached_property
    def _around(self) -> tuple[str, str]:
        """What stands before the number and behind the text of every piece's event."""
        head = _dumps(self._head())[:-1]
        return f'data: {head},"choices":[{{"index":', ',"logprobs":null,"finish_reason":null}]}\n\n'

    def _head(self) -> dict[str, object]:
        return {"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model}

    def _chunk(
        self, delta: dict[str, object], finish: str | None = None, *, index: int, own: dict[str, object] | None = None
    ) -> str:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**self._head(), "choices": [choice], **(own or {})})

    def _own(self, answer: Answer) -> dict[str, object]:
        found: dict[str, object] = {
            "citations": [cited(citation, self.files) for citation in answer.citations],
            "hits": [hit.model_dump(mode="json") for hit in answer.hits],
            "refused": answer.refused,
            "reason": answer.reason,
            "short": answer.short,
            "chance": answer.chance,
        }
        if self.conversation:
            found["conversation"] = self.conversation
        if self.trace and answer.trace is not None:
            found["trace"] = answer.trace.model_dump(mode="json")
        return found


def event(value: dict[str, object]) -> str:
    """Return a server-sent event."""
    return f"data: {_dumps(value)}\n\n"


def usage(answers: Sequence[Ended]) -> dict[str, object]:
    """Return what answers took; a prompt that several choices share counts once."""
    used = [ended.answer.usage for ended in answers]
    prompt, said = used[0].prompt_tokens, sum(one.completion_tokens for one in used)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said,
        "prompt_tokens_details": {"cached_tokens": used[0].cached_tokens},
    }
