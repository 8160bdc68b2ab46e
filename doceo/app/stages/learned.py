"""What a run teaches: read from its rejections and its review, applied where that is asked for, and written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.jsonl import write_json
from data.review import REVIEW, Decision
from data.store import PAIRS, Run
from doceo.app.crew import embed_with, gates_of, own_catalog
from doceo.app.models import EXTRACTIVE
from doceo.app.settings import Settings
from doceo.core.protocols import Progress
from doceo.core.records import Pair
from generator.change import Change
from generator.dedupe import asked
from generator.learning import Learned, learned
from generator.planning import LLM_KINDS
from generator.review import REASON as DROPPED
from generator.review import read_decisions
from generator.shares import own_prompts
from generator.teachers.llm import prompt_hashes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEARNED = "learned.json"


def decisions_of(run: Run) -> Sequence[Decision]:
    """Return what a person decided on a run's pairs. Raises InputError where the file cannot be read."""
    return read_decisions(run.path / REVIEW) if (run.path / REVIEW).is_file() else ()


def learn_from(run: Run, settings: Settings, progress: Progress) -> Learned:
    """Return what a run's pairs, rejected pairs and review teach a next one of these settings. Nothing is applied.

    Raises StageMissing where the run has no pairs, InputError where its review cannot be read.
    """
    from doceo.app.stages.pairs import load_pairs, rejected_of

    made, rejected, decisions = load_pairs(run), rejected_of(run), decisions_of(run)
    dropped = [line.pair for line in rejected if line.verdict.reason == DROPPED]
    return learned(
        made.pairs,
        rejected,
        decisions,
        settings.gate,
        _wanted(settings),
        named=bool(settings.generate.kinds),
        prompts=own_prompts(prompt_hashes(own_catalog())),
        vectors=_vectors([*made.pairs, *dropped], decisions, settings, progress),
        seed=settings.generate.seed,
    )


def with_learned(run: Run, settings: Settings, progress: Progress) -> tuple[Settings, tuple[Change, ...]]:
    """Return settings with the lines that a run's review teaches, and all that was learned: each moved line is said.

    The mix of kinds is not set: who plans the pairs fits it to the rejections that are carried on. Where nothing was
    asked for (`--learn`), or the run has no pairs yet, all stays. Raises InputError as `learn_from`.
    """
    if not settings.generate.learn:
        return settings, ()
    if not run.has(PAIRS):
        progress.say("There is nothing to learn from yet: the run has no pairs.")
        return settings, ()
    found = learn_from(run, settings, progress)
    lines = [change for change in found.changes if change.is_line]
    for change in lines:
        if change.changed:
            progress.say(f"Learned: {change}")
    if not lines:
        progress.say(f"No line is refitted: nobody has kept or dropped pairs of {run.path} yet.")
    return settings.model_copy(update={"gate": found.gate}), found.changes


def write_learned(run: Run, settings: Settings, changes: Sequence[Change]) -> None:
    """Write what was learned for the pairs that stand in a run; a run that learned nothing has no such file."""
    if not changes:
        (run.path / LEARNED).unlink(missing_ok=True)
        return
    kinds = _wanted(settings)
    kinds |= {change.what.removeprefix("kinds "): change.to for change in changes if not change.is_line}
    write_json(run.path / LEARNED, Learned(changes=tuple(changes), gate=settings.gate, kinds=kinds).model_dump())


def _wanted(settings: Settings) -> dict[str, float]:
    named = {str(kind): share for kind, share in settings.generate.kinds.items()}
    return named or ({} if settings.teacher == EXTRACTIVE else dict(LLM_KINDS))


def _vectors(
    pairs: Sequence[Pair], decisions: Sequence[Decision], settings: Settings, progress: Progress
) -> dict[str, NDArray[np.float32]] | None:
    """Return the vectors of the pairs that were decided on, or None where no check compares vectors."""
    if "semantic" not in gates_of(settings):
        return None
    decided = {decision.pair_id for decision in decisions}
    seen = [pair for pair in pairs if pair.id in decided]
    if not seen:
        return {}
    found = embed_with(settings.embedder, progress)([asked(pair) for pair in seen])
    return {pair.id: vector for pair, vector in zip(seen, found, strict=True)}
