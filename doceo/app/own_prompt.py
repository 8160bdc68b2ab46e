"""Words of the user's own for the system message, from a template file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doceo.core.errors import InputError, UsageError
from prompts.catalog import Template, parse

_FORM = """A file looks like this; {{ rules }} is where the rules for citing and refusing go:
---
purpose: Short answers.
variables: rules
---
[system]
{{ rules }}
Answer in one short sentence."""


@dataclass(frozen=True)
class OwnPrompt:
    """A system message around `{{ rules }}`: what is told of the passages, which code relies on.

    Attributes:
        name: The file's name without its ending.
        text: The file's text.
    """

    name: str
    text: str
    template: Template

    @property
    def hash(self) -> str:
        """The first 16 hex digits of the SHA-256 of the text."""
        return self.template.hash

    def __call__(self, rules: str) -> str:
        """Return the system message; `rules` are empty where there are no passages."""
        return self.template.fill(rules=rules)[0].content.strip()


def read_prompt(path: Path) -> OwnPrompt:
    """Return the prompt of a file. Raises InputError where it cannot be read, or is no system message with rules."""
    try:
        text = path.expanduser().read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The prompt {path} cannot be read: {error}.", hint="Name a text file in UTF-8.") from error
    try:
        template = parse(path.stem, text)
    except InputError as error:
        raise InputError(f"{error.message} ({path})", hint=f"{error.hint} {_FORM}") from error
    if template.variables != ("rules",):
        missing = "rules" not in template.variables
        problem = "has no {{ rules }}" if missing else "has other variables than {{ rules }}"
        raise InputError(f"The prompt {path} {problem}.", hint=_FORM)
    if [role for role, _ in template.turns] != ["system"]:
        raise InputError(f"The prompt {path} has other turns than one [system].", hint=_FORM)
    return OwnPrompt(path.stem, text, template)


def read_prompts(paths: Sequence[Path]) -> dict[str, OwnPrompt]:
    """Return prompts by name. Raises UsageError for two of one name or a name with a comma, and as `read_prompt`."""
    found: dict[str, OwnPrompt] = {}
    for path in paths:
        if path.stem in found or "," in path.stem:
            problem = "Two prompts are called" if path.stem in found else "A comma stands in the name of the prompt"
            raise UsageError(f"{problem} {path.stem}.", hint="A prompt is called as its file; rename one.")
        found[path.stem] = read_prompt(path)
    return found
