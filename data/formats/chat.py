"""Chat rows: OpenAI's `messages` and ShareGPT's `conversations`, as JSONL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from data.formats.provenance import provenance
from data.jsonl import write_jsonl
from doceo.core.records import Chunk, Message, Pair

_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


def write_openai(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write rows for OpenAI's fine-tuning and for TRL. Raises StorageError."""
    return write_jsonl(
        path, ({"messages": [m.model_dump() for m in _turns(p)], "metadata": provenance(p)} for p in pairs)
    )


def write_sharegpt(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write rows as ShareGPT conversations. Raises StorageError."""
    return write_jsonl(
        path,
        (
            {
                "conversations": [{"from": _SHAREGPT[m.role], "value": m.content} for m in _turns(p)],
                "metadata": provenance(p),
            }
            for p in pairs
        ),
    )


def _turns(pair: Pair) -> tuple[Message, ...]:
    asked = Message(role="user", content=pair.question)
    return (*pair.history, asked, Message(role="assistant", content=pair.answer))
