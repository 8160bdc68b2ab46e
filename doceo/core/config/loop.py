"""How pairs are made, trained and tested in rounds, each spending its share where the model is weak."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from doceo.core.config.base import Config


class LoopConfig(Config):
    """How the rounds of a closed loop go."""

    rounds: int = Field(default=3, ge=1, le=50)
    """Rounds of generating, fine-tuning and evaluating."""
    budget: int = Field(default=180, ge=1)
    """Training pairs in all, the same number in every round."""
    seeds: int = Field(default=1, ge=1, le=100)
    """How often everything after the exam is done, each time with another seed of training rows and weights."""
    control: bool = False
    """Also spend the same budget evenly over the text, with the same seeds, and compare."""
    axis: Literal["topic", "document"] = "topic"
    """What an area is that the budget is divided among: a topic, or a document."""
    exam: int = Field(default=120, ge=0)
    """Questions of the exam that are made from the documents, of both sets together; 0: only those of --questions."""
    steering: float = Field(default=0.5, gt=0, le=1)
    """Share of the exam's taught questions that decide where the budget goes; gains are measured on the others."""
    banked: float = Field(default=0.5, ge=0, le=1)
    """Most of an area's new pairs that are facts the exam asks about in other words; the others are new facts."""
    explore: float = Field(default=0.3, ge=0, le=1)
    """Share of a round's budget that is spent evenly over the text, whatever the scores."""
    focus: float = Field(default=2.0, ge=0, le=8)
    """Power of an area's weakness in its share of the rest: 0 spends evenly, 1 in proportion, more goes for the
    weakest."""
    metric: str = "f1"
    """Metric whose value for every answer tells how weak an area is, such as f1 or em."""
    no_gain: int = Field(default=2, ge=0)
    """Rounds in a row without a gain after which a series of rounds ends; 0: never."""
    max_forgetting: float | None = Field(default=None, ge=0)
    """Rise of the loss on a general text, in nats a token, beyond which a series of rounds ends; left out, none."""
