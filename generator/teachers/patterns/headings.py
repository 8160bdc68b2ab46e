"""Headings that are questions already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.teachers.grammar.standing import PRONOUN
from generator.teachers.statement import Candidate

_ASKS = re.compile(r"(?:what|when|where|why|how|who|which|can|does|do|is|are|should|may|must|will)\b.{6,120}\?", re.I)
_WORDS = 55


def propose(heading: str, sentences: Sequence[str]) -> Iterator[Candidate]:
    """Yield a heading in question form with the sentences below it, as many as make a short answer."""
    heading = re.sub(r"\A[#\s\d.)]+|[*_`]+", "", heading).strip()
    if not _ASKS.fullmatch(heading) or not sentences or PRONOUN.search(heading):
        return
    chosen: list[str] = []
    for sentence in sentences[:4]:
        if chosen and len(" ".join([*chosen, sentence]).split()) > _WORDS:
            break
        chosen.append(sentence)
    yield Candidate(heading, " ".join(chosen), "fact", "medium", 0.85, "heading")
