"""Recorded conversations: each prompt of an answer over documents on real language, from question to citation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doceo.core.records import Answer
from doceo.providers.minilm_onnx import MiniLM
from doceo.providers.scripted import Scripted
from rag.index import Index
from tests.rag.talks import RECORDED, indexed, play


@pytest.fixture(scope="module")
def index(minilm: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    made = indexed(tmp_path_factory.mktemp("talks"), minilm)
    yield made
    made.close()


@pytest.fixture(scope="module")
def answers(index: Index) -> dict[str, list[Answer]]:
    """The answers of each conversation; a prompt that was never tried on real language fails here."""
    found: dict[str, list[Answer]] = {}
    for talk, _, answer in play(index, Scripted.recorded(RECORDED / "replies.jsonl")):
        found.setdefault(talk, []).append(answer)
    return found
