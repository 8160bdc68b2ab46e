"""`generate --learn`: a review moves a line, what falls is replaced, what was kept stays, and all of it is said."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from data.jsonl import read_jsonl, write_jsonl
from data.store import Run
from doceo.app.crew import Models
from doceo.app.stages import pairs as pairs_stage
from doceo.cli.main import app
from doceo.core.fingerprint import sha256
from doceo.core.records import ChatRequest, Chunk, Document, Pair, Rejected, Span
from doceo.providers.scripted import Scripted
from tests.conftest import DOCUMENTS

INVENTED = "gleaming quorvine "


def reply(request: ChatRequest) -> str:
    """Ask three questions about every sentence of a passage; about every third answer has invented words."""
    asked = request.messages[-1].content
    passage = re.findall(r"<passage[^>]*>\s*(.*?)\s*</passage", asked, re.DOTALL)[0]
    known = asked.split("Questions that exist already")[1]
    sentences = [s.strip() for s in re.split(r"(?<=\.)\s+", passage) if len(s.split()) > 7 and "#" not in s]
    pairs = []
    for start, sentence in product((0, 1, 2), sentences):
        words = sentence.rstrip(".").split()
        question = f"What is said of {' '.join(words[start : start + 5])} with regard to {words[-1 - start]}?"
        answer = " ".join(words[2 + start :])
        if question not in known:
            invented = INVENTED if len(sentence) % 3 == 0 else ""
            pairs.append({"question": question, "answer": invented + answer, "quotes": [sentence], "kind": "fact"})
    number = int(re.findall(r"to write: (\d+)", asked)[0])
    return json.dumps({"pairs": pairs[:number]})


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The teacher behind every generation of a test."""
    script = Scripted(reply, name="openai:m")
    monkeypatch.setattr(pairs_stage, "open_models", lambda *_: Models(teacher=script.asynchronous()))
    return script


def run_doceo(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="doceo")
    assert result.exit_code == 0, result.stderr
    return result


def made(run: Path, *more: str) -> dict[str, Any]:
    given = ("--pairs", "40", "--gates", "form,exact,near,grounding", "--topics", "0", "--taught-share", "0")
    given = (*given, "--teacher", "openai:m", "--kinds", "fact=0", "--out", str(run), "--json", *more)
    return dict(json.loads(run_doceo("generate", *given).stdout))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that has documents, a passage each, and no pairs."""
    documents, chunks = [], []
    for name, text in DOCUMENTS.items():
        document = Document(id=Document.identify(text), source=name, media_type="text/plain", title=name[:-3],
                            text=text, sha256=sha256(text), metadata={"language": "en"})  # fmt: skip
        span = Span(document_id=document.id, start=0, end=len(text))
        documents.append(document)
        chunks.append(
            Chunk(id=Chunk.identify(span), document_id=document.id, span=span, text=text, tokens=200,
                  text_sha256=sha256(text))
        )  # fmt: skip
    run = Run(tmp_path / "r")
    for stage, name, rows in (("1-documents", "documents", documents), ("2-chunks", "chunks", chunks)):
        with run.stage(stage, config=[]).making() as work:
            write_jsonl(work / f"{name}.jsonl", rows)
            write_jsonl(work / "skipped.jsonl", ())
    return run.path


def pairs_of(run: Path) -> list[Pair]:
    return read_jsonl(run / "3-pairs" / "pairs.jsonl", Pair)


def test_a_review_moves_a_line_and_what_falls_is_replaced(run: Path, tmp_path: Path, model: Scripted) -> None:
    assert made(run)["learned"] == []
    first = pairs_of(run)
    invented = [pair for pair in first if pair.answer.startswith(INVENTED)]
    assert len(invented) > 8
    assert max(pair.scores["support"] for pair in invented) < 1
    # A person keeps two of these after all, and has not looked at the last two.
    seen, kept = [pair for pair in first if pair not in invented[-2:]], [pair.id for pair in invented[:2]]
    drop = {pair.id for pair in invented[2:-2]}
    decisions = [{"pair_id": p.id, "decision": "drop" if p.id in drop else "keep", "note": ""} for p in seen]
    (tmp_path / "review.json").write_text(json.dumps({"run": "r", "decisions": decisions}))
    run_doceo("review", run, "--apply", tmp_path / "review.json")
    asked = len(model.requests)
    found = made(run, "--learn")
    (moved,) = [change for change in found["learned"] if change["to"] != change["was"]]
    assert moved["what"] == "gate support"
    assert 0.5 < moved["to"] <= 1
    told = json.loads((run / "learned.json").read_text())
    assert told["changes"] == found["learned"]
    assert told["gate"]["support"] == moved["to"]
    assert f"| gate support | 0.5 | {moved['to']:.3g} |" in (run / "3-pairs" / "card.md").read_text()
    now = {pair.id: pair for pair in pairs_of(run)}
    assert {*kept} | {pair.id for pair in seen} - drop <= now.keys()
    assert not drop & now.keys()
    assert all(pair.scores["support"] >= moved["to"] for pair in now.values() if pair.id not in kept)
    fell = [line for line in read_jsonl(run / "3-pairs" / "rejected.jsonl", Rejected) if line.pair in invented]
    assert {line.verdict.reason for line in fell} == {"review", "answer_not_supported"}
    assert len(model.requests) > asked
    # Said once more, it teaches the same: nothing is asked and nothing is made.
    asked, stood = len(model.requests), (run / "3-pairs" / "pairs.jsonl").stat().st_mtime_ns
    assert made(run, "--learn")["learned"] == found["learned"]
    assert json.loads((run / "learned.json").read_text()) == told
    assert (len(model.requests), (run / "3-pairs" / "pairs.jsonl").stat().st_mtime_ns) == (asked, stood)


def test_nothing_is_learned_unasked_or_from_nobody(run: Path, model: Scripted) -> None:
    made(run, "--learn")
    before = (run / "3-pairs" / "manifest.json").read_bytes()
    result = run_doceo(
        "generate", "--pairs", "40", "--gates", "form,exact,near,grounding", "--topics", "0", "--taught-share", "0",
        "--teacher", "openai:m", "--kinds", "fact=0", "--out", run, "--learn",
    )  # fmt: skip
    assert "nobody has kept or dropped" in result.stderr
    assert not (run / "learned.json").exists()
    assert (run / "3-pairs" / "manifest.json").read_bytes() == before
