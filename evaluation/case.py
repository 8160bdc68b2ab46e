"""One answer to one question: what a metric looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from doceo.core.records import Answer, Answered, Question, SetName
from doceo.text.passages import without_markers


@dataclass(frozen=True)
class Case:
    """A question with its references and evidence, and a system's answer.

    What is compared with references is the whole of `Answer.text` without its [n] markers, for every system and
    metric alike: a system that quotes a sentence where the reference is one word pays for the length in EM, F1 and
    BLEU, as a reader does. `Answer.short` is shown in reports and never scored. A refusal is scored as what it says.
    """

    question: Question
    answer: Answer

    @cached_property
    def text(self) -> str:
        """The answer without its [n] markers."""
        return without_markers(self.answer.text).strip()

    @cached_property
    def references(self) -> tuple[str, ...]:
        """The references that are not blank."""
        return tuple(text for text in self.question.references if text.strip())

    @property
    def over_documents(self) -> bool:
        """Whether passages were found for the answer, or it cites some."""
        return bool(self.answer.hits or self.answer.citations)

    @classmethod
    def of_texts(cls, text: str, references: Iterable[str]) -> Case:
        """Return the case of a text and its references, where nothing else is known."""
        question = Question(pair_id="", set="taught", question="", references=tuple(references))
        return cls(question, Answer(text=text))


def cases(answered: Iterable[Answered], questions: Mapping[tuple[SetName, str], Question]) -> list[Case]:
    """Return the cases of stored answers.

    Args:
        answered: Answers in any order.
        questions: (set, pair id) -> the question with its evidence, kind and so on; where one is missing, what stands
            beside the answer is all that is known of it.
    """
    return [Case(questions.get((line.set, line.pair_id)) or _bare(line), line.answer) for line in answered]


def _bare(line: Answered) -> Question:
    return Question(pair_id=line.pair_id, set=line.set, question=line.question, references=line.references)
