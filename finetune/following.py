"""A training as the first process tells it to the others, and what the others do with it."""

from __future__ import annotations

import json
import time
from pathlib import Path

from doceo.core.config import FinetuneConfig
from doceo.core.progress import Silent
from finetune import ranks
from finetune.base import open_base
from finetune.examples import Encoded
from finetune.recipe import Recipe
from finetune.training import Training, train


def told(training: Training) -> str:
    """Return a training as a text: what is trained on, and how."""
    return json.dumps(
        {
            "base": training.base,
            "revision": training.revision,
            "made": training.made._asdict(),
            "train": training.train,
            "validation": training.validation,
            "config": training.config.model_dump(mode="json"),
            "work": str(training.work),
            "start": str(training.start or ""),
        }
    )


def follow() -> None:
    """Take this process's share of the training that the first one tells of, if it tells of any.

    Raises TrainingError, ProviderError as `finetune.lora.finetune`.
    """
    if text := ranks.tell():
        given = json.loads(text)
        config = FinetuneConfig.model_validate(given["config"])
        training = Training(
            base=given["base"],
            revision=given["revision"],
            made=Recipe(**given["made"]),
            train=[Encoded(*row) for row in given["train"]],
            validation=[Encoded(*row) for row in given["validation"]],
            asked=(),
            config=config,
            work=Path(given["work"]),
            start=Path(given["start"]) if given["start"] else None,
            progress=Silent(),
            clock=time.perf_counter,
        )
        train(open_base(training.base, config.method), training)
    ranks.leave()
