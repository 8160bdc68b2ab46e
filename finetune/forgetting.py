"""What a model unlearned: its loss on ordinary English before and after the training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doceo.core.records import Record
from doceo.providers.hf_models import Opened
from finetune.examples import IGNORED, Encoded
from finetune.recipe import SMALL
from finetune.scoring import as_base, score

TEXT = Path(__file__).with_name("general.txt")
"""Public domain prose; `general.md` beside it lists where it comes from."""
WINDOW = 512
"""Tokens that are read together; each but the first of a window is predicted."""
FEW = 8
"""Windows that are measured where all would take a CPU minutes."""
SLIGHT, CLEAR = 0.02, 0.1
"""Rises of the loss, in nats a token, up to which nothing, or little, needs to be done."""


class Forgetting(Record):
    """Loss in nats a token on a general text, of the base and of the tuned model."""

    tokens: int
    base_loss: float
    loss: float

    @property
    def rise(self) -> float:
        """How much worse the tuned model is; below 0 it is better."""
        return round(self.loss - self.base_loss, 4)

    def advice(self, rows: int) -> str:
        """Say what to do about it, for a training on so many rows."""
        if self.rise <= SLIGHT:
            return "Nothing to do: the general text is predicted as well as before."
        share = 0.05 if self.rise <= CLEAR else 0.2
        more = "" if self.rise <= CLEAR else ", or train with fewer passes or a lower learning rate"
        return (
            f"To lose less, mix about {max(1, round(rows * share)):,} general rows ({share:.0%}), such as "
            f"instructions of many kinds, into the training rows{more}."
        )

    def __str__(self) -> str:
        """Return the change in words."""
        return f"General text: loss {self.base_loss:.3f} before, {self.loss:.3f} after ({self.rise:+.3f})."


def measure_forgetting(opened: Opened, model: Any, base: str, *, half: bool, whole: bool) -> Forgetting:  # noqa: ANN401
    """Return the loss on the general text with the adapter off and on.

    The rise of cross-entropy on text that has nothing to do with the task is PEFT's own measure of forgetting (its
    method comparison of 2025 reads Wikipedia); the numbers of bases with other tokenizers do not compare.

    Args:
        opened: The base with its tokenizer.
        model: The tuned model.
        base: Name of the base, opened anew where all weights were trained (`whole`).
        half: Whether to compute in bfloat16.
        whole: True after full fine-tuning.
    """
    rows = windows(opened, TEXT.read_text(encoding="utf-8"))
    pad = opened.tokenizer.pad_token_id
    tuned = score(model, rows, pad, half=half)
    with as_base(model, base, whole=whole) as untuned:
        before = score(untuned, rows, pad, half=half)
    return Forgetting(tokens=tuned.tokens, base_loss=round(before.loss, 4), loss=round(tuned.loss, 4))


def windows(opened: Opened, text: str) -> Sequence[Encoded]:
    """Return the text in rows of at most 512 tokens, all of whose tokens but the first are predicted."""
    ids: list[int] = opened.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    size = min(WINDOW, opened.context)
    cut = [ids[at : at + size] for at in range(0, len(ids), size)]
    cut = [part for part in cut if len(part) > 1]
    if opened.model.device.type == "cpu" and opened.model.num_parameters() >= SMALL:
        cut = cut[:: max(1, len(cut) // FEW)][:FEW]
    return [Encoded(part, [IGNORED, *part[1:]]) for part in cut]
