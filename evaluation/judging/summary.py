"""How far a judge can be trusted: how its repeats spread, whether place decides, how it agrees with people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median_low, stdev

from doceo.core.records import Answered, Record, Score
from evaluation.judging.agreement import NOT_COMPARED, Agreement, on_point, on_rating
from evaluation.judging.labels import Label
from evaluation.judging.records import PREFIX, Compared, Judge, Marked
from evaluation.judging.verdicts import rounds

FEWEST = 10
"""Labels below which no agreement is worked out."""


class Spread(Record):
    """How the marks on one point differ between the repeats of an answer.

    `n` answers have marks of two repeats or more; of `differing`, a share of 0 to 1, these are not all the same;
    `deviation` is the mean of their standard deviations, on the scale of 0 to 2.
    """

    n: int
    differing: float
    deviation: float


class JudgeSummary(Record):
    """`7-scores/judge.json`. Shares are of 0 to 1; None where there is nothing to take a share of.

    `flipped`: comparisons whose two orders do not say the same, which count as ties. `first_preferred`: verdicts for
    the answer that stood first, among those for either; 0.5 where place does not matter. `labels` counts what people
    said of judged answers, `unused` what fits none. `problem` is the commonest reason for an unreadable reply.
    """

    judge: Judge
    answers: int
    replies: int
    unreadable: int
    problem: str = ""
    spread: dict[str, Spread]
    compared: int = 0
    flipped: float | None = None
    first_preferred: float | None = None
    agreement: tuple[Agreement, ...] = ()
    labels: int = 0
    unused: int = 0

    @property
    def agreement_words(self) -> str:
        """The agreement with people in a line, or that there is none."""
        if self.agreement:
            return f"agreement with people: {'; '.join(one.words for one in self.agreement)}"
        few = f" ({self.labels} labels, of which {FEWEST} on one point are the fewest)" if self.labels else ""
        return NOT_COMPARED + few

    @property
    def lines(self) -> list[str]:
        """What a reader of the scores has to know of the judge, in a few lines."""
        said = f"asked {self.replies} times about {self.answers} answers"
        why = f" ({self.problem.rstrip('.')})" if self.problem else ""
        found = [f"Judge {self.judge.model}: {said}, {self.unreadable} times without a reply that could be read{why}."]
        if self.spread:
            each = ", ".join(f"{point} {one.differing:.0%}" for point, one in self.spread.items())
            found.append(f"Answers whose {self.judge.repeats} marks differ: {each}.")
        if self.flipped is not None:
            first = "" if self.first_preferred is None else f"; the first answer won {self.first_preferred:.0%} of wins"
            found.append(f"Comparisons whose verdict changed with the order (ties): {self.flipped:.0%}{first}.")
        if self.judge.local:
            found.append(f"{self.judge.local} answers rest on local documents and were not shown to the judge.")
        end = f"; {self.unused} labels fit no judged answer" if self.unused else ""
        found.append(f"{self.agreement_words[0].upper()}{self.agreement_words[1:]}{end}.")
        return found


def summary(
    judge: Judge,
    marked: Sequence[Marked],
    compared: Sequence[Compared],
    labels: Sequence[Label],
    answered: Mapping[str, Sequence[Answered]],
    *,
    resamples: int,
    seed: int,
) -> JudgeSummary:
    """Return what is to be known of a judge.

    Args:
        judge: Who judged, and how.
        marked: Its replies on single answers.
        compared: Its replies on two.
        labels: What people said; those of answers that were not judged are counted as unused.
        answered: System -> answers, by which labels are matched.
        resamples: Bootstrap resamples behind the intervals of the agreement.
        seed: Their seed.
    """
    asked = [one for one in compared if one.asked]
    replies: list[Marked | Compared] = [*marked, *asked]
    problems = Counter(one.problem for one in replies if one.problem)
    verdicts = [said for said in rounds(asked).values() if "" not in said]
    won = [(one.better == "base") == one.base_first for one in asked if one.better in ("answer", "base")]
    matched = _matched(labels, marked, answered)
    return JudgeSummary(
        judge=judge,
        answers=len({one.answer for one in replies}),
        replies=len(replies),
        unreadable=sum(problems.values()),
        problem=problems.most_common(1)[0][0] if problems else "",
        spread=_spread(judge, _by_answer(marked)),
        compared=len(verdicts),
        flipped=_share([len(set(said)) > 1 for said in verdicts]),
        first_preferred=_share(won),
        agreement=_agreement(judge, _by_answer(marked), matched, resamples, seed),
        labels=sum(map(len, matched.values())),
        unused=len(labels) - sum(map(len, matched.values())),
    )


def noted(scores: Iterable[Score], found: JudgeSummary) -> list[Score]:
    """Return scores; those that a judge made say in their note how it agrees with people."""
    of_point = {f"{PREFIX}{one.of}": f"agreement with people: {one.words}" for one in found.agreement}
    made = []
    for score in scores:
        said = of_point.get(score.metric, NOT_COMPARED) if score.group == "judged" else ""
        made.append(score.model_copy(update={"note": f"{score.note}; {said}".lstrip("; ")}) if said else score)
    return made


def _by_answer(marked: Iterable[Marked]) -> dict[str, dict[str, list[int]]]:
    """Return answer -> point -> the marks of its repeats."""
    found: dict[str, dict[str, list[int]]] = {}
    for one in marked:
        for point, mark in one.marks.items():
            found.setdefault(one.answer, {}).setdefault(point, []).append(mark)
    return found


def _matched(
    labels: Iterable[Label], marked: Iterable[Marked], answered: Mapping[str, Sequence[Answered]]
) -> dict[str, list[Label]]:
    """Return answer -> the labels that are of it."""
    ids = {(one.set, one.pair_id, system): one.answer for one in marked for system in one.systems if one.marks}
    given: dict[tuple[str, str], list[Answered]] = {}
    for system, lines in answered.items():
        for line in lines:
            given.setdefault((line.pair_id, system), []).append(line)
    found: dict[str, list[Label]] = {}
    for label in labels:
        fitting = [line for line in given.get((label.pair_id, label.system), ()) if label.fits(line)]
        answer = ids.get((fitting[0].set, label.pair_id, label.system)) if fitting else None
        if answer is not None:
            found.setdefault(answer, []).append(label)
    return found


def _spread(judge: Judge, marks: Mapping[str, Mapping[str, Sequence[int]]]) -> dict[str, Spread]:
    found = {}
    for point in judge.points:
        several = [of_point for one in marks.values() if len(of_point := one.get(point, ())) > 1]
        if several:
            found[point] = Spread(
                n=len(several),
                differing=round(fmean(len(set(one)) > 1 for one in several), 4),
                deviation=round(fmean(stdev(one) for one in several), 4),
            )
    return found


def _agreement(
    judge: Judge,
    marks: Mapping[str, Mapping[str, Sequence[int]]],
    labels: Mapping[str, Sequence[Label]],
    resamples: int,
    seed: int,
) -> tuple[Agreement, ...]:
    """Return the agreement on every point, and of the ratings, where there are labels enough.

    Of several marks of one answer, by repeats or by people, the median is taken, the lower of the two in the middle.
    """
    found = []
    for point in judge.points:
        both = [
            (median_low(marks[answer][point]), median_low(people))
            for answer, of_answer in labels.items()
            if point in marks[answer] and (people := [one.marks[point] for one in of_answer if point in one.marks])
        ]
        if len(both) >= FEWEST:
            ours, theirs = zip(*both, strict=True)
            found.append(on_point(point, ours, theirs, resamples=resamples, seed=seed))
    rated = [
        (round(fmean(mark for of_point in marks[answer].values() for mark in of_point), 4), fmean(said))
        for answer, of_answer in labels.items()
        if (said := [one.value for one in of_answer if one.value is not None])
    ]
    if len(rated) >= FEWEST:
        means, ratings = zip(*rated, strict=True)
        found.append(on_rating(means, ratings, resamples=resamples, seed=seed))
    return tuple(found)


def _share(found: Sequence[bool]) -> float | None:
    return round(fmean(found), 4) if found else None
