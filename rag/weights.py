"""The fitted numbers of the quote answerer, in `quote_weights.json`; `benchmarks/fit_quote.py` makes them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from doceo.core.records import Record


class QuoteWeights(Record):
    """Weights by feature name.

    `sentence` scores sentences (`rag.reading`), `chance` and its bias are the logistic regression behind refusals
    (`rag.refusal`), `threshold` the chance below which a question is refused; `short` says what each clue to a short
    answer is worth (`rag.clues`); those not named are worth nothing. `right` and its bias are the logistic regression
    that says how likely a short answer is right, and `short_threshold` the chance below which none is given.
    """

    sentence: dict[str, float]
    chance: dict[str, float]
    chance_bias: float
    threshold: float
    short: dict[str, float]
    right: dict[str, float]
    right_bias: float
    short_threshold: float


@cache
def fitted() -> QuoteWeights:
    """Return the weights that ship."""
    return QuoteWeights.model_validate_json(files("rag").joinpath("quote_weights.json").read_text(encoding="utf-8"))
