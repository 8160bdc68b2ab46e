"""One layout of "question and numbered passages", shared by training rows and the prompt compiler.

A model is asked as it was trained: both sides call `ask_with_passages`, or lay out its parts with `passage_block` and
`asked_over`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from doceo.core.records import Message

SYSTEM = (
    "Answer the question from the numbered passages only, and put the number of the passage you used in brackets "
    "after each statement, such as [1]. If the passages do not hold the answer, reply exactly: "
    "I cannot find this in the documents."
)
REFUSAL = "I cannot find this in the documents."
_ASKED = "Question: "
_STOPS = frozenset(".!?。！？")

_ONE = r"\d{1,3}"
_RANGE = rf"{_ONE}(?:\s?(?:[-‐-―~～〜]|\.\.)\s?{_ONE})?"
_LIST = rf"{_RANGE}(?:\s?(?:[,，、،;；&]|and|und|et|y)\s?{_RANGE})*"
_MARKER = re.compile(
    rf"[\[［【〔](?:[#^]|(?:passage|source|document)s?\s)?({_LIST})(?:[†|:][^\]］】〕\n]{{0,60}})?[\]］】〕]", re.I
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.S)
_NUMBER = re.compile(_RANGE)
_WIDEST = 50
"""Most passages of one range: models do not cite more, and `[1-999]` is none."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation as it stands in a text: the characters `start` to `end`, and the passages that it names."""

    start: int
    end: int
    numbers: tuple[int, ...]


def ask_with_passages(question: str, passages: Sequence[tuple[str, str]]) -> tuple[Message, ...]:
    """Return the messages that ask a question over passages, given as (heading, text).

    Retrieved text stands in the user's turn, never in the system's.
    """
    blocks = [passage_block(n, laid_out(heading, text)) for n, (heading, text) in enumerate(passages, 1)]
    return Message(role="system", content=SYSTEM), Message(role="user", content=asked_over(question, blocks))


def laid_out(heading: str, text: str) -> str:
    """Return a passage as it stands behind its number: the heading on the number's line, if there is one."""
    return f" {heading}\n{text}" if heading else f"\n{text}"


def passage_block(n: int, body: str) -> str:
    """Return a numbered passage, `body` being what `laid_out` returns."""
    return f"[{n}]{body}"


def asked_over(question: str, blocks: Sequence[str]) -> str:
    """Return a user's turn: blocks of text, parted by blank lines, and the question; without blocks it stands bare."""
    return "\n\n".join([*blocks, f"{_ASKED}{question}"]) if blocks else question


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


def markers(text: str) -> list[Marker]:
    """Return the citations of a text in order.

    `[1]`, `[1, 2]`, `[1-3]`, `[passage 2]`, in square, full-width and lenticular brackets, with the digits of
    any script. What stands in code is none: `a[1]` may be an array's.
    """
    code = [match.span() for match in _CODE.finditer(text)] if "`" in text else []
    found = (
        match for match in _MARKER.finditer(text) if not any(a < match.end() and match.start() < b for a, b in code)
    )
    return [Marker(match.start(), match.end(), _numbers(match[1])) for match in found]


def marked(text: str) -> list[int]:
    """Return the passage numbers that a text cites, in order of appearance, each once."""
    return list(dict.fromkeys(n for marker in markers(text) for n in marker.numbers))


def without_markers(text: str) -> str:
    """Return a text without its citations and the blanks before them."""
    parts, at = [], 0
    for marker in markers(text):
        parts.append(text[at : marker.start].rstrip())
        at = marker.end
    return "".join([*parts, text[at:]])


def _numbers(listed: str) -> tuple[int, ...]:
    found: list[int] = []
    for match in _NUMBER.finditer(listed):
        ends = [int(number) for number in re.findall(_ONE, match[0])]
        wide = len(ends) == 2 and ends[0] < ends[1] <= ends[0] + _WIDEST
        found += range(ends[0], ends[1] + 1) if wide else ends
    return tuple(dict.fromkeys(found))
