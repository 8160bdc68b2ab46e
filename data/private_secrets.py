"""Secrets: keys, tokens and passwords, by the patterns of `detect-secrets`, used as a library.

Only its patterns are used: none of its baselines, and none of its checks against the services themselves. Its tests
of entropy alone are left out, since they take every checksum for a secret.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module

_DETECTORS = (
    "aws:AWSKeyDetector", "azure_storage_key:AzureStorageKeyDetector", "discord:DiscordBotTokenDetector",
    "github_token:GitHubTokenDetector", "gitlab_token:GitLabTokenDetector", "jwt:JwtTokenDetector",
    "mailchimp:MailchimpDetector", "openai:OpenAIDetector", "pypi_token:PypiTokenDetector",
    "sendgrid:SendGridDetector", "slack:SlackDetector", "square_oauth:SquareOAuthDetector", "stripe:StripeDetector",
    "telegram_token:TelegramBotTokenDetector", "twilio:TwilioKeyDetector",
)  # fmt: skip
_LONG_WORD = re.compile(r"[A-Za-z0-9_\-./+=:]{20,}")
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[A-Za-z]")
_LONGEST = 4000
_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]++|-(?!----))*+"
    r"-----END (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
)
_LOGIN = re.compile(r"://[^\s:/@<>\[\]{}$]{1,64}:([^\s:/@<>\[\]{}$*]{3,64})@[A-Za-z0-9]")
_NAMES = (
    "api_?key", "auth_?(?:key|token)", "access_?(?:key|token)", "secret(?:_?key)?", "private_?key", "client_?secret",
    "password", "passwd", "pwd",
)  # fmt: skip
_ASSIGNED = re.compile(
    # The first two letters are sets, since those are searched for quickly; ſ counts as an s.
    rf"(?-i:[AaCcPpSsſ][AaCcEeLlPpRrUuWw])(?:{'|'.join(f'(?<={name[:2]}){name[2:]}' for name in _NAMES)})"
    r"[\w-]{0,20}[\"']?\s{0,2}(?::=|=>|[:=])\s{0,2}([\"']?)([^\s\"']{8,200})\1",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"example|sample|changeme|your|dummy|placeholder|secret|token|pass\b|passw|xxx|\.\.\.|[<>{}$%]", re.IGNORECASE
)
_STRICT = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+/=_.~!#-]{12,}\Z")
_NPM = re.compile(r"npm_[A-Za-z0-9]{36}")
_LEAST_BITS = 2.75
"""Entropy in bits a character from which an assigned value is a password, not a word."""


def secrets(text: str) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of the secrets of a text; they may overlap."""
    if "PRIVATE KEY" in text:
        yield from (match.span() for match in _KEY.finditer(text))
    if "://" in text:
        yield from (match.span(1) for match in _LOGIN.finditer(text) if not _PLACEHOLDER.search(match[1]))
    for match in _ASSIGNED.finditer(text):
        if _is_password(match[2], quoted=bool(match[1])):
            yield match.span(2)
    for word in _LONG_WORD.finditer(text):
        if len(word[0]) <= _LONGEST and _DIGIT.search(word[0]) and _LETTER.search(word[0]):
            yield from _tokens(text, word.start(), word.end())


def _tokens(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for pattern in _patterns():
        for match in pattern.finditer(text, start, end):
            if not text[match.end() : match.end() + 1].isalnum():
                yield match.span()


def _is_password(value: str, *, quoted: bool) -> bool:
    if _PLACEHOLDER.search(value) or not (quoted or _STRICT.match(value)):
        return False
    return bool(_DIGIT.search(value)) and _bits(value) >= _LEAST_BITS


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Return the patterns of the detectors.

    One that begins within a longer word of letters and digits is a part of a checksum or of an address.
    """
    found: list[re.Pattern[str]] = [_NPM]
    for name in _DETECTORS:
        module, detector = name.split(":")
        found += getattr(import_module(f"detect_secrets.plugins.{module}"), detector).denylist
    return tuple(re.compile(f"(?<![A-Za-z0-9])(?:{pattern.pattern})", pattern.flags) for pattern in found)


def _bits(value: str) -> float:
    """Return the entropy of a text in bits a character (Shannon 1948)."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
