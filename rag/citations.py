"""From the markers of an answer to the sentences that it rests on, each found again in its document.

A marker stands for what is said before it, so that a citation is known as soon as its marker is complete: streams give
it out there, and the whole answer has the same ones. Markers side by side ([1][2]) answer for a statement together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from doceo.core.records import Citation, Document, Passage, Span
from doceo.text.passages import markers, without_markers
from doceo.text.sentences import sentence_spans
from doceo.text.support import Statement
from rag.support import Embed, best_support, supported

Lookup = Callable[[str], Document | None]
"""Returns the document of an id, or None."""
_BETWEEN = re.compile(r"[\s,;，、]*")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？]|\n|\Z")
_OPENING, _CLOSING = "[［【〔", "]］】〕"
_RESOLVED = re.compile(r"[\[［【〔](?:[^\]］】〕\n]*[\]］】〕\n]|[^\]］】〕\n]{90})")
"""An opening bracket of which it is plain by now whether it is a marker's."""
_FEWEST_TERMS = 2
"""What stands before a marker has to say this much, else what stands behind it belongs to the statement too."""
_FEWEST_TERMS_BETWEEN = 3
"""What stands between two markers of a sentence has to say this much to be a statement of its own."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Markers side by side: passage numbers in order, each once, and where they stand."""

    start: int
    end: int
    numbers: tuple[int, ...]


class Citing:
    """The citations of one answer, found while it is being written.

    Args:
        passages: Passage n is `passages[n - 1]`.
        lookup: Gives the documents, so that the quotes can be verified.
        embed: Tells whether a sentence says what a statement says in other words; without it, shared words decide.
        question: What is answered: it says what a bare "yes" is about.
    """

    def __init__(
        self, passages: Sequence[Passage], lookup: Lookup, embed: Embed | None = None, *, question: str = ""
    ) -> None:
        self._passages, self._lookup, self._embed, self._question = passages, lookup, embed, question
        self._text, self._done = "", 0
        self._marked = False
        self._found: dict[tuple[int, Span, bool], Citation] = {}
        self.unknown: list[int] = []
        """Numbers that the text cites and no passage has."""

    @property
    def found(self) -> tuple[Citation, ...]:
        """The citations until now, in order; the same words of a passage once, twice where a statement misuses them."""
        return tuple(self._found.values())

    def completes(self, piece: str) -> bool:
        """Return whether the next piece of the text completes a citation, which takes milliseconds to be found."""
        if not (self._marked or any(mark in piece for mark in _CLOSING)):
            return False
        text = self._text + piece
        groups = _groups(text, self._done)
        return bool(groups) and _statement(text, groups[0], ended=False) is not None

    def add(self, piece: str) -> Iterator[Citation]:
        """Take the next piece of the text and yield the citations that it completes."""
        self._text += piece
        self._marked = self._marked or any(mark in piece for mark in _CLOSING)
        if self._marked:
            yield from self._closed(ended=False)

    def end(self) -> Iterator[Citation]:
        """Yield the citations that the end of the text completes."""
        yield from self._closed(ended=True)

    def finish(self, text: str) -> None:
        """Take a whole text."""
        self._text = text
        for _ in self.end():
            pass

    def _closed(self, *, ended: bool) -> Iterator[Citation]:
        for group in _groups(self._text, self._done):
            statement = _statement(self._text, group, ended=ended)
            if statement is None:
                return
            self._done = group.end
            yield from self._cited(group, statement)

    def _cited(self, group: _Group, said: str) -> Iterator[Citation]:
        known = [n for n in group.numbers if 1 <= n <= len(self._passages)]
        self.unknown += [n for n in group.numbers if n not in known and n not in self.unknown]
        statement = Statement.of(said)
        sought, embed = statement, self._embed
        if len(statement.terms) < _FEWEST_TERMS and not statement.numbers:
            # a bare "no" is about the question, and what is like the question need not say "no"
            sought, embed = Statement.of(f"{self._question} {said}"), None
        found = [best_support(sought, self._passages[n - 1].text, embed) for n in known]
        for n, support, holds in zip(known, found, supported(statement, found), strict=True):
            citation = quoted(n, self._passages[n - 1], support.start, support.end, self._lookup, supported=holds)
            # the same words may support one statement and not another
            if (key := (n, citation.span, holds)) not in self._found:
                self._found[key] = citation
                yield citation


def cited(text: str, passages: Sequence[Passage], lookup: Lookup, embed: Embed | None = None) -> tuple[Citation, ...]:
    """Return the citations of a whole text, in order: for each passage that a statement cites, what supports it there.

    Arguments as of `Citing`. Numbers that no passage has are left out.
    """
    citing = Citing(passages, lookup, embed)
    citing.finish(text)
    return citing.found


def quoted(n: int, passage: Passage, start: int, end: int, lookup: Lookup, *, supported: bool = True) -> Citation:
    """Return the citation of the characters `start` to `end` of a passage's text.

    It is verified where its document holds these very words there, and they were found to support what is said.
    """
    hit = passage.hit
    span = Span(document_id=hit.span.document_id, start=hit.span.start + start, end=hit.span.start + end)
    quote = passage.text[start:end]
    document = lookup(span.document_id)
    return Citation(
        n=n,
        document_id=span.document_id,
        source=hit.source,
        title=passage.title,
        page=document.page(span.start) if document else hit.page,
        heading_path=passage.headings(start),
        span=span,
        quote=quote,
        flags=hit.flags,
        verified=supported and document is not None and document.text[span.start : span.end] == quote,
    )


def _groups(text: str, after: int) -> list[_Group]:
    groups: list[_Group] = []
    for marker in markers(text):
        if marker.start < after:
            continue
        if groups and _BETWEEN.fullmatch(text, groups[-1].end, marker.start):
            last = groups.pop()
            numbers = tuple(dict.fromkeys((*last.numbers, *marker.numbers)))
            groups.append(_Group(last.start, marker.end, numbers))
        else:
            groups.append(_Group(marker.start, marker.end, marker.numbers))
    return groups


def _statement(text: str, group: _Group, *, ended: bool) -> str | None:
    """Return what a group of markers stands for, or None where that is not known before more of the text comes.

    Whatever comes later, it stays the same: only then may a stream give the citation out.
    """
    line = text.rfind("\n", 0, group.start) + 1
    if not ended and not _is_complete(text, line, group):
        return None
    before = _last_sentence(text[line : group.start])
    if _says(before) >= _FEWEST_TERMS:
        return before
    stop = _SENTENCE_END.search(text, group.end)
    if not ended and (stop is None or (stop.end() == len(text) and stop[0] == "")):
        return None
    after = without_markers(text[group.end : stop.start() if stop else len(text)])
    said = f"{before} {after}".strip()
    return said if _says(said) else _last_sentence(text[:line].rstrip())


def _is_complete(text: str, line: int, group: _Group) -> bool:
    """Say whether no later text can make a group longer, or turn out to be the rest of a piece of code."""
    follows = _BETWEEN.match(text, group.end)
    at = follows.end() if follows else group.end
    if at == len(text):
        return False
    if text[at] in _OPENING and not _RESOLVED.match(text, at):
        return False
    return text.count("`", line, group.start) % 2 == 0 or "\n" in text[group.end :]


def _last_sentence(text: str) -> str:
    """Return the last sentence, or of one with markers the part behind the last of them, if that says enough."""
    spans = sentence_spans(text)
    if not spans:
        return ""
    sentence = text[spans[-1][0] :]
    inside = markers(sentence)
    tail = sentence[inside[-1].end :].strip() if inside else ""
    return tail if _says(tail) >= _FEWEST_TERMS_BETWEEN else without_markers(sentence).strip()


def _says(text: str) -> int:
    return len(Statement.of(text).terms)
