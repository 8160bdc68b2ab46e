"""What fine-tuning made, as `finetuning.json` keeps it."""

from __future__ import annotations

from doceo.core.records import Record
from finetune.forgetting import Forgetting
from finetune.scoring import Compared


class Memory(Record):
    """Bytes in use at the peak: as worked out, as one step took before the training, and as the training took.

    Of the whole process, or of the GPU where there is one; 0 where it was not looked at.
    """

    predicted: int = 0
    probed: int = 0
    measured: int = 0


class Finetuned(Record):
    """What fine-tuning made. Losses are in nats a token; `best_step` is the step whose adapter was kept."""

    base: str
    base_revision: str
    """The commit of a hub model, or the SHA-256 of a folder's weights."""
    objective: str = "sft"
    """`sft`, or `dpo`, whose losses are in nats a pair of answers."""
    method: str
    quality: str
    rank: int
    alpha: int
    learning_rate: float
    batch_size: int
    rows_at_once: int
    processes: int = 1
    """How many shared the rows of every step."""
    checkpointing: bool
    packing: bool
    seed: int
    parameters: int
    trainable: int
    rows: int
    held_out: int
    repeated: int
    too_long: int
    steps: int
    best_step: int
    epochs: float
    tokens: int
    """Read in the training, padding left out: rows, times passes. What a fine-tuning service would count as trained."""
    seconds: float
    loss: float
    accuracy: float | None = None
    """Share of the learned tokens that were found likeliest, over the last tenth of the steps as `loss` is."""
    eval_loss: float | None
    reward_accuracy: float | None = None
    """Of `dpo`: the share of pairs whose preferred answer gained more, on validation rows where there are any."""
    reward_margin: float | None = None
    """Of `dpo`: beta times how much more it gained, in nats."""
    data: dict[str, str]
    """SHA-256 of each file of rows, by name."""
    continued_from: str = ""
    """The adapter whose weights the training started from."""
    compared: Compared | None = None
    forgetting: Forgetting | None = None
    memory: Memory = Memory()
