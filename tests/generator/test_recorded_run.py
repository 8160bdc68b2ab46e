"""A whole generation by a chat model over real documents in three languages, replayed from its recorded replies.

Careful readers answered each request from its words alone, as a good language model would: pairs of every form,
roundtrip, judge, rewordings. A prompt, plan or passage that has changed has no recorded reply, so that the run fails:
it has to be tried on real language again.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

import doceo
from doceo.app.face import RunResult
from doceo.core.records import Document

RECORDED = Path(__file__).with_name("recorded") / "run"
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The run, with the recorded replies as its journal and a server that does not exist."""
    folder = tmp_path_factory.mktemp("recorded")
    documents = Path(shutil.copytree(RECORDED / "docs", folder / "docs"))
    run = folder / "run"
    run.mkdir()
    with sqlite3.connect(run / "journal.sqlite") as journal:
        journal.execute(
            "CREATE TABLE replies (fingerprint TEXT PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, "
            "reply TEXT NOT NULL) WITHOUT ROWID"
        )
        rows = map(json.loads, (RECORDED / "replies.jsonl").read_text(encoding="utf-8").splitlines())
        reply = '{{"text": {}, "finish": "stop"}}'
        journal.executemany(
            "INSERT INTO replies VALUES (?, 'openai:reader', '', ?)",
            [(row["fingerprint"], reply.format(json.dumps(row["reply"]))) for row in rows],
        )
    journal.close()
    config = json.loads((RECORDED / "settings.json").read_text())
    return doceo.generate(documents, out=run, teacher="openai:reader", base_url=NOBODY, **config)


def test_every_pair_that_was_asked_for_is_made(made: RunResult) -> None:
    ledger = made.ledger
    assert (ledger.requested, ledger.accepted) == (30, len(made.pairs)) == (30, 30)
    assert ledger.asked == ledger.accepted + sum(ledger.rejected.values()) + sum(ledger.failed.values())
    expected = json.loads((RECORDED / "ledger.json").read_text())
    assert ledger.model_dump() == expected


def test_every_form_and_language_is_there(made: RunResult) -> None:
    kinds = Counter(pair.kind for pair in made.pairs)
    assert min(kinds[kind] for kind in ("multi-hop", "multi-turn", "unanswerable", "summary")) >= 1  # type: ignore[index]
    assert {pair.language for pair in made.pairs} == {"en", "de", "zh"}


def test_evidence_is_exact_and_measured(made: RunResult) -> None:
    documents: dict[str, Document] = {document.id: document for document in made.documents}
    for pair in made.pairs:
        for evidence in pair.evidence:
            text = documents[evidence.span.document_id].text
            assert text[evidence.span.start : evidence.span.end] == evidence.quote
        assert bool(pair.evidence) == pair.answerable
        assert pair.scores["open_book"] == 1.0
        assert pair.scores["judge_correctness"] >= 1
        if pair.kind == "multi-hop":
            assert len(set(pair.chunk_ids)) > 1
    card = (made.path / "3-pairs" / "card.md").read_text()
    assert "closed-book by openai:reader" in card
    assert "not measured" in card
