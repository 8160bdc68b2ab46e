"""Every choice of a recipe in one line of the log, with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import Opened
from finetune.checks import DPO
from finetune.method import FULL, QLORA
from finetune.recipe import MANY, SMALL, SOME, Recipe


def explained(made: Recipe, config: FinetuneConfig, opened: Opened, rows: int, held: int, longest: int) -> list[str]:
    """Return a line for each choice.

    Args:
        made: The recipe.
        config: What was asked for; what it leaves open was decided.
        opened: The base.
        rows: Rows to train on.
        held: Rows to validate on.
        longest: Tokens of the longest sequence.
    """
    small = opened.model.num_parameters() < SMALL
    return [
        *_objective(config),
        _adapter(made, config, rows, small=small),
        _numbers(made, opened),
        _rate(made, config, rows, small=small),
        _passes(made, config, rows, small=small),
        _batch(made, longest),
        _order(made, opened),
        _stopping(made, config, held, small=small),
    ]


def _objective(config: FinetuneConfig) -> Iterator[str]:
    if config.objective == DPO:
        yield (
            f"Objective: of two answers rather the preferred one (DPO, beta {config.beta:g}), against the model as it "
            "was before the training."
        )


def _given(value: object) -> str:
    return " (as given)" if value is not None else ""


def _adapter(made: Recipe, config: FinetuneConfig, rows: int, *, small: bool) -> str:
    if made.method == FULL:
        return "Method full: every weight is trained; the result is a whole model."
    why = "a small base needs much room" if small else f"{rows:,} rows; 64 from {SOME:,}, 256 from {MANY:,}"
    dial = "" if config.quality == "balanced" else f"; --quality {config.quality}"
    rank = _given(config.rank) or f" ({why}{dial})"
    return (
        f"Method {made.method}: rank {made.rank}{rank}, alpha {made.alpha}{_given(config.alpha)}, no dropout, "
        "on every linear layer but the output's."
    )


def _numbers(made: Recipe, opened: Opened) -> str:
    stored = str(opened.model.dtype).removeprefix("torch.")
    kept = "NF4" if made.method == QLORA else stored
    computed = "bfloat16, which this machine multiplies faster" if made.half else stored
    if made.method == FULL:
        return f"Numbers: weights {kept}, so that small steps are not rounded away; computed in {computed}."
    return f"Numbers: base {kept}, adapter float32; computed in {computed}."


def _rate(made: Recipe, config: FinetuneConfig, rows: int, *, small: bool) -> str:
    why = "a tenth of LoRA's" if made.method == FULL else "ten times that of full fine-tuning, which LoRA wants"
    why = f"{why}; a small base wants ten times more" if small else why
    why = f"{why}; a twentieth of it for preferences" if config.objective == DPO else why
    times = config.learning_rate_multiplier
    why = _given(config.learning_rate) or f" ({why})"
    why = why if times == 1 else f"{why}, of it {times:g} times, as given"
    warmup = f"{100 * made.warmup(rows):.0f} % warm-up" if made.warmup(rows) else "no warm-up in so few steps"
    return f"Learning rate: {made.learning_rate:g}{why}, {warmup}, cosine."


def _passes(made: Recipe, config: FinetuneConfig, rows: int, *, small: bool) -> str:
    why = "a small base learns slowly" if small else f"{rows:,} rows; 2 from {SOME:,}, 1 from {MANY:,}"
    why = "what is preferred is learned soon" if config.objective == DPO else why
    dial = "" if config.quality == "balanced" else f"; --quality {config.quality}"
    return f"Passes: {made.epochs:g}{_given(config.epochs) or f' ({why}{dial})'}."


def _batch(made: Recipe, longest: int) -> str:
    micro = made.rows_at_once(longest)
    unit = "packs" if made.packing else "rows"
    again = "activations computed anew to save memory" if made.checkpointing else "activations kept, as they fit"
    return f"Batch: {made.a_step} {unit} a step, {micro} at once up to {longest} tokens each; {again}."


def _order(made: Recipe, opened: Opened) -> str:
    if made.packing:
        return "Order: rows packed into sequences, each seeing only itself; batches shuffled."
    place = "a CPU" if opened.model.device.type == "cpu" else "this run"
    return f"Order: rows of like length together, batches shuffled; no packing, which does not pay on {place}."


def _stopping(made: Recipe, config: FinetuneConfig, held: int, *, small: bool) -> str:
    if not held:
        return "Stopping: after all passes; no rows are held out to stop by."
    if made.patience is None:
        why = "a small base learns by heart, and its loss on other rows rises meanwhile" if small else "as given"
        return f"Stopping: after all passes ({why}); {held:,} rows are held out."
    return (
        f"Stopping: after {made.patience} evaluations{_given(config.patience)} without a lower loss on {held:,} "
        "held-out rows; the best is kept."
    )
