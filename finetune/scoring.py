"""How well a model says what it should: loss and accuracy over rows, with the adapter on and off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from doceo.core.records import Record
from finetune.base import open_base
from finetune.examples import IGNORED, Encoded

BATCH_TOKENS = 2048
"""Most tokens, padding included, that are scored at once."""


class Scored(NamedTuple):
    """Mean loss in nats over `tokens` learned tokens, and the share of them that the model found likeliest."""

    loss: float
    accuracy: float
    tokens: int


class Compared(Record):
    """The base and the tuned model on the held-out rows. Losses are in nats a token, accuracies shares of tokens."""

    rows: int
    tokens: int
    base_loss: float
    loss: float
    base_accuracy: float
    accuracy: float

    def __str__(self) -> str:
        """Return both in words."""
        return (
            f"{self.rows} held-out rows: loss {self.base_loss:.3f} before, {self.loss:.3f} after; "
            f"{self.base_accuracy:.1%} of tokens right before, {self.accuracy:.1%} after."
        )


@contextmanager
def as_base(model: Any, name: str, *, whole: bool) -> Iterator[Any]:  # noqa: ANN401 - peft ships no types
    """Give the base of a tuned model: its adapter switched off, or the base opened anew where all of it changed."""
    if whole:
        yield open_base(name).model
        return
    with model.disable_adapter():
        yield model


def score(model: Any, rows: Sequence[Encoded], pad: int, *, half: bool) -> Scored:  # noqa: ANN401
    """Return loss and accuracy of a model over rows, every learned token counting the same.

    Args:
        model: A causal language model.
        rows: Token ids and labels; at least one label is learned.
        pad: The token that fills short rows.
        half: Whether to compute in bfloat16, as the training does.
    """
    import torch

    loss, right, count = 0.0, 0, 0
    model.eval()
    with torch.inference_mode(), torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=half):
        for batch in _batches(rows):
            ids, mask, labels = (part.to(model.device) for part in _padded(batch, pad))
            targets = labels[:, 1:]
            learned = targets != IGNORED
            columns = learned.any(dim=0).nonzero().flatten()
            if not len(columns):
                continue
            out = model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=columns)
            logits, targets = out.logits[learned[:, columns]].float(), targets[learned]
            loss += torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item()
            right += int((logits.argmax(dim=-1) == targets).sum())
            count += len(targets)
    return Scored(loss / max(1, count), right / max(1, count), count)


def compare(model: Any, base: str, rows: Sequence[Encoded], pad: int, *, half: bool, whole: bool) -> Compared:  # noqa: ANN401
    """Return how base and tuned model do on held-out rows. `whole`: all weights were trained."""
    tuned = score(model, rows, pad, half=half)
    with as_base(model, base, whole=whole) as untuned:
        before = score(untuned, rows, pad, half=half)
    return Compared(
        rows=len(rows),
        tokens=tuned.tokens,
        base_loss=round(before.loss, 4),
        loss=round(tuned.loss, 4),
        base_accuracy=round(before.accuracy, 4),
        accuracy=round(tuned.accuracy, 4),
    )


def _batches(rows: Sequence[Encoded]) -> Iterator[list[Encoded]]:
    """Yield the rows by length, as many together as fit."""
    batch: list[Encoded] = []
    for row in sorted(rows, key=lambda row: len(row.input_ids)):
        if batch and (len(batch) + 1) * len(row.input_ids) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _padded(batch: Sequence[Encoded], pad: int) -> tuple[Any, Any, Any]:
    """Return token ids, mask and labels of shape (rows, longest)."""
    import torch

    width = max(len(row.input_ids) for row in batch)
    ids = [[*row.input_ids, *[pad] * (width - len(row.input_ids))] for row in batch]
    mask = [[*[1] * len(row.input_ids), *[0] * (width - len(row.input_ids))] for row in batch]
    labels = [[*row.labels, *[IGNORED] * (width - len(row.labels))] for row in batch]
    return torch.tensor(ids), torch.tensor(mask), torch.tensor(labels)
