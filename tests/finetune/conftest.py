"""A base model of a few thousand parameters, really trained for a moment, and rows to fine-tune it on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.forgetting import TEXT
from tests.tiny_base import make_base

FACTS = {
    "What is a chunk?": "A chunk is a passage of a document.",
    "What is an adapter?": "An adapter is a small set of weights.",
    "What does the ledger count?": "The ledger counts every pair.",
    "Where does the index stand?": "The index stands in the run folder.",
    "What is a span?": "A span is a range of characters.",
    "What does the teacher make?": "The teacher makes pairs from chunks.",
}


def rows(facts: dict[str, str]) -> list[dict[str, object]]:
    """Return training rows of questions and answers."""
    return [
        {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}], "metadata": {"n": n}}
        for n, (q, a) in enumerate(facts.items())
    ]


def write_rows(path: Path, lines: list[object]) -> Path:
    """Write rows as JSONL and return the path."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a one-layer model."""
    folder = tmp_path_factory.mktemp("base") / "tiny"
    texts = [f"# Words of Doceo\n\n{answer} {answer}" for answer in FACTS.values()]
    make_base(texts, folder, depth=1, vocab_size=320, context=256, max_steps=4, batch_tokens=256)
    return folder


@pytest.fixture
def train_file(tmp_path: Path) -> Path:
    """Return a file of six rows."""
    return write_rows(tmp_path / "train.jsonl", list(rows(FACTS)))


@pytest.fixture(autouse=True)
def short_general_text(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what was unlearned be measured on a page only: the whole text would take longer than the trainings here."""
    page = tmp_path_factory.mktemp("general") / "general.txt"
    page.write_text(TEXT.read_text(encoding="utf-8")[:1500], encoding="utf-8")
    monkeypatch.setattr("finetune.forgetting.TEXT", page)
