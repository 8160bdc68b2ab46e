"""Renders the part of Go's text/template language that Ollama's chat templates need.

Source: the documentation of text/template. Actions: pipelines of one command, variables, `if`, `else if`, `range`,
`end`; functions `and`, `or`, `not`, `eq`, `ne`, `len`, `slice`; `{{-` and `-}}` trim white space.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from doceo.core.errors import ExportFailed

_ACTION = re.compile(r'(\s*\{\{-(?=\s)|\{\{)((?:"(?:[^"\\]|\\.)*"|[^"])*?)((?<=\s)-\}\}\s*|\}\})', re.DOTALL)
_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[()]|:=|=|,|[^\s(),:="]+)')
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": lambda first, *more: any(first == other for other in more),
    "ne": lambda one, other: one != other,
    "not": lambda one: not one,
    "len": len,
    "slice": lambda items, start=0, end=None: items[start:end],
}
_Part = str | list[str]
"""Text, or the words of an action."""


def render(template: str, messages: Sequence[dict[str, str]]) -> str:
    """Return the prompt that Ollama makes of messages: `.Messages`, and `.System` with all system messages.

    Raises ExportFailed for a template that is wrong or needs more of the language than is known here.
    """
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    data = {"Messages": [{"Role": m["role"], "Content": m["content"]} for m in messages], "System": system}
    out: list[str] = []
    try:
        rest = _run(_parts(template), 0, {"$": data}, data, out, live=True)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _wrong(str(error)) from error
    if rest != len(_parts(template)):
        raise _wrong("an {{ end }} closes nothing")
    return "".join(out)


def _wrong(what: str) -> ExportFailed:
    return ExportFailed(f"The Modelfile's template cannot be rendered: {what}.", hint="Export the model again.")


def _parts(template: str) -> list[_Part]:
    parts: list[_Part] = []
    at = 0
    for action in _ACTION.finditer(template):
        parts += [template[at : action.start()], _WORD.findall(action[2])]
        at = action.end()
    return [part for part in [*parts, template[at:]] if part]


def _run(parts: list[_Part], at: int, names: dict[str, Any], dot: Any, out: list[str], *, live: bool) -> int:  # noqa: ANN401
    """Run parts until an `else` or `end` that belongs to the caller and return its place."""
    while at < len(parts):
        part = parts[at]
        if isinstance(part, str):
            out += [part] * live
        elif part[0] in ("end", "else"):
            return at
        elif part[0] == "if":
            at = _if(parts, at, names, dot, out, live=live)
        elif part[0] == "range":
            at = _range(parts, at, names, dot, out, live=live)
        elif live:
            _act(part, names, dot, out)
        at += 1
    return at


def _act(words: list[str], names: dict[str, Any], dot: Any, out: list[str]) -> None:  # noqa: ANN401
    if len(words) > 2 and words[1] in (":=", "="):
        if words[1] == "=" and words[0] not in names:
            raise _wrong(f"{words[0]} is not declared")
        names[words[0]] = _value(words[2:], names, dot)
    else:
        out.append(str(_value(words, names, dot)))


def _if(parts: list[_Part], at: int, names: dict[str, Any], dot: Any, out: list[str], *, live: bool) -> int:  # noqa: ANN401
    """Run the branch of an `if` that holds and return the place of its `end`."""
    words, done = list(parts[at][1:]), False
    while True:
        holds = live and not done and (not words or bool(_value(words, names, dot)))
        at = _run(parts, at + 1, names, dot, out, live=holds)
        done = done or holds
        closing = parts[at]
        if closing[0] == "end":
            return at
        words = list(closing[2:])


def _range(parts: list[_Part], at: int, names: dict[str, Any], dot: Any, out: list[str], *, live: bool) -> int:  # noqa: ANN401
    """Run the body of a `range` for each item and return the place of its `end`."""
    words = list(parts[at][1:])
    variables = [word for word in words[: words.index(":=")] if word != ","] if ":=" in words else []
    items = list(_value(words[words.index(":=") + 1 :] if variables else words, names, dot)) if live else []
    for number, item in enumerate(items):
        names |= dict(zip(variables, (number, item) if len(variables) == 2 else (item,), strict=False))
        _run(parts, at + 1, names, item, out, live=True)
    return _run(parts, at + 1, names, dot, [], live=False)


def _value(words: Sequence[str], names: dict[str, Any], dot: Any) -> Any:  # noqa: ANN401
    """Return what an expression comes to: a call of a function, or one operand."""
    operands: list[Any] = []
    rest = list(words)
    name = rest.pop(0) if rest[0] in (*_FUNCTIONS, "and", "or") else ""
    while rest:
        word = rest.pop(0)
        if word == "(":
            depth, end = 1, 0
            while depth:
                depth += {"(": 1, ")": -1}.get(rest[end], 0)
                end += 1
            operands.append(_value(rest[: end - 1], names, dot))
            rest = rest[end:]
        else:
            operands.append(_operand(word, names, dot))
    if name in ("and", "or"):
        stop = name == "or"
        return next((value for value in operands if bool(value) == stop), operands[-1])
    if not name and len(operands) != 1:
        raise ValueError(f"unknown expression {' '.join(words)}")
    return _FUNCTIONS[name](*operands) if name else operands[0]


def _operand(word: str, names: dict[str, Any], dot: Any) -> Any:  # noqa: ANN401
    if word[0] == '"':
        return json.loads(word)
    if word[0] == "`":
        return word[1:-1]
    if word.lstrip("-").isdigit():
        return int(word)
    variable, *fields = word.split(".")
    value = names[variable] if variable else dot
    for field in fields:
        value = value[field] if field else value
    return value
