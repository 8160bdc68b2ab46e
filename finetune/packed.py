"""Encoded rows as the table that a trainer reads, several of them in one sequence where they are packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finetune import ranks
from finetune.examples import Encoded
from finetune.recipe import Recipe


def table(rows: Sequence[Encoded], made: Recipe) -> Any:  # noqa: ANN401 - datasets ships no types
    """Return a `datasets.Dataset` with the columns input_ids and labels, and seq_lengths where rows are packed.

    Rows with two answers have the columns of TRL's `DPOTrainer` instead: prompt_ids, chosen_ids and rejected_ids.

    Rows are packed by best fit decreasing (TRL's `bfd`) and see only themselves. None is cut: a pack is at least as
    long as the longest row.
    """
    from datasets import Dataset

    if rows[0].rejected:
        return Dataset.from_dict(
            {
                "prompt_ids": [row.input_ids[: row.prompt] for row in rows],
                "chosen_ids": [row.input_ids[row.prompt :] for row in rows],
                "rejected_ids": [list(row.rejected) for row in rows],
            }
        )
    plain = Dataset.from_dict({"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]})
    if not made.packing:
        return plain
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from trl import pack_dataset

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        return pack_dataset(plain, pack_length(rows, made), "bfd")
    finally:
        if shown:
            enable_progress_bars()


def pack_length(rows: Sequence[Encoded], made: Recipe) -> int:
    """Return the tokens of a pack: about a process's share of an optimizer step, as far as the base can read."""
    lengths = [len(row.input_ids) for row in rows]
    share = made.batch_size * sum(lengths) // len(lengths) // ranks.count()
    return max(max(lengths), min(share, made.max_length))


def settle(rows: Sequence[Encoded], made: Recipe) -> tuple[Recipe, int]:
    """Return the recipe with the packs of an optimizer step, and the sequences that there are.

    A step's packs hold about as many rows as a step without packing; each process gets as many packs.
    """
    if not made.packing:
        return made, len(rows)
    packs = len(table(rows, made))
    share = max(1, round(made.batch_size * packs / len(rows) / ranks.count()))
    return made._replace(packs_a_step=share * ranks.count()), packs


def longest_sequence(rows: Sequence[Encoded], made: Recipe) -> int:
    """Return the tokens of the longest sequence that goes through the model; two answers go through it together."""
    if made.packing:
        return pack_length(rows, made)
    return max(row.length for row in rows) * (2 if rows[0].rejected else 1)
