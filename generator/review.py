"""A person's decisions on the pairs, applied: a dropped pair is rejected for `review`, and the ledger still adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.review import Decision, read_review
from doceo.core.records import Ledger, Pair, Rejected, Verdict

REASON = "review"


@dataclass(frozen=True)
class Reviewed:
    """Pairs, rejected pairs and ledger after a review.

    Attributes:
        pairs: What is left, in the order it had; a pair taken back stands at the end.
        rejected: Those rejected before, and the dropped ones.
        ledger: Asked for is what it was.
        kept: Pairs that were looked at and kept.
        dropped: Pairs dropped now.
        restored: Pairs dropped by an earlier review and taken back now.
        unknown: Ids that are no pair's, such as those of pairs that were made anew since.
    """

    pairs: list[Pair]
    rejected: list[Rejected]
    ledger: Ledger
    kept: int
    dropped: int
    restored: int
    unknown: tuple[str, ...]


def read_decisions(path: Path) -> tuple[Decision, ...]:
    """Read the decisions of a `review.json`. Raises InputError naming the field at fault."""
    return read_review(path).decisions


def apply_review(
    pairs: Sequence[Pair], rejected: Sequence[Rejected], ledger: Ledger, decisions: Sequence[Decision]
) -> Reviewed:
    """Apply decisions; doing it again changes nothing. Pairs without a decision stay as they are."""
    decided = {decision.pair_id: decision for decision in decisions}
    drops = {pair_id for pair_id, decision in decided.items() if decision.decision == "drop"}
    out = [pair for pair in pairs if pair.id in drops]
    back = [line for line in rejected if line.verdict.reason == REASON and line.pair.id in decided.keys() - drops]
    here = {pair.id for pair in pairs}
    known = here | {line.pair.id for line in rejected if line.verdict.reason == REASON}
    returned = {line.pair.id for line in back}
    left = [line for line in rejected if not (line.verdict.reason == REASON and line.pair.id in returned)]
    return Reviewed(
        pairs=[*(pair for pair in pairs if pair.id not in drops), *(line.pair for line in back)],
        rejected=[*left, *(Rejected(pair=pair, verdict=_verdict(decided[pair.id])) for pair in out)],
        ledger=_recounted(ledger, len(out) - len(back)),
        kept=len((here & decided.keys()) - drops),
        dropped=len(out),
        restored=len(back),
        unknown=tuple(pair_id for pair_id in decided if pair_id not in known),
    )


def _verdict(decision: Decision) -> Verdict:
    return Verdict(accepted=False, reason=REASON, detail=decision.note or "dropped by a reviewer")


def _recounted(ledger: Ledger, moved: int) -> Ledger:
    reviewed = ledger.rejected.get(REASON, 0) + moved
    others = {reason: n for reason, n in ledger.rejected.items() if reason != REASON}
    return Ledger(
        requested=ledger.requested,
        asked=ledger.asked,
        accepted=ledger.accepted - moved,
        rejected=dict(sorted((others | ({REASON: reviewed} if reviewed else {})).items())),
        failed=ledger.failed,
    )
