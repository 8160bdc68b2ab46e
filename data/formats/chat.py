"""Chat rows: OpenAI's `messages` and ShareGPT's `conversations`, as JSONL.

OpenAI's fine-tuning refuses a row with a field that it does not know ("Example 1 contains an extra ..."), so those
rows hold nothing but messages, and what is known of each pair stands in a second file beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from data.formats.provenance import Provenance, Row
from data.jsonl import write_jsonl
from data.sft.drafts import Problem
from data.sft.reading import raw_rows
from doceo.core.errors import InputError
from doceo.core.records import Chunk, Message, Pair

_TO_SHAREGPT: dict[str, Literal["system", "human", "gpt"]] = {"system": "system", "user": "human", "assistant": "gpt"}


class ChatRow(Row):
    """A row as OpenAI's fine-tuning takes it."""

    messages: tuple[Message, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _ends_with_an_answer(self) -> Self:
        if [message.role for message in self.messages[-2:]] != ["user", "assistant"]:
            raise ValueError("the last two turns have to be of user and assistant, in this order")
        return self


class Turn(Row):
    """One turn of a ShareGPT conversation."""

    speaker: Literal["system", "human", "gpt"] = Field(alias="from")
    value: str


class ShareGptRow(Row):
    """A ShareGPT row."""

    conversations: tuple[Turn, ...] = Field(min_length=2)
    metadata: Provenance


def evidence_file(path: Path) -> Path:
    """Return the file that stands beside an OpenAI file: line for line, what is known of each pair."""
    return path.with_name(f"{path.stem}.evidence.jsonl")


def evidence_beside(path: Path) -> tuple[Path, list[Provenance] | None]:
    """Return the evidence file beside chat rows, either perhaps gzipped, with its rows; None where there is no file.

    Raises InputError where the evidence file is damaged.
    """
    named = evidence_file(path.with_suffix("") if path.suffix.lower() == ".gz" else path)
    beside = next((at for at in (named, named.with_name(f"{named.name}.gz")) if at.is_file()), None)
    if beside is None:
        return named, None
    known = []
    for place, row in raw_rows(beside):
        try:
            known.append(Provenance.model_validate(None if isinstance(row, Problem) else row))
        except ValidationError as error:
            raise InputError(
                f"{beside}, {place}: it is not as the export wrote it.",
                hint="Export again, or take the evidence file away to import questions and answers alone.",
            ) from error
    return beside, known


def write_openai(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write rows for OpenAI's fine-tuning and for TRL, and the evidence file beside them. Raises StorageError."""
    write_jsonl(evidence_file(path), (Provenance.of(pair, question=True).fields() for pair in pairs))
    return write_jsonl(path, (ChatRow(messages=_turns(pair)) for pair in pairs))


def write_sharegpt(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write rows as ShareGPT conversations. Raises StorageError."""
    return write_jsonl(path, (_sharegpt(pair) for pair in pairs))


def _sharegpt(pair: Pair) -> dict[str, object]:
    turns = [{"from": _TO_SHAREGPT[message.role], "value": message.content} for message in _turns(pair)]
    row = ShareGptRow.model_validate({"conversations": turns, "metadata": Provenance.of(pair)})
    return {"conversations": turns, "metadata": row.metadata.fields()}


def _turns(pair: Pair) -> tuple[Message, ...]:
    asked = Message(role="user", content=pair.question)
    return (*pair.history, asked, Message(role="assistant", content=pair.answer))
