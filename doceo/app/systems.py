"""Systems that answer: `quote`, `base`, `tuned` or any model, each alone or, with `+rag`, over documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from data.store import ADAPTER, Run
from doceo.app.bases import base_of, on_shipped
from doceo.app.models import QUOTE, open_here, open_local, open_provider
from doceo.app.settings import Settings
from doceo.core.config import AnswerConfig
from doceo.core.errors import UsageError
from doceo.core.protocols import Answerer, Progress, Provider
from doceo.providers.chat import is_remote
from rag.answerer import ModelAnswerer
from rag.compiler import Count, words_as_tokens

if TYPE_CHECKING:
    from doceo.providers.local_gguf import GgufModel
    from doceo.providers.local_hf import LocalModel
    from rag.retriever import HybridRetriever

RAG = "+rag"
SMALL_CONTEXT = 2048
"""A model that reads no more than this is a small one trained here; its answers are kept short."""
SMALL_ANSWER = 64


@dataclass
class Systems:
    """Opens systems by name over one run or one index; weights and indexes are opened once and shared.

    Args:
        settings: The command's settings.
        progress: Where the host of a remote model is said.
        run: The run whose base and adapter are `base` and `tuned`, if any.
        index: Folder of the index behind `+rag`, if any.
    """

    settings: Settings
    progress: Progress
    run: Run | None = None
    index: Path | None = None
    _base: LocalModel | None = field(default=None, init=False)
    _retriever: HybridRetriever | None = field(default=None, init=False)

    def open(self, name: str) -> Answerer:
        """Return the answerer of a system. Raises UsageError, ProviderError, IndexUnusable, StageMissing."""
        model, with_documents = (name.removesuffix(RAG), True) if name.endswith(RAG) else (name, False)
        if model == QUOTE:
            if not with_documents:
                raise UsageError(
                    "`quote` answers from documents only.", hint="Leave out --no-documents, or name a model."
                )
            from rag.quote import QuoteAnswerer

            retriever = self.retriever()
            return QuoteAnswerer(retriever, k=self.settings.retrieve.k)
        if model in ("base", "tuned") and self.run is not None:
            return self._local(name, self._of_run(model), with_documents=with_documents)
        if not is_remote(model):
            return self._local(name, open_here(model, self.settings), with_documents=with_documents)
        journal = self.run.journal if self.run else None
        provider = open_provider(model, self.settings, journal=journal, progress=self.progress)
        return self._answerer(name, provider, self.settings.answer, with_documents=with_documents)

    def retriever(self) -> HybridRetriever:
        """Return the search over the index. Raises IndexUnusable where there is none."""
        if self._retriever is None:
            from doceo.providers.embedders import open_embedder
            from rag.index import Index
            from rag.retriever import HybridRetriever

            if self.index is None:
                raise UsageError("There are no documents to answer from.", hint="Name a --run or a --collection.")
            opened = Index.open(self.index, open_embedder(self.settings.embedder))
            self._retriever = HybridRetriever(opened, self.settings.retrieve)
        return self._retriever

    def _of_run(self, model: str) -> LocalModel:
        assert self.run is not None
        adapter = self.run.file(ADAPTER, "adapter_config.json").parent
        if self._base is None:
            self._base = open_local(base_of(self.run), self.settings)
        return self._base.with_adapter(adapter if model == "tuned" else None, model)

    def _local(self, name: str, model: LocalModel | GgufModel, *, with_documents: bool) -> ModelAnswerer:
        config = self.settings.answer
        if model.context <= SMALL_CONTEXT:
            config = config.model_copy(update={"max_tokens": min(config.max_tokens, SMALL_ANSWER)})
        return self._answerer(name, model, config, model.count_tokens, model.context, with_documents=with_documents)

    def _answerer(
        self,
        name: str,
        provider: Provider,
        config: AnswerConfig,
        count: Count = words_as_tokens,
        context: int | None = None,
        *,
        with_documents: bool,
    ) -> ModelAnswerer:
        retriever = self.retriever() if with_documents else None
        return ModelAnswerer(
            name,
            provider,
            retriever,
            config,
            k=self.settings.retrieve.k,
            documents=retriever.index.document if retriever else None,
            count=count,
            context=context,
        )


def default_model(run: Run | None) -> str:
    """Return who answers where no model is named: `quote`, or a run's tuned model if its base is a real one."""
    if run is not None and run.has(ADAPTER) and not on_shipped(run):
        return "tuned"
    return QUOTE
