"""Stage 3: chunks to pairs, with ledger, coverage and card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data import manifest as manifests
from data.jsonl import read_json, read_jsonl, write_json, write_jsonl, write_text
from data.manifest import Manifest
from data.review import REVIEW
from data.splits import unseen_chunks
from data.store import CHUNKS, DOCUMENTS, PAIRS, Run, Stage
from data.wordings import read_questions_of
from doceo.app.crew import embed_with, gates_of, hire, identity, open_models
from doceo.app.loops import run_to_end
from doceo.app.settings import Settings
from doceo.app.stages.card import card_of
from doceo.app.stages.corpus import corpus_of
from doceo.app.stages.documents import Ingested
from doceo.core.config import GateConfig, GenerateConfig
from doceo.core.errors import CostCapReached, RunError
from doceo.core.protocols import Progress
from doceo.core.records import Ledger, Pair, Rejected
from generator.carried import Asked, Carried, carried
from generator.corpus import Corpus
from generator.coverage import coverage
from generator.pipeline import Generated, generate
from generator.review import Reviewed, apply_review, read_decisions

PACKAGES = ("doceo", "openai", "rapidfuzz", "scikit-learn")


@dataclass(frozen=True)
class Made:
    """The accepted pairs of a run and what became of the others."""

    pairs: list[Pair]
    ledger: Ledger


def held_out(ingested: Ingested, config: GenerateConfig) -> frozenset[str]:
    """Return the ids of the chunks that training must not see: a function of the documents and the config alone."""
    recipe = (config.unseen_share, config.seed, config.held_out)
    if recipe not in ingested.kept_out:
        ingested.kept_out[recipe] = unseen_chunks(ingested.documents, ingested.chunks, *recipe)
    return ingested.kept_out[recipe]


def make_pairs(run: Run, ingested: Ingested, settings: Settings, progress: Progress) -> Made:
    """Make the pairs of a run, or load them where nothing that they depend on has changed.

    A chat model's pairs of passages that are unchanged are kept where documents changed or more pairs are wanted.

    Raises:
        UsageError: A model or a check is named that cannot be had.
        ProviderError: The teacher cannot be used; its replies until then stay in the journal.
    """
    inputs = [run.file(DOCUMENTS, "documents.jsonl"), run.file(CHUNKS, "chunks.jsonl")]
    configs = [settings.generate, settings.gate]
    stage = run.stage(
        PAIRS,
        config=configs,
        inputs=inputs,
        prompts=identity(settings),
        packages=PACKAGES,
        seed=settings.generate.seed,
    )
    if stage.finished and not _capped(run):
        return load_pairs(run)
    _keep_imported(run, stage)
    before = _before(run, stage, ingested, settings, progress)
    with stage.making() as work:
        unseen = held_out(ingested, settings.generate)
        corpus, made = run_to_end(_made(run, ingested, unseen, settings, before, progress))
        left = _write(run, work, corpus, made, settings)
    return Made(left.pairs, left.ledger)


async def _made(
    run: Run,
    ingested: Ingested,
    unseen: frozenset[str],
    settings: Settings,
    before: Carried | None,
    progress: Progress,
) -> tuple[Corpus, Generated]:
    models = open_models(settings, run, progress)
    try:
        embed = embed_with(settings.embedder, progress)
        corpus = corpus_of(ingested, unseen, settings, embed, progress, remote=models.remote)
        against = [question for name in settings.generate.against for question in read_questions_of(Path(name))]
        made = await generate(
            corpus,
            hire(settings, corpus, models, embed),
            settings.generate,
            settings.gate,
            progress,
            gates=gates_of(settings),
            at_once=_at_once(settings),
            against=against,
            before=before,
        )
        return corpus, made
    finally:
        await models.aclose()


def _at_once(settings: Settings) -> int:
    """Return how many orders are under way: as many as the servers take, and some that are ready to follow."""
    open_at_once = settings.engine.concurrency * (settings.base_url.count(",") + 1)
    return open_at_once + open_at_once // 4 + 1


def _write(run: Run, work: Path, corpus: Corpus, made: Generated, settings: Settings) -> Reviewed:
    """Write the stage's files and return what is in them: the decisions of an earlier review are applied."""
    decisions = read_decisions(run.path / REVIEW) if (run.path / REVIEW).is_file() else ()
    left = apply_review(made.pairs, made.rejected, made.ledger, decisions)
    touched = coverage(corpus.documents, corpus.chunks, left.pairs)
    write_jsonl(work / "pairs.jsonl", left.pairs)
    write_jsonl(work / "rejected.jsonl", left.rejected)
    write_json(work / "ledger.json", left.ledger.model_dump())
    write_json(work / "coverage.json", touched)
    write_jsonl(
        work / "asked.jsonl",
        (
            Asked(chunk_id=chunk.id, span=chunk.span, text_sha256=chunk.text_sha256, asked=made.asked.get(chunk.id, 0))
            for chunk in corpus.chunks
            if chunk.id in made.asked
        ),
    )
    write_json(work / "diversity.json", made.diversity)
    card = card_of(run, corpus, left, touched, made.diversity, settings)
    write_text(work / "card.md", card)
    # `datasets.load_dataset` reads a folder by the card that is called README.md.
    write_text(work / "README.md", card)
    return left


def _keep_imported(run: Run, stage: Stage) -> None:
    """Raise RunError where imported pairs would be replaced."""
    old = manifests.read(run.path / PAIRS)
    if old is not None and "ImportConfig" in old.config and not stage.redo:
        raise RunError(
            f"The pairs of {run.path} were imported; generating would replace them.",
            hint="Name another run with --out, or replace them with --fresh.",
        )


def _before(run: Run, stage: Stage, ingested: Ingested, settings: Settings, progress: Progress) -> Carried | None:
    """Return what is kept of the pairs that stand there, and say so; None where they are made anew."""
    old = None if stage.redo else manifests.read(run.path / PAIRS)
    if old is None or settings.teacher == "extractive" or _capped(run) or not _same_way(old, stage):
        return None
    pairs = load_pairs(run).pairs
    rejected = read_jsonl(run.file(PAIRS, "rejected.jsonl"), Rejected)
    asked = read_jsonl(run.file(PAIRS, "asked.jsonl"), Asked)
    kept = carried(pairs, rejected, asked, ingested.chunks)
    if not kept.pairs:
        return None
    passages = sum(chunk.id not in kept.asked for chunk in ingested.chunks)
    progress.say(
        f"{len(kept.pairs) + len(kept.rewordings)} pairs of unchanged passages are kept, {kept.retired} retired; "
        f"{passages} passages were not asked about yet."
    )
    return kept


def _same_way(old: Manifest, stage: Stage) -> bool:
    """Return whether pairs were made as they would be now, but for documents and number."""
    now = {type(config).__name__: config.model_dump(mode="json") for config in stage.config}
    kinds = (GenerateConfig, GateConfig)
    then = [old.config.get(kind.__name__) for kind in kinds]
    if old.prompts != stage.prompts or not all(isinstance(config, dict) for config in then):
        return False
    same = [
        {key: value for key, value in config.items() if key != "pairs"} if isinstance(config, dict) else {}
        for config in (*then, *(now[kind.__name__] for kind in kinds))
    ]
    fewer = now["GenerateConfig"]["pairs"] < then[0]["pairs"]  # type: ignore[index]
    return same[:2] == same[2:] and not fewer


def _capped(run: Run) -> bool:
    """Return whether the pairs that stand there are short because the cost cap was reached: then they are made on."""
    return run.has(PAIRS) and CostCapReached.code in load_pairs(run).ledger.failed


def split_of(run: Run) -> GenerateConfig:
    """Return the config by which a run's pairs, and with them its kept-out text, were made. Raises StageMissing."""
    made = manifests.read(run.file(PAIRS, "pairs.jsonl").parent)
    assert made is not None
    return GenerateConfig.model_validate(made.config["GenerateConfig"])


def load_pairs(run: Run) -> Made:
    """Return the pairs of a run. Raises StageMissing where there are none."""
    ledger = read_json(run.file(PAIRS, "ledger.json"))
    return Made(pairs=read_jsonl(run.file(PAIRS, "pairs.jsonl"), Pair), ledger=Ledger.model_validate(ledger))


def rejected_of(run: Run) -> Sequence[Rejected]:
    """Return the rejected pairs of a run. Raises StageMissing where there are none."""
    return read_jsonl(run.file(PAIRS, "rejected.jsonl"), Rejected)
