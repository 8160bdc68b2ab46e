"""Where the checks draw their lines, and what a pair has to show for each."""

from __future__ import annotations

from collections.abc import Mapping

from doceo.core.config import GateConfig
from doceo.core.records import Pair, Verdict
from generator.judge import POINTS

FROM_ABOVE = {
    "near": True,
    "semantic": True,
    "contradiction": True,
    "support": False,
    "agreement": False,
    "judge": False,
}
"""The lines by their names in `GateConfig`, and whether a check refuses what reaches its line, or what stays below."""


def line_scores(pair: Pair) -> dict[str, float]:
    """Return a pair's stored scores by the name of the line that each is held against."""
    found = {name: pair.scores[name] for name in ("support", "agreement") if name in pair.scores}
    marks = _marks(pair)
    return found | ({"judge": min(marks.values())} if marks else {})


def fallen(pair: Pair, gate: GateConfig) -> Verdict | None:
    """Return why a pair that passed earlier lines does not pass these, by its stored scores, or None.

    Answers that do not agree enough by their words are no reason: a model would have to be asked.
    """
    share = pair.scores.get("support", 1.0)
    if share < gate.support:
        detail = f"{share:.0%} of the answer's words are in the passage, {gate.support:.0%} are needed"
        return Verdict(accepted=False, reason="answer_not_supported", detail=detail)
    for point, mark in _marks(pair).items():
        if mark < gate.judge:
            return Verdict(accepted=False, reason=f"judge_{point}", detail=f"marked {mark:g}, {gate.judge} is needed")
    return None


def as_strict(now: Mapping[str, float], then: Mapping[str, float]) -> bool:
    """Tell whether lines refuse all that others refused; both are by name."""
    return now.keys() == then.keys() == FROM_ABOVE.keys() and all(
        now[name] <= then[name] if above else now[name] >= then[name] for name, above in FROM_ABOVE.items()
    )


def _marks(pair: Pair) -> dict[str, float]:
    return {point: pair.scores[f"judge_{point}"] for point in POINTS if f"judge_{point}" in pair.scores}
