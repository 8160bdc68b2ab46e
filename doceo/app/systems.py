"""Systems that answer: `quote`, `base`, `tuned`, `adapter:PATH` or any model, alone or, with `+rag`, over documents."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data.store import ADAPTER, Run
from doceo.app.bases import base_of, on_shipped
from doceo.app.contexts import with_context
from doceo.app.engines import Engines
from doceo.app.indexes import Indexes
from doceo.app.models import QUOTE
from doceo.app.own_prompt import OwnPrompt, read_prompt
from doceo.app.settings import Settings
from doceo.app.system_names import RAG as RAG
from doceo.app.system_names import RECORDED, SystemName, parse
from doceo.core.errors import UsageError
from doceo.core.protocols import Answerer, Progress, Provider, Reranker, Retriever
from doceo.providers import model_folder
from doceo.providers.chat import is_remote
from rag.answerer import ModelAnswerer
from rag.asking import Tools, prompt_budget
from rag.calibration import gate
from rag.compiler import Count, words_as_tokens
from rag.refusal import Gate, chance
from rag.rewriting import Rewriter
from rag.shield import Shield
from rag.summary import Summaries

if TYPE_CHECKING:
    from doceo.providers.local_gguf import GgufModel
    from doceo.providers.local_hf import LocalModel
    from rag.index import Index
    from rag.retriever import HybridRetriever

SECRET = ".marks"
"""File of a run that the marks around passages are made from."""
SMALL_CONTEXT = 2048
"""A model that reads no more than this is a small one trained here; its answers are kept short."""
SMALL_ANSWER = 64
ADAPTED = "adapter"
"""Kind of a system that is an adapter on its base."""


@dataclass
class Systems:
    """Opens systems by name over one run or one index; weights and indexes are opened once and shared.

    Args:
        settings: The command's settings.
        progress: Where the host of a remote model is said.
        run: The run whose base and adapter are `base` and `tuned`, if any.
        base: The base, where the run has no adapter that names it.
        index: Folder of the index behind `+rag`, if any.
        further: Gives, for the opened index, what is searched beside it.
        summaries: Where the summaries of conversations are kept; left out, the latest in memory.
        journaled: Whether a run keeps every reply of a remote model; not what people ask in passing.
        prompts: Prompts that a name can end with, `@` and the prompt's name; left out, only that of the settings.
        engines: The models that are open; left out, its own.
        indexes: The indexes that are open; left out, it opens its own.
    """

    settings: Settings
    progress: Progress
    run: Run | None = None
    index: Path | None = None
    further: Callable[[Index], Sequence[Retriever]] | None = None
    summaries: MutableMapping[str, str] | None = None
    journaled: bool = True
    base: str = ""
    prompts: Mapping[str, OwnPrompt] = field(default_factory=dict)
    engines: Engines | None = None
    indexes: Indexes | None = None
    _retriever: HybridRetriever | None = field(default=None, init=False)
    _turn: threading.RLock = field(default_factory=threading.RLock, init=False)

    @cached_property
    def opened(self) -> Engines:
        """The models that are open."""
        return self.engines or Engines(self.settings, self.progress)

    def open(self, name: str) -> Answerer:
        """Return the answerer of a system. Raises UsageError, ProviderError, IndexUnusable, StageMissing."""
        system = parse(name, self.prompts)
        model = system.model
        if model == QUOTE:
            return self._quote(system)
        if model == RECORDED:
            raise UsageError("Recorded answers are read, not asked for.", hint="Name a system that can answer.")
        if not is_remote(model):
            return self._local(name, system, self._weights(name, model))
        journal = self.run.journal if self.run and self.journaled else None
        provider, context = self.opened.server(model, journal)
        return self._answerer(name, system, provider, context=context, remote=True)

    def retriever(self) -> HybridRetriever:
        """Return the search over the index. Raises IndexUnusable where there is none."""
        from doceo.providers.embedders import shared_embedder
        from rag.index import Index
        from rag.retriever import HybridRetriever

        with self._turn:
            if self._retriever is not None:
                return self._retriever
            if self.index is None:
                raise UsageError("There are no documents to answer from.", hint="Name a --run or a --collection.")
            kept = self.indexes.get(self.index) if self.indexes else None
            opened = kept or Index.open(self.index, shared_embedder(self.settings.embedder))
            further = self.further(opened) if self.further else ()
            self._retriever = HybridRetriever(
                opened, self.settings.retrieve, further=further, reranker=self._reranker()
            )
            return self._retriever

    def _reranker(self) -> Reranker | None:
        """Return the cross-encoder that is wanted, if one is. Raises ModelNotFound, Unreachable."""
        if not self.settings.retrieve.reranker:
            return None
        from doceo.providers.cross_encoder import shared_reranker

        return shared_reranker(self.settings.retrieve.reranker)

    def _quote(self, system: SystemName) -> Answerer:
        if not system.documents:
            raise UsageError("`quote` answers from documents only.", hint="Leave out --no-documents, or name a model.")
        from rag.quote import QuoteAnswerer

        retriever = self.retriever()
        if self.settings.answer.context == "pin":
            self.progress.say("Passages are retrieved: `quote` has no prompt that documents could be pinned in.")
        return QuoteAnswerer(
            retriever, k=self.settings.retrieve.k, gate=self._gate("quote"), trace=self.settings.answer.trace
        )

    def _weights(self, name: str, model: str) -> LocalModel | GgufModel:
        """Return a model of this machine; of several adapters on one base, the base is in memory once."""
        adapter = self._adapter(model)
        if adapter is not None:
            base = model_folder.base_of(adapter)
        elif model == "base" and self.run is not None:
            base = self.base or base_of(self.run)
        else:
            return self.opened.here(model)
        return self.opened.base(base, adapter, name)

    def _adapter(self, model: str) -> Path | None:
        kind, _, path = model.partition(":")
        if model == "tuned" and self.run is not None:
            return self.run.file(ADAPTER, model_folder.ADAPTER).parent
        return Path(path).expanduser() if kind == ADAPTED else None

    def _local(self, name: str, system: SystemName, model: LocalModel | GgufModel) -> ModelAnswerer:
        most = SMALL_ANSWER if model.context <= SMALL_CONTEXT else None
        return self._answerer(name, system, model, model.count_tokens, model.context, most=most)

    def _answerer(
        self,
        name: str,
        system: SystemName,
        provider: Provider,
        count: Count = words_as_tokens,
        context: int | None = None,
        *,
        remote: bool = False,
        most: int | None = None,
    ) -> ModelAnswerer:
        config = self.settings.answer
        if most is not None:
            config = config.model_copy(update={"max_tokens": min(config.max_tokens, most)})
        index = self.retriever().index if system.documents else None
        tools = replace(self._tools(provider, system, remote=remote), words=self._words(system))
        if index is not None:
            budget = prompt_budget(config, context)
            tools = with_context(tools, self.settings, index, provider, self.progress, count=count, budget=budget)
        return ModelAnswerer(
            name,
            provider,
            config=config,
            tools=tools,
            k=self.settings.retrieve.k,
            documents=index.document if index else None,
            embed=index.embedder.embed if index else None,
            count=count,
            context=context,
            say=self.progress.say,
            secret=self._secret() if remote else None,
        )

    def _words(self, system: SystemName) -> OwnPrompt | None:
        """Return the prompt that a system is asked with, where it is not ours."""
        if system.prompt:
            return self.prompts[system.prompt]
        own = self.settings.answer.system_prompt
        return read_prompt(Path(own)) if own else None

    def _tools(self, provider: Provider, system: SystemName, *, remote: bool) -> Tools:
        """Return what stands between a question and a model; one on a server rewrites and summarises itself."""
        config = self.settings.answer
        summaries = Summaries(provider, self.summaries) if remote else None
        if not system.documents:
            return Tools(summaries=summaries)
        index = self.retriever().index
        rewriter = Rewriter(provider if remote or config.rewriting == "model" else None, config.rewriting)
        return Tools(
            retriever=self.retriever(),
            rewriter=rewriter,
            summaries=summaries,
            chance=lambda question, passages: chance(question, passages, index),
            gate=self._gate("model"),
            shield=self._shield(remote=remote),
            version=index.version,
        )

    def _shield(self, *, remote: bool) -> Callable[[str], Shield] | None:
        """Return what makes the shield of a request, where there is to be one: models tuned here know none."""
        config = self.settings.answer
        if config.delimiters == "off" or not (remote or config.delimiters == "on" or config.datamarking):
            return None
        return partial(Shield.for_request, datamarking=config.datamarking)

    def _secret(self) -> bytes | None:
        """Return the journal's own secret, made when first needed: with the same marks it finds replies again."""
        if self.run is None:
            return None
        path = self.run.journal.parent / SECRET
        try:
            if not path.exists():
                with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
                    out.write(secrets.token_bytes(32))
            return path.read_bytes()[:64] or None
        except OSError:
            return None

    def _gate(self, of: Literal["model", "quote"]) -> Gate:
        """Return how an answerer refuses. Raises IndexUnusable where the calibration is damaged."""
        return gate(self.retriever().index, self.settings.retrieve, self.settings.answer.refuse_below, of)


def default_model(run: Run | None) -> str:
    """Return who answers where no model is named: `quote`, or a run's tuned model if its base is a real one."""
    if run is not None and run.has(ADAPTER) and not on_shipped(run):
        return "tuned"
    return QUOTE
