"""One layout of "question and numbered passages", shared by training rows and the prompt compiler.

A model is asked as it was trained: both sides call `ask_with_passages`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from doceo.core.records import Message

SYSTEM = (
    "Answer the question from the numbered passages only, and put the number of the passage you used in brackets "
    "after each statement, such as [1]. If the passages do not hold the answer, reply exactly: "
    "I cannot find this in the documents."
)
REFUSAL = "I cannot find this in the documents."
_ASKED = "Question: "
_STOPS = frozenset(".!?。！？")
_MARKER = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")


def ask_with_passages(question: str, passages: Sequence[tuple[str, str]]) -> tuple[Message, ...]:
    """Return the messages that ask a question over passages, given as (heading, text).

    Retrieved text stands in the user's turn, never in the system's.
    """
    blocks = [
        f"[{n}] {heading}\n{text}" if heading else f"[{n}]\n{text}" for n, (heading, text) in enumerate(passages, 1)
    ]
    return (
        Message(role="system", content=SYSTEM),
        Message(role="user", content="\n\n".join([*blocks, f"{_ASKED}{question}"])),
    )


def heading_line(title: str, heading_path: Sequence[str]) -> str:
    """Return "Title > Section > Part", without a part that repeats the one before it."""
    parts = [title]
    parts += [part for part in heading_path if part and part != parts[-1]]
    return " > ".join(part for part in parts if part)


def question_of(content: str) -> str:
    """Return the question of a user's turn, whether it was asked over passages or alone."""
    return content.rpartition(f"\n\n{_ASKED}")[2]


def cite(answer: str, *numbers: int) -> str:
    """Return an answer with the markers of the passages that it rests on before its last full stop."""
    stem, stop = (answer[:-1], answer[-1]) if answer[-1:] in _STOPS else (answer, "")
    return f"{stem} {''.join(f'[{n}]' for n in numbers)}{stop}"


def without_markers(text: str) -> str:
    """Return a text without its [n] markers."""
    return _MARKER.sub("", text)


def marked(text: str) -> list[int]:
    """Return the passage numbers that a text cites, in order of appearance, each once."""
    found = [int(n) for group in re.findall(r"\[(\d+(?:\s*,\s*\d+)*)\]", text) for n in group.split(",")]
    return list(dict.fromkeys(found))
