"""Plain text to a language model: tokenizer, token shards, estimate, training, and a folder that any tool opens."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data import manifest as manifests
from data.jsonl import read_json
from data.lock import writing
from data.store import Run, Stage
from doceo.app.settings import Settings
from doceo.app.shards import HOME, Corpus, find_corpus, learn_tokenizer, open_shards
from doceo.core.config import PretrainConfig, TextConfig, TrainingConfig
from doceo.core.errors import ModelExists, TrainingError, UsageError
from doceo.core.protocols import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from doceo.pretrain.card import Origin, Pretrained
    from doceo.pretrain.estimate import Estimate
    from doceo.pretrain.shards import Shards
    from doceo.pretrain.start import Wanted

PACKAGES = ("doceo", "torch", "transformers", "tokenizers", "safetensors")
TOKENIZER = "tokenizer"
"""Folder, while a model is made, of the tokenizer that is trained for it."""
LEAST_TOKENS = 64


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
        sources: Texts: files, folders, globs.
        out: The folder to write.
        tokenizer: A tokenizer's folder or name; empty: one is trained first.
        config: A `config.json` of any causal language model; None: a Llama of the given depth.
        further: A model to train further, a folder or a name on the hub; empty: random weights.
        force: Replace a finished or unfinished model of other settings.
    """

    sources: tuple[str, ...]
    out: Path
    tokenizer: str = ""
    config: Path | None = None
    further: str = ""
    force: bool = False


@dataclass(frozen=True)
class Outcome:
    """The folder and what came of it; `unchanged` where nothing was to be done."""

    folder: Path
    result: Pretrained
    unchanged: bool


def pretrain_text(plan: Plan, settings: Settings, progress: Progress) -> Outcome:
    """Train a model on plain text; the same command goes on where a process was stopped.

    Raises:
        UsageError: Options exclude each other, or `out` holds other files.
        InputError, NothingReadable: A text or the config file cannot be read.
        ModelExists: `out` holds, or was to hold, a model of other settings, and `force` is not given.
        TrainingError: Too little text, too little memory, or a loss that is no longer a number.
        ModelNotFound, ProviderError: The tokenizer or the model to train further cannot be opened.
        RunLocked: Another process is making it.
        StorageError: The disk is full or not writable.
    """
    out, corpus, stage = _checked(plan, settings)
    if stage.finished:
        return Outcome(out, _read_result(out), unchanged=True)
    _check_place(stage, plan)
    held = out.parent / HOME / f"making-{out.name}"
    with writing(held, "model", instead="choose another --out"), stage.making(resumable=True) as work:
        result = _make(plan, settings, corpus, work, out, progress)
    shutil.rmtree(held, ignore_errors=True)
    return Outcome(out, result, unchanged=False)


def estimate_text(plan: Plan, settings: Settings, progress: Progress) -> Estimate:
    """Return what `pretrain_text` would take, from a few real steps. Raises as it does."""
    from doceo.pretrain.start import start

    out, corpus, _ = _checked(plan, settings)
    with tempfile.TemporaryDirectory() as work:
        tokenizer = _tokenizer(plan, settings, corpus, Path(work), progress)
    shards = _shards(settings, corpus, tokenizer, out, progress)
    return start(_wanted(plan, settings), tokenizer, None).estimate(shards)


def _checked(plan: Plan, settings: Settings) -> tuple[Path, Corpus, Stage]:
    """Return the folder to write, the texts, and the stage that is made of them."""
    if plan.further and (plan.tokenizer or plan.config):
        raise UsageError(
            "--from takes the model's own tokenizer and config.", hint="Leave --tokenizer and --config out, or --from."
        )
    if "-" in plan.sources:
        raise UsageError("Texts are read more than once, which stdin cannot be.", hint="Save them in a file first.")
    out = plan.out.expanduser().resolve()
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and manifests.read(out) is None)):
        raise UsageError(f"{plan.out} holds other files.", hint="Name a new or empty folder with --out.")
    corpus = find_corpus(plan.sources, settings.texts.fields)
    parts = {f"text/{name}": digest for name, digest in corpus.hashes.items()}
    parts |= _hashes("tokenizer", plan.tokenizer, "tokenizer*.json") | _hashes("from", plan.further, "*.safetensors")
    if plan.config is not None:
        parts |= {"config": manifests.file_sha256(plan.config) if plan.config.is_file() else ""}
    configs = [*_configs(plan, settings)]
    stage = Run(out.parent).stage(
        out.name, config=configs, inputs=dict(sorted(parts.items())), packages=PACKAGES, seed=settings.pretrain.seed
    )
    return out, corpus, stage


def _configs(plan: Plan, settings: Settings) -> tuple[PretrainConfig, TrainingConfig, TextConfig]:
    from doceo.pretrain.presets import sized

    other_shape = plan.config is not None or bool(plan.further)
    return sized(settings.pretrain, other_shape=other_shape), settings.training, settings.texts


def _hashes(kind: str, name: str, pattern: str) -> dict[str, str]:
    """Return {KIND/FILE: sha256} of a model's files, or {KIND: NAME} of one on the hub."""
    if not name:
        return {}
    files = sorted(Path(name).expanduser().glob(pattern)) if Path(name).expanduser().is_dir() else []
    return {f"{kind}/{file.name}": manifests.file_sha256(file) for file in files} or {kind: name}


def _check_place(stage: Stage, plan: Plan) -> None:
    """Raise ModelExists where something else would be lost."""
    from doceo.pretrain.checkpoint import FOLDER

    if plan.force:
        return
    if manifests.read(stage.folder) is not None:
        raise ModelExists(
            f"{plan.out} holds a finished model that was made from other text or other settings.",
            hint="Name another --out, or replace it with --force.",
        )
    if stage.left_by_another and any((stage.work / FOLDER).glob("step-*")):
        raise ModelExists(
            f"A training for {plan.out} with other text or other settings was stopped and can still go on.",
            hint="Run the command again as it was, name another --out, or drop that training with --force.",
        )


def _make(plan: Plan, settings: Settings, corpus: Corpus, work: Path, out: Path, progress: Progress) -> Pretrained:
    """Train in the work folder and leave there what the model's folder is to hold."""
    from doceo.pretrain import checkpoint
    from doceo.pretrain.saving import save_results
    from doceo.pretrain.start import start
    from doceo.pretrain.training import Training

    tokenizer = _tokenizer(plan, settings, corpus, work, progress)
    shards = _shards(settings, corpus, tokenizer, out, progress)
    found = checkpoint.last(work)
    begun = start(_wanted(plan, settings), tokenizer, found[1] if found else None)
    if found is None:
        progress.say(str(begun.estimate(shards)))
    training = Training(begun.learner, shards, settings.training, work, progress)
    result = training.run()
    origin = _origin(plan, corpus, shards)
    save_results(begun.learner, result, training.log, origin, work, name=out.name, weights=settings.training.weights)
    checkpoint.remove(work)
    shutil.rmtree(work / TOKENIZER, ignore_errors=True)
    return result


def _wanted(plan: Plan, settings: Settings) -> Wanted:
    from doceo.pretrain.start import Wanted

    return Wanted(_configs(plan, settings)[0], settings.training, plan.config, plan.further)


def _tokenizer(
    plan: Plan, settings: Settings, corpus: Corpus, work: Path, progress: Progress
) -> PreTrainedTokenizerBase:
    """Return the model's or the named tokenizer, or one that is trained on the texts now."""
    from doceo.pretrain.model import file_vocabulary
    from doceo.providers.hf_models import open_tokenizer
    from doceo.text.chat_template import PLAIN

    named = plan.further or plan.tokenizer
    if not named:
        config = _configs(plan, settings)[0]
        size = config.vocab_size
        if plan.config is not None and "vocab_size" not in settings.pretrain.model_fields_set:
            size = file_vocabulary(plan.config) or size
        if not (work / TOKENIZER).exists():
            learn_tokenizer(
                corpus,
                work / TOKENIZER,
                vocab_size=size,
                context=config.context,
                held_out_every=settings.training.held_out_every,
                progress=progress,
            )
    tokenizer = open_tokenizer(named or str(work / TOKENIZER))
    if str(tokenizer.chat_template).endswith(PLAIN):
        # It came without a template, and whoever opens the model gives it this one again.
        tokenizer.chat_template = None
    return tokenizer


def _shards(
    settings: Settings, corpus: Corpus, tokenizer: PreTrainedTokenizerBase, out: Path, progress: Progress
) -> Shards:
    every = settings.training.held_out_every
    shards = open_shards(corpus, tokenizer, out.parent / HOME, held_out_every=every, progress=progress)
    if len(shards) < LEAST_TOKENS:
        raise TrainingError(
            f"There are {len(shards)} tokens of text to pretrain on, fewer than {LEAST_TOKENS}.",
            hint="Give more text, or start from a finished model: doceo pretrain --from, doceo run --base.",
        )
    return shards


def _origin(plan: Plan, corpus: Corpus, shards: Shards) -> Origin:
    from doceo.pretrain.card import Origin

    return Origin(
        texts=corpus.hashes,
        train_tokens=len(shards),
        train_bytes=shards.index.bytes,
        held_out_bytes=sum(text.bytes for text in shards.index.held_out),
        further=Path(plan.further).name if Path(plan.further).is_dir() else plan.further,
    )


def _read_result(folder: Path) -> Pretrained:
    from doceo.pretrain.card import Pretrained
    from doceo.pretrain.saving import RESULT

    made = read_json(folder / RESULT)
    assert isinstance(made, dict)
    return Pretrained(**{name: made.get(name) for name in Pretrained.model_fields})
