"""Every knob, in one typed place. Flags, `doceo.toml`, environment variables and their help are made from this file.

Each stage takes the model of its own; none of them travels further.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from doceo.core.records import Difficulty, Kind

Gate = Literal["form", "exact", "near", "semantic", "contradiction", "grounding", "roundtrip", "judge"]
"""Checks of a pair, cheapest first."""


class Config(BaseModel):
    """Base of the config models: frozen, unknown keys refused, descriptions taken from the docstrings of the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ReadConfig(Config):
    """How documents are read."""

    seconds: float = Field(default=30.0, gt=0)
    """Time limit for reading one file, in seconds."""
    megabytes: int = Field(default=64, gt=0)
    """Largest file that is read, in MB; for zip formats also the unpacked size."""
    memory: int = Field(default=1024, ge=512)
    """Most resident memory that reading one file may take, in MB."""
    redact: bool = False
    """Replace secrets and personal data by marks such as [EMAIL-1], the same mark for the same value."""
    local: tuple[str, ...] = ()
    """Documents (by source name, * allowed) whose text is never sent to a teacher on another machine."""


class ChunkConfig(Config):
    """How documents are cut into passages."""

    max_tokens: int = Field(default=254, ge=32, le=510)
    """Most tokens of a chunk, counted by the embedder's tokenizer."""
    target_tokens: int = Field(default=160, ge=16)
    """Size at which a chunk is closed at the next paragraph or heading."""


class EngineConfig(Config):
    """How remote models are asked. Nothing here changes what is made, only when, and up to which cost."""

    concurrency: int = Field(default=8, ge=1, le=1024)
    """Requests at the same time, where the server allows as many."""
    rpm: int | None = Field(default=None, ge=1)
    """Most requests a minute, for each address; left out, what the server allows."""
    tpm: int | None = Field(default=None, ge=1)
    """Most tokens a minute, for each address; left out, what the server allows."""
    max_cost: float | None = Field(default=None, ge=0)
    """Stop cleanly before the run's remote models have cost more than this, in USD; the same command goes on."""
    prices: str = ""
    """File of prices (TOML, as `doceo/providers/prices.toml`) that is looked up before the one that ships."""
    timeout: float = Field(default=600.0, gt=0)
    """Seconds that one reply may take."""


class GenerateConfig(Config):
    """How pairs are made."""

    pairs: int = Field(default=200, ge=1)
    """How many accepted pairs to make, held-out ones included."""
    seed: int = 0
    """Seed of every random choice."""
    kinds: dict[Kind, float] = {}
    """Wanted mix in percent, such as procedure=30,multi-hop=10,unanswerable=8; the rest is free. Left out: for a chat
    model multi-hop=10,multi-turn=10,unanswerable=8,summary=5."""
    difficulties: dict[Difficulty, float] = {}
    """Wanted mix in percent, such as easy=30,hard=20; the rest is free."""
    topic_shares: dict[str, float] = {}
    """Wanted mix in percent by topic label, as a first run names them; the rest is free."""
    topics: int | None = Field(default=None, ge=0, le=200)
    """How many topics the passages are grouped into; left out, by their number; 0 leaves grouping out."""
    gates: tuple[Gate, ...] | None = None
    """Checks that a pair has to pass, in the order form, exact, near, semantic, contradiction, grounding, roundtrip,
    judge; left out, all that the models at hand allow. Evidence that cannot be located is always refused."""
    against: tuple[str, ...] = ()
    """Files of questions (JSONL, CSV), such as a test set, that no pair may ask again."""
    examples: str = ""
    """File of pairs of your own (JSONL with question and answer) that show a chat model what you want."""
    reasoning: bool = False
    """Have a chat model write, beside each answer, the steps that lead to it."""
    fill_in: bool = False
    """Let the built-in teacher make the pairs of a passage for which a chat model failed."""
    taught_share: float = Field(default=0.2, ge=0, lt=0.5)
    """Share of the pairs that ask a trained fact again in other words (the taught set)."""
    unseen_share: float = Field(default=0.2, ge=0, lt=0.5)
    """Share of the documents that are kept out of training (the unseen set)."""
    held_out: tuple[str, ...] = ()
    """Documents (by source name) to keep out of training instead of a seeded choice."""
    rounds: int = Field(default=8, ge=1)
    """Times the teacher is asked again for pairs that were rejected."""
    per_request: int = Field(default=4, ge=1, le=20)
    """Most pairs that one request asks an LLM for."""


class GateConfig(Config):
    """Where the checks of a pair draw the line."""

    near: float = Field(default=0.8, gt=0, le=1)
    """Jaccard similarity of word pairs from which two questions are near-duplicates."""
    semantic: float = Field(default=0.9, gt=0, le=1)
    """Cosine of question vectors from which two questions with one answer are the same."""
    contradiction: float = Field(default=0.97, gt=0, le=1)
    """Cosine of question vectors from which questions that differ only in tense and small words are the same."""
    support: float = Field(default=0.5, ge=0, le=1)
    """Least share of an answer's content words that its evidence, passage or question holds."""
    agreement: float = Field(default=0.5, ge=0, le=1)
    """Least word overlap (F1) at which an answer made from the passage alone agrees without being asked further."""
    judge: int = Field(default=1, ge=0, le=2)
    """Least mark, 0 to 2, that a pair needs on every point of the judge's rubric."""


class DatasetConfig(Config):
    """How pairs become training rows."""

    seed: int = 0
    """Seed of the mix."""
    open_share: float = Field(default=0.52, ge=0, le=1)
    """Share of the rows that ask over passages, the right one among wrong ones; the answer cites it."""
    closed_share: float = Field(default=0.44, ge=0, le=1)
    """Share of the rows that ask without passages. It sets the number of rows: every fact has one such row."""
    conversation_share: float = Field(default=0.04, ge=0, le=1)
    """Share of the rows that are conversations of several turns. The three shares add up to 1."""
    distractors: int = Field(default=1, ge=0, le=8)
    """Wrong passages beside the right one in a row with passages."""
    refusal_share: float = Field(default=0.1, ge=0, lt=0.5)
    """Share of the rows with passages whose passages do not hold the answer, so that refusing is learned; pairs
    without an answer come first, and each of them is taken. 0: no refusals."""
    reasoning_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the rows with passages whose answer comes after its reasoning, where the pair has one."""
    validation_share: float = Field(default=0.08, ge=0, lt=0.5)
    """Share of the training facts kept for validation."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.open_share + self.closed_share + self.conversation_share
        if abs(total - 1) > 1e-6:
            raise ValueError(
                f"open_share, closed_share and conversation_share add up to {total:g}; they have to add up to 1"
            )
        return self


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
