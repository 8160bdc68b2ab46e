"""Every knob, in one typed place. Flags, `doceo.toml`, environment variables and their help are made from this file.

Each stage takes the model of its own; none of them travels further.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Gate = Literal["form", "exact", "near"]


class Config(BaseModel):
    """Base of the config models: frozen, unknown keys refused, descriptions taken from the docstrings of the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ReadConfig(Config):
    """How documents are read."""

    seconds: float = Field(default=30.0, gt=0)
    """Time limit for reading one file, in seconds."""
    megabytes: int = Field(default=64, gt=0)
    """Largest file that is read, in MB; for zip formats also the unpacked size."""


class ChunkConfig(Config):
    """How documents are cut into passages."""

    max_tokens: int = Field(default=254, ge=32, le=510)
    """Most tokens of a chunk, counted by the embedder's tokenizer."""
    target_tokens: int = Field(default=160, ge=16)
    """Size at which a chunk is closed at the next paragraph or heading."""


class GenerateConfig(Config):
    """How pairs are made."""

    pairs: int = Field(default=200, ge=1)
    """How many accepted pairs to make, held-out ones included."""
    seed: int = 0
    """Seed of every random choice."""
    concurrency: int = Field(default=8, ge=1, le=256)
    """Requests to the teacher at the same time."""
    taught_share: float = Field(default=0.2, ge=0, lt=0.5)
    """Share of the pairs that ask a trained fact again in other words (the taught set)."""
    unseen_share: float = Field(default=0.2, ge=0, lt=0.5)
    """Share of the documents that are kept out of training (the unseen set)."""
    held_out: tuple[str, ...] = ()
    """Documents (by source name) to keep out of training instead of a seeded choice."""
    gates: tuple[Gate, ...] = ("form", "exact", "near")
    """Checks that a pair has to pass, in order. Evidence and exact repeats are always checked."""
    rounds: int = Field(default=4, ge=1)
    """Times the teacher is asked again for pairs that were rejected."""
    per_request: int = Field(default=4, ge=1, le=20)
    """Most pairs that one request asks an LLM for."""


class DatasetConfig(Config):
    """How pairs become training rows."""

    seed: int = 0
    """Seed of the mix."""
    open_share: float = Field(default=0.6, ge=0, le=1)
    """Share of the facts trained with passages in the prompt; every fact is also trained without."""
    distractors: int = Field(default=1, ge=0, le=8)
    """Wrong passages beside the right one in a row with passages."""
    refusal_share: float = Field(default=0.1, ge=0, lt=0.5)
    """Share of the rows with passages whose passages do not hold the answer, so that refusing is learned."""
    validation_share: float = Field(default=0.08, ge=0, lt=0.5)
    """Share of the training facts kept for validation."""


class PretrainConfig(Config):
    """How a small base model is trained from nothing."""

    depth: int = Field(default=2, ge=1, le=24)
    """The one dial: number of layers; width and heads follow from it. A minute on a CPU is enough for 2."""
    vocab_size: int = Field(default=2048, ge=300)
    """Size of the byte-level BPE vocabulary."""
    context: int = Field(default=1024, ge=64)
    """Longest text that the model can read, in tokens."""
    seconds: float = Field(default=60.0, gt=0)
    """Time to train, in seconds on the machine at hand; ignored where `max_steps` is given."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps; makes the result depend on the seed alone, not on the machine's speed."""
    batch_tokens: int = Field(default=512, ge=64)
    """Tokens of one optimizer step; a short budget gains by small steps, a deep model wants larger ones."""
    seed: int = 0
    """Seed of weights and batches."""


class FinetuneConfig(Config):
    """How LoRA is applied to a base model."""

    rank: int | None = Field(default=None, ge=1)
    """Rank of the adapter's matrices; left out, 16, or 64 for a base of less than 20M parameters."""
    alpha: int | None = Field(default=None, ge=1)
    """Scale of the adapter: alpha / rank multiplies its output; left out, twice the rank."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate; left out, 2e-4, or 2e-3 for a base of less than 20M parameters."""
    epochs: float | None = Field(default=None, gt=0)
    """Passes over the training rows; left out, 3, or 8 for a base of less than 20M parameters."""
    batch_size: int = Field(default=8, ge=1)
    """Rows of one optimizer step."""
    max_length: int | None = Field(default=None, ge=32)
    """Longest row in tokens; left out, the base's context, at most 2048."""
    patience: int | None = Field(default=None, ge=1)
    """Evaluations without a better validation loss before training stops, and the best adapter is kept; left out, 3.
    For a base of less than 20M parameters it is then off: such a base learns facts by heart, and the loss on other
    facts rises while it does."""
    save_steps: int = Field(default=50, ge=1)
    """Steps between checkpoints, from which a killed run continues."""
    tracker: Literal["none", "tensorboard", "trackio", "wandb"] = "none"
    """Where training is also reported to; `wandb` sends it to Weights & Biases."""
    seed: int = 0
    """Seed of adapter weights and row order."""


class RetrieveConfig(Config):
    """How passages are found."""

    k: int = Field(default=4, ge=1, le=50)
    """Passages given to the answerer."""
    candidates: int = Field(default=50, ge=1)
    """Passages taken from each arm before the scores are fused."""
    dense_weight: float = Field(default=0.6, ge=0, le=1)
    """Weight of the vector search; the rest is BM25's."""


class AnswerConfig(Config):
    """How questions are answered."""

    max_tokens: int = Field(default=256, ge=1)
    """Longest answer in tokens."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """0 takes the likeliest token each time."""
    context_tokens: int | None = Field(default=None, ge=256)
    """Tokens that prompt and answer may use together; left out, what the model can read, at most 8192."""


class EvaluateConfig(Config):
    """How answers are scored."""

    metrics: tuple[str, ...] = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "em", "f1")
    """Metrics, in the order of the table."""
    resamples: int = Field(default=2000, ge=100)
    """Bootstrap resamples behind every interval."""
    seed: int = 0
    """Seed of the resampling."""
    baseline: str = "base"
    """System that the others are compared with, question by question."""
