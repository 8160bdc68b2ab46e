"""The teacher that needs no model: rules turn statements into questions, and every answer is a piece of the text.

Methods: patterns of definition, date, quantity, agent, object, reason, purpose, place, list, option and glossary entry
over a small rule grammar, ranked by how well the subject stands alone (after Heilman and Smith 2010, who rank
overgenerated questions; here rules that are unsure propose nothing). The rules are of English.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from doceo.core.records import Chunk, Document, Draft, Order, Pair
from generator.teachers.grammar.terms import Terms
from generator.teachers.passage import Proposal, question_key
from generator.teachers.proposals import proposals
from generator.teachers.rewording import reword

LEAST_SCORE = 0.5
TERMS_READ = 16_000_000
"""Characters of a corpus from which its words are counted; of a larger corpus, an even sample of this size."""
ASKED_READ = 2_000_000
"""Characters of a corpus on which every pattern is tried, to learn which questions have several answers."""
_WINDOW = 20_000
_KEEPS_BEST = ("definition", "acronym", "attribute", "mean", "does", "entry", "option")

Corpus = Sequence[tuple[Document, Sequence[Chunk]]]
Read = Callable[[Terms, Corpus], Iterable[Sequence[Sequence[Proposal]]]]
"""What `read` is, or what does the same elsewhere."""


def supports(language: str) -> bool:
    """Tell whether the rules read a language, given by its code such as `en` or `de-AT`; an unknown one is tried."""
    return language.lower().replace("_", "-").split("-")[0] in ("", "en", "eng", "und")


class ExtractiveTeacher:
    """Proposes pairs by rule, from one chunk and what is known of its corpus.

    Args:
        corpus: Every document with its chunks. Time and memory are bounded: word counts come from at most `TERMS_READ`
            characters, which questions are ambiguous from at most `ASKED_READ`, both spread evenly over the corpus.
        elsewhere: Reads all chunks at once, as `read` does; without it each is read when it is asked about.
    """

    name = "extractive"
    exhaustive = True

    def __init__(self, corpus: Corpus, elsewhere: Read | None = None) -> None:
        self.prompts: dict[str, str] = {}
        self._corpus, self._elsewhere = corpus, elsewhere
        self._terms = Terms(_stretches(corpus))

    async def propose(self, order: Order, documents: Mapping[str, Document]) -> list[Draft]:
        """Return every pair that the rules make of a chunk, the best first; `order.n` is ignored.

        Only single pairs are made: an order of another form, or in a language that is not supported, gives nothing.
        """
        if order.form != "pairs" or not supports(order.language):
            return []
        known = {question_key(question) for question in order.known}
        made = [p for p in self._found(order.chunk, documents[order.chunk.document_id]) if p.key not in known]
        drafts = [p.draft(order.chunk.document_id) for p in made if not self._is_ambiguous(p)]
        return [draft for draft in drafts if not order.kinds or draft.kind in order.kinds]

    async def reword(self, pair: Pair) -> str | None:
        """Return the pair's question in other words, or None where no template fits."""
        return reword(pair.question, pair.kind, pair.answer)

    def _found(self, chunk: Chunk, document: Document) -> Sequence[Proposal]:
        found = self._known.get(chunk.id, self._sampled.get(chunk.id))
        return _good(chunk, document, self._terms) if found is None else found

    @cached_property
    def _known(self) -> dict[str, Sequence[Proposal]]:
        """What the patterns make of all chunks, by chunk id, where they are read elsewhere."""
        if self._elsewhere is None:
            return {}
        made = zip(self._corpus, self._elsewhere(self._terms, self._corpus), strict=True)
        return {chunk.id: of for (_, chunks), found in made for chunk, of in zip(chunks, found, strict=True)}

    @cached_property
    def _sampled(self) -> dict[str, Sequence[Proposal]]:
        """What the patterns make of the chunks that were read for ambiguity, by chunk id."""
        sample = _sample(self._corpus)
        if self._known:
            return {chunk.id: self._known[chunk.id] for _, chunk in sample}
        return {chunk.id: _good(chunk, document, self._terms) for document, chunk in sample}

    @cached_property
    def _answers(self) -> dict[str, dict[str, float]]:
        """The answers to each question that has several, with their best scores."""
        answers: dict[str, dict[str, float]] = {}
        for found in self._sampled.values():
            for made in found:
                of = answers.setdefault(made.key, {})
                of[made.candidate.answer] = max(of.get(made.candidate.answer, 0.0), made.candidate.score)
        return {key: of for key, of in answers.items() if len(of) > 1}

    def _is_ambiguous(self, made: Proposal) -> bool:
        """Tell whether the corpus answers a question otherwise, and better where several ways may all be right."""
        answers = self._answers.get(made.key)
        if answers is None:
            return False
        if made.candidate.pattern not in _KEEPS_BEST or len(answers) > 6:
            return True
        best = max(answers.values())
        return made.candidate.answer != next(answer for answer, score in answers.items() if score == best)


def read(terms: Terms, corpus: Corpus) -> Iterator[tuple[tuple[Proposal, ...], ...]]:
    """Yield for each document what the patterns make of each of its chunks, the best first."""
    for document, chunks in corpus:
        yield tuple(tuple(_good(chunk, document, terms)) for chunk in chunks)


def _good(chunk: Chunk, document: Document, terms: Terms) -> list[Proposal]:
    return [made for made in proposals(chunk, document, terms) if made.candidate.score >= LEAST_SCORE]


def _stretches(corpus: Corpus) -> Iterator[str]:
    """Yield the texts of a corpus, or of a large one evenly spaced stretches of them."""
    every = 1 + sum(len(document.text) for document, _ in corpus) // TERMS_READ
    n = 0
    for document, _ in corpus:
        for start in range(0, len(document.text), _WINDOW) if every > 1 else (0,):
            if n % every == 0:
                yield document.text[start : start + _WINDOW] if every > 1 else document.text
            n += 1


def _sample(corpus: Corpus) -> Iterable[tuple[Document, Chunk]]:
    """Yield the chunks of a corpus, or of a large one every so manieth."""
    every = 1 + sum(len(document.text) for document, _ in corpus) // ASKED_READ
    n = 0
    for document, chunks in corpus:
        for chunk in chunks:
            if n % every == 0:
                yield document, chunk
            n += 1
