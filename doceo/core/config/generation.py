"""How pairs are asked for, checked, and made into a dataset."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from doceo.core.config.base import Config
from doceo.core.records import Difficulty, Kind

Gate = Literal["form", "exact", "near", "semantic", "contradiction", "grounding", "roundtrip", "judge"]
"""Checks of a pair, cheapest first."""


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
    langsmith: bool = False
    """Report what `langchain:` models are asked and say to LangSmith, as its variables (LANGSMITH_API_KEY ...) say;
    left out, nothing is reported, whatever those say."""


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
    learn: bool = Field(default=False, exclude=True)  # what pairs depend on is the lines it leads to, not the wish
    """Refit the lines of the checks (--gate-...) to what you kept and dropped of the run's pairs, then replace what
    falls: pairs that you kept stay. Each change is said, and stands in learned.json."""


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
