"""Questions and examples that a user brings: a test set that no pair may ask again, pairs that show what is wanted."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from data.jsonl import read_rows
from doceo.core.errors import InputError

MOST_EXAMPLES = 5
"""Examples that a prompt shows."""


def read_questions_of(path: Path) -> list[str]:
    """Return the questions of a JSONL or CSV file, in order.

    A row's question is its field `question`, `instruction`, `prompt` or `query`, or the last user turn of `messages`.
    Raises InputError naming the file and the line.
    """
    return [_question(path, number, row) for number, row in _rows(path)]


def read_examples(path: Path) -> list[dict[str, str]]:
    """Return the first examples of a JSONL or CSV file as {"question", "answer"}.

    Raises InputError naming the file and the line.
    """
    examples: list[dict[str, str]] = []
    for number, row in _rows(path):
        answer = next((str(row[key]) for key in ("answer", "output", "completion") if row.get(key)), "")
        if not answer:
            raise InputError(
                f"{path}, line {number}: there is no answer.",
                hint='An example looks like {"question": ..., "answer": ...}.',
            )
        examples.append({"question": _question(path, number, row), "answer": answer})
        if len(examples) == MOST_EXAMPLES:
            break
    if not examples:
        raise InputError(f"{path} holds no examples.", hint='Every line is like {"question": ..., "answer": ...}.')
    return examples


def _rows(path: Path) -> list[tuple[int, dict[str, object]]]:
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Check the spelling and the current folder.")
    if path.suffix.lower() != ".csv":
        return list(read_rows(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8.", hint="Save it as CSV in UTF-8.") from error
    reader = csv.DictReader(io.StringIO(text))
    return [(reader.line_num, dict(row)) for row in reader]


def _question(path: Path, number: int, row: dict[str, object]) -> str:
    for key in ("question", "instruction", "prompt", "query"):
        if isinstance(value := row.get(key), str) and value.strip():
            return value.strip()
    turns = row.get("messages")
    if isinstance(turns, list):
        asked = [turn.get("content") for turn in turns if isinstance(turn, dict) and turn.get("role") == "user"]
        if asked and isinstance(asked[-1], str):
            return asked[-1].strip()
    raise InputError(
        f"{path}, line {number}: there is no question.",
        hint="A row has a field question (or instruction, prompt, query), or chat messages.",
    )
