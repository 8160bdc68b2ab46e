"""A run or a collection as LangChain sees it: its search as a retriever, who answers from it as a runnable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from doceo.app.assistant import choose_documents
from doceo.app.models import QUOTE
from doceo.app.settings import Settings, load_settings
from doceo.app.systems import RAG, Systems, default_model
from doceo.core.progress import Silent
from rag.langchain import AnswererRunnable, LangChainArm, PassageRetriever

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from data.store import Run
    from rag.index import Index


def retriever(
    run: str = "",
    collection: str = "",
    *,
    arms: Sequence[BaseRetriever] = (),
    **settings: Any,  # noqa: ANN401 - sections and values of `Settings`, checked there
) -> PassageRetriever:
    """Return the hybrid search over a run's or a collection's documents as a LangChain retriever.

    Args:
        run: The run.
        collection: The collection; left out and no run named, `default`.
        arms: LangChain retrievers that are searched as well, and fused with the search's own arms.
        settings: Values of `Settings`, such as `retrieve={"k": 8}`; `engine={"langsmith": True}` reports to LangSmith.

    Raises:
        IndexUnusable, RunError, ConfigError: What is named is not there, or wrong.
    """
    chosen = load_settings(settings)
    _, systems = _systems(run, collection, arms, chosen)
    return PassageRetriever(source=systems.retriever(), k=chosen.retrieve.k, langsmith=chosen.engine.langsmith)


def answerer(
    run: str = "",
    collection: str = "",
    *,
    text: bool = False,
    arms: Sequence[BaseRetriever] = (),
    **settings: Any,  # noqa: ANN401 - as above
) -> AnswererRunnable:
    """Return who answers from a run's or a collection's documents as a LangChain runnable.

    Arguments and errors as of `retriever`; `model="langchain:VENDOR:MODEL"` and its like choose the model. With `text`
    it gives texts that stream, else `Answer`s. Raises UsageError for a model that is none, ProviderError, too.
    """
    chosen = load_settings(settings)
    found, systems = _systems(run, collection, arms, chosen)
    answers = systems.open((chosen.model or default_model(found) or QUOTE) + RAG)
    return AnswererRunnable(answers, text=text, langsmith=chosen.engine.langsmith)


def _systems(
    run: str, collection: str, arms: Sequence[BaseRetriever], settings: Settings
) -> tuple[Run | None, Systems]:
    found, index = choose_documents(run, collection, none=False)
    names = ["langchain", *(f"langchain-{n}" for n in range(2, len(arms) + 1))]

    def further(opened: Index) -> list[LangChainArm]:
        langsmith = settings.engine.langsmith
        return [
            LangChainArm(arm, opened, name=name, langsmith=langsmith) for name, arm in zip(names, arms, strict=False)
        ]

    return found, Systems(settings, Silent(), found, index, further if arms else None)
