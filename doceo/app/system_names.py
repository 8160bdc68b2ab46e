"""What a system's name says: `MODEL[+rag][@PROMPT]`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from doceo.app.models import QUOTE
from doceo.core.errors import UsageError
from evaluation.traits import RECORDED as RECORDED

RAG = "+rag"
"""With documents."""
_SYSTEMS = ("base", "tuned", QUOTE, RECORDED)
_NEAR = 0.75
"""Likeness from which a name is one of these, misspelt."""


@dataclass(frozen=True)
class SystemName:
    """A system's name, taken apart.

    Attributes:
        model: `base`, `tuned`, `quote`, `recorded`, `adapter:PATH` or any model.
        documents: Whether it answers over documents.
        prompt: Name of the prompt that it is asked with, or nothing.
    """

    model: str
    documents: bool
    prompt: str = ""


def parse(name: str, prompts: Collection[str] = ()) -> SystemName:
    """Take a system's name apart, `prompts` being those that there are. Raises UsageError for an unknown prompt."""
    prompt = max((known for known in prompts if name.endswith(f"@{known}")), key=len, default="")
    asked = name.removesuffix(f"@{prompt}") if prompt else name
    found = SystemName(asked.removesuffix(RAG), asked.endswith(RAG), prompt)
    _check_spelling(found.model)
    head, at, unknown = asked.rpartition("@")
    if at and (head.endswith(RAG) or head in ("base", "tuned")):
        known = f"There are {', '.join(sorted(prompts))}." if prompts else "There is none yet."
        raise UsageError(f"There is no prompt {unknown} for {asked}.", hint=f"Name its file with --prompt. {known}")
    return found


def _check_spelling(model: str) -> None:
    """Raise UsageError for what looks like a system that there is."""
    if model in _SYSTEMS or ":" in model or "/" in model or Path(model).exists():
        return
    near = get_close_matches(model, (*_SYSTEMS, *(f"{name}{RAG}" for name in _SYSTEMS)), 1, _NEAR)
    if "+" in model or near:
        meant = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"There is no system {model}.",
            hint=f"{meant}There are {', '.join(_SYSTEMS)}, adapter:FOLDER and any model, each with or without {RAG}.",
        )


def with_prompts(names: Iterable[str], prompts: Iterable[str], known: Collection[str] = ()) -> list[str]:
    """Return systems, each model among them also with each prompt; `known` are further prompts that a name may hold.

    Raises UsageError for an unknown prompt, or where there are prompts and no model.
    """
    listed, stems = list(dict.fromkeys(names)), list(prompts)
    systems = {name: parse(name, [*stems, *known]) for name in listed}
    models = [name for name in listed if systems[name].model not in (QUOTE, RECORDED)]
    if stems and not models:
        raise UsageError(
            f"None of {', '.join(listed)} reads a prompt.", hint="Name a model with --systems, such as tuned+rag."
        )
    made = (f"{name}@{stem}" for stem in stems for name in models if not systems[name].prompt)
    return list(dict.fromkeys([*listed, *made]))
