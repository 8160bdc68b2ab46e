"""What the tests of the service share."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.store import Run
from doceo.app.settings import Settings
from doceo.app.stages.documents import ingest
from doceo.app.stages.index import index_run
from doceo.cli.console import Console
from doceo.providers.embedders import open_embedder


@pytest.fixture(scope="session")
def indexed(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the six small documents that has nothing but its index: what the model `quote` needs."""
    run, settings, console = Run(tmp_path_factory.mktemp("indexed") / "run"), Settings(), Console(as_json=True)
    embedder = open_embedder(settings.embedder)
    read = ingest(run, [str(library)], settings.read, settings.chunk, embedder, console)
    index_run(run, read, settings.embedder, console)
    return run.path
