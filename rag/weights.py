"""The fitted numbers of the quote answerer, in `quote_weights.json`; `benchmarks/fit_quote.py` makes them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from doceo.core.records import Record


class QuoteWeights(Record):
    """Weights by feature name.

    `sentence` scores sentences (`rag.reading`), `chance` and its bias are the logistic regression behind refusals
    (`rag.refusal`), `threshold` the chance below which a question is refused; `short` and `short_kinds` (by what is
    asked and what the candidate is) score short answers (`rag.short`), of which only those are given that lead
    their rivals by `short_margin`.
    """

    sentence: dict[str, float]
    chance: dict[str, float]
    chance_bias: float
    threshold: float
    short: dict[str, float]
    short_kinds: dict[str, dict[str, float]]
    short_margin: float


@cache
def fitted() -> QuoteWeights:
    """Return the weights that ship."""
    return QuoteWeights.model_validate_json(files("rag").joinpath("quote_weights.json").read_text(encoding="utf-8"))
