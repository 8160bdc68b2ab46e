"""A chunk cut into sentences, and what a pattern proposes from it, with its place in the document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doceo.core.records import Draft, Span
from doceo.text.sentences import Sentence
from generator.teachers.grammar.antecedent import titled
from generator.teachers.grammar.names import spelled
from generator.teachers.grammar.plain import Plain, plain
from generator.teachers.grammar.terms import Terms
from generator.teachers.statement import Candidate


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
        return question_key(self.candidate.question)

    def draft(self, document_id: str) -> Draft:
        """Return the record that the pipeline checks."""
        made = self.candidate
        return Draft(
            question=made.question,
            answer=made.answer,
            quotes=(self.quote,),
            span=Span(document_id=document_id, start=self.start, end=self.end),
            kind=made.kind,
            difficulty=made.difficulty,
            score=round(min(1.0, max(0.0, made.score)), 3),
        )


def question_key(question: str) -> str:
    """Return a question without case and marks."""
    return " ".join(re.findall(r"\w+", question.casefold()))


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk cut into sentences, offsets into the document's text."""

    text: str
    offset: int
    found: Sequence[Sentence]
    terms: Terms
    name: str
    names: Mapping[str, str]

    def raw(self, sentence: Sentence) -> str:
        """Return a sentence as it stands in the chunk."""
        return self.text[sentence.start : sentence.end]

    def plain(self, sentence: Sentence) -> Plain:
        """Return a sentence without markup."""
        return plain(self.raw(sentence), self.terms.known)

    def named(self, sentence: Sentence) -> Plain | None:
        """Return a sentence without markup that names its subject in full, not "the program", "OSHA" or "Shaw".

        None where a surname may mean several people.
        """
        return spelled(titled(self.plain(sentence), self.name), self.names)

    def proposal(self, candidate: Candidate, first: Sentence, last: Sentence) -> Proposal:
        """Return a candidate with the sentences `first` to `last` as its evidence."""
        start, end = first.start, last.end
        return Proposal(candidate, self.offset + start, self.offset + end, self.text[start:end])
