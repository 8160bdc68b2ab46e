"""Stage 3: chunks to pairs, with ledger, coverage and card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from data import manifest as manifests
from data.jsonl import read_json, read_jsonl, write_json, write_jsonl, write_text
from data.manifest import Manifest
from data.splits import unseen_chunks
from data.store import CHUNKS, DOCUMENTS, PAIRS, Run, Stage
from data.wordings import read_questions_of
from doceo.app.crew import embed_with, gates_of, hire, identity, open_models
from doceo.app.engine import HERE, Engine, open_engine
from doceo.app.event_loop import run_to_end
from doceo.app.settings import Settings
from doceo.app.stages.card import card_of
from doceo.app.stages.corpus import corpus_of
from doceo.app.stages.documents import Ingested
from doceo.app.stages.learned import decisions_of, with_learned, write_learned
from doceo.app.stages.replaced import pairs_replaced, shares_reached
from doceo.core.config import GateConfig, GenerateConfig
from doceo.core.errors import CostCapReached, RunError
from doceo.core.protocols import Progress
from doceo.core.records import Ledger, Pair, Rejected
from generator.carried import Asked, Carried, carried
from generator.change import Change
from generator.corpus import Corpus
from generator.coverage import coverage, hardly_asked
from generator.lines import as_strict
from generator.pipeline import Generated, generate
from generator.review import Reviewed, apply_review

PACKAGES = ("doceo", "openai", "rapidfuzz", "scikit-learn")


@dataclass(frozen=True)
class Made:
    """The accepted pairs of a run, what became of the others, and what was learned from earlier ones."""

    pairs: list[Pair]
    ledger: Ledger
    learned: tuple[Change, ...] = ()


def held_out(ingested: Ingested, config: GenerateConfig, engine: Engine = HERE) -> frozenset[str]:
    """Return the ids of the chunks that training must not see: a function of the documents and the config alone.

    An engine looks for the documents that are near-duplicates.
    """
    recipe = (config.unseen_share, config.seed, config.held_out)
    if recipe not in ingested.kept_out:
        from doceo.app.parts import sketch_in_parts

        sketch = partial(sketch_in_parts, engine)
        ingested.kept_out[recipe] = unseen_chunks(ingested.documents, ingested.chunks, *recipe, sketch=sketch)
    return ingested.kept_out[recipe]


def make_pairs(run: Run, ingested: Ingested, settings: Settings, progress: Progress) -> Made:
    """Make the pairs of a run, or load them where nothing that they depend on has changed.

    A chat model's pairs of passages that are unchanged are kept where documents changed or more pairs are wanted, or
    the lines of the checks were learned to be stricter: then those that a person did not keep have to pass them.

    Raises:
        UsageError: A model or a check is named that cannot be had.
        ProviderError: The teacher cannot be used; its replies until then stay in the journal.
    """
    inputs = [run.file(DOCUMENTS, "documents.jsonl"), run.file(CHUNKS, "chunks.jsonl")]
    settings, learned = with_learned(run, settings, progress)
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
        if settings.generate.learn:
            write_learned(run, settings, learned)
        return replace(load_pairs(run), learned=learned)
    _keep_imported(run, stage)
    before = _before(run, stage, ingested, settings, progress)
    stood = [] if stage.redo or not run.has(PAIRS) else [pair.id for pair in load_pairs(run).pairs]
    with stage.making() as work:
        unseen = held_out(ingested, settings.generate, open_engine(settings.executor))
        corpus, made = run_to_end(_made(run, ingested, unseen, settings, before, progress))
        made = replace(made, learned=(*made.learned, *(change for change in learned if change.is_line)))
        left = write_pairs(run, work, corpus, made, settings)
    touched = read_json(run.file(PAIRS, "coverage.json"))
    assert isinstance(touched, dict)
    shares = settings.generate.topic_shares
    said = pairs_replaced(stood, [pair.id for pair in left.pairs]), shares_reached(left.pairs, shares)
    for words in filter(None, (*said, hardly_asked(touched))):
        progress.say(words)
    return Made(left.pairs, left.ledger, made.learned)


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
            at_once=at_once(settings),
            against=against,
            before=before,
        )
        return corpus, made
    finally:
        await models.aclose()


def at_once(settings: Settings) -> int:
    """Return how many orders are under way: as many as the servers take, and some that are ready to follow."""
    open_at_once = settings.engine.concurrency * (settings.base_url.count(",") + 1)
    return open_at_once + open_at_once // 4 + 1


def write_pairs(run: Run, work: Path, corpus: Corpus, made: Generated, settings: Settings) -> Reviewed:
    """Write the stage's files and return what is in them: the decisions of an earlier review are applied."""
    left = apply_review(made.pairs, made.rejected, made.ledger, decisions_of(run))
    touched = coverage(corpus.documents, corpus.chunks, left.pairs)
    write_jsonl(work / "pairs.jsonl", left.pairs)
    write_jsonl(work / "rejected.jsonl", left.rejected)
    write_json(work / "ledger.json", left.ledger.model_dump())
    write_json(work / "coverage.json", touched)
    # Passages that a pair rests on without having been asked about, as its second or one searched, belong to it too.
    used = {chunk_id for pair in (*left.pairs, *(line.pair for line in left.rejected)) for chunk_id in pair.chunk_ids}
    write_jsonl(
        work / "asked.jsonl",
        (
            Asked(chunk_id=chunk.id, span=chunk.span, text_sha256=chunk.text_sha256, asked=made.asked.get(chunk.id, 0))
            for chunk in corpus.chunks
            if chunk.id in made.asked or chunk.id in used
        ),
    )
    write_json(work / "diversity.json", made.diversity)
    card = card_of(run, corpus, left, touched, made.diversity, settings, made.learned)
    write_text(work / "card.md", card)
    # `datasets.load_dataset` reads a folder by the card that is called README.md.
    write_text(work / "README.md", card)
    write_learned(run, settings, made.learned)
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
    if old is None or settings.teacher == "extractive" or _capped(run):
        return None
    if not _same_way(old, stage, learn=settings.generate.learn):
        return None
    pairs = load_pairs(run).pairs
    rejected = read_jsonl(run.file(PAIRS, "rejected.jsonl"), Rejected)
    asked = read_jsonl(run.file(PAIRS, "asked.jsonl"), Asked)
    kept = carried(pairs, rejected, asked, ingested.chunks)
    if not kept.pairs:
        return None
    if old.config[GateConfig.__name__] != settings.gate.model_dump(mode="json"):
        stand = {decision.pair_id for decision in decisions_of(run) if decision.decision == "keep"}
        ids = {pair.id for pair in (*kept.pairs, *kept.rewordings)}
        kept = replace(kept, doubted=frozenset(ids - stand))
    passages = sum(not kept.asked.get(chunk.id) for chunk in ingested.chunks)
    progress.say(
        f"{len(kept.pairs) + len(kept.rewordings)} pairs of unchanged passages are kept, {kept.retired} retired; "
        f"{passages} passages were not asked about yet."
    )
    return kept


def _same_way(old: Manifest, stage: Stage, *, learn: bool) -> bool:
    """Return whether pairs were made as they would be now, but for documents and number.

    With `learn` the lines of the checks may have become stricter.
    """
    now = {type(config).__name__: config.model_dump(mode="json") for config in stage.config}
    wanted, lines = now[GenerateConfig.__name__], now[GateConfig.__name__]
    then, old_lines = old.config.get(GenerateConfig.__name__), old.config.get(GateConfig.__name__)
    if old.prompts != stage.prompts or not isinstance(then, dict) or not isinstance(old_lines, dict):
        return False
    same = {**then, "pairs": wanted["pairs"]} == wanted and then["pairs"] <= wanted["pairs"]
    return same and (old_lines == lines or (learn and as_strict(lines, old_lines)))


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
