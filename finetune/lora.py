"""Dataset to adapter: LoRA by TRL's `SFTTrainer` and PEFT, with the settings that are easily got wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.jsonl import write_json
from data.manifest import file_sha256
from doceo.core.config import FinetuneConfig
from doceo.core.fingerprint import identify
from doceo.core.protocols import Progress
from doceo.providers.hf_models import Opened, open_config, quiet, quiet_start
from finetune import ranks
from finetune.base import commit, open_base, revision
from finetune.checkpointing import BEST, CHECKPOINTS, claim, keep_plan, kept_memory, kept_plan, last_step
from finetune.checks import DPO
from finetune.continuing import check_base, check_start, recipe_of
from finetune.failures import mapped
from finetune.finetuned import Finetuned, Memory
from finetune.following import told
from finetune.memory import Estimate, fit, weights_fit
from finetune.method import FULL, check_objective
from finetune.packed import longest_sequence, settle
from finetune.preflight import prepare
from finetune.reasons import explained
from finetune.recipe import recipe
from finetune.result import result_of
from finetune.results_file import RESULTS, write_results
from finetune.row_files import read_rows
from finetune.tracking import prepare_tracker
from finetune.training import Trained, Training, train
from finetune.weights import WEIGHTS, complete, is_adapted, restore_weights, save_weights


def finetune(
    train_rows: Path,
    validation_rows: Path | None,
    base: str,
    config: FinetuneConfig,
    work: Path,
    progress: Progress,
    *,
    holdout: float = 0.0,
    measure: bool = False,
    start: Path | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Finetuned:
    """Train an adapter and leave it in a folder, with its log, curve, sample answers and card.

    A folder in which the same training was interrupted is continued from its newest finished checkpoint; the result
    equals that of an uninterrupted run on the same machine. Ctrl-C and SIGTERM save a checkpoint first.

    Under `torchrun` the first process calls this and the others `following.follow`: they share the rows of every step.

    Args:
        train_rows: Rows in any form that `data.sft` knows.
        validation_rows: The same, or None; decides which adapter is kept and when to stop.
        base: Folder or hub name of the base model.
        config: Method, rank, learning rate, epochs and so on.
        work: The folder to write: the adapter, the tokenizer, training.jsonl, samples.jsonl, curve.svg, README.md,
            and data.json, which is the report on the rows. Its `checkpoints` can go once the result is kept.
        progress: Where steps are shown.
        holdout: Share of `train_rows` to validate on where there are no `validation_rows`.
        measure: Take one step first, to see what fits into memory and how long it will take.
        start: An adapter whose weights the training starts from; it is a new training all the same.
        clock: Seconds, for the log.

    Raises:
        InputError: A row is faulty; the message lists lines and fields.
        TrainingError: Nothing is left to train on, it does not fit, or the loss is no longer a number.
        ModelNotFound: There is no such base.
        ProviderError: The base cannot be used.
        StorageError: The folder cannot be written.
        MissingExtra: The tracker that is named, or bitsandbytes for QLoRA, is not installed.
    """
    quiet_start()
    from finetune.samples import choose_questions

    check_objective(config)
    prepare_tracker(config, work)
    rows = read_rows(train_rows, validation_rows, holdout, config)
    if start is not None:
        check_start(start, config)
    weights_fit(base, config)
    opened = open_base(base, config.method)
    known = revision(base, opened.model)
    made = recipe(config, opened, len(rows.train))
    if start is not None:
        check_base(start, base, known)
        made = recipe_of(start, made)
    prepared = prepare(opened.tokenizer, rows.name, rows.checked, made.max_length, train=rows.train, held=rows.held_out)
    for line in prepared.report.said():
        progress.say(line)
    origin = [file_sha256(start / WEIGHTS)] if start else []
    claim(work, identify("", known or base, [*rows.hashes.values(), holdout, *origin]), config)
    write_json(work / "data.json", prepared.report.model_dump())
    asked = choose_questions(rows.held_out, opened.tokenizer, made.max_length, config.sample_answers)
    examples = prepared.train.rows, prepared.validation.rows
    job = Training(base, commit(base, known), made, *examples, asked, config, work, start, progress, clock)
    with mapped(work):
        opened, job, memory = _fitted(opened, job, measure=measure)
        ranks.tell(told(job))
        trained = train(opened, job)
        found: dict[str, object] = {
            "data": rows.hashes,
            "repeated": len(rows.checked.repeated),
            "too_long": len(prepared.train.too_long),
            "memory": memory.model_copy(update={"measured": trained.peak}),
        }
        with quiet():
            return _finish(trained, job, result_of(trained, job, known).model_copy(update=found))


def _fitted(opened: Opened, job: Training, *, measure: bool) -> tuple[Opened, Training, Memory]:
    """Return the training with the rows at once that fit into memory, and say how it is trained and what it takes.

    A training that goes on keeps what it has: with other rows at once, its losses would differ in the last digits.
    """
    step = last_step(job.work)
    memory = kept_memory(job.work) if step else None
    made = kept_plan(job.work, job.made) if step else job.made
    # A step of one process alone would wait for the others.
    if memory is None and measure and ranks.count() == 1:
        job.progress.say("Measuring one step before the training starts ...")
        found = fit(job.base, opened, job.train, made, job.config, clock=job.clock)
        made, memory = found.applied(made), found.memory(0)
        opened = open_base(job.base, job.config.method)
        _say_estimate(found, job)
    memory = memory or Memory()
    settled, sequences = settle(job.train, made)
    keep_plan(job.work, made, memory, settled.steps(sequences))
    longest = longest_sequence(job.train, settled)
    held = len(job.validation)
    for line in explained(settled, job.config, opened, len(job.train), held, longest):
        job.progress.say(line)
    if step:
        job.progress.say(f"Going on after step {step} of an interrupted training.")
    return opened, job._replace(made=made), memory


def _say_estimate(found: Estimate, job: Training) -> None:
    size = f"{found.parameters / 1e6:.1f}M parameters, all trained"
    if job.made.method != FULL:
        base, adapter = found.parameters - found.trainable, found.trainable
        size = f"{base / 1e6:.1f}M parameters, and {adapter / 1e6:.2f}M of an adapter that are trained"
    job.progress.say(
        f"Fine-tuning {job.base} ({size}; {found.steps} steps): {found} ({found.predicted_bytes / 1e9:.1f} GB worked "
        "out beforehand)."
    )


def _finish(trained: Trained, job: Training, result: Finetuned) -> Finetuned:
    """Put what is kept in its place, measure it, and write its card and curve; the checkpoints stay."""
    from finetune.card import write_card
    from finetune.curve import draw_curve

    model, work = trained.trainer.model, job.work
    best = work / CHECKPOINTS / BEST
    if job.made.patience and best.exists():
        restore_weights(model, best)
    _drop_training_state(trained.trainer)
    if not is_adapted(model):
        stored = open_config(job.base)
        model.to(stored.dtype or model.dtype)
        # The trainer turns the cache off, and whoever opens the model would answer slowly.
        model.config.use_cache = getattr(stored, "use_cache", True)
    save_weights(model, work)
    complete(trained.trainer.processing_class, job.revision, work)
    write_results(trained.lines, work / RESULTS)
    draw_curve(trained.lines, work / "curve.svg", "pair of answers" if job.config.objective == DPO else "token")
    result = result.model_copy(update=_measured(trained, job))
    write_card(result, work)
    return result


def _drop_training_state(trainer: Any) -> None:  # noqa: ANN401 - trl ships no types
    """Give back what only training needs, where it would stand in the way of measuring."""
    trainer.optimizer = trainer.lr_scheduler = None
    trainer.model.zero_grad(set_to_none=True)
    if trainer.model.device.type == "cuda" or not is_adapted(trainer.model):
        trainer.accelerator.free_memory()


def _measured(trained: Trained, job: Training) -> dict[str, object]:
    """Compare base and tuned model on the rows held out and on the general text, and say how they do."""
    from finetune.forgetting import measure_forgetting
    from finetune.scoring import compare

    model, half, whole = trained.trainer.model, job.made.half, job.made.method == FULL
    opened = trained.opened
    pad = opened.tokenizer.pad_token_id
    compared = compare(model, job.base, job.validation, pad, half=half, whole=whole) if job.validation else None
    forgetting = measure_forgetting(opened, model, job.base, half=half, whole=whole)
    if compared:
        job.progress.say(str(compared))
    job.progress.say(f"{forgetting} {forgetting.advice(len(job.train))}")
    return {"compared": compared, "forgetting": forgetting}
