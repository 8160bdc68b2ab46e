"""The order of the best passages by a model that reads them together with the question, where it is quick enough."""

from __future__ import annotations

from collections.abc import Sequence

from doceo.core.protocols import Reranker
from doceo.core.records import Arm, Passage
from doceo.text.passages import heading_line

ARM = "reranker"


def reranked(
    question: str, passages: Sequence[Passage], reranker: Reranker, seconds: float
) -> tuple[list[Passage], str]:
    """Return the passages with the reranker's scores, best first, and a note; as they were where it is too slow.

    `Hit.score` becomes the reranker's, relative to its best; `Hit.arms` gets its rank and score. It reads a passage as
    a prompt shows it, the headings above the text.
    """
    if len(passages) < 2:
        return list(passages), ""
    scores = reranker.score(question, [_shown(passage) for passage in passages], seconds)
    if scores is None:
        return list(passages), (
            f"The reranker {reranker.name} was not done within {seconds:g} s: "
            "the passages stand in the order of the search."
        )
    best = max(scores)
    order = sorted(range(len(passages)), key=lambda at: (-scores[at], at))
    return [
        _scored(passages[at], Arm(rank=rank, score=round(scores[at], 6)), scores[at] / best if best > 0 else 0.0)
        for rank, at in enumerate(order, 1)
    ], ""


def _shown(passage: Passage) -> str:
    heading = heading_line(passage.title, passage.hit.heading_path)
    return f"{heading}\n{passage.text}" if heading else passage.text


def _scored(passage: Passage, arm: Arm, score: float) -> Passage:
    update = {"score": round(score, 6), "arms": passage.hit.arms | {ARM: arm}}
    return passage.model_copy(update={"hit": passage.hit.model_copy(update=update)})
