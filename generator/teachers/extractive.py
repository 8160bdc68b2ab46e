"""The teacher that needs no model: rules turn statements into questions, and every answer is a piece of the text.

Methods: patterns of definition, date, quantity, agent, reason, purpose, place, list and glossary entry over a small
rule grammar, ranked by how well the subject stands alone (after Heilman and Smith 2010, who rank overgenerated
questions; here rules that are unsure propose nothing).
"""

from __future__ import annotations

from collections.abc import Sequence

from doceo.core.records import Chunk, Document, Draft, Pair
from generator.teachers.grammar.terms import Terms
from generator.teachers.proposals import Proposal, proposals
from generator.teachers.rewording import reword

LEAST_SCORE = 0.5


class ExtractiveTeacher:
    """Proposes pairs by rule. Reads the corpus once, so that it knows its terms and which questions are ambiguous.

    Args:
        corpus: Every document with its chunks. Time is linear in the text; what is kept are word counts and the
            proposed pairs.
    """

    name = "extractive"
    exhaustive = True

    def __init__(self, corpus: Sequence[tuple[Document, Sequence[Chunk]]]) -> None:
        self.prompts: dict[str, str] = {}
        self._terms = Terms(document.text for document, _ in corpus)
        self._proposals: dict[str, list[Proposal]] = {}
        for document, chunks in corpus:
            for chunk in chunks:
                self._proposals[chunk.id] = proposals(chunk, document, self._terms)
        self._drop_ambiguous()

    def propose(self, chunk: Chunk, document: Document, n: int) -> list[Draft]:
        """Return every pair that the rules make of a chunk, the best first; `n` is ignored."""
        found = self._proposals.get(chunk.id)
        if found is None:
            found = proposals(chunk, document, self._terms)
        return [made.draft(document.id) for made in found if made.candidate.score >= LEAST_SCORE]

    def reword(self, pair: Pair) -> str | None:
        """Return the pair's question in other words, or None where no template fits."""
        return reword(pair.question, pair.kind, pair.answer)

    def _drop_ambiguous(self) -> None:
        """Keep, of questions that the corpus answers in several ways, only the best, and none of the vaguer kinds."""
        answers: dict[str, dict[str, float]] = {}
        for found in self._proposals.values():
            for made in found:
                of = answers.setdefault(made.key, {})
                of[made.candidate.answer] = max(of.get(made.candidate.answer, 0.0), made.candidate.score)
        for chunk_id, found in self._proposals.items():
            self._proposals[chunk_id] = [made for made in found if _wins(made, answers[made.key])]


def _wins(made: Proposal, answers: dict[str, float]) -> bool:
    if len(answers) == 1:
        return True
    if (
        made.candidate.pattern not in ("definition", "acronym", "attribute", "mean", "does", "entry")
        or len(answers) > 6
    ):
        return False
    best = max(answers.values())
    return made.candidate.answer == next(answer for answer, score in answers.items() if score == best)
