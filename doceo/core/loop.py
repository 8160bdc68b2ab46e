"""What a loop came to: the content of `loop.json`, worked out from the rounds' folders."""

from __future__ import annotations

from typing import Literal

from doceo.core.records import Gap, Record, Score

FILE = "loop.json"
Arm = Literal["gap", "even"]
BEYOND_CHANCE = 0.05
"""Corrected p-value below which a difference is more than chance."""
Reason = Literal["budget spent", "no gain", "forgetting", "nothing left to teach"]


class Leaks(Record):
    """What the leak check of a round looked at, and the rows that it took out, by reason. None is left."""

    questions: int
    rows: int
    removed: dict[str, int]
    left: int


class Area(Record):
    """An area: its share of the text that may be trained, 0 to 1, its passages, and the exam's questions about it."""

    key: str
    text: float
    passages: int
    steering: int
    measured: int


class Mean(Record):
    """The mean of a metric over the measured questions of one set, with a 95 % interval where there are two or more."""

    set: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int


class Difference(Record):
    """A difference of two means on the same questions and seeds, with a 95 % interval.

    `p` is one-sided, by flipping the signs of seeds, None for a single seed; `between` is how much seeds differ, as a
    standard deviation. `p_t` is two-sided, of the Student's t behind the interval, and `p_holm` the same corrected for
    the sets that are compared (Holm): words go by it, the interval is of the single difference.
    """

    set: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    seeds: int
    p: float | None = None
    between: float = 0.0
    p_t: float | None = None
    p_holm: float | None = None

    @property
    def direction(self) -> Literal["better", "worse", ""]:
        """What may be said beyond chance; without a corrected p-value, by the interval."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return ""
        if self.p_holm is not None and self.p_holm >= BEYOND_CHANCE:
            return ""
        return "better" if self.value > 0 else "worse"


class Unlearned(Record):
    """What a round unlearned: exam questions right before and wrong now, and the rise of the loss on a general text."""

    lost: int
    gained: int
    lost_questions: tuple[str, ...]
    general_loss_before: float | None
    general_loss: float | None
    rise: float | None


class Trained(Record):
    """How a round's training went: `stopped` says why it ended."""

    rows: int
    steps: int
    best_step: int
    epochs: float
    loss: float
    eval_loss: float | None
    stopped: str


class Taught(Record):
    """Of the exam's taught questions those whose fact a training pair states, and the means of both kinds."""

    facts: int
    of: int
    score: float | None
    others: float | None


class RoundRecord(Record):
    """A round of a series. `allotted` and `made` are its new pairs by area, `pairs` all so far."""

    round: int
    folder: str
    allotted: dict[str, int]
    made: dict[str, int]
    banked: int
    pairs: int
    by_area: dict[str, int]
    leaks: Leaks
    training: Trained | None
    scores: tuple[Score, ...]
    means: tuple[Mean, ...]
    change: tuple[Difference, ...]
    gaps: tuple[Gap, ...]
    taught: Taught
    unlearned: Unlearned
    learned: tuple[str, ...] = ()


class Series(Record):
    """The rounds of one arm and one seed; `stopped` says why there are no more, `words` the same for people."""

    arm: Arm
    seed: int
    rounds: tuple[RoundRecord, ...]
    stopped: Reason | Literal[""]
    words: str


class Start(Record):
    """The base on the exam, before the first round."""

    folder: str
    scores: tuple[Score, ...]
    means: tuple[Mean, ...]
    gaps: tuple[Gap, ...]


class Standing(Record):
    """An arm after a round, over all its seeds: a series that ended earlier keeps what it had then."""

    round: int
    arm: Arm
    seeds: int
    pairs: float
    means: tuple[Mean, ...]


class Compared(Record):
    """The gap-driven arm less the even one after a round, with the same seeds and questions."""

    round: int
    differences: tuple[Difference, ...]


class ExamRecord(Record):
    """How many questions the exam has, by set; `steering` of the taught ones decide where the budget goes.

    `wanted` is how many were to be made, and `chosen_from` the pairs that they were chosen from; the questions that
    people wrote are beyond that.
    """

    sets: dict[str, int]
    wanted: int = 0
    chosen_from: int = 0
    steering: int
    measured: int
    bank: int
    kept_out_passages: int

    @property
    def words(self) -> str:
        """The exam in a sentence, with why it has fewer questions than were to be made."""
        counts = ", ".join(f"{n} {name}" for name, n in self.sets.items())
        made = sum(n for name, n in self.sets.items() if not name.endswith("-written"))
        short = ""
        if made < self.wanted:
            short = f" ({self.wanted} were to be made; the {self.chosen_from} pairs they are chosen from gave {made})"
        spent = f"{self.steering} taught ones decide where the budget goes and are not measured"
        return f"{counts} questions{short}; {spent}"


class LoopRecord(Record):
    """The content of `loop.json`.

    Means, changes and comparisons are of the measured questions alone; `scores` are of all questions.
    """

    version: int = 1
    base: str
    teacher: str
    system: str
    axis: str
    metric: str
    budget: int
    rounds: int
    control: bool
    explore: float
    focus: float
    banked: float
    exam: ExamRecord
    areas: tuple[Area, ...]
    start: Start
    series: tuple[Series, ...]
    standings: tuple[Standing, ...]
    compared: tuple[Compared, ...]
    words: tuple[str, ...] = ()
    """The result in sentences."""

    @property
    def gaining(self) -> bool:
        """Whether one of the last two rounds of a series was better than the one before, beyond chance."""
        last = [one for series in self.series for one in series.rounds[-2:]]
        return any(change.direction == "better" for one in last for change in one.change)

    ends: tuple[str, ...] = ()
    """Why every series ended."""
    notes: tuple[str, ...] = ()
    """Which areas gave fewer pairs than they were to give, and which gave them instead."""
