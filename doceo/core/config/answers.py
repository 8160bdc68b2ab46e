"""How questions are answered and answers are scored."""

from __future__ import annotations

from pydantic import Field

from doceo.core.config.base import Config


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
