"""How a judge model marks answers."""

from __future__ import annotations

from pydantic import Field

from doceo.core.config.base import Config


class JudgeConfig(Config):
    """How a judge marks answers and compares them, where one is named."""

    repeats: int = Field(default=3, ge=1, le=20)
    """Times every answer is marked, each with another seed and order of the points."""
    comparisons: int = Field(default=1, ge=0, le=10)
    """Times every answer is compared with the baseline's, in both orders each; 0: not at all."""
    rubric: str = ""
    """File of points to mark answers on (TOML, as `prompts/rubrics/answer.toml`); left out, the one that ships."""
    questions: int | None = Field(default=None, ge=1)
    """Most questions of each set whose answers are judged, chosen by the seed; left out, all."""
    seed: int = 0
    """Seed of the requests, and of the choice of questions."""
    labels: str = ""
    """File of marks or ratings by people (JSONL) that the judge's are compared with, beside the run's own ratings."""
