"""The sections of a dataset's card, each as Markdown; one that has nothing to say is empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from data.located import located
from doceo.core.records import Ledger, Pair, Rejected
from generator.change import HEAD, Change
from generator.coverage import hardly_asked

SHARES = ("sentences", "sections", "characters", "terms")
REPEATS = {
    "exact": "the same question",
    "near": "nearly the same words",
    "semantic": "the same meaning",
    "against": "asked in a file it was held against",
    "contradiction": "the same question with another answer",
}
MEASURES = {
    "pairs": "pairs",
    "vendi": "Vendi score (how many different questions they amount to)",
    "vendi_share": "Vendi score / pairs",
    "distinct_1": "distinct words / words",
    "distinct_2": "distinct word pairs / word pairs",
    "kind_entropy": "entropy of kinds, in bits",
}
MIXES = {
    "prefixes": "commonest openings",
    "kinds": "kinds",
    "difficulties": "difficulties",
    "topics": "topics",
}
MOST_NAMED = 6


def outcome(pairs: Sequence[Pair], ledger: Ledger, rejected: Sequence[Rejected], *, checked: bool) -> str:
    """Return the ledger, and how many pairs carry evidence now and before anything was rejected.

    `checked` says that there are documents, so that code has compared every quote with its span.
    """
    rows: list[list[object]] = [["requested", ledger.requested], ["asked", ledger.asked], ["accepted", ledger.accepted]]
    rows += [[f"rejected: {reason}", n] for reason, n in ledger.rejected.items()]
    rows += [[f"failed: {reason}", n] for reason, n in ledger.failed.items()]
    return f"{table(['', 'pairs'], rows)}\n\n{_evidence(pairs, rejected, checked=checked)}"


def _evidence(pairs: Sequence[Pair], rejected: Sequence[Rejected], *, checked: bool) -> str:
    answerable = [pair for pair in pairs if pair.answerable]
    proven = sum(bool(pair.evidence) for pair in answerable)
    text = f"Evidence: {proven:,} of {len(answerable):,} accepted answerable pairs carry words of a document"
    if proven < len(answerable):
        text += f"; {len(answerable) - proven:,} came without (imported)"
    if not checked:
        return f"{text}. The run has no documents to check that against."
    if proven < len(answerable):
        return f"{text}."
    found, proposed = located(pairs, rejected)
    return (
        f"{text}, located by code. That is so by construction; before rejection it was {found:,} of {proposed:,} "
        f"({percent(found, proposed)})."
    )


def covered(coverage: Mapping[str, object]) -> str:
    """Return how much of the corpus the evidence touches, or that there is no corpus."""
    if not coverage.get("documents"):
        return "Unknown: the run has no documents."
    shares = table(["of", "share"], [[key, f"{float(str(coverage[key])):.1%}"] for key in SHARES if key in coverage])
    return "\n\n".join(filter(None, (shares, hardly_asked(coverage))))


def split_up(sets: Mapping[str, int], leak: str) -> str:
    """Return the rows of every set, what the sets mean, and what the leak check found."""
    if not sets:
        return ""
    parts = [table(["set", "rows"], [[name, f"{n:,}"] for name, n in sets.items()])]
    parts.append(
        "*taught* asks facts of the training rows in other words; *unseen* asks about text that training never saw."
    )
    return "\n\n".join([*parts, leak] if leak else parts)


def mix(pairs: Sequence[Pair], measured: str) -> str:
    """Return pairs by kind, difficulty and language, and how difficulty was measured."""
    columns: dict[str, Counter[str]] = {
        "kind": Counter(pair.kind for pair in pairs),
        "difficulty": Counter(pair.difficulty for pair in pairs),
        "language": Counter(pair.language or "unknown" for pair in pairs),
    }
    parts = [table([name, "pairs"], [[key, n] for key, n in counts.most_common()]) for name, counts in columns.items()]
    said = f"Difficulty: {measured}." if measured else "Difficulty was not measured."
    return "\n\n".join([*parts, said])


def topics(pairs: Sequence[Pair], most: int = 40) -> str:
    """Return pairs by topic, the largest first."""
    counts = Counter(pair.topic for pair in pairs if pair.topic)
    rows: list[list[object]] = [[topic, n] for topic, n in counts.most_common(most)]
    if len(counts) > most:
        rows.append(
            [f"{len(counts) - most} others", sum(counts.values()) - sum(n for _, n in counts.most_common(most))]
        )
    return table(["topic", "pairs"], rows) if rows else ""


def diversity(found: Mapping[str, Mapping[str, object]]) -> str:
    """Return the measures and mixes before and after selection side by side."""
    times = [time for time in ("before", "after") if time in found]
    rows = [
        [label, *(_number(found[time].get(key)) for time in times)]
        for key, label in MEASURES.items()
        if any(found[time].get(key) is not None for time in times)
    ]
    rows += [
        [label, *(_mixture(found[time].get(key)) for time in times)]
        for key, label in MIXES.items()
        if any(found[time].get(key) for time in times)
    ]
    return table(["of the questions", *(f"{time} selection" for time in times)], rows) if rows else ""


def repeats(ledger: Ledger) -> str:
    """Return how many proposals were removed as repeats or contradictions."""
    rows = [[what, ledger.rejected[reason]] for reason, what in REPEATS.items() if ledger.rejected.get(reason)]
    return table(["removed as", "pairs"], rows) if rows else "None were found."


def private(found: Mapping[str, int] | None, *, redacted: bool) -> str:
    """Return what private data the documents hold, as far as it was looked for."""
    if found is None:
        return "Secrets and personal data were not looked for."
    if not found:
        return "No secrets or personal data were found in the documents; that does not prove that there are none."
    what = "replaced by marks before anything was made of them" if redacted else "left in place"
    return f"{table(['found in the documents', 'times'], sorted(found.items()))}\n\nThese were {what}."


def cost(said: str, usd: float | None, accepted: int) -> str:
    """Return what it cost, and the cost of one accepted pair where the price is known."""
    parts = [said] if said else []
    if usd is not None and accepted:
        parts.append(f"That is {usd / accepted:.5f} USD for each accepted pair ({usd:.4f} USD in all).")
    return " ".join(parts)


def learned(changes: Sequence[Change]) -> str:
    """Return what was asked for in another mix, and which lines of the checks moved, or why not."""
    return table(HEAD, [change.cells() for change in changes]) if changes else ""


def making(
    models: Mapping[str, str],
    gates: Sequence[str],
    prompts: Mapping[str, str],
    seed: int | None,
    packages: Mapping[str, str],
) -> str:
    """Return models, checks, prompts with their hashes, seed and versions."""
    rows: list[list[object]] = [[role, f"`{name}`"] for role, name in models.items() if name]
    rows += [["checks, in this order", ", ".join(gates)]] if gates else []
    rows += [["seed", seed]] if seed is not None else []
    rows += [[f"prompt {name}", f"`{digest}`"] for name, digest in sorted(prompts.items())]
    rows += [[f"package {name}", version] for name, version in sorted(packages.items())]
    return table(["", "made with"], rows) if rows else ""


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; what would break a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def percent(part: int, whole: int) -> str:
    """Return a share as text."""
    return f"{part / whole:.1%}" if whole else "none"


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)


def _mixture(value: object) -> str:
    """Return the largest shares of a mix, each with its name."""
    if not isinstance(value, Mapping):
        return ""
    largest = sorted(value.items(), key=lambda item: (-item[1], item[0]))[:MOST_NAMED]
    return ", ".join(f"{name or 'none'} {share:.0%}" for name, share in largest)
