"""One training: from a base in memory to the adapter that is kept."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from data.jsonl import write_jsonl
from doceo.core.config import FinetuneConfig
from doceo.core.protocols import Progress
from doceo.providers.hf_models import Opened, quiet
from finetune import ranks
from finetune.base import open_base
from finetune.checkpointing import BEST, CHECKPOINTS, checkpoints, keep_plan, kept_memory
from finetune.examples import Encoded
from finetune.failures import out_of_memory
from finetune.finetuned import Memory
from finetune.log_file import LOG
from finetune.packed import longest_sequence, settle
from finetune.recipe import Recipe
from finetune.tracking import finish_tracker
from finetune.weights import complete, drop_reference

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from finetune.callbacks import Log
    from finetune.samples import Asked
    from finetune.saving import Due
    from finetune.stopping import Stop


class Training(NamedTuple):
    """What is to be trained, on what and how.

    `asked` are questions that it answers meanwhile; `start` is an adapter whose weights it starts from. `revision` is
    the base's on the hub, where that is known.
    """

    base: str
    revision: str
    made: Recipe
    train: Sequence[Encoded]
    validation: Sequence[Encoded]
    asked: Sequence[Asked]
    config: FinetuneConfig
    work: Path
    start: Path | None
    progress: Progress
    clock: Callable[[], float]


class Trained(NamedTuple):
    """A training that is over: base, trainer with its model, the log, the recipe it ended with, and peak bytes."""

    opened: Opened
    trainer: Any
    lines: list[dict[str, Any]]
    made: Recipe
    peak: int

    @property
    def kept(self) -> tuple[float | None, int]:
        """Validation loss and step of the adapter that is kept: the best where there is patience, else the last."""
        evaluated = [(line["eval_loss"], line["step"]) for line in self.lines if line["eval_loss"] is not None]
        if evaluated and self.made.patience:
            return min(evaluated)
        return (evaluated[-1][0] if evaluated else None, self.trainer.state.global_step)


def train(opened: Opened, training: Training) -> Trained:
    """Train, with fewer rows at once after each time that the memory was not enough.

    An optimizer step has the same rows in any case. What was done until the last checkpoint is not done again.

    Raises RuntimeError or MemoryError where one row at a time, with activations computed anew, is still too much.
    """
    while True:
        try:
            return _attempt(opened, training)
        except (RuntimeError, MemoryError) as error:
            made, sequences = settle(training.train, training.made)
            smaller = made.smaller(longest_sequence(training.train, made)) if out_of_memory(error) else None
            if smaller is None or ranks.count() > 1:  # the other processes know nothing of it
                raise
        training = training._replace(made=smaller)
        keep_plan(training.work, smaller, kept_memory(training.work) or Memory(), smaller.steps(sequences))
        rows = smaller.rows_at_once(longest_sequence(training.train, smaller))
        training.progress.say(
            f"The memory was not enough: going on from the last checkpoint with {rows} rows at once"
            f"{' and activations computed anew' if smaller.checkpointing else ''}."
        )
        opened = _opened_anew(opened, training)


def _opened_anew(opened: Opened, training: Training) -> Opened:
    """Return the base without what the failed attempt put into it, whose memory is given back first."""
    import torch

    for parameter in opened.model.parameters():
        parameter.data = parameter.data.new_empty(0)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return open_base(training.base, training.config.method)


def _attempt(opened: Opened, training: Training) -> Trained:
    from finetune.callbacks import Log, Watch
    from finetune.peak import Peak
    from finetune.saving import Due
    from finetune.stopping import Stop, Together
    from finetune.trainer import build_trainer

    work, clock, progress = training.work, training.clock, training.progress
    made, sequences = settle(training.train, training.made)
    place = work / CHECKPOINTS
    earlier = checkpoints(place)
    log, stop, peak = Log(work / LOG, clock), Stop(), Peak(opened.model.device.type)
    due = Due(earlier[-1] if earlier else None)
    with quiet(), peak, progress.task("finetune", total=made.steps(sequences), unit="steps") as task:
        own = [*_callbacks(training._replace(made=made), sequences, opened, log, stop, due), Watch(task, peak, clock)]
        callbacks = [*(own if ranks.first() else []), stop, *([Together()] if ranks.count() > 1 else [])]
        trainer = build_trainer(
            opened, training.train, training.validation, made, training.config, place, callbacks, start=training.start
        )
        due.evaluate = trainer.evaluate
        # Trackio prints where it keeps its files; standard output belongs to results.
        with stop.listening(), redirect_stdout(sys.stderr):
            trainer.train(resume_from_checkpoint=str(earlier[-1]) if earlier else None)
    finish_tracker(training.config)
    if ranks.first():
        write_jsonl(log.path, log.lines)
    stop.end()
    drop_reference(trainer.model)
    return Trained(opened, trainer, log.lines if ranks.first() else [], made, peak.most)


def _callbacks(
    training: Training, sequences: int, opened: Opened, log: Log, stop: Stop, due: Due
) -> Iterator[TrainerCallback]:
    """Yield what happens beside the steps, in its order: what decides comes after what it looks at."""
    from finetune.callbacks import Best, Finite
    from finetune.samples import Samples
    from finetune.saving import Mark, Passes

    made, work, config = training.made, training.work, training.config
    yield Finite(log)
    yield log
    if training.validation and made.patience:
        yield Best(work / CHECKPOINTS / BEST, made.patience, log)
    if training.asked:
        yield Samples(work / "samples.jsonl", training.asked, opened.tokenizer, training.progress, stop)
    yield due
    if config.keep_passes:
        steps = math.ceil(sequences / made.a_step)
        yield Passes(work, steps, config.keep_passes, partial(complete, opened.tokenizer, training.revision))
    yield Mark(stop)
