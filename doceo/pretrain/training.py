"""A training that measures itself, shows what it writes, and goes on where it was stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from doceo.core.config import TrainingConfig
from doceo.core.protocols import Progress, Task
from doceo.core.stopping import Stop
from doceo.pretrain import checkpoint as checkpoints
from doceo.pretrain.card import Pretrained
from doceo.pretrain.checkpoint import State
from doceo.pretrain.log import LINES, Log
from doceo.pretrain.loop import Done, Step, run_steps
from doceo.pretrain.objective import Objective
from doceo.pretrain.optimizers import Optimizers
from doceo.pretrain.recipe import Recipe
from doceo.pretrain.samples import prompts_of, sample
from doceo.pretrain.shards import Shards
from doceo.pretrain.validation import Validation

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LAST = 4
"""The figure that a finished training is known by is of so many times as many tokens as those of its curve."""
MEASURING = 0.1
"""Share of a training's time that measuring may take where its time is limited."""
SHOWN = 100
"""Characters of a sample that are shown while training goes on."""


@dataclass(frozen=True)
class Learner:
    """What is trained: the model, its tokenizer, its loss and how it is stepped."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    objective: Objective
    recipe: Recipe


class Training:
    """One training, of which every step can be the last of a process.

    Args:
        learner: What is trained.
        shards: On what.
        config: How often it measures, shows and saves.
        work: Where checkpoints and logs lie; what an earlier process left there is taken up.
        progress: Where it is shown.
        clock: Seconds.
    """

    def __init__(
        self,
        learner: Learner,
        shards: Shards,
        config: TrainingConfig,
        work: Path,
        progress: Progress,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._learner, self._shards, self._config, self._work = learner, shards, config, work
        self._progress, self._clock, self._saved = progress, clock, clock()
        self._measuring = 0.0
        self._final: float | None = None
        recipe, model = learner.recipe, learner.model
        self._optimizers = Optimizers(model, recipe)
        rows = recipe.micro_rows(recipe.context)
        self._validation = Validation(shards, learner.tokenizer, context=recipe.context, rows=rows)
        self._prompts = prompts_of(config, self._validation, learner.tokenizer) if config.sample_tokens else []
        found = checkpoints.last(work)
        self._before = found[1].done if found else Done()
        self.log = Log(work, self._before.steps, found[1].waiting if found else ())
        if found:
            checkpoints.restore(found[0], model, self._optimizers)
            progress.say(_goes_on(found[1]))

    def run(self) -> Pretrained:
        """Train to the end and return what came of it.

        A SIGTERM or Ctrl-C saves a checkpoint after the running step and then has its usual effect.

        Raises:
            TrainingError: The loss is no longer a number.
            StorageError: A checkpoint cannot be written.
        """
        learner, stop = self._learner, Stop()
        total, unit = _total(learner.recipe)
        reached, share = self._before, _at(self._before, learner.recipe)
        learner.model.train()
        steps = run_steps(
            learner.model, learner.objective, self._optimizers, self._shards, learner.recipe, self._clock, reached
        )
        with self._progress.task("pretrain", total=total, unit=unit) as task, stop.listening():
            task.advance(int(share * total))
            for step in steps:
                self._show(task, step, share, total)
                self._after(step, share)
                reached, share = step.reached, step.share
                if stop.signal is not None or self._clock() - self._saved >= self._config.save_seconds:
                    self._save(reached)
                if stop.signal is not None:
                    break
        stop.end()
        learner.model.eval()
        self.log.write()
        return self._result(reached)

    def _after(self, step: Step, share: float) -> None:
        """Note a step; measure and write samples where a part of the run ends with it."""
        self.log.waiting.append(step.loss)
        if _crosses(share, step.share, self._config.evaluations) and self._has_time(step):
            start = self._clock()
            self.log.add(step, self._measured(self._config.eval_tokens))
            if step.share >= 1.0:
                self._final = self._measured(LAST * self._config.eval_tokens)
            self._write_samples(step.reached.steps)
            self._measuring += self._clock() - start
        elif _crosses(share, step.share, LINES):
            self.log.add(step, None)

    def _measured(self, tokens: int) -> float | None:
        return self._validation.bits_per_byte(self._learner.model, self._learner.objective, tokens)

    def _has_time(self, step: Step) -> bool:
        """Return whether to measure now: in a short time most of it has to go into training."""
        timed = self._learner.recipe.max_steps is None and step.share < 1.0
        return not timed or self._measuring <= MEASURING * (step.reached.seconds - self._before.seconds)

    def _write_samples(self, step: int) -> None:
        learner = self._learner
        written = sample(
            learner.model,
            learner.tokenizer,
            self._prompts,
            self._config,
            context=learner.recipe.context,
            seed=learner.recipe.seed,
        )
        self.log.add_samples(step, written)
        measured = self.log.lines[-1]["eval_bits_per_byte"]
        said = f"step {step:,}: " + (f"{measured:.3f} bits per byte" if measured is not None else "")
        for one in written[1:2] or written:
            said += f"  [{one['prompt']}] {' '.join(one['text'].split())[:SHOWN]}"
        self._progress.say(said)

    def _show(self, task: Task, step: Step, share: float, total: int) -> None:
        moved = min(total, int(step.share * total)) - min(total, int(share * total))
        used = step.reached.seconds - self._before.seconds - self._measuring
        speed = (step.reached.tokens - self._before.tokens) / used if used > 0 else 0.0
        task.advance(moved, f"loss {step.loss:.2f}, {speed:,.0f} tokens/s")

    def _save(self, reached: Done) -> None:
        self.log.write()
        state = State(
            steps=reached.steps,
            tokens=reached.tokens,
            seconds=reached.seconds,
            micro_tokens=self._learner.recipe.micro_tokens,
            threads=torch.get_num_threads(),
            waiting=tuple(self.log.waiting),
        )
        checkpoints.save(self._work, self._learner.model, self._optimizers, state)
        self._saved = self._clock()

    def _result(self, reached: Done) -> Pretrained:
        model = self._learner.model
        # A process that was stopped after its last step has not left the figure.
        final = self._final if self._final is not None else self._measured(LAST * self._config.eval_tokens)
        return Pretrained(
            parameters=model.num_parameters(),
            vocabulary=model.config.get_text_config().vocab_size,
            tokens=reached.tokens,
            steps=reached.steps,
            seconds=round(reached.seconds, 3),
            loss=round(self.log.loss(), 4),
            bits_per_byte=None if final is None else round(final, 4),
        )


def _total(recipe: Recipe) -> tuple[int, str]:
    return (recipe.max_steps, "steps") if recipe.max_steps else (math.ceil(recipe.seconds), "s")


def _at(done: Done, recipe: Recipe) -> float:
    return done.steps / recipe.max_steps if recipe.max_steps else done.seconds / recipe.seconds


def _crosses(before: float, after: float, parts: int) -> bool:
    """Return whether the end of one of so many equal parts of the run lies between two points of it."""
    return int(min(1.0, after) * parts + 1e-9) > int(before * parts + 1e-9)


def _goes_on(state: State) -> str:
    line = f"Goes on after step {state.steps:,}."
    if state.threads != torch.get_num_threads():
        line += f" It had {state.threads} threads and now has {torch.get_num_threads()}: the last digits may differ."
    return line
