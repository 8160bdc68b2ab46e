"""Doceo and LangChain, both ways; no other file of this room knows LangChain.

`PassageRetriever` and `AnswererRunnable` offer our search and our answerers to LangChain programs, `LangChainArm` takes
any LangChain retriever as a further arm of our search. LangSmith hears of none of it unless it is asked for, or a
chain that is traced calls them with its own callbacks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import convert_to_messages
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.vectorstores import VectorStoreRetriever

from doceo.core.errors import UsageError
from doceo.core.protocols import Answerer, Retriever
from doceo.core.records import Answer, Arm, Message, Passage
from doceo.providers.tracing import reporting
from rag.placing import Places

if TYPE_CHECKING:
    from rag.index import Index

Asked = str | Mapping[str, object]
"""A question, or {"question": ..., "history": [...]}."""
_ROLES = {"human": "user", "ai": "assistant"}
_HEADERS = ("Header 1", "Header 2", "Header 3", "Header 4")
"""Where LangChain's Markdown splitter keeps the headings."""
_FLAT = 10
"""How slowly an arm's scores fall with the rank: on SQuAD's paragraphs 10 finds more than the usual 60."""


def as_document(passage: Passage) -> Document:
    """Return a passage as LangChain has it: its metadata are plain JSON, `page` counts from 1."""
    metadata = passage.hit.model_dump(mode="json") | {"title": passage.title}
    return Document(id=passage.hit.chunk_id, page_content=passage.text, metadata=metadata)


class PassageRetriever(BaseRetriever):
    """A retriever of ours as one of LangChain's. Asynchronous calls search in a thread."""

    source: Any
    """The retriever of ours, a `doceo.core.protocols.Retriever`."""
    k: int = 4
    """Passages that are found, where a call does not say `k=...`."""
    langsmith: bool = False
    """Report searches to LangSmith."""

    def invoke(self, input: str, config: RunnableConfig | None = None, **kwargs: object) -> list[Document]:
        """Return the best passages, best first."""
        with reporting(self.langsmith):
            return super().invoke(input, config, **kwargs)

    async def ainvoke(self, input: str, config: RunnableConfig | None = None, **kwargs: object) -> list[Document]:
        """Return the best passages, best first."""
        with reporting(self.langsmith):
            return await super().ainvoke(input, config, **kwargs)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        search: Retriever = self.source
        return [as_document(passage) for passage in search.search(query, k or self.k)]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        return await asyncio.to_thread(self._get_relevant_documents, query, run_manager=run_manager.get_sync(), k=k)


class AnswererRunnable(Runnable[Asked, Answer | str]):
    """An answerer of ours as a LangChain runnable.

    It takes a question, or {"question": ..., "history": [...]} with the turns before it as LangChain's messages, as
    (role, text) or as ours; and gives an `Answer`, or its text, which then streams piece by piece.

    Args:
        answerer: Who answers.
        text: Give the text alone.
        langsmith: Report questions and answers to LangSmith.
    """

    def __init__(self, answerer: Answerer, *, text: bool = False, langsmith: bool = False) -> None:
        self.answerer, self.name = answerer, answerer.name
        self._text, self._langsmith = text, langsmith

    @property
    def OutputType(self) -> type[Answer | str]:  # noqa: N802 - LangChain's name
        """The type of what it gives."""
        return str if self._text else Answer

    def invoke(self, input: Asked, config: RunnableConfig | None = None, **kwargs: object) -> Answer | str:
        """Answer a question. Raises UsageError for what is none, ProviderError."""
        with reporting(self._langsmith):
            return self._call_with_config(self._answer, input, config)

    async def ainvoke(self, input: Asked, config: RunnableConfig | None = None, **kwargs: object) -> Answer | str:
        """Answer a question, in a thread. Raises as `invoke`."""

        async def answer(asked: Asked) -> Answer | str:
            return await asyncio.to_thread(self._answer, asked)

        with reporting(self._langsmith):
            return await self._acall_with_config(answer, input, config)

    def stream(self, input: Asked, config: RunnableConfig | None = None, **kwargs: object) -> Iterator[Answer | str]:
        """Yield the text piece by piece, or the one Answer. Raises as `invoke`."""
        pieces = self._transform_stream_with_config(iter([input]), self._pieces, config)
        with closing(cast("Generator[Answer | str]", pieces)) as opened:
            while (piece := self._next(opened)) is not None:
                yield piece

    async def astream(
        self, input: Asked, config: RunnableConfig | None = None, **kwargs: object
    ) -> AsyncIterator[Answer | str]:
        """Yield the text piece by piece, or the one Answer, made in threads. Raises as `invoke`."""

        async def once() -> AsyncIterator[Asked]:
            yield input

        pieces = self._atransform_stream_with_config(once(), self._pieces_in_threads, config)
        async with aclosing(cast("AsyncGenerator[Answer | str]", pieces)) as opened:
            while (piece := await self._anext(opened)) is not None:
                yield piece

    def _next(self, pieces: Iterator[Answer | str]) -> Answer | str | None:
        with reporting(self._langsmith):  # not around a yield: it would hold for whoever reads, too
            return next(pieces, None)

    async def _anext(self, pieces: AsyncGenerator[Answer | str]) -> Answer | str | None:
        with reporting(self._langsmith):
            return await anext(pieces, None)

    def _answer(self, asked: Asked) -> Answer | str:
        answer = self.answerer.answer(*_question(asked))
        return answer.text if self._text else answer

    def _pieces(self, asked: Iterator[Asked]) -> Iterator[Answer | str]:
        for piece in self.answerer.stream(*_question(next(asked))):
            if isinstance(piece, str if self._text else Answer):
                yield piece

    async def _pieces_in_threads(self, asked: AsyncIterator[Asked]) -> AsyncIterator[Answer | str]:
        pieces = self._pieces(iter([await anext(asked)]))
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece


class LangChainArm:
    """A LangChain retriever as one of ours: a further arm of the hybrid search, or alone.

    Its documents become passages as `rag.placing` says. Scores fall with the rank as those of reciprocal rank fusion
    do (Cormack, Clarke and Buettcher 2009), since an order is all that LangChain's retrievers promise.

    Args:
        retriever: LangChain's. One of a vector store is asked for as many documents as are wanted; how many others
            give is theirs to say.
        index: The index that its documents are looked for in; left out, all are passages of their own.
        name: The arm's name in `Hit.arms`.
        langsmith: Report searches to LangSmith.
    """

    def __init__(
        self, retriever: BaseRetriever, index: Index | None = None, *, name: str = "langchain", langsmith: bool = False
    ) -> None:
        self.name = name
        self._retriever, self._langsmith, self._places = retriever, langsmith, Places(index)

    def search(self, question: str, k: int) -> list[Passage]:
        """Return up to k passages, best first, each once. Raises what the retriever raises."""
        wanted: dict[str, Any] = {"k": k} if isinstance(self._retriever, VectorStoreRetriever) else {}
        with reporting(self._langsmith):
            documents = self._retriever.invoke(question, **wanted)
        passages: dict[str, Passage] = {}
        for document in documents:
            if document.page_content.strip():
                passage = self._passage(document)
                passages.setdefault(passage.hit.chunk_id, passage)
        return [_ranked(passage, self.name, rank) for rank, passage in enumerate(list(passages.values())[:k], 1)]

    def _passage(self, document: Document) -> Passage:
        facts: dict[str, Any] = document.metadata
        source = facts.get("source") or facts.get("file_path") or facts.get("url") or document.id or self.name
        headings = [str(facts[name]) for name in _HEADERS if facts.get(name)]
        title, page = str(facts.get("title") or ""), _page(facts)
        return self._places.passage(document.page_content, str(source), title=title, page=page, headings=headings)


def _page(facts: Mapping[str, Any]) -> int | None:
    """Return the page, from 1: as it is labelled, else as LangChain's loaders count, from 0."""
    label, page = str(facts.get("page_label", "")), facts.get("page")
    if re.fullmatch(r"[0-9]{1,9}", label):
        return int(label)
    return page + 1 if isinstance(page, int) else None


def _question(asked: object) -> tuple[str, list[Message]]:
    if isinstance(asked, str):
        return asked, []
    given = asked if isinstance(asked, Mapping) else {}
    question = given.get("question")
    if not isinstance(question, str):
        raise UsageError(
            "That is no question.", hint='Give a text, or {"question": "...", "history": [("human", "..."), ...]}.'
        )
    return question, _turns(given.get("history") or ())


def _turns(history: Sequence[Any]) -> list[Message]:
    turns = []
    for message in convert_to_messages((t.role, t.content) if isinstance(t, Message) else t for t in history):
        if message.type not in _ROLES:
            raise UsageError(
                f"A turn of the history is a {message.type} message.", hint="It takes questions and answers alone."
            )
        turns.append(Message.model_validate({"role": _ROLES[message.type], "content": str(message.text)}))
    return turns


def _ranked(passage: Passage, arm: str, rank: int) -> Passage:
    score = round((_FLAT + 1) / (_FLAT + rank), 6)
    update = {"score": score, "arms": {arm: Arm(rank=rank, score=score)}}
    return passage.model_copy(update={"hit": passage.hit.model_copy(update=update)})
