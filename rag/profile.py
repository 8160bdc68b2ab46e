"""What a user has said of themselves: how it is shown to a model, and how it is found in what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Literal

from pydantic import Field, ValidationError

from doceo.core.errors import ProviderError
from doceo.core.protocols import Provider
from doceo.core.records import ChatRequest, ProfileEntry, Record
from doceo.text.thinking import without_thinking
from prompts.catalog import Catalog
from rag.profile_rules import Proposed, by_rules, length_of, may_hold_something, slot

PROMPT = "profile_entries"
DAY = 86400.0
HEAD = (
    "What is known of the user, for the form of the answer and to understand what is meant; it is no source for what "
    "the documents say:"
)
_MOST = 1500
"""Characters of a profile that a model is shown."""
_SECRET = re.compile(
    r"\b(?:pass(?:word|code|phrase)s?|pin(?: code)?s?|api[ -]?keys?|credentials?"
    r"|(?:credit|debit|bank) ?cards?|card number|account number|iban|cvc|passwort|kennwort|mot de passe|contraseña)\b",
    re.I,
)
_STREET = re.compile(
    r"\b\d{1,5}[a-z]?,? (?:[\w.'-]+ ){1,3}"
    r"(?:street|st|road|rd|avenue|ave|lane|drive|square|court|place|way|boulevard)\b"
    r"|\b\w+(?:straße|strasse|weg|gasse|platz)\.? \d{1,4}\b",
    re.I,
)
_LONGEST, LONGEST_TEXT = 2000, 200
"""Characters of a message that are read, and of an entry."""


def current(entries: Sequence[ProfileEntry], now: float) -> list[ProfileEntry]:
    """Return the entries that have not expired, `now` being seconds since 1970, UTC."""
    return [entry for entry in entries if entry.expires is None or entry.expires > now]


def shown(entries: Sequence[ProfileEntry]) -> str:
    """Return a profile as a model is shown it, in a stable order; empty without entries.

    It belongs at the end of the system message: it is the user's own word, never a document's. Where it is too long,
    the oldest entries are left out.
    """
    lines: list[str] = []
    room = _MOST
    for entry in sorted(entries, key=lambda entry: (-entry.created, entry.id)):
        line = f"- {one_line(entry.text)}"
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join([HEAD, *reversed(lines)]) if lines else ""


def wanted_length(entries: Sequence[ProfileEntry]) -> Literal["brief", "detailed"] | None:
    """Return how long answers are to be, by the newest entry that says so."""
    said = [
        length for entry in sorted(entries, key=lambda entry: entry.created) if (length := length_of(entry)) is not None
    ]
    return said[-1] if said else None


def replaced(new: Proposed, entries: Sequence[ProfileEntry]) -> list[ProfileEntry]:
    """Return the entries that a new one takes the place of, such as another name or the opposite style."""
    place = slot(new.kind, new.text)
    return [entry for entry in entries if place and slot(entry.kind, entry.text) == place]


def is_known(new: Proposed, entries: Sequence[ProfileEntry]) -> bool:
    """Say whether a profile holds an entry already."""
    return any(_bare(entry.text) == _bare(new.text) for entry in entries)


def one_line(text: str) -> str:
    """Return an entry's text on one line, bounded, without characters that do not print."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:LONGEST_TEXT]


class _Entry(Record):
    kind: Literal["fact", "preference", "style"]
    text: str
    quote: str
    days: float | None = Field(default=None, gt=0)


class _Reply(Record):
    entries: tuple[_Entry, ...]


class Proposer:
    """Finds entries for a profile in what a user says. May be used from several threads.

    Args:
        provider: The model that reads messages; None: only the rules do.
        catalog: Where the prompt comes from.
    """

    def __init__(self, provider: Provider | None = None, *, catalog: Catalog | None = None) -> None:
        self._provider = provider
        self._template = (catalog or Catalog()).template(PROMPT) if provider else None

    def propose(self, message: str, known: Sequence[ProfileEntry] = ()) -> list[Proposed]:
        """Return what a user's message says of them that the profile does not hold. Never fails.

        A model is asked only where the message speaks of its writer or of answers, and what it proposes has to stand
        in the message; where it fails, the rules are used. Passwords, numbers of cards and accounts, addresses and the
        like are never proposed.
        """
        message = message[:_LONGEST]
        proposed = by_rules(message)
        if self._provider is not None and may_hold_something(message):
            proposed = self._read(message, known) or proposed
        new = [entry for entry in proposed if not is_known(entry, known)]
        return [entry for entry in new if not is_private(entry.text)]

    def _read(self, message: str, known: Sequence[ProfileEntry]) -> list[Proposed]:
        assert self._provider is not None
        assert self._template is not None
        listed = "".join(f"\n- {one_line(entry.text)}" for entry in known) or "(empty)"
        messages = self._template.fill(known=listed, message=message)
        try:
            reply = self._provider.complete(ChatRequest(messages=messages, max_tokens=400))
        except ProviderError:
            return []
        return [
            Proposed(kind=entry.kind, text=one_line(entry.text), days=entry.days)
            for entry in _entries(reply.text)
            if one_line(entry.text) and _stands_in(entry.quote, message)
        ]


def _entries(reply: str) -> Sequence[_Entry]:
    """Return the entries of a model's reply; none where it cannot be read."""
    text = without_thinking(reply)
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return ()
    try:
        return _Reply.model_validate(json.loads(text[start : end + 1], strict=False)).entries
    except (ValueError, ValidationError, RecursionError):
        return ()


def _stands_in(quote: str, message: str) -> bool:
    wanted = _bare(quote)
    return bool(wanted) and wanted in _bare(message)


def _bare(text: str) -> str:
    return " ".join(text.replace("’", "'").casefold().split()).rstrip(".!?")


def is_private(text: str) -> bool:
    """Say whether a text holds what no profile keeps: passwords, numbers of cards, addresses and the like."""
    from data.private import find

    return bool(_SECRET.search(text) or _STREET.search(text) or find(text))
