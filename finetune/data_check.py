"""The data checks of a training without the training: what `finetune --check` shows and the HTTP service answers."""

from __future__ import annotations

from pathlib import Path

from data.sft.drafts import Problem
from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import context_of, open_config, open_tokenizer
from finetune.checks import check_rows, refuse_faulty, suited
from finetune.data_report import DataReport
from finetune.preflight import prepare
from finetune.recipe import LONGEST
from finetune.row_files import read_rows


def row_faults(rows: Path, objective: str) -> list[Problem]:
    """Return what is wrong with the rows of a file, each with its line, field and cure; quick, since no base is read.

    Args:
        rows: Rows in any form that `data.sft` knows.
        objective: `sft`, or `dpo`, which needs two answers in every row.

    Raises InputError where the file cannot be read at all, or holds no row.
    """
    checked = suited(check_rows(rows), objective)
    if not checked.problems:
        refuse_faulty(rows.name, checked)
    return checked.problems


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
    rows = read_rows(train_rows, validation_rows, share, config)
    tokenizer = open_tokenizer(base)
    longest = min(config.max_length or LONGEST, context_of(open_config(base), tokenizer))
    return prepare(tokenizer, rows.name, rows.checked, longest, train=rows.train, held=rows.held_out).report
