"""How near answers are in meaning to their references, by an embedding model."""

from __future__ import annotations

from collections.abc import Sequence

from doceo.core.protocols import Embedder
from doceo.providers.embedders import open_embedder
from evaluation.case import Case
from evaluation.metric import Better, Group, Mean, Rows, mean_row


class Semantic(Mean):
    """Cosine of answer and nearest reference, mean over answers; below 0, and for an empty answer, 0.

    Statistics: (100 cosine, 1); undefined without a reference. Models put a text and its contrary near each other:
    read it beside a metric of words.

    Args:
        embedder: The model; left out, the one that ships.
    """

    name = "semantic"
    label = "semantic"
    group: Group = "answer"
    unit = ""
    better: Better = "higher"

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._embedder = embedder or open_embedder()
        model = self._embedder.fingerprint.replace("|", "+")
        self.signature = f"cosine|refs:best|model:{model}|max:{self._embedder.max_tokens}|scale:100|v:1"

    def statistics(self, cases: Sequence[Case]) -> list[Rows | None]:
        """Return (100 cosine, 1) of every case, None without references; each text is embedded once."""
        texts = dict.fromkeys(text for case in cases if case.references for text in (case.text, *case.references))
        if not texts:
            return [None] * len(cases)
        vectors = dict(zip(texts, self._embedder.embed(list(texts)), strict=True))

        def cosine(case: Case) -> float:
            return max(0.0, *(float(vectors[case.text] @ vectors[text]) for text in case.references))

        return [mean_row(100.0 * cosine(case) if case.text else 0.0) if case.references else None for case in cases]
