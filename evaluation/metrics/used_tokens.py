"""How many tokens answers take."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Better, Group, Mean, PerCase, Rows, mean_row


class UsedTokens(Mean, PerCase):
    """Mean tokens of prompt and answer together; undefined where no model was asked or none were counted."""

    name = "tokens"
    label = "tokens"
    signature = "tokens|mean|of:prompt+completion|unit:tokens|v:1"
    group: Group = "cost"
    unit = "tokens"
    better: Better = "lower"

    def of(self, case: Case) -> Rows | None:
        """Return (tokens, 1), or None without any."""
        used = case.answer.usage.prompt_tokens + case.answer.usage.completion_tokens
        return mean_row(float(used)) if used else None
