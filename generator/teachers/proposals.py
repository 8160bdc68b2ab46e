"""From a chunk to what the patterns make of its sentences, items, rows and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from doceo.core.records import Chunk, Document, Draft, Span
from doceo.text.sentences import Sentence, sentences
from generator.teachers.checks import is_english, passes
from generator.teachers.grammar.plain import Plain, plain
from generator.teachers.grammar.standing import FIRST_PERSON
from generator.teachers.grammar.terms import Terms
from generator.teachers.grammar.tokens import tokens
from generator.teachers.patterns import (
    acronyms,
    actions,
    agents,
    attributes,
    booleans,
    comparisons,
    conditions,
    definitions,
    glossary,
    headings,
    lists,
    places,
    quantities,
    reasons,
    superlatives,
    times,
)
from generator.teachers.statement import Candidate, read

_FAMILIES = (
    attributes.propose,
    superlatives.propose,
    definitions.propose,
    lists.propose,
    times.propose,
    quantities.propose,
    agents.propose,
    reasons.propose,
    conditions.propose,
    comparisons.propose,
    booleans.propose,
    places.propose,
    actions.propose,
)
MOST_PER_SENTENCE = 2
_LONGEST_SENTENCE = 420
_WHOLE = re.compile(r"[A-Z“\"'‘`(*\[].*[.!?][\"'”’)*_`]*\Z|[a-z][\w.+-]*[-_.\d][\w.+-]*\s.*[.!?][\"'”’)*_`]*\Z", re.S)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate with the place of its evidence in the document."""

    candidate: Candidate
    start: int
    end: int
    quote: str

    @property
    def key(self) -> str:
        """The question without case and marks, by which the same question is known again."""
        return " ".join(re.findall(r"\w+", self.candidate.question.casefold()))

    def draft(self, document_id: str) -> Draft:
        """Return the record that the pipeline checks."""
        made = self.candidate
        return Draft(
            question=made.question,
            answer=made.answer,
            quote=self.quote,
            span=Span(document_id=document_id, start=self.start, end=self.end),
            kind=made.kind,
            difficulty=made.difficulty,
            score=round(min(1.0, max(0.0, made.score)), 3),
        )


@dataclass(frozen=True, slots=True)
class _Passage:
    """A chunk cut into sentences, offsets into the document's text."""

    text: str
    offset: int
    found: Sequence[Sentence]
    terms: Terms

    def raw(self, sentence: Sentence) -> str:
        return self.text[sentence.start : sentence.end]

    def plain(self, sentence: Sentence) -> Plain:
        return plain(self.raw(sentence), self.terms.known)

    def proposal(self, candidate: Candidate, first: Sentence, last: Sentence) -> Proposal:
        start, end = first.start, last.end
        return Proposal(candidate, self.offset + start, self.offset + end, self.text[start:end])


def proposals(chunk: Chunk, document: Document, terms: Terms) -> list[Proposal]:
    """Return what the patterns make of a chunk and what passes the checks, best score first."""
    text = document.text[chunk.span.start : chunk.span.end]
    if not is_english(text):
        return []
    passage = _Passage(text, chunk.span.start, sentences(text), terms)
    made = [*_from_sentences(passage), *_from_rows(passage), *_from_lists(passage), *_from_headings(passage, chunk)]
    best: dict[str, Proposal] = {}
    for proposal in sorted(made, key=lambda p: (-p.candidate.score, p.start, p.candidate.question)):
        best.setdefault(proposal.key, proposal)
    return list(best.values())


def _from_sentences(passage: _Passage) -> Iterator[Proposal]:
    for n, sentence in enumerate(passage.found):
        if sentence.kind not in ("prose", "item") or sentence.end - sentence.start > _LONGEST_SENTENCE:
            continue
        candidates = sorted(_read(passage, n), key=lambda c: -c.score)
        kept = [c for c in candidates if passes(c) and not _is_glued(c, passage.terms)]
        facts = {c.answer: c for c in reversed(kept)}
        best = [c for c in kept if facts[c.answer] is c][:MOST_PER_SENTENCE]
        yield from (passage.proposal(c, sentence, sentence) for c in best)


def _is_glued(candidate: Candidate, terms: Terms) -> bool:
    return any(terms.is_glued(word) for word in re.findall(r"[A-Za-z]{6,}", f"{candidate.question} {candidate.answer}"))


def _read(passage: _Passage, n: int) -> Iterator[Candidate]:
    sentence = passage.found[n]
    made = passage.plain(sentence)
    if sentence.kind == "item" and (n == 0 or passage.found[n - 1].block != sentence.block):
        yield from glossary.entry(made.text, made.marked, is_code=bool(made.code and made.code[0][0] == 0))
    if FIRST_PERSON.search(made.text) or not is_english(made.text, 0.1):
        return
    yield from acronyms.propose(made.text)
    if not _WHOLE.match(made.text):
        return
    yield from lists.inline(made.text)
    if made.text.startswith("To "):
        yield from conditions.imperative(made, tokens(made, passage.terms))
    statement = read(made, passage.terms)
    if statement is not None:
        for family in _FAMILIES:
            yield from family(statement)


def _from_rows(passage: _Passage) -> Iterator[Proposal]:
    found = passage.found
    at = 0
    while at < len(found):
        end = at
        while end < len(found) and found[end].kind == "row":
            end += 1
        if end - at >= 4:
            yield from _from_table(passage, found[at:end])
        at = max(end, at + 1)


def _from_table(passage: _Passage, table: Sequence[Sentence]) -> Iterator[Proposal]:
    cells = [_cells(passage, row) for row in table]
    if not all(re.fullmatch(r":?-+:?", cell) for cell in _raw_cells(passage.raw(table[1]))):
        return
    keys = [row[0] for row in cells[2:] if row]
    for row, made in zip(table[2:], cells[2:], strict=True):
        for candidate in glossary.rows(cells[0], keys, made, passage.terms.is_name):
            if passes(candidate):
                yield passage.proposal(candidate, row, row)


def _raw_cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _cells(passage: _Passage, row: Sentence) -> list[str]:
    return [plain(cell, passage.terms.known).text for cell in _raw_cells(passage.raw(row))]


def _from_lists(passage: _Passage) -> Iterator[Proposal]:
    found = passage.found
    for n, lead in enumerate(found[:-1]):
        if lead.kind != "prose" or not passage.raw(lead).endswith(":") or found[n + 1].kind != "item":
            continue
        end = n + 1
        while end < len(found) and found[end].kind == "item":
            end += 1
        items = [passage.plain(item).text for item in found[n + 1 : end]]
        if len({item.block for item in found[n + 1 : end]}) != len(items) or end == len(found):
            continue
        for candidate in lists.bulleted(passage.plain(lead).text, items):
            if passes(candidate):
                yield passage.proposal(candidate, lead, found[end - 1])


def _from_headings(passage: _Passage, chunk: Chunk) -> Iterator[Proposal]:
    found = passage.found
    titled = [(passage.raw(s), n + 1) for n, s in enumerate(found) if s.kind == "heading"]
    if chunk.heading_path and (not found or found[0].kind != "heading"):
        titled.insert(0, (chunk.heading_path[-1], 0))
    for heading, at in titled:
        end = at
        while end < len(found) and end < at + 4 and found[end].kind == "prose" and found[end].block == found[at].block:
            end += 1
        texts = [passage.plain(sentence).text for sentence in found[at:end]]
        for candidate in headings.propose(heading, texts):
            if texts and passes(candidate) and _WHOLE.match(texts[0]):
                size = sum(text in candidate.answer for text in texts)
                yield passage.proposal(candidate, found[at], found[at + size - 1])
