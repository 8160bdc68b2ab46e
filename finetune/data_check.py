"""The data checks of a training without the training: what `finetune --check` shows and the HTTP service answers."""

from __future__ import annotations

from pathlib import Path

from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import context_of, open_config, open_tokenizer
from finetune.data_report import DataReport
from finetune.preflight import prepare
from finetune.recipe import LONGEST
from finetune.row_files import read_rows


def check_data(base: str, train_rows: Path, validation_rows: Path | None, config: FinetuneConfig) -> DataReport:
    """Return the report on data as the training would make it; the base's weights are not read.

    Args:
        base: Folder or hub name: its tokenizer and context decide what fits.
        train_rows: Rows in any form that `data.sft` knows.
        validation_rows: The same, or None: a share of the first file is held out.
        config: `max_length`, `holdout_share` and `seed` matter here.

    Raises:
        InputError: Rows are faulty; the message names line, field and cure.
        TrainingError: Nothing would be learned.
        ModelNotFound, ProviderError: The base's tokenizer or config cannot be read.
    """
    share = 0.0 if validation_rows else config.holdout_share
    rows = read_rows(train_rows, validation_rows, share, config.seed)
    tokenizer = open_tokenizer(base)
    longest = min(config.max_length or LONGEST, context_of(open_config(base), tokenizer))
    return prepare(tokenizer, rows.name, rows.checked, longest, train=rows.train, held=rows.held_out).report
