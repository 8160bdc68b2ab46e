"""The dataset's card: what it holds, what became of every pair asked for, and what is known of its quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from doceo.core.records import Ledger, Pair


def card(
    name: str, pairs: Sequence[Pair], ledger: Ledger, coverage: Mapping[str, object], sets: Mapping[str, int], cost: str
) -> str:
    """Return the card as Markdown.

    Args:
        name: The run's name.
        pairs: The accepted pairs.
        ledger: What became of all that were asked for.
        coverage: Content of `coverage.json`.
        sets: Rows of each file of the dataset.
        cost: What the teacher cost, in words.
    """
    teachers = ", ".join(sorted({pair.teacher for pair in pairs}))
    lines = [
        f"# Dataset {name}",
        "",
        f"{ledger.accepted} pairs of {ledger.requested} requested, made by {teachers}. {cost}",
        "",
        "## What became of the questions",
        "",
        *_table(
            ["", "pairs"],
            [["asked", ledger.asked], ["accepted", ledger.accepted]]
            + [[f"rejected: {reason}", n] for reason, n in ledger.rejected.items()]
            + [[f"failed: {reason}", n] for reason, n in ledger.failed.items()],
        ),
        "",
        _evidence(pairs, ledger),
        "",
        "## Coverage by accepted evidence",
        "",
        *_table(
            ["of", "share"],
            [[key, f"{float(str(coverage[key])):.1%}"] for key in ("sentences", "sections", "characters", "terms")],
        ),
        "",
        "## Sets",
        "",
        *_table(["file", "rows"], [[key, n] for key, n in sets.items()]),
        "",
        "*taught* asks facts of the training rows in other words; *unseen* asks about text that training never saw.",
        "",
        "## Kinds and difficulty",
        "",
        *_table(["kind", "pairs"], [[kind, n] for kind, n in Counter(p.kind for p in pairs).most_common()]),
        "",
        *_table(
            ["difficulty", "pairs"], [[level, n] for level, n in Counter(p.difficulty for p in pairs).most_common()]
        ),
        "",
        "Difficulty is the teacher's own label and was not measured. No person has rated these pairs.",
        "",
    ]
    return "\n".join(lines)


def _evidence(pairs: Sequence[Pair], ledger: Ledger) -> str:
    """Say how many pairs carry evidence, now and before rejection."""
    located = sum(bool(pair.evidence) for pair in pairs if pair.answerable)
    answerable = sum(pair.answerable for pair in pairs)
    checked = ledger.asked - sum(ledger.failed.values())
    grounded = checked - sum(
        ledger.rejected.get(r, 0) for r in ("quote_not_found", "answer_not_supported", "no_quote", "span_mismatch")
    )
    return (
        f"Evidence: {located} of {answerable} accepted answerable pairs carry words of a document, located by code. "
        f"That is so by construction; before rejection it was {grounded} of {checked} ({_percent(grounded, checked)})."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows),
    ]


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"
