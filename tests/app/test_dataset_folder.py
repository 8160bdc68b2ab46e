"""A dataset folder opens with `datasets.load_dataset`, also where lists are empty or a set is."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.dataset import Dataset
from data.dataset_card import dataset_card
from data.jsonl import write_jsonl, write_text
from data.leaks import LeakCheck
from doceo.app.stages.dataset import held_out_rows, row_of
from doceo.core.records import Example, Message, Question
from doceo.text.passages import REFUSAL


def row(style: str, answer: str, *passages: str) -> Example:
    turns = (Message(role="user", content="Q?"), Message(role="assistant", content=answer))
    return Example.model_validate(
        {"id": f"e_{style}{answer}", "style": style, "messages": turns, "chunk_ids": passages, "pair_id": "p_1"}
    )


DATASET = Dataset(
    train=[row("closed", "A"), row("open", "A [1]", "c_1"), row("open", REFUSAL, "c_2"), row("conversation", "A")],
    validation=[row("closed", "B")],
    taught=[Question(pair_id="p_2", set="taught", question="Q?", references=("A",))],
    unseen=[],
    check=LeakCheck(questions=1, rows=5, removed={"near question": 2, "kept-out text": 1}, untrained=1),
)


def test_load_dataset_opens_the_folder(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder = tmp_path / "4-dataset"
    write_jsonl(folder / "train.jsonl", map(row_of, DATASET.train))
    write_jsonl(folder / "validation.jsonl", map(row_of, DATASET.validation))
    write_jsonl(folder / "taught.jsonl", held_out_rows(DATASET.taught))
    write_jsonl(folder / "unseen.jsonl", held_out_rows(DATASET.unseen))
    write_text(folder / "README.md", dataset_card(DATASET))
    write_text(folder / "manifest.json", "{}")
    datasets.disable_progress_bars()
    rows = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {split: len(lines) for split, lines in rows.items()} == {"train": 4, "validation": 1}
    assert rows["train"].features == rows["validation"].features
    assert rows["train"][1]["metadata"] == {
        "id": "e_openA [1]", "pair_id": "p_1", "style": "open", "chunk_ids": ["c_1"],
    }  # fmt: skip
    held_out = datasets.load_dataset(str(folder), "held_out", cache_dir=str(tmp_path / "cache"))
    assert held_out["taught"][0]["metadata"]["references"] == ["A"]
    assert held_out["taught"][0]["metadata"]["evidence"] == []
    for name in ("train", "validation", "taught"):
        loaded = datasets.load_dataset("json", data_files=str(folder / f"{name}.jsonl"), cache_dir=str(tmp_path / "c"))
        assert len(loaded["train"]) == len(getattr(DATASET, name))
