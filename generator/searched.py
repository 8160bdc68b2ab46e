"""Whether a question that is to have no answer is answered in the corpus after all, by a rule over words."""

from __future__ import annotations

from collections.abc import Sequence

from doceo.core.records import Chunk
from doceo.text.sentences import sentence_spans
from doceo.text.words import content_words, stem

SEARCHED = 4
"""Passages of the corpus that are searched beside the question's own."""


def answered_in(question: str, chunks: Sequence[Chunk]) -> str:
    """Return the id of a chunk with a sentence that holds every content word of the question, or "".

    A sentence that says all that the question names most likely answers it. The rule is coarse on purpose: with a
    model at hand, the roundtrip check reads the same passages.
    """
    asked = {stem(word) for word in content_words(question)}
    if len(asked) < 2:
        return ""
    for chunk in chunks:
        for start, end in sentence_spans(chunk.text):
            if asked <= {stem(word) for word in content_words(chunk.text[start:end])}:
                return chunk.id
    return ""
