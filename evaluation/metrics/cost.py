"""What answers cost."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Better, Group, Mean, PerCase, Rows, mean_row


class Cost(Mean, PerCase):
    """Mean price of an answer in USD; undefined where no price is known."""

    name = "cost"
    label = "cost"
    signature = "cost|mean|unit:USD|v:1"
    group: Group = "cost"
    unit = "USD"
    better: Better = "lower"

    def of(self, case: Case) -> Rows | None:
        """Return (USD, 1), or None without a price."""
        price = case.answer.usage.cost
        return None if price is None else mean_row(price)
