"""The leak check: does anything of the held-out questions, or of kept-out text, stand in the rows to train on?

Questions leak word for word or nearly so; kept-out text leaks as a whole, by a good part of its words, or by a
sentence that proves a held-out answer. Terms are compared, not characters: case, spaces and punctuation do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from data.alike import AlikeQuestions
from data.splits import COPIED, repeated_from
from doceo.core.records import Chunk, Example, Message, Question
from doceo.text.passages import question_of
from doceo.text.repeats import Parts, texts_with

Leak = Literal["question", "near question", "kept-out text", "kept-out evidence"]
LEAST_QUESTION, LEAST_TEXT = 4, 6
"""Terms from which a question, or other text, inside a passage is no coincidence."""


@dataclass(frozen=True)
class LeakCheck:
    """What the check looked at, and what was taken out for it: nothing that it names is left in the rows."""

    questions: int
    rows: int
    removed: Mapping[Leak, int] = field(default_factory=dict)
    """Rows that were taken out, by reason."""
    same_words: int = 0
    """Rewordings that are not asked, since they say nearly the same as the question that is trained."""
    untrained: int = 0
    """Rewordings that are not asked, since no row trains their fact any more."""

    def __str__(self) -> str:
        """Return the result in one line."""
        line = f"leak check: 0 of {self.questions:,} held-out questions, and no kept-out text, in {self.rows:,} rows"
        taken = [f"{sum(self.removed.values()):,} rows taken out for it"] if self.removed else []
        taken += [f"{self.same_words:,} rewordings too near to be asked"] if self.same_words else []
        taken += [f"{self.untrained:,} rewordings of what is not trained left out"] if self.untrained else []
        return "; ".join([line, *taken])


def leaks(
    rows: Sequence[Example], held_out: Sequence[Question], kept_out: Sequence[Chunk], chunks: Sequence[Chunk]
) -> dict[str, Leak]:
    """Return the ids of the rows that leak, each with the first reason found.

    Args:
        rows: Rows to train or validate on.
        held_out: Held-out questions of all sets.
        kept_out: Chunks that training must not see.
        chunks: The chunks that the rows' passages are.
    """
    whole = Parts((chunk.text for chunk in kept_out), LEAST_TEXT)
    # Quotes behind questions of kept-out text; those of the taught set are trained.
    proofs = Parts((proof.quote for q in held_out if q.set.startswith("unseen") for proof in q.evidence), LEAST_TEXT)
    found: dict[str, Leak] = {}
    for row, reason in (
        *_by_question(rows, held_out),
        *_by_passage(rows, held_out, kept_out, {chunk.id: chunk for chunk in chunks}, whole, proofs),
        *_by_answer(rows, whole, proofs),
    ):
        found.setdefault(row, reason)
    return found


def asked(turns: Sequence[Message], question: str = "") -> str:
    """Return what is asked in a conversation, its earlier questions included: a follow-up means little alone."""
    questions = [question_of(turn.content) for turn in turns if turn.role == "user"]
    return "\n".join([*questions, *([question] if question else [])])


def _by_question(rows: Sequence[Example], held_out: Sequence[Question]) -> Iterator[tuple[str, Leak]]:
    texts = [asked(question.history, question.question) for question in held_out]
    every = {row.id: _questions(row) for row in rows}
    distinct = list(dict.fromkeys(text for texts in every.values() for text in texts))
    alike = dict(zip(distinct, AlikeQuestions(texts).among(distinct), strict=True))
    for row, questions in every.items():
        for text in questions:
            if alike[text]:
                yield row, "question" if alike[text] == "same" else "near question"


def _questions(row: Example) -> list[str]:
    """Return what a row asks: all its turns together, and each alone."""
    users = [turn for turn in row.messages if turn.role == "user"]
    return list(dict.fromkeys([asked(users), *(question_of(turn.content) for turn in users)]))


def _by_passage(
    rows: Sequence[Example],
    held_out: Sequence[Question],
    kept_out: Sequence[Chunk],
    chunks: Mapping[str, Chunk],
    whole: Parts,
    proofs: Parts,
) -> Iterator[tuple[str, Leak]]:
    used = list(dict.fromkeys(name for row in rows for name in row.chunk_ids))
    shares = repeated_from(kept_out, [chunks[name] for name in used])
    questions = Parts((question.question for question in held_out), LEAST_QUESTION)
    texts, evidence, asked_there = texts_with((chunks[name].text for name in used), whole, proofs, questions)
    reasons: dict[str, Leak] = {}
    hidden = {chunk.id for chunk in kept_out}
    for place, name in enumerate(used):
        if name in hidden or shares[place] > COPIED or place in texts:
            reasons[name] = "kept-out text"
        elif place in evidence:
            reasons[name] = "kept-out evidence"
        elif place in asked_there:
            reasons[name] = "question"
    for row in rows:
        yield from ((row.id, reasons[name]) for name in row.chunk_ids if name in reasons)


def _by_answer(rows: Sequence[Example], whole: Parts, proofs: Parts) -> Iterator[tuple[str, Leak]]:
    answers = ("\n".join(turn.content for turn in row.messages if turn.role == "assistant") for row in rows)
    texts, evidence = texts_with(answers, whole, proofs)
    for place, row in enumerate(rows):
        if place in texts or place in evidence:
            yield row.id, "kept-out text" if place in texts else "kept-out evidence"
