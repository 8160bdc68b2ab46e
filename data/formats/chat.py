"""Chat rows: OpenAI's `messages` and ShareGPT's `conversations`, as JSONL.

OpenAI's fine-tuning refuses a row with a field that it does not know ("Example 1 contains an extra ..."), so those
rows hold nothing but messages, and what is known of each pair stands in a second file beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from data.formats.provenance import Provenance, Row, imported
from data.formats.rows import AnyRow, as_row, placed_rows
from data.jsonl import read_jsonl, write_jsonl
from doceo.core.errors import InputError
from doceo.core.records import Chunk, Message, Pair, Role

_TO_SHAREGPT: dict[str, Literal["system", "human", "gpt"]] = {"system": "system", "user": "human", "assistant": "gpt"}
_FROM_SHAREGPT = {"system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
OPENAI_HINT = (
    'A row looks like {"messages": [{"role": "user", "content": ...}, {"role": "assistant", "content": ...}]}.'
)
SHAREGPT_HINT = 'A row looks like {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}]}.'


def _asked_and_answered(roles: Sequence[str], names: tuple[str, str]) -> None:
    if tuple(roles[-2:]) != names:
        raise ValueError(f"the last two turns have to be of {names[0]} and {names[1]}, in this order")


class ChatRow(Row):
    """A row as OpenAI's fine-tuning takes it."""

    messages: tuple[Message, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _ends_with_an_answer(self) -> Self:
        _asked_and_answered([message.role for message in self.messages], ("user", "assistant"))
        return self


class Turn(Row):
    """One turn of a ShareGPT conversation."""

    speaker: Literal["system", "human", "gpt"] = Field(alias="from")
    value: str


class ShareGptRow(Row):
    """A ShareGPT row."""

    conversations: tuple[Turn, ...] = Field(min_length=2)
    metadata: Provenance


class _AnyMessage(AnyRow):
    role: Role
    content: str


class _AnyChat(AnyRow):
    messages: tuple[_AnyMessage, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _ends_with_an_answer(self) -> Self:
        _asked_and_answered([message.role for message in self.messages], ("user", "assistant"))
        if not all(message.content.strip() for message in self.messages[-2:]):
            raise ValueError("the question or the answer is empty")
        return self


class _AnyTurn(AnyRow):
    speaker: Literal["system", "human", "user", "gpt", "assistant"] = Field(alias="from")
    value: str


class _AnyShareGpt(AnyRow):
    conversations: tuple[_AnyTurn, ...] = Field(min_length=2)


def evidence_file(path: Path) -> Path:
    """Return the file that stands beside an OpenAI file: line for line, what is known of each pair."""
    return path.with_name(f"{path.stem}.evidence.jsonl")


def write_openai(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write rows for OpenAI's fine-tuning and for TRL, and the evidence file beside them. Raises StorageError."""
    write_jsonl(evidence_file(path), (Provenance.of(pair, question=True).fields() for pair in pairs))
    return write_jsonl(path, (ChatRow(messages=_turns(pair)) for pair in pairs))


def read_openai(path: Path) -> list[Pair]:
    """Read chat rows; the evidence file beside them or the rows' own metadata is used where there is one.

    Raises InputError naming line and field.
    """
    rows = [(place, as_row(_AnyChat, row, path, place, OPENAI_HINT)) for place, row in placed_rows(path)]
    beside = evidence_file(path)
    known: Sequence[Provenance | None] = read_jsonl(beside, Provenance) if beside.is_file() else [None] * len(rows)
    if len(known) != len(rows):
        raise InputError(
            f"{beside} has {len(known)} rows, {path} has {len(rows)}.",
            hint="Both come from one export and belong together; export again, or take the evidence file away.",
        )
    pairs = []
    for (place, row), found in zip(rows, known, strict=True):
        if found and found.question != row.messages[-2].content:
            raise InputError(
                f"{path}, {place}: {beside.name} has another question there.",
                hint="The rows were moved or changed after the export; export again, or take the evidence file away.",
            )
        pairs.append(_pair(row.messages, row.metadata if found is None else found, path, place))
    return pairs


def write_sharegpt(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write rows as ShareGPT conversations. Raises StorageError."""
    return write_jsonl(path, (_sharegpt(pair) for pair in pairs))


def read_sharegpt(path: Path) -> list[Pair]:
    """Read ShareGPT conversations, as lines or as one array. Raises InputError naming line and field."""
    pairs = []
    for place, found in placed_rows(path):
        row = as_row(_AnyShareGpt, found, path, place, SHAREGPT_HINT)
        turns = [{"role": _FROM_SHAREGPT[turn.speaker], "content": turn.value} for turn in row.conversations]
        chat = as_row(_AnyChat, {"messages": turns}, path, place, SHAREGPT_HINT)
        pairs.append(_pair(chat.messages, row.metadata, path, place))
    return pairs


def _sharegpt(pair: Pair) -> dict[str, object]:
    turns = [{"from": _TO_SHAREGPT[message.role], "value": message.content} for message in _turns(pair)]
    row = ShareGptRow.model_validate({"conversations": turns, "metadata": Provenance.of(pair)})
    return {"conversations": turns, "metadata": row.metadata.fields()}


def _turns(pair: Pair) -> tuple[Message, ...]:
    asked = Message(role="user", content=pair.question)
    return (*pair.history, asked, Message(role="assistant", content=pair.answer))


def _pair(
    messages: Sequence[_AnyMessage], known: Provenance | Mapping[str, object] | None, path: Path, place: str
) -> Pair:
    question, answer = messages[-2].content, messages[-1].content
    history = tuple(Message(role=message.role, content=message.content) for message in messages[:-2])
    if isinstance(known, Mapping):
        known = own(known, path, place)
    return known.pair(question, answer, history) if known else imported(question, answer, history)


def own(metadata: Mapping[str, object] | None, path: Path, place: str) -> Provenance | None:
    """Return metadata that an export of ours wrote, or None for anybody else's. Raises InputError for damaged ones."""
    if not metadata or not {"pair_id", "teacher"} <= metadata.keys():
        return None
    return as_row(Provenance, metadata, path, f"{place}, metadata", "It was changed after the export; export again.")
