"""Private data in documents: e-mail addresses, phone, card, account, tax and social numbers, and secrets.

Precision comes first: a number counts only where its check digits or its country's numbering plan hold, a weak one
only beside a word such as "phone" or "tax". Addresses of the Internet (IP) are left alone: in documents they are
examples and version numbers far more often than someone's. Names of people are not looked for. Linear in the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from data.private_numbers import numbers
from data.private_secrets import secrets
from doceo.core.records import Document

PrivateKind = Literal["email", "phone", "iban", "card", "tax-id", "social-id", "secret"]

_SUREST: tuple[PrivateKind, ...] = ("secret", "email", "iban", "card", "tax-id", "social-id", "phone")
_RANK = {kind: n for n, kind in enumerate(_SUREST)}
"""Of two that overlap, the surer one is kept."""
_DOMAIN = re.compile(r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24})(?![A-Za-z0-9@])")
_LOCAL = re.compile(r"[A-Za-z0-9_+%][A-Za-z0-9._+%-]{0,63}\Z")
_RESERVED = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|invalid|test|localhost)\Z", re.IGNORECASE)
_NO_DOMAIN = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|css|js|py|md|txt|html?)\Z", re.IGNORECASE)
_NOBODY = frozenset({"git", "hg", "svn"})
"""What stands before the @ in the address of a repository."""


class Finding(NamedTuple):
    """The characters `start` to `end` (half-open) of a text hold private data of a kind."""

    kind: PrivateKind
    start: int
    end: int


def find(text: str) -> list[Finding]:
    """Return the private data of a text in order, without overlap.

    Of two that overlap the surer kind is kept. Phone numbers are checked by `phonenumbers`, numbers with check digits
    by `python-stdnum`, secrets are found by the patterns of `detect-secrets`; nothing is looked up on the network.
    """
    found = [Finding("secret", start, end) for start, end in secrets(text)]
    found += [Finding("email", start, end) for start, end in _emails(text)]
    found += [Finding(kind, start, end) for kind, start, end in numbers(text)]
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda finding: (finding.start, -finding.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
        elif _RANK[finding.kind] < _RANK[kept[-1].kind]:
            kept[-1] = finding
    return kept


def report(documents: Iterable[Document]) -> dict[str, int]:
    """Return how often each kind of private data stands in documents; a kind that is nowhere is left out."""
    counts = Counter(finding.kind for document in documents for finding in find(document.text))
    return dict(sorted(counts.items()))


class Redactor:
    """Replaces private data by marks such as `[EMAIL-1]`: one value, one mark, over all texts it is given.

    Marks are numbered by first appearance, so the same documents in the same order give the same texts. Values are
    kept in memory only.
    """

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], str] = {}
        self._numbered: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        """What has been replaced so far, by kind; every occurrence counts."""

    def redact(self, text: str) -> tuple[str, dict[str, int]]:
        """Return the text with marks, and how many were set of each kind."""
        found = find(text)
        return self._replaced(text, found), dict(sorted(Counter(finding.kind for finding in found).items()))

    def redacted(self, document: Document) -> Document:
        """Return the document with marks in text, title and metadata, its id taken anew and its pages shifted.

        To be called before chunks or spans are taken. `sha256` stays that of the file.
        """
        found = find(document.text)
        text = self._replaced(document.text, found)
        return document.model_copy(
            update={
                "id": Document.identify(text),
                "text": text,
                "title": self.redact(document.title)[0],
                "pages": tuple(self._shifted(document, found)),
                "metadata": {name: self.redact(value)[0] for name, value in document.metadata.items()},
            }
        )

    def _replaced(self, text: str, found: list[Finding]) -> str:
        self.counts.update(finding.kind for finding in found)
        parts, last = [], 0
        for finding in found:
            parts += [text[last : finding.start], self._mark(finding.kind, text[finding.start : finding.end])]
            last = finding.end
        return "".join((*parts, text[last:]))

    def _mark(self, kind: PrivateKind, value: str) -> str:
        key = (kind, value if kind == "secret" else re.sub(r"[\s().\-/]", "", value).lower())
        if kind == "email":
            key = (kind, value.lower())
        if key not in self._marks:
            self._numbered[kind] += 1
            self._marks[key] = f"[{kind.upper()}-{self._numbered[kind]}]"
        return self._marks[key]

    def _shifted(self, document: Document, found: list[Finding]) -> Iterator[int]:
        """Yield where the pages start in the new text; a page that begins inside private data begins at its mark."""
        shift, at = 0, 0
        for page in document.pages:
            while at < len(found) and found[at].end <= page:
                finding = found[at]
                mark = self._mark(finding.kind, document.text[finding.start : finding.end])
                shift += len(mark) - (finding.end - finding.start)
                at += 1
            begun = at < len(found) and found[at].start < page
            yield (found[at].start if begun else page) + shift


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _DOMAIN.finditer(text) if "@" in text else ():
        local = _LOCAL.search(text, max(0, match.start() - 64), match.start())
        if local is None or local.group().lower() in _NOBODY:
            continue
        if not (_RESERVED.search(match[1]) or _NO_DOMAIN.search(match[1])):
            yield local.start(), match.end()
