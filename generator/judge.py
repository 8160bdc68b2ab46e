"""A rubric judge that sees the source: marks from 0 to 2 on four points, each with its reason; it rewrites nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from doceo.core.config import GateConfig
from doceo.core.errors import ReplyInvalid
from doceo.core.protocols import AsyncProvider
from doceo.core.records import ChatReply, ChatRequest, Chunk, Document, Pair, Verdict
from doceo.text.marks import marks_of
from generator.corpus import Checked, Corpus
from generator.fields import quotes_of
from generator.replies import ask, unread
from generator.shown import conversation, passages
from prompts.catalog import Catalog

POINTS = ("clarity", "correctness", "completeness", "worth")
"""The points of the rubric, in the order in which a pair is refused for them."""
PROMPTS = ("judge_pair", "ask_again")
UNANSWERED = "(The documents do not say.)"
"""The answer of an unanswerable pair, as the judge is shown it."""
_TEXT: dict[str, object] = {"type": "string"}
_MARK: dict[str, object] = {"type": "integer", "enum": [0, 1, 2]}
_TOKENS = 800


@dataclass(frozen=True)
class Marks:
    """What a judge says of a pair: mark and reason by point, and quotes of the source that decide correctness."""

    marks: Mapping[str, int]
    reasons: Mapping[str, str]
    quotes: tuple[str, ...] = ()

    def refused(self, least: int) -> str:
        """Return the first point whose mark is below `least`, or ""."""
        return next((point for point in POINTS if self.marks[point] < least), "")


class Judge:
    """Marks pairs on clarity, correctness, completeness and whether they are worth knowing.

    A pair below the line on any point is rejected: `judge_clarity`, `judge_correctness`, `judge_completeness`,
    `judge_worth`; one whose marks cannot be read, twice, as `judge_unreadable`. Marks go into the scores as
    `judge_clarity` and so on. A judge of another family than the teacher favours it less (Zheng et al. 2023,
    arXiv 2306.05685).

    Args:
        provider: The judge.
        catalog: Where the prompts are; left out, those that ship.
        config: Where the line is drawn.
        corpus: Where the passages of a pair are; `check` needs it, `marks` does not.
        private: Ids of documents that may not be sent to the judge; a pair of one passes unmarked.
        thinking_tokens: Tokens that a reply may use before its first word.
    """

    def __init__(
        self,
        provider: AsyncProvider,
        corpus: Corpus | None = None,
        *,
        catalog: Catalog | None = None,
        config: GateConfig | None = None,
        private: Collection[str] = (),
        thinking_tokens: int = 1024,
    ) -> None:
        catalog = catalog or Catalog()
        self._templates = {name: catalog.template(name) for name in PROMPTS}
        self.name = provider.name
        self.prompts = {name: template.hash for name, template in self._templates.items()}
        self._provider, self._corpus, self._config = provider, corpus, config or GateConfig()
        self._private, self._thinking = frozenset(private), thinking_tokens

    async def check(self, pair: Pair) -> Checked:
        """Check one pair. Raises ProviderError."""
        corpus = self._corpus
        chunks = [corpus.chunk[one] for one in pair.chunk_ids if one in corpus.chunk] if corpus else []
        if corpus is None or not chunks or chunks[0].document_id in self._private:
            return Checked()
        chunks = [chunk for chunk in chunks if chunk.document_id not in self._private]
        try:
            found = await self.marks(pair, chunks, corpus.document)
        except ReplyInvalid as error:
            return Checked(Verdict(accepted=False, reason="judge_unreadable", detail=error.message))
        scores = {f"judge_{point}": float(found.marks[point]) for point in POINTS}
        point = found.refused(self._config.judge)
        if not point:
            return Checked(None, scores)
        detail = found.reasons.get(point, "") or f"marked {found.marks[point]}"
        return Checked(Verdict(accepted=False, reason=f"judge_{point}", detail=detail), scores)

    async def marks(self, pair: Pair, chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> Marks:
        """Return a pair's marks.

        Args:
            pair: The pair.
            chunks: Its source.
            documents: Their documents, by id.

        Raises:
            ReplyInvalid: Two replies could not be read.
            ProviderError: The judge failed.
        """
        messages = self._templates["judge_pair"].fill(
            passages=passages(chunks, documents),
            history=conversation(pair.history),
            question=pair.question,
            answer=pair.answer if pair.answerable else UNANSWERED,
        )
        request = ChatRequest(messages=messages, form=_schema(), max_tokens=_TOKENS + self._thinking)
        return await ask(self._provider, request, read_marks, self._templates["ask_again"])


def read_marks(reply: ChatReply) -> Marks:
    """Return the marks of a reply: JSON in any wrapping, or lines such as "clarity: 2".

    Raises:
        ReplyInvalid: A point has no mark of 0, 1 or 2.
    """
    found = marks_of(reply.text, POINTS)
    if missing := [point for point in POINTS if point not in found]:
        raise unread(f"it has no mark of 0, 1 or 2 for {', '.join(missing)}.")
    said = found["correctness"].said
    return Marks(
        {point: found[point].mark for point in POINTS},
        {point: found[point].reason for point in POINTS},
        quotes_of(said.get("quotes", said.get("quote"))),
    )


def prompt_hashes(catalog: Catalog | None = None) -> dict[str, str]:
    """Return name and hash of every prompt that the judge uses."""
    catalog = catalog or Catalog()
    return {name: catalog.template(name).hash for name in PROMPTS}


@lru_cache(maxsize=1)
def _schema() -> dict[str, object]:
    plain = _object({"reason": _TEXT, "mark": _MARK})
    quotes: dict[str, object] = {"type": "array", "items": _TEXT}
    quoted = _object({"quotes": quotes, "reason": _TEXT, "mark": _MARK})
    return _object({point: quoted if point == "correctness" else plain for point in POINTS})


def _object(properties: dict[str, dict[str, object]]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
