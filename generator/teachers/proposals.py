"""From a chunk to what the patterns make of its sentences, items, rows and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.core.records import Chunk, Document
from doceo.text.sentences import sentences
from generator.teachers.checks import is_english, passes
from generator.teachers.grammar.antecedent import Antecedent, antecedent, name_of, resolved
from generator.teachers.grammar.names import full_names
from generator.teachers.grammar.plain import Plain
from generator.teachers.grammar.standing import FIRST_PERSON
from generator.teachers.grammar.terms import Terms
from generator.teachers.grammar.tokens import tokens
from generator.teachers.passage import Passage, Proposal
from generator.teachers.patterns import (
    acronyms,
    actions,
    agents,
    appositions,
    attributes,
    booleans,
    comparisons,
    conditions,
    definitions,
    glossary,
    lists,
    objects,
    places,
    quantities,
    reasons,
    relations,
    subjects,
    superlatives,
    times,
)
from generator.teachers.statement import Candidate, Statement, further, read
from generator.teachers.structures import WHOLE, from_headings, from_lists, from_options, from_rows
from generator.teachers.whole import is_cut

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
    appositions.propose,
    subjects.propose,
    objects.propose,
    relations.propose,
)
MOST_PER_SENTENCE = 3
_LONGEST_SENTENCE = 420
_FARTHEST = 2
_LEAST_ENGLISH = 0.08
_SECOND_STANDS = 0.85


def proposals(chunk: Chunk, document: Document, terms: Terms) -> list[Proposal]:
    """Return what the patterns make of a chunk and what passes the checks, best score first."""
    text = document.text[chunk.span.start : chunk.span.end]
    if not is_english(text, _LEAST_ENGLISH):
        return []
    passage = Passage(
        text,
        chunk.span.start,
        sentences(text),
        terms,
        name_of(document.title, document.text),
        full_names(document.title, document.text),
    )
    made = [*from_options(passage)]
    if is_english(text):
        made += [
            *_from_sentences(passage),
            *from_rows(passage),
            *from_lists(passage),
            *from_headings(passage, chunk),
        ]
    best: dict[str, Proposal] = {}
    for proposal in sorted(made, key=lambda p: (-p.candidate.score, p.start, p.candidate.question)):
        best.setdefault(proposal.key, proposal)
    return list(best.values())


def _from_sentences(passage: Passage) -> Iterator[Proposal]:
    meant: Antecedent | None = None
    first, block = 0, -1
    for n, sentence in enumerate(passage.found):
        if sentence.block != block or n - first > _FARTHEST:
            meant = None
        block = sentence.block
        if sentence.kind not in ("prose", "item") or sentence.end - sentence.start > _LONGEST_SENTENCE:
            meant = None
            continue
        made = passage.named(sentence)
        if made is None:
            meant = None
            continue
        taken_up = resolved(made, meant) if meant else None
        if not taken_up:
            first = n
        candidates, statement = _read(passage, n, taken_up or made)
        candidates.sort(key=lambda c: -c.score)
        text = (taken_up or made).text
        kept = [c for c in candidates if passes(c) and not is_cut(c, text) and not _is_glued(c, passage.terms)]
        facts = {c.answer: c for c in reversed(kept)}
        best = [c for c in kept if facts[c.answer] is c][:MOST_PER_SENTENCE]
        yield from (passage.proposal(c, passage.found[first], sentence) for c in best)
        if not taken_up:
            meant = antecedent(statement.clause, statement.name, statement.standing) if statement else None


def _is_glued(candidate: Candidate, terms: Terms) -> bool:
    return any(terms.is_glued(word) for word in re.findall(r"[A-Za-z]{6,}", f"{candidate.question} {candidate.answer}"))


def _of(statement: Statement) -> Iterator[Candidate]:
    return (candidate for family in _FAMILIES for candidate in family(statement))


def _read(passage: Passage, n: int, made: Plain) -> tuple[list[Candidate], Statement | None]:
    """Return what the patterns make of a sentence, and its statement where it is whole and nobody's own account."""
    sentence, text, terms = passage.found[n], made.text, passage.terms
    found: list[Candidate] = []
    if sentence.kind == "item" and (n == 0 or passage.found[n - 1].block != sentence.block):
        found += glossary.entry(text, made.marked, is_code=bool(made.code and made.code[0][0] == 0))
    if FIRST_PERSON.search(text) or not is_english(text, 0.1):
        return found, None
    found += acronyms.propose(text)
    if not WHOLE.match(text):
        return found, None
    found += lists.inline(text)
    if text.startswith("To "):
        found += conditions.imperative(made, tokens(made, terms))
    statement = read(made, terms)
    if statement is not None:
        found += _of(statement)
        second = further(statement)
        other = read(second, terms) if second else None
        if other is not None and other.standing >= _SECOND_STANDS and not other.clause.intro[1]:
            found += _of(other)
    return found, statement
