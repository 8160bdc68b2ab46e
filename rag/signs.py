"""What in the passages found speaks for an answer being there: three numbers that are read off without a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from doceo.core.records import Passage, Record
from doceo.text.passages import heading_line
from rag.lexical import stems_by_sentence, stems_of_line

if TYPE_CHECKING:
    from rag.index import Index

SIGNS = ("cosine", "sentence", "length")
_LONG = 20
"""Words of a question, stop words not counted, from which it is as long as any."""


class ChanceWeights(Record):
    """What each sign adds to the logarithmic odds, in `chance_weights.json`; `benchmarks/fit_chance.py` makes them.

    `threshold` is the chance below which no model is asked where nothing was calibrated.
    """

    signs: dict[str, float]
    bias: float
    threshold: float


@cache
def chance_weights() -> ChanceWeights:
    """Return the weights that ship."""
    text = files("rag").joinpath("chance_weights.json").read_text(encoding="utf-8")
    return ChanceWeights.model_validate_json(text)


def signs(question: str, passages: Sequence[Passage], index: Index) -> dict[str, float]:
    """Return the signs of passages for a question, each 0 to 1, by the names in SIGNS.

    `cosine`: of the nearest passage, which knows other words for the same. `sentence`: how much of the question's words
    stands in one sentence with the headings above it, each word weighed by how telling it is (the inverse document
    frequency of BM25), which knows that a passage on the topic need not hold the fact. `length`: of the question; the
    same share of a longer one says more.

    More was tried and told no more on unseen articles: the whole passage, all passages together, the rarest word,
    names, neighbouring words, the lead over the next passage, whether a date or number that is asked for is there.
    """
    lexical = index.lexical
    weights = {stem: lexical.weight(stem) for stem in lexical.terms(question)}
    total = sum(weights.values()) or 1.0
    cosines, shares = [0.0], [0.0]
    for passage in passages:
        arm = passage.hit.arms.get("dense")
        cosines.append(arm.score if arm else 0.0)
        header = stems_of_line(heading_line(passage.title, passage.hit.heading_path))
        for stems in stems_by_sentence(passage.text):
            held = weights.keys() & (header | stems)
            shares.append(sum(weights[stem] for stem in held) / total)
    return {"cosine": max(cosines), "sentence": max(shares), "length": min(len(weights) / _LONG, 1.0)}
