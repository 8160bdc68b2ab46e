"""Rows of a data set on the hub, fetched through `datasets` because the user named it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from data.sft.drafts import Place, Raw
from doceo.core.errors import InputError

PREFIX = "hf:"


def hub_rows(name: str) -> Iterator[Raw]:
    """Yield the rows of `hf:NAME[:CONFIG[:SPLIT]]`; NAME may be a folder of data files, SPLIT is `train` if left out.

    Raises InputError where there is no such data set, configuration or split, or it cannot be fetched.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import datasets
    from datasets.exceptions import DatasetsError

    datasets.disable_progress_bars()
    where, config, split = (*name.removeprefix(PREFIX).split(":"), "", "")[:3]
    try:
        rows = datasets.load_dataset(where, config or None, split=split or "train")
    except (OSError, ValueError, RuntimeError, KeyError, DatasetsError) as error:
        # What could not be read is said by the cause of an error that says only that it could not be.
        said = " ".join(str(error.__cause__ or error).split())[:300]
        raise InputError(
            f"The data set {name} cannot be read: {said}",
            hint="Write hf:NAME, hf:NAME:CONFIG or hf:NAME:CONFIG:SPLIT; fetching needs the network.",
        ) from error
    for number, row in enumerate(rows, 1):
        yield Place(number, "row"), dict(row)
