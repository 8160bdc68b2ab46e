"""What a training came to, from its log and its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doceo.providers.shipped_model import named
from finetune import ranks
from finetune.finetuned import Finetuned
from finetune.training import Trained, Training
from finetune.weights import is_adapted


def result_of(trained: Trained, job: Training, known: str) -> Finetuned:
    """Return what the training came to, before anything is measured with it; `known` is the base's revision."""
    trainer, lines, made = trained.trainer, trained.lines, trained.made
    steps = [line for line in lines if line["loss"] is not None]
    tail = steps[-max(1, len(steps) // 10) :]
    loss, step = trained.kept
    whole = trainer.model.num_parameters()
    trainable, parameters = trainer.model.get_nb_trainable_parameters() if is_adapted(trainer.model) else (whole, whole)
    return Finetuned(
        base=named(job.base),
        base_revision=known,
        objective=job.config.objective,
        method=made.method,
        quality=job.config.quality,
        rank=made.rank,
        alpha=made.alpha,
        learning_rate=made.learning_rate,
        batch_size=made.batch_size,
        rows_at_once=int(trainer.args.per_device_train_batch_size),
        processes=ranks.count(),
        checkpointing=made.checkpointing,
        packing=made.packing,
        seed=job.config.seed,
        parameters=parameters,
        trainable=trainable,
        rows=len(job.train),
        held_out=len(job.validation),
        repeated=0,
        too_long=0,
        steps=trainer.state.global_step,
        best_step=step,
        epochs=round(float(trainer.state.epoch), 3),
        tokens=lines[-1]["tokens"],
        seconds=lines[-1]["seconds"],
        loss=_mean(tail, "loss"),
        accuracy=_mean(tail, "accuracy"),
        **_rewards(lines, tail),
        eval_loss=None if loss is None else round(loss, 4),
        data={},
        continued_from=str(job.start or ""),
    )


def _mean(lines: Sequence[dict[str, Any]], name: str) -> float:
    return round(sum(float(line[name]) for line in lines) / len(lines), 4)


def _rewards(lines: Sequence[dict[str, Any]], tail: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return what preference tuning came to on the validation rows at last, or else in the last steps."""
    evaluated = [line for line in lines if "eval_reward_margin" in line][-1:]
    if not evaluated and "reward_margin" not in tail[-1]:
        return {}
    at, before = (evaluated, "eval_") if evaluated else (tail, "")
    return {name: _mean(at, before + name) for name in ("reward_margin", "reward_accuracy")}
