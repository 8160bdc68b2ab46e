"""Who answers in `ask`, `chat` and `serve`: a model by name, over a run, a collection, or nothing."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

from data.store import Run
from doceo.app.models import QUOTE
from doceo.app.runs import DEFAULT_COLLECTION, collection_folder, existing_run, run_at
from doceo.app.settings import Settings
from doceo.app.systems import RAG, Systems, default_model
from doceo.core.errors import IndexUnusable, UsageError
from doceo.core.protocols import Answerer, Progress
from rag import versions


def choose_documents(run: str, collection: str, *, none: bool) -> tuple[Run | None, Path | None]:
    """Return the run and the index that a command's options name; the collection `default` where none is named.

    Raises UsageError where options contradict, RunError or IndexUnusable where what is named does not exist.
    """
    if collection and (run or none):
        raise UsageError("--collection goes with neither --run nor --no-documents.", hint="Name one of them.")
    found = existing_run(run) if run else None
    if none:
        return found, None
    if found is not None:
        return found, found.index
    if not collection and versions.current(collection_folder(DEFAULT_COLLECTION)) is None:
        demo = run_at("demo")
        known = f" There is a run: --run {demo.path}." if demo.path.is_dir() else ""
        raise IndexUnusable(
            "There are no documents to answer from: no --run, no --collection, and no collection called default.",
            hint=f"Index your documents first: doceo index FOLDER.{known} Or ask a model alone: --no-documents.",
        )
    return None, collection_folder(collection or DEFAULT_COLLECTION)


def assistant(
    settings: Settings,
    progress: Progress,
    *,
    run: str = "",
    collection: str = "",
    no_documents: bool = False,
    summaries: MutableMapping[str, str] | None = None,
) -> Answerer:
    """Return who answers, as the options say; what is asked is not kept in a run's journal.

    Raises UsageError, RunError, IndexUnusable, ProviderError.
    """
    found, index = choose_documents(run, collection, none=no_documents)
    model = settings.model or default_model(found)
    if no_documents and model == QUOTE:
        raise UsageError(
            "Without documents a model has to answer.", hint="Name one with --model, such as hf:PATH or openai:NAME."
        )
    systems = Systems(settings, progress, found, index, summaries=summaries, journaled=False)
    return systems.open(model + (RAG if index is not None else ""))
