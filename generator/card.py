"""The dataset's card: what it holds, what became of every pair asked for, and what is known of its quality.

It is a dataset card as the Hugging Face hub reads it: the YAML block at its head makes `datasets.load_dataset` open a
folder in which the card lies as README.md (https://huggingface.co/docs/hub/datasets-cards).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data.formats.provenance import IMPORTED
from doceo.core.records import Ledger, Pair, Rejected
from generator import card_sections as sections
from generator.change import Change

NOBODY = "No person has rated these pairs."
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_CONFIGS = re.compile(r"^configs:\n(?:[ -] .*\n)+", re.MULTILINE)
RECOUNTED = ("What became of the questions", "Coverage by accepted evidence", "Sets", "Kinds and difficulty", "Topics",
             "Who rated them")  # fmt: skip
"""Sections that a review changes; the others say how the pairs were made."""


@dataclass(frozen=True)
class CardFacts:
    """What a card says. Only the first four are needed; what is left out is said to be unknown, or not said.

    Attributes:
        name: The run's name.
        pairs: The accepted pairs.
        ledger: What became of all that were asked for.
        coverage: Content of `coverage.json`; empty where there are no documents.
        rejected: The rejected pairs, which tell how many quotes were found before anything was rejected.
        files: Config of `load_dataset` -> (split, file) in the card's folder. It opens no file without rows: leave
            those out.
        sets: Rows of each file or set.
        leak: What the check for leaks between the sets found, in a sentence.
        models: Role (teacher, student, judge, embedder) -> name of the model.
        difficulty: How difficulty was measured, such as `closed-book by ollama:x` or `a feature score`.
        diversity: `before` and `after` the selection -> measures of the questions.
        private: Kind of private data -> how often it was found; None where nobody looked.
        redacted: Whether it was replaced.
        judge: `measured: ...`, or how it was not.
        cost: What the models cost, in words.
        cost_usd: The same in USD, where prices are known.
        gates: The checks that ran, cheapest first.
        prompts: Name -> hash of every prompt.
        seed: Of every random choice.
        packages: Name -> version.
        rated_by: Who rated the pairs, in a sentence; left out, nobody.
        learned: What rejections and reviews changed, or could not.
    """

    name: str
    pairs: Sequence[Pair]
    ledger: Ledger
    coverage: Mapping[str, object]
    rejected: Sequence[Rejected] = ()
    files: Mapping[str, Sequence[tuple[str, str]]] = field(
        default_factory=lambda: {"default": (("pairs", "pairs.jsonl"),)}
    )
    sets: Mapping[str, int] = field(default_factory=dict)
    leak: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    difficulty: str = ""
    diversity: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    private: Mapping[str, int] | None = None
    redacted: bool = False
    judge: str = ""
    cost: str = ""
    cost_usd: float | None = None
    gates: Sequence[str] = ()
    prompts: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    rated_by: str = ""
    learned: Sequence[Change] = ()


def card(facts: CardFacts) -> str:
    """Return the card as Markdown with a YAML block at its head."""
    parts = [f"## {title}\n\n{text}\n" for title, text in _sections(facts).items() if text]
    return "\n".join([_head(facts), *parts])


def recount(text: str, facts: CardFacts) -> str:
    """Return an earlier card with the numbers of the pairs that are left after a review.

    What it says of the making (models, costs, the diversity before the review) stays as it was.
    """
    _, *old = text.split("\n## ")
    kept = {title: body.strip() for title, _, body in (part.partition("\n") for part in old)}
    new = {title: body if title in RECOUNTED else kept.get(title, "") for title, body in _sections(facts).items()}
    parts = [f"## {title}\n\n{body}\n" for title, body in new.items() if body]
    configs = _CONFIGS.search(text)
    return "\n".join([_CONFIGS.sub(lambda _: configs[0] if configs else "", _head(facts)), *parts])


def with_files(text: str, files: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """Return a card for another folder: config of `load_dataset` -> (split, file) there."""
    lines = _configs(files)
    return _CONFIGS.sub(lambda _: "\n".join([*lines, ""]) if lines else "", text, count=1)


def _sections(facts: CardFacts) -> dict[str, str]:
    pairs, ledger = facts.pairs, facts.ledger
    return {
        "What became of the questions": sections.outcome(
            pairs, ledger, facts.rejected, checked=bool(facts.coverage.get("documents"))
        ),
        "Coverage by accepted evidence": sections.covered(facts.coverage),
        "Sets": sections.split_up(facts.sets, facts.leak),
        "Kinds and difficulty": sections.mix(pairs, facts.difficulty),
        "Topics": sections.topics(pairs),
        "Diversity of the questions": sections.diversity(facts.diversity),
        "Repeats": sections.repeats(ledger),
        "Private data": sections.private(facts.private, redacted=facts.redacted),
        "Judge": f"Judge: {facts.judge or 'not measured'}.",
        "Cost": sections.cost(facts.cost, facts.cost_usd, ledger.accepted),
        "What was learned": sections.learned(facts.learned),
        "How it was made": sections.making(facts.models, facts.gates, facts.prompts, facts.seed, facts.packages),
        "Who rated them": facts.rated_by or NOBODY,
    }


def _head(facts: CardFacts) -> str:
    names = sorted({pair.teacher for pair in facts.pairs} - {IMPORTED})
    made = [f"made by {', '.join(names)}"] if names else []
    made += ["imported from a file"] if any(pair.teacher == IMPORTED for pair in facts.pairs) else []
    languages = sorted({p.language for p in facts.pairs if re.fullmatch(r"[a-z]{2,3}", p.language)})
    lines = ["---", f"pretty_name: {json.dumps(facts.name, ensure_ascii=False)}"]
    lines += ["language:", *(f"- {json.dumps(code)}" for code in languages)] if languages else []
    lines += ["license: unknown", "task_categories:", "- question-answering", "- text-generation"]
    lines += ["size_categories:", f"- {_size(len(facts.pairs))}", "tags:", "- synthetic", "- doceo"]
    lines += _configs(facts.files)
    lines += ["---", "", f"# Dataset {facts.name}", ""]
    lines += [
        f"{facts.ledger.accepted:,} question and answer pairs of {facts.ledger.requested:,} requested, "
        f"{' and '.join(made) or 'none'}. The licence is that of the documents they were made from.",
        "",
    ]
    return "\n".join(lines)


def _configs(files: Mapping[str, Sequence[tuple[str, str]]]) -> list[str]:
    lines: list[str] = []
    for name, splits in files.items():
        if splits:
            lines += [f"- config_name: {json.dumps(name)}", "  data_files:"]
            lines += [f"  - split: {split}\n    path: {json.dumps(path)}" for split, path in splits]
    return ["configs:", *lines] if lines else []


def _size(n: int) -> str:
    return next((name for least, name in _SIZES if n < least), "n>1M")
