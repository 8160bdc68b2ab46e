"""Finds prompt templates, fills them, and refuses a fill that leaves anything open.

A template is one file, `templates/NAME.md`: a header that says what it is for and names its variables, then the turns.

    ---
    purpose: Ask a question again in other words.
    variables: question, answer
    ---
    [system]
    Words, with {{ question }} where the value goes.
    [user]
    ...

A folder of a project's own may replace any of them; the hash is of the text that is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import cast

from rapidfuzz import process

from doceo.core.errors import InputError
from doceo.core.fingerprint import sha256
from doceo.core.records import Message, Role

_HEADER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_TURN = re.compile(r"^\[(system|user|assistant)\]\n", re.MULTILINE)
_SLOT = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Template:
    """One prompt.

    Attributes:
        name: The file's name without its ending.
        purpose: What it is for, in a line.
        variables: What has to be given to fill it.
        turns: (role, text) in order.
        hash: The first 16 hex digits of the SHA-256 of the file's text.
    """

    name: str
    purpose: str
    variables: tuple[str, ...]
    turns: tuple[tuple[Role, str], ...]
    hash: str

    def fill(self, **values: object) -> tuple[Message, ...]:
        """Return the messages with every variable replaced, in one pass: a value's own braces stay as they are.

        Raises:
            InputError: A variable is missing, or a value has no variable.
        """
        missing = [name for name in self.variables if name not in values]
        unused = [name for name in values if name not in self.variables]
        if missing or unused:
            parts = [
                f"{word}: {', '.join(names)}" for word, names in (("missing", missing), ("unused", unused)) if names
            ]
            raise InputError(
                f"The prompt {self.name} cannot be filled ({'; '.join(parts)}).",
                hint=f"Its variables are {', '.join(self.variables)}.",
            )
        filled = []
        for role, pieces in self._pieces:
            content = list(pieces)
            content[1::2] = [str(values[name]) for name in pieces[1::2]]
            filled.append(Message(role=role, content="".join(content)))
        return tuple(filled)

    @cached_property
    def _pieces(self) -> list[tuple[Role, list[str]]]:
        """The turns parted at their variables: text, a variable's name, text, and so on."""
        return [(role, _SLOT.split(text)) for role, text in self.turns]


class Catalog:
    """The templates that ship with Doceo, each replaced by the file of its name in a folder where there is one.

    Args:
        folder: A folder of `NAME.md` files; it need not exist.
    """

    def __init__(self, folder: Traversable | None = None) -> None:
        self._shipped = files("prompts").joinpath("templates")
        self._own = folder if folder is not None and folder.is_dir() else None

    @classmethod
    def of_project(cls, folder: Traversable) -> Catalog:
        """Return a catalog with a project's own prompts, such as the folder `prompts` beside `doceo.toml`.

        Raises:
            InputError: A file there replaces nothing, since no prompt has its name, or one that does cannot be used:
                it has no proper form, or other variables than the prompt that it replaces.
        """
        shipped, catalog = cls(), cls(folder)
        for name in _names(catalog._own):
            before, now = shipped.template(name), catalog.template(name)
            if set(now.variables) != set(before.variables):
                raise InputError(
                    f"The prompt {name} of {folder} has other variables than the one that it replaces.",
                    hint=f"It has to use {', '.join(before.variables)}.",
                )
        return catalog

    def names(self) -> list[str]:
        """Return the names of all templates, sorted."""
        return sorted({*_names(self._shipped), *_names(self._own)})

    def template(self, name: str) -> Template:
        """Return a template. Raises InputError where there is none of this name, or it contradicts its header."""
        names = self.names()
        if name not in names:
            near = process.extractOne(name, names, score_cutoff=60)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
            raise InputError(f"There is no prompt {name}.", hint=hint)
        folder = self._own if self._own is not None and name in _names(self._own) else self._shipped
        try:
            text = folder.joinpath(f"{name}.md").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The prompt {name} of {folder} cannot be read: {error}.", hint="Save it as UTF-8."
            ) from error
        return parse(name, text.replace("\r\n", "\n"))


def _names(folder: Traversable | None) -> list[str]:
    return [file.name.removesuffix(".md") for file in folder.iterdir() if file.name.endswith(".md")] if folder else []


def parse(name: str, text: str) -> Template:
    """Return the template that a file's text describes.

    Raises:
        InputError: There is no header or no turn, or header and text name different variables.
    """
    header = _HEADER.match(text)
    fields = dict(_field(line) for line in header[1].splitlines()) if header else {}
    pieces = _TURN.split(text[header.end() :]) if header else []
    if set(fields) != {"purpose", "variables"} or len(pieces) < 3 or pieces[0].strip():
        raise InputError(
            f"The prompt {name} has no proper form.",
            hint="It starts with a header (---, purpose: ..., variables: ..., ---), then [system] or [user] and text.",
        )
    turns = tuple((cast(Role, role), body.strip("\n")) for role, body in zip(pieces[1::2], pieces[2::2], strict=True))
    variables = tuple(part.strip() for part in fields["variables"].split(",") if part.strip())
    used = {slot for _, body in turns for slot in _SLOT.findall(body)}
    if used != set(variables):
        odd = ", ".join(sorted(used.symmetric_difference(variables)))
        raise InputError(
            f"The prompt {name} names other variables in its header than in its text: {odd}.",
            hint="Name every {{ variable }} of the text in the header, and no other.",
        )
    return Template(name, fields["purpose"], variables, turns, sha256(text)[:16])


def _field(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()
