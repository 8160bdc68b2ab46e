"""What the systems of a run take for an answer: time, tokens, money, memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from doceo.core.records import Answered, Record, SystemFacts


class Cost(Record):
    """What a system takes, over the questions of all sets together; None where nobody tells.

    It is what asking costs, no score. Half of its answers came within `p50` seconds, 95 % within `p95`. Tokens (prompt
    and answer) and USD are means of an answer. `memory` are the bytes of its weights, `disk` those of its index.
    """

    system: str
    p50: float | None = None
    p95: float | None = None
    tokens: float | None = None
    usd: float | None = None
    memory: int | None = None
    disk: int | None = None
    parameters: int | None = None


def costs(answered: Mapping[str, Sequence[Answered]], facts: Mapping[str, SystemFacts]) -> list[Cost]:
    """Return what every system takes, in the order given."""
    return [_cost(system, lines, facts.get(system)) for system, lines in answered.items() if lines]


def _cost(system: str, lines: Sequence[Answered], facts: SystemFacts | None) -> Cost:
    usage = [line.answer.usage for line in lines]
    seconds = [one.seconds for one in usage if one.seconds > 0]
    tokens = [one.prompt_tokens + one.completion_tokens for one in usage]
    priced = [one.cost for one in usage if one.cost is not None]
    p50, p95 = np.percentile(seconds, [50, 95]).tolist() if seconds else (None, None)
    weights = [size for size in (facts.model_bytes, facts.adapter_bytes) if size is not None] if facts else []
    return Cost(
        system=system,
        p50=_rounded(p50),
        p95=_rounded(p95),
        tokens=round(sum(tokens) / len(tokens), 1) if any(tokens) else None,
        usd=_rounded(sum(priced) / len(priced) if len(priced) == len(usage) else None),
        memory=sum(weights) if weights else None,
        disk=facts.index_bytes if facts else None,
        parameters=facts.parameters if facts else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
