"""A small run, made stage by stage from records, without any model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.held_out import held_out_rows
from data.jsonl import write_json, write_jsonl
from data.store import ADAPTER, ANSWERS, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from doceo.core.config import ChunkConfig, EvaluateConfig, FinetuneConfig, GenerateConfig, ReadConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import (
    Answer,
    Answered,
    Chunk,
    Citation,
    Document,
    Evidence,
    Ledger,
    Pair,
    Question,
    Rejected,
    SetName,
    Skipped,
    Span,
    Verdict,
)
from evaluation.contest import contest
from evaluation.costs import costs
from evaluation.metrics import load, load_all
from evaluation.scoring import score
from evaluation.verdict import verdict

Build = Callable[..., Run]
SENTENCES = [
    "The heron waits in shallow water for small fish.",
    "A lighthouse keeper trims the wick every evening.",
    "Copper conducts heat better than iron does.",
    "The ferry crosses the strait in forty minutes.",
    "Rye bread keeps fresh longer than wheat bread.",
    "The archive opens on Tuesdays and on Fridays.",
    "Beeswax melts at about sixty-three degrees Celsius.",
    "A cartographer draws the coast before the rivers.",
]
QUESTIONS = [f"What does sentence number {n} say?" for n in range(len(SENTENCES))]


def document(text: str, source: str = "notes/birds.md", title: str = "Birds and boats") -> Document:
    return Document(
        id=Document.identify(text),
        source=source,
        media_type="text/markdown",
        title=title,
        text=text,
        sha256=sha256(text),
        pages=(0, 120),
    )


def evidence_of(doc: Document, quote: str) -> Evidence:
    start = doc.text.index(quote)
    return Evidence(span=Span(document_id=doc.id, start=start, end=start + len(quote)), quote=quote)


def pair_of(doc: Document, question: str, quote: str) -> Pair:
    evidence = (evidence_of(doc, quote),)
    return Pair(
        id=Pair.identify(question, quote, evidence),
        question=question,
        answer=quote,
        evidence=evidence,
        kind="fact",
        teacher="extractive",
    )


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that makes a run with the named stages."""

    def make(stages: tuple[str, ...], *, doc: Document | None = None, questions: list[str] | None = None) -> Run:
        doc = doc or document("# Birds and boats\n\n## Notes\n\n" + " ".join(SENTENCES))
        quotes = [s for s in SENTENCES if s in doc.text]
        pairs = [pair_of(doc, q, s) for q, s in zip(questions or QUESTIONS, quotes, strict=False)]
        run = Run(tmp_path / "run")
        answers = _answers(doc, pairs)
        for stage in stages:
            with run.stage(stage, config=[_CONFIGS.get(stage, EvaluateConfig())], packages=("numpy",)).making() as work:
                _fill(stage, work, doc, pairs, answers)
        return run

    return make


_CONFIGS = {DOCUMENTS: ReadConfig(), CHUNKS: ChunkConfig(), PAIRS: GenerateConfig(), ADAPTER: FinetuneConfig()}


def _fill(stage: str, work: Path, doc: Document, pairs: list[Pair], answers: dict[str, list[Answered]]) -> None:
    if stage == DOCUMENTS:
        write_jsonl(work / "documents.jsonl", [doc])
        write_jsonl(work / "skipped.jsonl", [Skipped(source="notes/x.bin", reason="binary", detail="not text")])
    elif stage == CHUNKS:
        span = Span(document_id=doc.id, start=0, end=len(doc.text))
        chunk = Chunk(
            id=Chunk.identify(span),
            document_id=doc.id,
            span=span,
            text=doc.text,
            heading_path=("Birds and boats", "Notes"),
            tokens=99,
            text_sha256=sha256(doc.text),
        )
        write_jsonl(work / "chunks.jsonl", [chunk])
    elif stage == PAIRS:
        refused = Verdict(accepted=False, reason="form", detail="the question points at something outside it")
        write_jsonl(work / "pairs.jsonl", pairs)
        write_jsonl(work / "rejected.jsonl", [Rejected(pair=pairs[0], verdict=refused)])
        ledger = Ledger(requested=9, asked=len(pairs) + 3, accepted=len(pairs), rejected={"form": 1}, failed={"odd": 2})
        write_json(work / "ledger.json", ledger.model_dump())
        shares = {"sentences": 0.5, "sections": 1.0, "characters": 0.4, "terms": 0.25}
        write_json(work / "coverage.json", {**shares, "documents": [{"document_id": doc.id, "sentences": 0.5}]})
    elif stage == DATASET:
        rows: list[dict[str, object]] = [{"messages": [], "metadata": {"pair_id": p.id}} for p in pairs]
        write_jsonl(work / "train.jsonl", rows)
        write_jsonl(work / "validation.jsonl", rows)
        write_jsonl(work / "taught.jsonl", held_out_rows(_questions(pairs)))
        write_jsonl(work / "unseen.jsonl", [])
    elif stage == ADAPTER:
        write_json(work / "finetuning.json", {"base": "doceo-5m", "parameters": 3_400_000, "trainable": 90_000})
        write_jsonl(work / "training.jsonl", [_step(n) for n in range(1, 21)])
    elif stage == ANSWERS:
        for system, lines in answers.items():
            write_jsonl(work / f"{system}.jsonl", lines)
    elif stage == SCORES:
        config = EvaluateConfig(resamples=100)
        questions = _questions(pairs)
        made = score(answers, load_all(config.metrics), config, questions, {doc.id: doc})
        judged = verdict(contest(answers, load("f1"), config, questions), costs(answers, {}))
        write_json(work / "verdict.json", judged.model_dump())
        write_json(work / "scores.json", [s.model_dump() for s in made.scores])
        write_jsonl(work / "items.jsonl", made.items)
        write_jsonl(work / "slices.jsonl", made.slices)


def _questions(pairs: list[Pair]) -> list[Question]:
    return [
        Question(
            pair_id=pair.id,
            set=_set(n),
            question=pair.question,
            references=(pair.answer,),
            evidence=pair.evidence,
            kind="fact" if n < 6 else "reason",
            author="A. Writer" if n % 2 == 0 else "",
        )
        for n, pair in enumerate(pairs)
    ]


def _set(n: int) -> SetName:
    return "taught" if n % 2 else "taught-written"


def _step(n: int) -> dict[str, object]:
    row: dict[str, object] = {"step": n, "epoch": n / 10, "loss": 5 / n, "learning_rate": 1e-3, "seconds": n * 0.5}
    return row | ({"eval_loss": 6 / n} if n % 5 == 0 else {})


def _answers(doc: Document, pairs: list[Pair]) -> dict[str, list[Answered]]:
    def line(pair: Pair, n: int, answer: Answer) -> Answered:
        return Answered(pair_id=pair.id, set=_set(n), question=pair.question, references=(pair.answer,), answer=answer)

    def citing(pair: Pair) -> Answer:
        found = pair.evidence[0]
        source = Citation(
            n=1,
            document_id=doc.id,
            source=doc.source,
            title=doc.title,
            span=found.span,
            quote=found.quote,
            verified=True,
        )
        return Answer(text=f"{pair.answer[:-1]} [1].", short=pair.answer.split()[1], citations=(source,))

    return {
        "base": [line(p, n, Answer(text="the the of and")) for n, p in enumerate(pairs)],
        "quote+rag": [line(p, n, citing(p)) for n, p in enumerate(pairs)],
    }


@pytest.fixture
def sentences() -> list[str]:
    """Return the sentences that the small run's document holds."""
    return list(SENTENCES)


@pytest.fixture
def make_document() -> Callable[..., Document]:
    """Return a function that makes a document of a text."""
    return document


@pytest.fixture
def make_pair() -> Callable[[Document, str, str], Pair]:
    """Return a function that makes a pair of a document, a question and a quote."""
    return pair_of
