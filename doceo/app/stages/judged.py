"""Answers to what a judge model says of them. No stage needs it; scores count its replies where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data.answers import answer_files
from data.growing import grow, read_grown
from data.jsonl import read_jsonl, write_json, write_jsonl
from data.store import ANSWERS, DATASET, DOCUMENTS, JUDGED, Run, Stage
from doceo.app.crew import own_catalog
from doceo.app.event_loop import run_to_end
from doceo.app.judging_answers import AnswerJudge
from doceo.app.models import open_async
from doceo.app.settings import Settings
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.judgements import COMPARISONS, JUDGE, MARKS, Judgements, answered_in, load_judgements
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress
from doceo.core.records import Document
from doceo.providers.chat import is_remote, price_of_spec
from doceo.providers.remote import is_loopback
from evaluation.case import Case, cases
from evaluation.judging.plan import Plan, ToCompare, ToMark, plan
from evaluation.judging.records import Compared, Judge, Marked
from evaluation.judging.requests import PROMPTS
from evaluation.judging.rubric import Rubric, read_rubric
from generator.estimate import tokens_of
from generator.parallel import in_order

PACKAGES = ("doceo", "openai")
_SAMPLE = 200
"""Requests that are written out to estimate what all take."""
_REPLY = 30
"""Tokens that a judge writes on one point, as counted in recorded replies."""


def judge_answers(run: Run, spec: str, settings: Settings, progress: Progress) -> None:
    """Have a judge mark the answers of all systems of a run, and compare them with the baseline's.

    What was asked before is not asked again: replies are in the run's journal or, of a model of this machine, in the
    stage's own files.

    Args:
        run: The run, which has answers.
        spec: The judge, `KIND:NAME`.
        settings: How it judges, and what it may cost.
        progress: Where it is shown.

    Raises:
        StageMissing: There are no answers.
        InputError: The rubric, a prompt or a file cannot be read.
        UsageError: The judge is no chat model, or gave no reply that could be read.
        ProviderError: The judge failed, or, as CostCapReached, may cost no more; the same command goes on.
    """
    rubric = read_rubric(Path(settings.judging.rubric) if settings.judging.rubric else None)
    stage = _stage(run, spec, rubric, settings)
    if stage.finished:
        return
    old = load_judgements(run)
    with stage.making(resumable=True) as work:
        kept = _Kept(work, [*old.marked, *old.compared] if old else [])
        made = run_to_end(_judged(run, spec, rubric, settings, progress, kept))
        write_jsonl(work / MARKS, made.marked)
        write_jsonl(work / COMPARISONS, made.compared)
        write_json(work / JUDGE, made.judge.model_dump())
        kept.drop()


async def _judged(
    run: Run, spec: str, rubric: Rubric, settings: Settings, progress: Progress, kept: _Kept
) -> Judgements:
    config, baseline = settings.judging, settings.evaluate.baseline
    provider = open_async(spec, settings, journal=run.journal, budget=None, progress=progress)
    try:
        judge = AnswerJudge(provider, own_catalog(), rubric, _documents(run), config, kept.known)
        local = frozenset[str]() if is_loopback(provider.host) else _local(run)
        answered = _cases(run)
        wanted = plan(answered, rubric, config, baseline, local)
        progress.say(_announced(judge, wanted, settings))
        if config.comparisons and baseline not in answered:
            progress.say(f"No answers are compared: there are none of {baseline}. Name another with --baseline.")
        marked, compared = await _ask(judge, wanted, settings.engine.concurrency, progress, kept)
    finally:
        await provider.aclose()
    _check_read(judge, [*marked, *compared])
    told = Judge(
        model=judge.name,
        points=tuple(point.name for point in rubric.points),
        rubric=rubric.hash,
        prompts=_hashes(),
        repeats=config.repeats,
        comparisons=config.comparisons,
        baseline=baseline,
        questions=config.questions,
        local=wanted.local,
    )
    return Judgements(told, marked, compared)


async def _ask(
    judge: AnswerJudge, wanted: Plan, at_once: int, progress: Progress, kept: _Kept
) -> tuple[list[Marked], list[Compared]]:
    marked: list[Marked] = []
    compared: list[Compared] = []
    with progress.task("judge", total=len(wanted.marks) + len(wanted.comparisons), unit="judgements") as task:
        async for _, mark in in_order(wanted.marks, judge.mark, at_once):
            marked.append(mark)
            kept.keep(mark)
            task.advance()
        async for _, verdict in in_order(wanted.comparisons, judge.compare, at_once):
            compared.append(verdict)
            kept.keep(verdict)
            task.advance()
    return marked, compared


def _check_read(judge: AnswerJudge, said: Sequence[Marked | Compared]) -> None:
    """Raise UsageError where nothing that a judge said can be read, for instance since it can read too little."""
    asked = [one.problem for one in said if one.asked]
    if asked and all(asked):
        raise UsageError(
            f"{judge.name} gave no reply that could be read to any of {len(asked)} requests: {asked[0]}",
            hint="Name another model with --judge, such as a larger one of a longer window. The answers are kept, "
            "and are scored without --judge.",
        )


class _Kept:
    """Replies that are there already, and a file for each kind in which new ones are kept as they come.

    What could not be read is asked again: another time the server may take it.
    """

    def __init__(self, work: Path, old: Sequence[Marked | Compared]) -> None:
        self._marks, self._comparisons = work / f".{MARKS}.part", work / f".{COMPARISONS}.part"
        marks, comparisons = read_grown(self._marks, Marked), read_grown(self._comparisons, Compared)
        # Whole lines only: what follows a torn one could not be read again.
        write_jsonl(self._marks, marks)
        write_jsonl(self._comparisons, comparisons)
        self.known: dict[str, Marked | Compared] = {
            one.asked: one for one in (*old, *marks, *comparisons) if one.asked and not one.problem
        }

    def keep(self, record: Marked | Compared) -> None:
        """Keep what a judge said now."""
        if record.asked and record.asked not in self.known:
            grow(self._marks if isinstance(record, Marked) else self._comparisons, [record])

    def drop(self) -> None:
        """Forget the files."""
        for part in (self._marks, self._comparisons):
            part.unlink(missing_ok=True)


def _announced(judge: AnswerJudge, wanted: Plan, settings: Settings) -> str:
    """Say how often a judge is asked, and what that takes at most."""
    pairs = [one for one in wanted.comparisons if one.answer != one.base]
    items: list[ToMark | ToCompare] = [*wanted.marks, *pairs]
    some = items[:: len(items) // _SAMPLE + 1]
    read = sum(tokens_of(message.content) for one in some for message in judge.request(one).messages)
    read *= len(items) / max(1, len(some))
    written = _REPLY * (sum(len(judge.points_of(one)) for one in wanted.marks) + 2 * len(pairs))
    said = f"The judge is asked {len(items):,} times at most, about {read:,.0f} tokens to read and {written:,} to write"
    price = price_of_spec(judge.name, settings.base_url or None, settings.engine) if is_remote(judge.name) else None
    cost = f", about {price.cost(round(read), 0, written):.2g} USD" if price and price.prompt else ""
    return f"{said}{cost}; what it was asked before is kept."


def _cases(run: Run) -> dict[str, list[Case]]:
    known = {(q.set, q.pair_id): q for q in (load_held_out(run) if run.has(DATASET) else ())}
    return {name: cases(lines, known) for name, lines in answered_in(run).items()}


def _documents(run: Run) -> dict[str, Document]:
    found = read_jsonl(run.file(DOCUMENTS, "documents.jsonl"), Document) if run.has(DOCUMENTS) else []
    return {document.id: document for document in found}


def _local(run: Run) -> frozenset[str]:
    """Return the ids of the documents that must not leave this machine."""
    return frozenset(d.id for d in _documents(run).values() if d.metadata.get("local") == "true")


def _stage(run: Run, spec: str, rubric: Rubric, settings: Settings) -> Stage:
    answers = answer_files(run.file(ANSWERS, "manifest.json").parent)
    asked = [run.file(DATASET, f"{name}.jsonl") for name in ("taught", "unseen")] if run.has(DATASET) else []
    # Not by their names: the rubric by its hash, labels not at all.
    config = settings.judging.model_copy(update={"rubric": "", "labels": ""})
    given = {"judge": spec, "rubric": rubric.hash, "baseline": settings.evaluate.baseline, **_hashes()}
    return run.stage(
        JUDGED, config=[config], inputs=[*answers.values(), *asked], prompts=given, packages=PACKAGES, seed=config.seed
    )


def _hashes() -> dict[str, str]:
    catalog = own_catalog()
    return {name: catalog.template(name).hash for name in PROMPTS}
