"""What a system's name says of it: whether its model was tuned, and whether it is given documents."""

from __future__ import annotations

import re

from doceo.core.records import SetName

RECORDED = "recorded"
"""Answers that were stored before; nobody is asked again."""
WHAT = {
    "base": "the base model alone",
    "tuned": "the base model with the adapter",
    "base+rag": "the base model, given retrieved passages",
    "tuned+rag": "the tuned model, given retrieved passages",
    "quote+rag": "no language model: finds the passage and quotes it",
    RECORDED: "the answers that were stored with the questions",
}
# `+rag` stands at the end of a name, or before the name of a prompt.
_DOCUMENTS = re.compile(r"\+rag(@|$)")
_TUNED = re.compile(r"tuned([+@]|$)|adapter:")


def tuned(system: str) -> bool:
    """Return whether the model has an adapter."""
    return _TUNED.match(system) is not None


def with_documents(system: str) -> bool:
    """Return whether it is given passages."""
    return _DOCUMENTS.search(system) is not None


def judged(system: str, set_name: SetName) -> bool:
    """Return whether a set says anything of a system: a model without documents cannot know what it never saw."""
    return set_name.startswith("taught") or with_documents(system) or system == RECORDED
