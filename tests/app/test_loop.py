"""One record from document to score, and one question to its citation, through a whole run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import doceo
from data.jsonl import read_jsonl
from data.manifest import read as read_manifest
from data.store import STAGES, Run
from doceo.app.face import RunResult
from doceo.app.pipeline import run_all
from doceo.app.settings import load_settings
from doceo.core.config import EvaluateConfig
from doceo.core.errors import AdapterExists, IndexUnusable, StageMissing
from doceo.core.progress import Silent
from doceo.core.records import Answered, Chunk, Document, Pair, Rejected, Score

SETTINGS = {
    "generate": {"pairs": 20},
    "finetune": {"epochs": 1},
    "evaluate": {"resamples": 200},
}


def test_every_stage_is_finished_and_says_what_it_was_made_from(tiny_run: Path) -> None:
    for stage in STAGES:
        manifest = read_manifest(tiny_run / stage)
        assert manifest is not None, stage
        assert manifest.config_hash
        assert manifest.packages
    assert (tiny_run / "report.html").stat().st_size > 10_000
    assert not [p.name for p in tiny_run.iterdir() if p.name.endswith((".work", ".old"))]


def test_every_span_of_every_record_equals_its_quote(tiny_run: Path) -> None:
    texts = {d.id: d.text for d in read_jsonl(tiny_run / "1-documents" / "documents.jsonl", Document)}
    checked = 0
    for chunk in read_jsonl(tiny_run / "2-chunks" / "chunks.jsonl", Chunk):
        assert texts[chunk.document_id][chunk.span.start : chunk.span.end] == chunk.text
        checked += 1
    pairs = read_jsonl(tiny_run / "3-pairs" / "pairs.jsonl", Pair)
    rejected = [r.pair for r in read_jsonl(tiny_run / "3-pairs" / "rejected.jsonl", Rejected)]
    for evidence in (e for pair in (*pairs, *rejected) for e in pair.evidence):
        assert texts[evidence.span.document_id][evidence.span.start : evidence.span.end] == evidence.quote
        checked += 1
    for file in (tiny_run / "6-answers").glob("*.jsonl"):
        for citation in (c for row in read_jsonl(file, Answered) for c in row.answer.citations):
            # What a model says of a passage may not stand there, and is marked so; what is quoted does.
            assert citation.verified or not file.name.startswith("quote")
            assert texts[citation.document_id][citation.span.start : citation.span.end] == citation.quote
            checked += 1
    assert checked > 30
    assert all(pair.evidence for pair in pairs)


def test_the_ledger_and_the_sets_add_up(tiny_run: Path) -> None:
    run = RunResult(tiny_run)
    assert len(run.pairs) == run.ledger.accepted == 20
    rows = {
        name: (tiny_run / "4-dataset" / f"{name}.jsonl").read_text().splitlines()
        for name in ("train", "validation", "taught", "unseen")
    }
    sets = [json.loads(line)["metadata"]["set"] for name in ("taught", "unseen") for line in rows[name]]
    trained = {json.loads(line)["metadata"]["pair_id"] for name in ("train", "validation") for line in rows[name]}
    assert len(trained) + sets.count("taught") + sets.count("unseen") == 20
    assert sets.count("taught") >= 2
    assert sets.count("unseen") >= 2
    assert sum(name.endswith("written") for name in sets) == 2


def test_every_system_answered_every_question_and_every_score_names_its_set(tiny_run: Path) -> None:
    systems = {file.stem for file in (tiny_run / "6-answers").glob("*.jsonl")}
    assert systems == {"base", "tuned", "base+rag", "tuned+rag", "quote+rag"}
    counts = {len(file.read_text().splitlines()) for file in (tiny_run / "6-answers").glob("*.jsonl")}
    assert len(counts) == 1
    scores = [Score.model_validate(row) for row in json.loads((tiny_run / "7-scores" / "scores.json").read_text())]
    assert {s.metric for s in scores} == set(EvaluateConfig().metrics)
    assert {s.system for s in scores} == systems
    assert all(s.signature for s in scores)
    quote = next(
        s for s in scores if s.system == "quote+rag" and s.metric == "f1" and s.set == "taught" and not s.versus
    )
    assert quote.value is not None
    assert quote.value > 30


def test_an_unchanged_run_is_not_redone(tiny_run: Path, library: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_run, tmp_path / "tiny")
    questions = library.parent / "questions.jsonl"
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("manifest.json")}
    outcome = run_all(Run(copy), [str(library)], questions, load_settings(SETTINGS), Silent())
    changed = {p.parent.name for p, t in before.items() if p.stat().st_mtime_ns != t}
    assert not changed
    assert outcome.unchanged


def test_only_what_depends_on_a_change_is_redone(tiny_run: Path, library: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_run, tmp_path / "tiny")
    before = {p.parent.name: p.stat().st_mtime_ns for p in copy.rglob("manifest.json")}
    settings = load_settings({**SETTINGS, "evaluate": {"resamples": 300}})
    questions = library.parent / "questions.jsonl"
    run_all(Run(copy), [str(library)], questions, settings, Silent())
    changed = {
        name
        for name, t in before.items()
        if (p := copy / name / "manifest.json").exists() and p.stat().st_mtime_ns != t
    }
    assert changed == {"7-scores"}


def test_more_pairs_top_up_and_fewer_sources_shrink(library: Path, tmp_path: Path) -> None:
    first = doceo.generate(library, out=tmp_path / "r", pairs=8)
    known = {pair.id for pair in first.pairs}
    second = doceo.generate(library, out=tmp_path / "r", pairs=14)
    assert len(second.pairs) == 14
    assert len(known & {pair.id for pair in second.pairs}) >= 5
    third = doceo.generate(library / "ferry.md", out=tmp_path / "r", pairs=100)
    assert {d.source for d in third.documents} == {"ferry.md"}
    assert third.ledger.accepted < 100


def test_the_same_seed_gives_the_same_bytes(tiny_run: Path, library: Path, tmp_path: Path) -> None:
    again = doceo.generate(library, out=tmp_path / "r", pairs=20)
    for name in ("1-documents/documents.jsonl", "2-chunks/chunks.jsonl", "3-pairs/pairs.jsonl", "3-pairs/ledger.json"):
        assert (again.path / name).read_bytes() == (tiny_run / name).read_bytes(), name


def test_from_python(tiny_run: Path) -> None:
    run = RunResult(tiny_run)
    assert "Taught" in run.scores.table()
    assert run.pairs[0].evidence[0].quote in next(
        d.text for d in run.documents if d.id == run.pairs[0].evidence[0].span.document_id
    )
    answer = doceo.ask("When was the Bryne ferry opened?", run=run)
    assert answer.short == "1902"
    talk = doceo.chat(run)
    assert "1902" in "".join(talk.stream("When was the Bryne ferry opened?"))
    assert talk.last is not None
    assert talk.last.citations[0].source == "library/ferry.md"
    assert "12 cars" in talk.ask("How many cars does it carry?").text
    assert len(talk.history) == 4


def test_a_question_that_the_documents_do_not_answer_is_refused_without_sources(tiny_run: Path) -> None:
    answer = doceo.ask("Which film won the most prizes in Venice last year?", run=tiny_run)
    assert answer.refused
    assert answer.reason
    assert not answer.citations


def test_what_is_missing_is_named(tmp_path: Path, library: Path) -> None:
    run = doceo.generate(library, out=tmp_path / "r", pairs=4)
    with pytest.raises(StageMissing) as caught:
        _ = run.scores
    assert "doceo evaluate" in caught.value.hint
    with pytest.raises(IndexUnusable):
        doceo.ask("What is it?")


def test_a_finished_adapter_is_not_replaced_by_accident(tiny_run: Path, tmp_path: Path) -> None:
    from doceo.app.pipeline import finetune_run

    copy = shutil.copytree(tiny_run, tmp_path / "tiny")
    settings = load_settings({**SETTINGS, "finetune": {"epochs": 2}})
    with pytest.raises(AdapterExists) as caught:
        finetune_run(Run(copy), None, settings, Silent(), force=False)
    assert "--force" in caught.value.hint


def test_a_moved_run_still_answers(tiny_run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_run, tmp_path / "elsewhere")
    shutil.move(copy, tmp_path / "again")
    assert doceo.ask("When was the Bryne ferry opened?", run=tmp_path / "again", model="tuned").hits


def test_a_chat_model_as_teacher_over_http(library: Path, tmp_path: Path, teacher: Callable[..., Any]) -> None:
    server = teacher()
    plain = {"gates": ["form", "exact", "near", "grounding"], "topics": 0, "kinds": {"fact": 0}}
    model = {"teacher": "openai:m", "base_url": server.address, "generate": plain}
    run = doceo.generate(library, out=tmp_path / "r", pairs=16, **model)
    asked = server.seen()
    assert len(run.pairs) == 16
    assert {pair.teacher for pair in run.pairs} == {"openai:m"}
    assert sum(pair.question.startswith("Say again") for pair in run.pairs) == 3
    again = doceo.generate(library, out=tmp_path / "r", pairs=20, **model)
    assert len(again.pairs) == 20
    assert server.seen() - asked < asked
    card = (tmp_path / "r" / "3-pairs" / "card.md").read_text()
    assert "tokens" in card


def test_a_chat_model_answers_over_documents(tiny_run: Path, teacher: Callable[..., Any]) -> None:
    from doceo.app.assistant import assistant

    settings = load_settings({"model": "openai:m", "base_url": teacher().address})
    answer = assistant(settings, Silent(), run=str(tiny_run)).answer("When was the Bryne ferry opened?")
    assert answer.hits
    assert answer.usage.prompt_tokens == 1000
