"""How hard a pair is, by what can be counted: used where no model was asked without the documents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from doceo.core.records import Chunk, Difficulty, Pair
from doceo.text.figures import figures
from generator.agreement import roots
from generator.languages import WIDE

EASY_BELOW, HARD_FROM = 0.34, 0.50
"""Scores that part easy, medium and hard: about three tenths and a quarter of what people asked in SQuAD 1.1."""
_LONG_EVIDENCE = 60
_WEIGHTS = (0.5, 0.25, 0.25)


def difficulty_of(pair: Pair, chunks: Sequence[Chunk]) -> Difficulty:
    """Return a pair's difficulty by its features; a stated score, not a measurement, and never the teacher's word.

    A pair with evidence in several chunks is hard. Else the score of `difficulty_score` decides: below 0.34 easy,
    from 0.50 hard. Works for any language; word overlap is of letters where a script has no spaces.

    Args:
        pair: The pair.
        chunks: The chunks of its evidence; for an unanswerable one those that were searched.
    """
    if pair.kind == "multi-hop":
        return "hard"
    score = difficulty_score(pair, chunks)
    return "easy" if score < EASY_BELOW else "hard" if score >= HARD_FROM else "medium"


def difficulty_score(pair: Pair, chunks: Sequence[Chunk]) -> float:
    """Return how hard a pair is, 0 to 1: half by distance, a quarter each by spread and by crowd.

    - distance: share of the question's content words that its evidence does not hold, and the share that the chunks
      do not hold, in the middle; the reader has to find what they stand for.
    - spread: words of the evidence, 60 and more counting as 1; long evidence has to be read as a whole.
    - crowd: how many other figures of the answer's sort (dates, quantities, names ...) the chunks hold: 1 - 1/n; a
      lone date is found at once. 0.5 where the answer is no figure.

    An unanswerable pair has no evidence: the chunks stand for it, its spread is 1.
    """
    passage = "\n".join(chunk.text for chunk in chunks)
    evidence = " ".join(part.quote for part in pair.evidence) or passage
    asked = _content(pair.question)
    missing = len(asked - _content(evidence)) + len(asked - _content(passage) - _content(evidence))
    distance = missing / (2 * len(asked)) if asked else 0.5
    length = len(evidence.split()) + len(WIDE.findall(evidence)) // 2
    spread = min(1.0, length / _LONG_EVIDENCE) if pair.answerable else 1.0
    crowd = _crowd(pair.answer, chunks) if pair.answerable else 0.5
    return sum(weight * value for weight, value in zip(_WEIGHTS, (distance, spread, crowd), strict=True))


@lru_cache(maxsize=256)
def _content(text: str) -> frozenset[str]:
    return roots(text)


def _crowd(answer: str, chunks: Sequence[Chunk]) -> float:
    kinds = _kinds(answer) if len(answer.split()) <= 8 else ()
    if not kinds:
        return 0.5
    sort = kinds[0][0]
    rivals = {text for chunk in chunks for kind, text in _kinds(chunk.text) if kind == sort}
    return 1.0 - 1.0 / max(1, len(rivals))


@lru_cache(maxsize=256)
def _kinds(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((figure.kind, text[figure.start : figure.end]) for figure in figures(text))
