"""What all rounds of a loop work with: documents, kept-out text, areas, teacher, vectors, base; each opened once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from data.jsonl import read_json
from data.store import EXAM, Run
from doceo.app.crew import Models, embed_with, gates_of, hire, open_models
from doceo.app.settings import Settings
from doceo.app.stages.corpus import corpus_of
from doceo.app.stages.documents import Ingested
from doceo.app.stages.pairs import at_once, held_out
from doceo.core.protocols import Progress
from generator.corpus import Corpus, Crew, Embed
from generator.pipeline import Generated, generate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from generator.carried import Carried

AREAS = "areas.json"
_MOST_KEPT = 100_000
"""Vectors that are kept, at 1.5 kB each."""


@dataclass(frozen=True)
class Materials:
    """What all rounds work with.

    Attributes:
        run: The loop's folder: an ordinary run of documents and passages only.
        ingested: Its documents and passages.
        settings: The command's settings.
        base: Folder or hub name of the base model.
        progress: Where work is shown.
    """

    run: Run
    ingested: Ingested
    settings: Settings
    base: str
    progress: Progress

    @cached_property
    def unseen(self) -> frozenset[str]:
        """Ids of the passages that are kept out of training."""
        return held_out(self.ingested, self.settings.generate)

    @cached_property
    def whole(self) -> Corpus:
        """The corpus that the exam is made from; its areas, worked out anew, stand as its topics."""
        by_topic = self.settings.loop.axis == "topic"
        corpus = self._read(self.settings.generate.topics if by_topic else 0)
        area = corpus.topic_of if by_topic else lambda chunk: corpus.document[chunk.document_id].source
        return replace(corpus, topics={chunk.id: area(chunk) for chunk in corpus.chunks})

    @cached_property
    def corpus(self) -> Corpus:
        """The corpus of the rounds: its areas are those of the exam, and kept-out text is not asked about."""
        areas = read_json(self.run.file(EXAM, AREAS))
        assert isinstance(areas, dict)
        corpus = self._read(0)
        return replace(corpus, topics=areas, left_out=corpus.left_out | self.unseen)

    @cached_property
    def embed(self) -> Embed:
        """The embedder, which remembers what it was given: every round asks for much the same."""
        return _remembering(embed_with(self.settings.embedder, self.progress))

    async def generated(
        self, corpus: Corpus, settings: Settings, against: Sequence[str] = (), before: Carried | None = None
    ) -> Generated:
        """Return pairs made from a corpus. Replies of remote models are kept in the loop's one journal.

        Raises CostCapReached, and ProviderError, UsageError and InputError as `generator.pipeline.generate`.
        """
        models = open_models(settings, self.run, self.progress)
        try:
            sent = _without_local(corpus) if models.remote else corpus
            made = await generate(
                sent,
                hire(settings, sent, models, self.embed) if models.opened else self._built_in,
                settings.generate,
                settings.gate,
                self.progress,
                gates=gates_of(settings),
                at_once=at_once(settings),
                against=against,
                words_only=True,
                before=before,
            )
        finally:
            await models.aclose()
        if made.capped is not None:
            # Its replies are in the journal: with a higher cap the same command pays only for the rest.
            raise made.capped
        return made

    @cached_property
    def _built_in(self) -> Crew:
        """Those who work without a model: what the built-in teacher makes of a passage is worked out once."""
        return hire(self.settings, self._read(0), Models(), self.embed)

    def _read(self, topics: int | None) -> Corpus:
        generate = self.settings.generate.model_copy(update={"topics": topics})
        settings = self.settings.model_copy(update={"generate": generate})
        return corpus_of(self.ingested, self.unseen, settings, self.embed, self.progress, remote=False)


def _without_local(corpus: Corpus) -> Corpus:
    """Return a corpus whose local documents are not sent to a model on another machine."""
    local = frozenset(d.id for d in corpus.documents if d.metadata.get("local") == "true")
    return replace(corpus, local=local) if local else corpus


def _remembering(embed: Embed) -> Embed:
    known: dict[str, NDArray[np.float32]] = {}

    def remembered(texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        missing = [text for text in dict.fromkeys(texts) if text not in known]
        fresh = dict(zip(missing, embed(missing), strict=True)) if missing else {}
        if len(known) + len(fresh) > _MOST_KEPT:
            return np.stack([fresh[text] if text in fresh else known[text] for text in texts])
        known.update(fresh)
        return np.stack([known[text] for text in texts])

    return remembered
