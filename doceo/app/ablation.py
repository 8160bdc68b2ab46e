"""Does a system answer better with the turns before a question, or with a profile, than without?

The same questions are asked twice, all else equal, and `evaluation.ablation` compares the answers one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter

from data.answers import file_of
from data.jsonl import read_json, read_jsonl, write_json, write_jsonl
from data.store import Run
from doceo.app.answering import answer_all
from doceo.app.pipeline import default_systems
from doceo.app.profile_at_hand import profile_at_hand
from doceo.app.settings import Settings
from doceo.app.stages.answers import answering_stage
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.documents import load_ingested
from doceo.app.stages.index import index_run
from doceo.app.system_identity import Identities
from doceo.app.systems import Systems
from doceo.core.errors import RunError, UsageError
from doceo.core.fingerprint import canonical, sha256
from doceo.core.protocols import Answerer, Progress
from doceo.core.records import Answered, ProfileEntry, Question
from evaluation.ablation import PARTS, Ablated, Part, compare

STAGE = "8-ablation"
_RESULTS = TypeAdapter(list[Ablated])


def ablate_run(
    run: Run, parts: Sequence[str], systems: Sequence[str], settings: Settings, progress: Progress
) -> list[Ablated]:
    """Compare the systems named, or all that the run has, over its index as it is now. Raises as `ablate`."""
    with run.locked():
        index_run(run, load_ingested(run), settings.embedder, progress)
        return ablate(run, parts, list(systems) or default_systems(run), settings, progress)


def ablate(
    run: Run, parts: Sequence[str], systems: Sequence[str], settings: Settings, progress: Progress
) -> list[Ablated]:
    """Ask systems a run's conversation questions with and without parts of the prompt, and compare.

    Raises UsageError for a part that cannot be left out, RunError where the run has no conversation among its held-out
    questions, ProviderError.
    """
    chosen = [part for part in PARTS if part in parts]
    if unknown := sorted(set(parts).difference(PARTS)):
        raise UsageError(f"{unknown[0]!r} cannot be left out.", hint=f"There are {', '.join(PARTS)}.")
    questions = [question for question in load_held_out(run) if question.history]
    if not questions:
        raise RunError(
            f"None of the held-out questions of {run.path} goes on from an earlier one.",
            hint="Have conversations made: doceo generate --teacher MODEL --kinds multi-turn=20, or import some.",
        )
    entries, note = profile_at_hand(settings.database_url) if "profile" in chosen else ([], "")
    listed = sha256(canonical([entry.text for entry in entries]))
    given: dict[str, str] = {part: listed if part == "profile" else "" for part in chosen}
    config = [settings.answer, settings.retrieve, settings.evaluate]
    identities = Identities(run, settings, {})
    named = {name: identities.of(name) for name in systems}
    stage = answering_stage(run, STAGE, named, identities, config, given)
    if not stage.finished:
        with stage.making(resumable=True) as work:
            opened = Systems(settings, progress, run, run.index)
            results: list[Ablated] = []
            for name in systems:
                variants = _variants(questions, chosen, entries)
                answers: dict[str, list[Answered]] = {}
                for variant, (asked, profile) in variants.items():
                    file = work / file_of(f"{name}.{variant}")
                    if not file.exists():
                        answerer = opened.open(name)
                        write_jsonl(file, _answers(answerer, asked, profile, settings, progress, variant))
                    answers[variant] = read_jsonl(file, Answered)
                results += compare(name, questions, answers, settings.evaluate, note)
            write_json(work / "ablation.json", [one.model_dump() for one in results])
    return _RESULTS.validate_python(read_json(run.file(STAGE, "ablation.json")))


def _variants(
    questions: Sequence[Question], parts: Sequence[Part], entries: Sequence[ProfileEntry]
) -> dict[str, tuple[list[Question], Sequence[ProfileEntry]]]:
    """Return {variant: (questions, profile)}: as they are, and each part left out or put in."""
    variants: dict[str, tuple[list[Question], Sequence[ProfileEntry]]] = {"whole": (list(questions), ())}
    if "history" in parts:
        variants["without-history"] = ([q.model_copy(update={"history": ()}) for q in questions], ())
    if "profile" in parts:
        variants["with-profile"] = (list(questions), entries)
    return variants


def _answers(
    answerer: Answerer,
    questions: Sequence[Question],
    profile: Sequence[ProfileEntry],
    settings: Settings,
    progress: Progress,
    variant: str,
) -> list[Answered]:
    progress.say(f"{answerer.name}, {variant.replace('-', ' ')}: {len(questions)} questions")
    return answer_all(answerer, questions, settings.engine.concurrency, progress, profile)
