"""Texts to train on, and a model that was trained on them without a stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pretrain.making import made, write_texts


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of texts."""
    return write_texts(tmp_path_factory.mktemp("texts") / "books")


@pytest.fixture(scope="session")
def model(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model; nothing is to be changed in it."""
    return made(text, tmp_path_factory.mktemp("models") / "whole", curve=True).folder
