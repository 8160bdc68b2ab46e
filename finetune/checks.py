"""Training rows before training: every fault with its line, its field and its cure."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from data.jsonl import read_rows
from doceo.core.errors import InputError
from doceo.core.fingerprint import identify
from doceo.core.records import Message

ROLES = ("system", "user", "assistant")
SHOWN = 8
"""Most faults that one error message lists."""


class Problem(NamedTuple):
    """What is wrong with a row, and how to repair it."""

    line: int
    field: str
    what: str
    fix: str

    def __str__(self) -> str:
        """Return the problem as one line."""
        return f"line {self.line}, {self.field}: {self.what}; {self.fix}"


class Row(NamedTuple):
    """A row fit to train on; the last message, the assistant's, is what is learned."""

    line: int
    messages: tuple[Message, ...]


class Checked(NamedTuple):
    """The good rows of a file, the faults of the others, and the lines that repeat an earlier row."""

    rows: list[Row]
    problems: list[Problem]
    repeated: list[int]


def check_rows(path: Path) -> Checked:
    """Read a JSONL file of {"messages": [{"role", "content"}, ...]} and sort its rows into good and faulty.

    Raises InputError where the file is missing, not UTF-8 or not JSON.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    repeated: list[int] = []
    seen: set[str] = set()
    try:
        for line, row in read_rows(path):
            faults = _faults(line, row)
            if faults:
                problems += faults
                continue
            messages = tuple(Message.model_validate(message) for message in row["messages"])  # type: ignore[attr-defined]  # _faults proved a list
            key = identify("", [message.model_dump() for message in messages])
            if key in seen:
                repeated.append(line)
                continue
            seen.add(key)
            rows.append(Row(line, messages))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.", hint="Save it as UTF-8, one JSON object a line.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", hint="Check the path.") from error
    return Checked(rows, problems, repeated)


def load_rows(path: Path) -> Checked:
    """Return the rows of a file that has no faulty one.

    Raises InputError that lists the faults, or says that the file holds no row.
    """
    checked = check_rows(path)
    if checked.problems:
        lines = [str(problem) for problem in checked.problems[:SHOWN]]
        more = len(checked.problems) - SHOWN
        lines += [f"and {more} more"] if more > 0 else []
        raise InputError(
            f"{path} has rows that cannot be trained on:\n  " + "\n  ".join(lines),
            hint="Repair or remove these lines; nothing was trained.",
        )
    if not checked.rows:
        raise InputError(f"{path} holds no rows.", hint='Every line has to be {"messages": [...]}.')
    return checked


def _faults(line: int, row: dict[str, object]) -> list[Problem]:
    messages = row.get("messages")
    if messages is None:
        known = ", ".join(sorted(row)) or "nothing"
        return [
            Problem(line, "messages", f"is missing (found {known})", "doceo import turns other formats into this one")
        ]
    if not isinstance(messages, list) or not messages:
        return [Problem(line, "messages", "is not a list of turns", 'write [{"role": ..., "content": ...}, ...]')]
    faults = [fault for n, message in enumerate(messages) for fault in _message_faults(line, n, message)]
    return faults or _order_faults(line, messages)


def _message_faults(line: int, n: int, message: object) -> list[Problem]:
    field = f"messages[{n}]"
    if not isinstance(message, dict):
        return [Problem(line, field, "is not an object", 'write {"role": ..., "content": ...}')]
    role, content = message.get("role"), message.get("content")
    faults = []
    if role not in ROLES:
        faults.append(Problem(line, f"{field}.role", f"is {role!r}", f"use one of {', '.join(ROLES)}"))
    if not isinstance(content, str):
        faults.append(Problem(line, f"{field}.content", f"is {type(content).__name__}, not text", "write a string"))
    elif not content.strip():
        faults.append(Problem(line, f"{field}.content", "is empty", "write the text or remove the row"))
    if extra := sorted(set(message) - {"role", "content"}):
        faults.append(Problem(line, field, f"has {', '.join(extra)}, which would be ignored", "remove it"))
    return faults


def _order_faults(line: int, messages: list[dict[str, str]]) -> list[Problem]:
    roles = [message["role"] for message in messages]
    if roles[-1] != "assistant":
        return [Problem(line, f"messages[{len(roles) - 1}].role", f"is {roles[-1]}", "end with the assistant's answer")]
    turns = roles[1:] if roles[0] == "system" else roles
    for n, role in enumerate(turns):
        wanted = "assistant" if n % 2 else "user"
        if role != wanted:
            place = n + len(roles) - len(turns)
            return [
                Problem(
                    line, f"messages[{place}].role", f"is {role}", f"{wanted} comes here: turns alternate, user first"
                )
            ]
    return []
