"""A judge model asked about answers: marks of single answers, and which of two is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from doceo.core.config import JudgeConfig
from doceo.core.errors import ReplyInvalid, RequestRejected
from doceo.core.protocols import AsyncProvider
from doceo.core.records import ChatReply, ChatRequest, Document
from doceo.providers.journal import fingerprint
from evaluation.judging.plan import ToCompare, ToMark
from evaluation.judging.records import Better, Compared, Marked
from evaluation.judging.requests import PROMPTS, Said, in_turn, read_choice, read_marks, to_compare, to_mark
from evaluation.judging.rubric import Rubric
from generator.replies import ask
from prompts.catalog import Catalog

T = TypeVar("T")


class AnswerJudge:
    """Asks a judge about answers, in the words of the prompts `judge_answer` and `judge_two_answers`.

    A reply that cannot be read is asked for once more; where that one cannot be read either, or the server will not
    take the request, the record says so and has no mark.

    Args:
        provider: The judge.
        catalog: Where the prompts are.
        rubric: The points.
        documents: Id -> document, which the passages that answers cite are taken from.
        config: The seed of the requests.
        known: Replies that are there already, by request; they are not asked for again.
    """

    def __init__(
        self,
        provider: AsyncProvider,
        catalog: Catalog,
        rubric: Rubric,
        documents: Mapping[str, Document],
        config: JudgeConfig,
        known: Mapping[str, Marked | Compared],
    ) -> None:
        self.name = provider.name
        self._provider = provider
        self._templates = {prompt: catalog.template(prompt) for prompt in PROMPTS}
        self._rubric, self._documents, self._config, self._known = rubric, documents, config, known

    def points_of(self, one: ToMark) -> list[str]:
        """Return the names of the points that an answer is marked on."""
        return [point.name for point in self._rubric.of(one.case)]

    def request(self, one: ToMark | ToCompare) -> ChatRequest:
        """Return what the judge is asked."""
        if isinstance(one, ToMark):
            points = in_turn(self._rubric.of(one.case), one.repeat)
            seed = self._config.seed + one.repeat
            return to_mark(self._templates["judge_answer"], points, one.case, self._documents, seed)
        first, second = (one.base_case, one.case) if one.base_first else (one.case, one.base_case)
        template, seed = self._templates["judge_two_answers"], self._config.seed + one.round
        return to_compare(template, self._rubric.points, first, second, self._documents, seed)

    async def mark(self, one: ToMark) -> Marked:
        """Return the judge's marks of an answer. Raises ProviderError."""
        request = self.request(one)
        asked = fingerprint(self.name, request)[:16]
        q = one.case.question
        made = Marked(
            asked=asked, answer=one.answer, set=q.set, pair_id=q.pair_id, systems=one.systems, repeat=one.repeat
        )
        if isinstance(old := self._known.get(asked), Marked):
            return made.model_copy(update={name: getattr(old, name) for name in ("marks", "reasons", "problem")})
        names = self.points_of(one)
        found, problem = await self._said(request, lambda reply: read_marks(reply, names))
        if found is None:
            return made.model_copy(update={"problem": problem})
        marks = {name: found[name].mark for name in names}
        return made.model_copy(update={"marks": marks, "reasons": {name: found[name].reason for name in names}})

    async def compare(self, one: ToCompare) -> Compared:
        """Return which of two answers the judge finds better, in one order. Raises ProviderError."""
        request = self.request(one)
        same = one.answer == one.base
        asked = "" if same else fingerprint(self.name, request)[:16]
        q = one.case.question
        made = Compared(
            asked=asked, answer=one.answer, base=one.base, set=q.set, pair_id=q.pair_id, systems=one.systems,
            round=one.round, base_first=one.base_first, better="tie" if same else "",
        )  # fmt: skip
        if same:
            return made
        if isinstance(old := self._known.get(asked), Compared):
            return made.model_copy(update={name: getattr(old, name) for name in ("better", "reason", "problem")})
        said, problem = await self._said(request, read_choice)
        if said is None:
            return made.model_copy(update={"problem": problem})
        return made.model_copy(update={"better": _better(said, base_first=one.base_first), "reason": said.reason})

    async def _said(self, request: ChatRequest, read: Callable[[ChatReply], T]) -> tuple[T | None, str]:
        """Return what a reply says, or None and why it says nothing."""
        try:
            return await ask(self._provider, request, read, self._templates["ask_again"]), ""
        except (ReplyInvalid, RequestRejected) as error:
            return None, error.message


def _better(said: Said, *, base_first: bool) -> Better:
    if said.choice == "tie":
        return "tie"
    return "base" if (said.choice == "first") == base_first else "answer"
