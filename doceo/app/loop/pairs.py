"""A round's pairs: those of the rounds before, facts of the bank, and new ones, in every area as many as allotted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from data.jsonl import read_jsonl
from data.manifest import file_sha256
from data.store import CHUNKS, DOCUMENTS, PAIRS, Run, Stage
from data.wordings import read_questions_of
from doceo.app.crew import identity
from doceo.app.event_loop import run_to_end
from doceo.app.loop.exam import Exam
from doceo.app.loop.materials import Materials
from doceo.app.models import EXTRACTIVE
from doceo.app.settings import Settings
from doceo.app.stages.learned import with_learned
from doceo.app.stages.pairs import PACKAGES, load_pairs, write_pairs
from doceo.core.config import GenerateConfig
from doceo.core.config.base import Config
from doceo.core.fingerprint import sha256
from doceo.core.records import Ledger, Pair, Rejected
from generator.carried import Asked, Carried
from generator.change import Change
from generator.pipeline import Generated


class RoundConfig(Config):
    """What a round's pairs depend on, of the loop's settings."""

    round: int
    seed: int
    banked: float
    allotted: dict[str, int]


def make_round_pairs(
    materials: Materials, exam: Exam, run: Run, recipe: RoundConfig, before: Run | None
) -> Sequence[Pair]:
    """Make the pairs of a round, or load them where nothing that they depend on has changed.

    Args:
        materials: Of the loop.
        exam: The exam: its questions are asked by no pair.
        run: The round's run, with documents and passages.
        recipe: New pairs of every area, and how they are chosen.
        before: The run of the round before, whose pairs stay.

    Raises ProviderError where the teacher cannot be used; its replies until then stay in the journal.
    """
    earlier = load_pairs(before).pairs if before else []
    settings, learned = _taught_by(before, materials)
    settings = settings.model_copy(update={"generate": _config(settings.generate, earlier, recipe)})
    stage = _stage(settings, exam, run, recipe, before)
    if stage.finished:
        return load_pairs(run).pairs
    with stage.making() as work:
        made = _made(materials, exam, settings, recipe, earlier, before)
        old = {pair.id for pair in earlier}
        pairs = [pair if pair.id in old else pair.model_copy(update={"round": recipe.round}) for pair in made.pairs]
        made = replace(made, pairs=pairs, learned=(*made.learned, *learned))
        write_pairs(run, work, materials.corpus, made, settings)
    return load_pairs(run).pairs


def _made(
    materials: Materials,
    exam: Exam,
    settings: Settings,
    recipe: RoundConfig,
    earlier: Sequence[Pair],
    before: Run | None,
) -> Generated:
    """Return the pairs of a round. Where an area has too few new facts, more of its pairs come from the bank."""
    built_in = settings.teacher == EXTRACTIVE
    rejected = _refused(before) if before and not built_in else ()
    asked = _asked(before) if before else {}
    own = [question for name in settings.generate.against for question in read_questions_of(Path(name))]
    short: set[str] = set()
    while True:
        banked = from_bank(exam.bank, earlier, recipe, short)
        taken = {pair.id for pair in (*earlier, *banked)}
        waiting = [pair for pair in exam.bank if pair.id not in taken]
        kept = Carried([*earlier, *banked], (), rejected, asked, retired=0, elsewhere=waiting)
        against = [*own, *(question.question for question in exam.questions), *(pair.question for pair in waiting)]
        made = run_to_end(materials.generated(materials.corpus, settings, against, kept))
        new = Counter(pair.topic for pair in made.pairs) - Counter(pair.topic for pair in earlier)
        lacking = {area for area, n in recipe.allotted.items() if new[area] < n}
        more = lacking.intersection(pair.topic for pair in waiting) - short
        if not more or not built_in:
            # A chat model is not asked all over again.
            waiting.sort(key=lambda pair: pair.topic not in lacking)
            return _filled(made, waiting, settings.generate.pairs, materials.corpus.position)
        short |= more


def _filled(made: Generated, waiting: Sequence[Pair], wanted: int, position: Mapping[str, int]) -> Generated:
    """Return what was made with as many pairs of the bank as are missing, in corpus order."""
    extra = list(waiting[: max(0, wanted - len(made.pairs))])
    counts = made.ledger.model_dump()
    counts |= {name: counts[name] + len(extra) for name in ("asked", "accepted")}
    pairs = sorted(
        [*made.pairs, *extra],
        key=lambda p: (position[p.chunk_ids[0]], p.evidence[0].span.start if p.evidence else 0, p.id),
    )
    return replace(made, pairs=pairs, ledger=Ledger.model_validate(counts))


def from_bank(
    bank: Sequence[Pair], earlier: Sequence[Pair], recipe: RoundConfig, short: Collection[str] = ()
) -> list[Pair]:
    """Return the pairs that a round takes from the bank: in every area at most `banked` of what is allotted to it.

    Which ones is chance, by the seed: how their questions were answered does not count.

    Args:
        bank: All pairs that wait.
        earlier: Pairs of the rounds before.
        recipe: What is allotted to every area.
        short: Areas that have no new facts: they take all from the bank.
    """
    have = {pair.id for pair in earlier}
    left = {area: n if area in short else round(recipe.banked * n) for area, n in recipe.allotted.items()}
    taken: list[Pair] = []
    for pair in sorted(bank, key=lambda pair: sha256(f"bank {recipe.seed} {pair.id}")):
        if pair.id not in have and left.get(pair.topic, 0):
            left[pair.topic] -= 1
            taken.append(pair)
    return taken


def _config(config: GenerateConfig, earlier: Sequence[Pair], recipe: RoundConfig) -> GenerateConfig:
    """Return how the missing pairs are made: the allotment as shares of topics, and no fact asked twice."""
    wanted = Counter(pair.topic for pair in earlier) + Counter(recipe.allotted)
    total = wanted.total()
    shares = {area: 100 * n / total for area, n in sorted(wanted.items())}
    return config.model_copy(update={"pairs": total, "taught_share": 0.0, "topic_shares": shares})


def _taught_by(before: Run | None, materials: Materials) -> tuple[Settings, tuple[Change, ...]]:
    """Return the settings with what the round before taught, where `generate.learn` asks for it, and those changes.

    A chat model's mix of kinds needs nothing more: it is fitted to the rejections that are carried on.
    """
    if before is None:
        return materials.settings, ()
    settings, changes = with_learned(before, materials.settings, materials.progress)
    return settings, tuple(change for change in changes if change.is_line)


def _stage(settings: Settings, exam: Exam, run: Run, recipe: RoundConfig, before: Run | None) -> Stage:
    files = (run.file(DOCUMENTS, "documents.jsonl"), run.file(CHUNKS, "chunks.jsonl"))
    inputs = {file.relative_to(run.path).as_posix(): file_sha256(file) for file in files} | exam.hashes()
    if before:
        inputs["before/pairs.jsonl"] = file_sha256(before.file(PAIRS, "pairs.jsonl"))
    return run.stage(
        PAIRS,
        config=[settings.generate, settings.gate, recipe],
        inputs=inputs,
        prompts=identity(settings),
        packages=PACKAGES,
        seed=recipe.seed,
    )


def _refused(before: Run) -> list[Rejected]:
    """Return what was refused before; good pairs that were not chosen may be proposed again."""
    rejected = read_jsonl(before.file(PAIRS, "rejected.jsonl"), Rejected)
    return [old for old in rejected if old.verdict.reason != "not_selected"]


def _asked(before: Run) -> Mapping[str, int]:
    return {old.chunk_id: old.asked for old in read_jsonl(before.file(PAIRS, "asked.jsonl"), Asked)}
