"""Attributes in other words: the size of a thing, its default, its height."""

from __future__ import annotations

import re

from doceo.text.words import is_plural

MEASURES = {
    "tall": "height",
    "high": "height",
    "long": "length",
    "wide": "width",
    "deep": "depth",
    "thick": "thickness",
}
"""The attribute that an adjective of measure asks for."""


def be_of(noun: str) -> str:
    """Return "is" or "are", as a noun phrase takes it."""
    head = re.split(r"\s(?:of|for|in|on|with|to|from|at|that|which)\s", noun)[0]
    return "are" if is_plural(head.split()[-1]) and not re.match(r"(?:a|an|each|every)\s", head) else "is"


_ATTRIBUTE: dict[str, str] = {
    "purpose": "What purpose does {x} serve?",
    "aim": "What is {x} meant to achieve?",
    "goal": "What is {x} meant to achieve?",
    "size": "How large is {x}?",
    "length": "How long is {x}?",
    "name": "What is {x} called?",
    "cost": "How much does {x} cost?",
    "price": "How much does {x} cost?",
    "number": "How many {x} are there?",
    "role": "What part does {x} play?",
    "licence": "Under which licence is {x} released?",
    "license": "Under which license is {x} released?",
    "maker": "Who makes {x}?",
    "author": "Who wrote {x}?",
    "advantage": "What speaks for {x}?",
    "disadvantage": "What speaks against {x}?",
    "cause": "What causes {x}?",
    "reason": "What explains {x}?",
    "parameters": "How many parameters does {x} have?",
    "capital": "Which city is the capital of {x}?",
}


def attribute(match: re.Match[str], answer: str) -> str | None:
    """What is the size of X? -> How large is X?"""
    noun, x = match["n"], match["x"]
    measured = noun in ("size", "length", "cost", "price", "number")
    if noun in _ATTRIBUTE and (not measured or re.search(r"\d", answer)):
        return _ATTRIBUTE[noun].format(x=x)
    return None


def limit(kind: str, noun: str) -> str | None:
    """What is the default X? -> Which X is used by default?"""
    if noun.startswith("of "):
        return f"What value does {noun[3:]} have by default?" if kind == "default" else None
    if kind == "default":
        return f"Which {noun} is used by default?"
    return f"What is the {'upper' if kind == 'maximum' else 'lower'} limit of the {noun}?"
