"""The card of a run's pairs: every figure that is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.manifest import installed
from data.private import report
from data.store import Run
from doceo.app.crew import cost_of, gates_of, identity
from doceo.app.models import EXTRACTIVE
from doceo.app.settings import Settings
from doceo.app.stages.judging import judge_in_words
from generator.card import CardFacts, card
from generator.change import Change
from generator.corpus import Corpus
from generator.review import Reviewed

_ROLES = ("teacher", "student", "judge", "embedder")
PACKAGES = ("doceo", "openai", "rapidfuzz", "scikit-learn", "numpy")


def card_of(
    run: Run,
    corpus: Corpus,
    left: Reviewed,
    touched: Mapping[str, object],
    spread: Mapping[str, Mapping[str, object]],
    settings: Settings,
    learned: Sequence[Change] = (),
) -> str:
    """Return the card as Markdown.

    Args:
        run: The run.
        corpus: What its pairs were made from.
        left: Pairs, rejected pairs and ledger.
        touched: Content of `coverage.json`.
        spread: Diversity of the questions before and after selection.
        settings: How they were made.
        learned: What was learned from earlier pairs.
    """
    known = identity(settings)
    words, usd = cost_of(settings, run)
    unseen = sum(bool(corpus.unseen.intersection(pair.chunk_ids)) for pair in left.pairs)
    roundtrip = "roundtrip" in gates_of(settings)
    hashes = {name: value for name, value in known.items() if name not in _ROLES and not name.startswith("file ")}
    return card(
        CardFacts(
            name=run.name,
            pairs=left.pairs,
            ledger=left.ledger,
            coverage=touched,
            rejected=left.rejected,
            sets={"pairs.jsonl": len(left.pairs), "of these from kept-out text": unseen},
            models={role: known[role] for role in _ROLES if role in known},
            difficulty=f"closed-book by {known['student']}" if roundtrip else "a score of features; no model was asked",
            diversity=spread,
            private=report(corpus.documents),
            redacted=settings.read.redact,
            judge=_judge(known, settings),
            cost=words,
            cost_usd=usd,
            gates=gates_of(settings),
            prompts=hashes,
            seed=settings.generate.seed,
            packages=dict(installed(PACKAGES)),
            learned=learned,
        )
    )


def _judge(known: Mapping[str, str], settings: Settings) -> str:
    """Say who judged, and how well that judge agrees with labels that people made."""
    if "judge" not in known:
        return "none was asked" if settings.teacher == EXTRACTIVE else "left out"
    return f"{known['judge']}, {judge_in_words(known['judge'])}"
