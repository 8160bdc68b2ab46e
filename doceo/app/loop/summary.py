"""`loop.json`: what all rounds came to, written at the end of every round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data.jsonl import write_json
from doceo.app.loop.exam import Exam
from doceo.app.loop.figures import Rounds
from doceo.app.loop.materials import Materials
from doceo.app.loop.spending import spending
from doceo.app.loop.tested import Tested, difference, mean
from doceo.app.stages.scores import load_scores
from doceo.core.loop import (
    FILE,
    Area,
    Arm,
    Compared,
    Difference,
    ExamRecord,
    LoopRecord,
    Standing,
    Start,
)
from doceo.core.loop import Series as SeriesRecord
from doceo.providers.shipped_model import named
from evaluation.significance import holm

if TYPE_CHECKING:
    from doceo.app.loop.running import Series


class Loop(NamedTuple):
    """A loop as far as it has come; `sizes` is how much text every area has."""

    materials: Materials
    exam: Exam
    rounds: Rounds
    sizes: Mapping[str, float]
    system: str
    series: Sequence[Series]


def summarise(loop: Loop) -> LoopRecord:
    """Write `loop.json` and return what is in it. Raises StorageError."""
    settings, config = loop.materials.settings, loop.materials.settings.loop
    last = max(len(one.tested) for one in loop.series) - 1
    compared = tuple(_compared(loop.series, number) for number in range(1, last + 1)) if config.control else ()
    record = LoopRecord(
        base=named(loop.materials.base),
        teacher=settings.teacher,
        system=loop.system,
        axis=config.axis,
        metric=config.metric,
        budget=config.budget,
        rounds=config.rounds,
        control=config.control,
        explore=config.explore,
        focus=config.focus,
        banked=config.banked,
        exam=_exam(loop),
        areas=tuple(_areas(loop)),
        start=_start(loop),
        series=tuple(_series(loop, one) for one in loop.series),
        standings=tuple(_standings(loop.series, last)),
        compared=compared,
    )
    words = (*_words(record), *(_no_difference(loop.series) if compared else ()))
    more = {"words": words, "ends": tuple(_ends(record)), "notes": tuple(spending(record.series))}
    record = record.model_copy(update=more)
    write_json(loop.materials.run.path / FILE, record.model_dump(mode="json"))
    return record


def _exam(loop: Loop) -> ExamRecord:
    sets = Counter(str(question.set) for question in loop.exam.questions)
    taught = sum(n for name, n in sets.items() if name.startswith("taught"))
    steering = len(loop.exam.steering)
    return ExamRecord(
        sets=dict(sorted(sets.items())),
        wanted=loop.materials.settings.loop.exam,
        chosen_from=loop.exam.chosen_from,
        steering=steering,
        measured=taught - steering,
        bank=len(loop.exam.bank),
        kept_out_passages=len(loop.materials.unseen),
    )


def _areas(loop: Loop) -> Iterator[Area]:
    whole = sum(loop.sizes.values())
    corpus = loop.materials.corpus
    passages = Counter(corpus.topic_of(chunk) for chunk in corpus.chunks if corpus.weight[chunk.id])
    taught = [question for question in loop.exam.questions if question.set.startswith("taught")]
    asked = Counter((question.topic, question.pair_id in loop.exam.steering) for question in taught)
    for area, size in loop.sizes.items():
        text, yes, no = round(size / whole, 4), asked[area, True], asked[area, False]
        yield Area(key=area, text=text, passages=passages[area], steering=yes, measured=no)


def _start(loop: Loop) -> Start:
    first = loop.series[0].tested[0]
    return Start(
        folder=_folder(first, loop),
        scores=tuple(load_scores(first.run)),
        means=first.means(),
        gaps=tuple(first.gaps(loop.materials.corpus, loop.rounds.areas, loop.rounds.axis)),
    )


def _series(loop: Loop, series: Series) -> SeriesRecord:
    rounds = [
        loop.rounds.record(number, now, before, _folder(now, loop))
        for number, (before, now) in enumerate(zip(series.tested, series.tested[1:], strict=False), 1)
    ]
    return SeriesRecord(
        arm=series.place.arm,
        seed=series.place.seed,
        rounds=tuple(rounds),
        stopped=series.stopped or "",
        words=series.words,
    )


def _folder(tested: Tested, loop: Loop) -> str:
    return Path(tested.run.path).relative_to(loop.materials.run.path).as_posix()


def _standings(every: Sequence[Series], last: int) -> Iterator[Standing]:
    """Yield every arm after every round, over its seeds; the base is round 0."""
    arms: dict[Arm, list[Series]] = {}
    for series in every:
        arms.setdefault(series.place.arm, []).append(series)
    for number in range(last + 1):
        for arm, group in arms.items():
            tested = [_after(series, number) for series in group]
            means = tuple(
                mean(name, tested[0].metric, [one.table(ids) for one in tested])
                for name, ids in tested[0].measured(tested[1:]).items()
            )
            pairs = sum(len(one.pairs) for one in tested) / len(tested)
            yield Standing(round=number, arm=arm, seeds=len(tested), pairs=round(pairs, 2), means=means)


def _compared(every: Sequence[Series], number: int) -> Compared:
    """Return how much better the gap-driven arm is after a round; seeds of which both arms are there count."""
    at = {(series.place.arm, series.place.seed): _after(series, number) for series in every}
    seeds = sorted({seed for _, seed in at})
    first = at["gap", seeds[0]]
    found: list[Difference] = []
    for name, ids in first.measured(list(at.values())).items():
        apart = [np.subtract(at["gap", seed].table(ids), at["even", seed].table(ids)).tolist() for seed in seeds]
        found.append(difference(name, first.metric, apart))
    known = [one.p_t for one in found if one.p_t is not None]
    corrected = iter(holm(known))
    found = [one if one.p_t is None else one.model_copy(update={"p_holm": round(next(corrected), 6)}) for one in found]
    return Compared(round=number, differences=tuple(found))


def _after(series: Series, number: int) -> Tested:
    return series.tested[min(number, len(series.tested) - 1)]


def _words(record: LoopRecord) -> Iterator[str]:
    """Yield the result in sentences: what was gained, and against what."""
    for arm in dict.fromkeys(series.arm for series in record.series):
        first, last = ([s for s in record.standings if s.arm == arm][place] for place in (0, -1))
        earlier = {mean.set: mean for mean in first.means}
        for now in last.means:
            spread = "" if now.low is None else f" ({now.low:.1f} to {now.high:.1f})"
            before = earlier.get(now.set)
            asked = "" if before is None or before.n == now.n else f" (n = {before.n})"
            was = "" if before is None else f"{before.value:.1f}{asked} before, "
            yield (
                f"{arm}, {now.set}: {record.metric} {was}{now.value:.1f}{spread} after round "
                f"{last.round}, {last.pairs:g} pairs, n = {now.n}."
            )
    compared = record.compared[-1].differences if record.compared else ()
    for one in compared:
        yield f"{one.set}: {_verdict(one, len(compared))}"


def _no_difference(every: Sequence[Series]) -> Iterator[str]:
    """Yield a sentence where both arms ended with the same pairs: there is nothing to compare then."""
    found: dict[int, list[frozenset[str]]] = {}
    for series in every:
        found.setdefault(series.place.seed, []).append(frozenset(pair.id for pair in series.tested[-1].pairs))
    if all(first == second for first, second in found.values()):
        why = "all areas are equally weak, or the documents hold hardly more facts than the budget"
        yield f"Both arms ended with the same pairs: {why}."


def _ends(record: LoopRecord) -> Iterator[str]:
    for series in record.series:
        if series.stopped:
            ended = f"{series.arm}, seed {series.seed}, ended after round {len(series.rounds)}"
            yield f"{ended}: {series.stopped}, {series.words}."


def _verdict(one: Difference, sets: int) -> str:
    seeds = f"{one.seeds} seed{'s' if one.seeds > 1 else ''}"
    said = f"the budget spent by weakness against evenly, {one.value:+.1f} points"
    if one.low is None or one.high is None:
        return f"{said} on one question, which says nothing."
    said += f" ({one.low:+.1f} to {one.high:+.1f}; {seeds})"
    if one.direction:
        return f"{said}: {one.direction} beyond chance."
    among = "" if one.low <= 0 <= one.high else f" in one of {sets} sets"
    return f"{said}: no difference that chance does not explain{among}."
