"""What is kept of a judge's replies: the lines of `6-judged/`."""

from __future__ import annotations

from typing import Literal

from doceo.core.records import Record, SetName

PREFIX = "judge_"
"""What the names of all metrics of a judge begin with."""
Better = Literal["answer", "base", "tie", ""]
"""Which of two answers is better; nothing where the reply could not be read."""


class Judge(Record):
    """`judge.json`: who judged, how, and what was left out.

    `prompts` are names and hashes, `rubric` is the hash of the rubric, `points` its points. `comparisons` counts how
    often every answer was compared, in both orders each, with that of `baseline`. `local` counts the answers that were
    not shown to a judge elsewhere, since they rest on documents that must not leave this machine.
    """

    model: str
    points: tuple[str, ...]
    rubric: str
    prompts: dict[str, str]
    repeats: int
    comparisons: int
    baseline: str
    questions: int | None = None
    local: int = 0

    @property
    def recipe(self) -> str:
        """How marks were made, as it stands in their signature."""
        return f"model:{self.model}|rubric:{self.rubric[:8]}|prompt:{self.prompts['judge_answer'][:8]}"


class Marked(Record):
    """A line of `marks.jsonl`: one reply on one answer.

    `answer` identifies all that the judge was shown (`answer_id`), `asked` the request. Of an answer that several
    systems gave there is one line. `marks` is empty where the reply could not be read; `problem` then says why.
    """

    asked: str
    answer: str
    set: SetName
    pair_id: str
    systems: tuple[str, ...]
    repeat: int
    marks: dict[str, int] = {}
    reasons: dict[str, str] = {}
    problem: str = ""


class Compared(Record):
    """A line of `comparisons.jsonl`: one reply on an answer and the baseline's, in one of the two orders.

    The same answer twice is a tie that no judge was asked for: `asked` is then empty.
    """

    asked: str
    answer: str
    base: str
    set: SetName
    pair_id: str
    systems: tuple[str, ...]
    round: int
    base_first: bool
    better: Better
    reason: str = ""
    problem: str = ""
