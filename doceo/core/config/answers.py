"""How questions are answered and answers are scored."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from doceo.core.config.base import Config


class RetrieveConfig(Config):
    """How passages are found."""

    k: int = Field(default=4, ge=1, le=50)
    """Passages given to the answerer."""
    candidates: int = Field(default=50, ge=1)
    """Passages taken from each arm before the scores are fused."""
    dense_weight: float = Field(default=0.55, ge=0, le=1)
    """Weight of the vector search; the rest is BM25's."""
    where: tuple[str, ...] = ()
    """Only passages of documents for which all of these hold: `FIELD=VALUE`, with * in VALUE for anything; fields are
    source, title, media_type and those of the documents' metadata."""
    reranker: str = ""
    """Cross-encoder that reads the best passages together with the question: a folder or a sentence-transformers
    name. Left out, none."""
    rerank_candidates: int = Field(default=20, ge=2)
    """Passages that the reranker reads."""
    rerank_seconds: float = Field(default=2.0, gt=0)
    """Time it may take; after that the order of the fused scores stands, and the trace says so."""


class AnswerConfig(Config):
    """How questions are answered."""

    max_tokens: int = Field(default=256, ge=1)
    """Longest answer in tokens."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """0 takes the likeliest token each time."""
    context_tokens: int | None = Field(default=None, ge=256)
    """Tokens that prompt and answer may use together; left out, what the model can read, at most 8192."""
    context: Literal["retrieve", "pin", "auto"] = "retrieve"
    """`retrieve` searches for every question; `pin` puts the whole corpus in front of every prompt, for a small one;
    `auto` takes what `doceo calibrate --context` measured to be better, or retrieves."""
    refuse_below: float | None = Field(default=None, ge=0, le=1)
    """Least chance of the passages holding an answer, below which no model is asked; left out, what was calibrated
    for the index, else what ships; 0 refuses only where nothing is found."""
    rewriting: Literal["auto", "model", "rules", "none"] = "auto"
    """How a follow-up becomes a question that stands alone: by the model that answers, by rules from the turns
    before, or not at all; `auto` asks a model on a server, and goes by rules otherwise."""
    history_tokens: int = Field(default=1024, ge=0)
    """Most tokens of earlier turns that are shown; older ones are summarised by a model on a server, else left out."""
    profile: bool = False
    """Whether what is known of the user is kept and shown to the model."""
    delimiters: Literal["auto", "on", "off"] = "auto"
    """Random marks around retrieved passages, so that their text cannot pass for anything else; `auto`: for models on
    a server, since a model tuned here was trained without."""
    datamarking: bool = False
    """Put a mark between the words of retrieved passages, which makes instructions in them lose their force; it costs
    some quality."""
    trace: bool = False
    """Say how each answer came about: queries, arms, parts of the prompt."""
    system_prompt: str = ""
    """File with a system message of your own, {{ rules }} standing for what Doceo says of citing and refusing; left
    out, Doceo's."""


class ChatConfig(Config):
    """What `chat` keeps."""

    keep: bool = False
    """Whether conversations are kept, so that `/conversations` lists them and `/resume` goes on with one; left out,
    nothing that is typed is kept."""


class CalibrateConfig(Config):
    """How the chance of passages holding an answer is fitted, and below which one a question is refused."""

    risk: float | None = Field(default=None, ge=0, lt=1)
    """Largest share of wrongly answered among the answered questions; as many as that allows are answered."""
    coverage: float | None = Field(default=None, gt=0, le=1)
    """Least share of questions that are answered, those that the documents do not answer included."""
    made: int = Field(default=100, ge=20)
    """Questions made from the documents, where no file of questions is given; each is asked with and without its
    document."""
    seed: int = 0
    """Decides which passages the questions are made from."""


class EvaluateConfig(Config):
    """How answers are scored."""

    metrics: tuple[str, ...] = (
        "bleu",
        "chrf",
        "rouge1",
        "rouge2",
        "rougeL",
        "em",
        "f1",
        "grounded",
        "verified",
        "citation_precision",
        "citation_recall",
        "hit@k",
        "ndcg",
        "decided",
        "auroc",
        "seconds",
        "tokens",
        "cost",
    )
    """Metrics, in the order of the tables; `FILE.py:Class` is one of your own."""
    resamples: int = Field(default=2000, ge=100)
    """Bootstrap resamples behind every interval."""
    seed: int = 0
    """Seed of the resampling."""
    baseline: str = "base"
    """System that the others are compared with, question by question."""
    slice_metrics: tuple[str, ...] = ("f1",)
    """Metrics that are also worked out by topic, kind, difficulty, document, length, turn and answerability."""
    primary: str = "f1"
    """Metric that the verdict rests on: whether to fine-tune, to use retrieval, or both."""
