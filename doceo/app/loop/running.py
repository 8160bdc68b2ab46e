"""The story of a loop: read, examine the base, then rounds that spend the budget where the model is weak.

    documents -> exam -> base on the exam -> (gaps -> pairs -> rows -> adapter -> exam) x rounds -> loop.json

Every step is a stage with a manifest, in the loop's folder or in that of a round: a killed loop goes on where it
stopped, and a finished one is not redone. `loop.json` is worked out from the stages and is never read back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data.jsonl import read_json
from data.store import Run
from doceo.app.bases import base_to_tune
from doceo.app.loop.allotment import by_weakness, even, offset_of, spent_after, text_of_areas
from doceo.app.loop.exam import Exam, make_exam
from doceo.app.loop.figures import Rounds, made_by_area, unlearned
from doceo.app.loop.materials import Materials
from doceo.app.loop.pairs import RoundConfig
from doceo.app.loop.rounds import Place, Steps, finish_round, make_pairs_of_round, make_start, start_name
from doceo.app.loop.summary import Loop, summarise
from doceo.app.loop.tested import Tested, gained
from doceo.app.metrics import check_weakness
from doceo.app.pipeline import read_or_load
from doceo.app.settings import Settings
from doceo.app.stages.index import index_run
from doceo.app.stages.report import make_report
from doceo.app.systems import RAG
from doceo.core.config import LoopConfig
from doceo.core.errors import UsageError
from doceo.core.loop import FILE as LOOP
from doceo.core.loop import LoopRecord, Reason
from doceo.core.progress import Silent
from doceo.core.protocols import Progress
from evaluation.metrics import load_all

SYSTEMS = ("tuned",)
_SHARES = frozenset({"closed_share", "open_share", "conversation_share"})


@dataclass
class Series:
    """The rounds of one arm and seed so far; `stopped` says why there are no more, in a word and in words."""

    place: Place
    tested: list[Tested]
    dry: set[str] = field(default_factory=set)
    gains: list[bool] = field(default_factory=list)
    stopped: Reason | None = None
    words: str = ""

    def stop(self, reason: Reason, words: str) -> None:
        """End the series."""
        self.stopped, self.words = reason, words


@dataclass(frozen=True)
class Outcome:
    """What a loop came to; `unchanged` where there was nothing to do."""

    run: Run
    record: LoopRecord
    unchanged: bool


def run_loop(
    run: Run,
    sources: Sequence[str],
    settings: Settings,
    *,
    questions: Path | None = None,
    systems: Sequence[str] = SYSTEMS,
    progress: Progress | None = None,
    steps: Steps | None = None,
) -> Outcome:
    """Run a closed loop, or go on with one.

    Args:
        run: The loop's folder.
        sources: Documents; left out where the folder has them.
        settings: `loop` says how many rounds and pairs, the other sections how each stage is made.
        questions: Questions that people wrote, as JSONL; they join the exam.
        systems: What is asked the exam after every round; the first one's answers decide where the budget goes.
        progress: Where work is shown; left out, nowhere.
        steps: Who trains and who answers; left out, `doceo finetune` and `doceo evaluate` do.

    Raises DoceoError; what is finished stays, and the same call goes on.
    """
    shown, doing = progress or Silent(), steps or Steps()
    if settings.loop.budget < settings.loop.rounds:
        raise UsageError(
            f"A budget of {settings.loop.budget} pairs is less than one for each of {settings.loop.rounds} rounds.",
            hint="Give a larger --budget or fewer --rounds.",
        )
    with run.locked():
        before = _finished(run), _recorded(run)
        materials, exam = _opened(run, sources, questions, settings, systems, shown)
        start = make_start(materials, exam, systems, doing)
        metric = materials.settings.loop.metric
        first = Tested(start, start_name(systems[0]), metric, exam)
        if not exam.steering & first.values.keys():
            raise UsageError(
                f"{metric} has no value for single answers of {systems[0]}.", hint="Name another --metric, such as f1."
            )
        sizes = text_of_areas(materials.corpus)
        rounds = Rounds(materials.corpus, list(sizes), materials.settings.loop.axis)
        every = [Series(place, [first]) for place in _places(materials.settings)]
        record = summarise(Loop(materials, exam, rounds, sizes, systems[0], every))
        for number in range(1, settings.loop.rounds + 1):
            for series in every:
                if series.stopped is None:
                    _round(materials, exam, series, number, sizes, systems, doing)
            record = summarise(Loop(materials, exam, rounds, sizes, systems[0], every))
        make_report(run)
        return Outcome(run, record, before == (_finished(run), record.model_dump(mode="json")))


def _opened(
    run: Run,
    sources: Sequence[str],
    questions: Path | None,
    settings: Settings,
    systems: Sequence[str],
    shown: Progress,
) -> tuple[Materials, Exam]:
    """Return what all rounds work with, and the exam."""
    settings = _fitting(settings, systems)
    base = base_to_tune(settings.base, "", shown)
    ingested = read_or_load(run, sources, settings, shown)
    index_run(run, ingested, settings.embedder, shown)
    materials = Materials(run, ingested, settings, base, shown)
    return materials, make_exam(materials, questions)


def _fitting(settings: Settings, systems: Sequence[str]) -> Settings:
    """Return settings whose scores hold the loop's metric, and whose rows are like what is asked.

    Where no system is given documents, rows with passages would teach nothing that is asked and take most of the time:
    unless shares are named, there are none.
    """
    metric = load_all((settings.loop.metric,))[0]
    check_weakness(settings.loop.metric, metric.better, metric.unit)
    metrics = tuple(dict.fromkeys((*settings.evaluate.metrics, settings.loop.metric)))
    changed: dict[str, object] = {"evaluate": settings.evaluate.model_copy(update={"metrics": metrics})}
    if not any(name.endswith(RAG) for name in systems) and not _SHARES & settings.dataset.model_fields_set:
        alone = {"closed_share": 1.0, "open_share": 0.0, "conversation_share": 0.0}
        changed["dataset"] = settings.dataset.model_copy(update=alone)
    return settings.model_copy(update=changed)


def _places(settings: Settings) -> list[Place]:
    seeds = range(settings.finetune.seed, settings.finetune.seed + settings.loop.seeds)
    arms = ("gap", "even") if settings.loop.control else ("gap",)
    return [Place(arm, seed) for seed in seeds for arm in arms]  # type: ignore[arg-type]  # a tuple of the two


def _round(
    materials: Materials,
    exam: Exam,
    series: Series,
    number: int,
    sizes: dict[str, float],
    systems: Sequence[str],
    steps: Steps,
) -> None:
    """Make one round of a series, and say whether it was its last."""
    loop, place, last = materials.settings.loop, series.place, series.tested[-1]
    materials.progress.say(f"Round {number} of {loop.rounds}, {place.arm}, seed {place.seed}.")
    recipe = RoundConfig(
        round=number,
        seed=place.seed,
        banked=loop.banked,
        allotted=_divided(materials, series, number, sizes),
    )
    before = last.run if number > 1 else None
    if not recipe.allotted or not make_pairs_of_round(materials, exam, place, recipe, before):
        series.stop("nothing left to teach", f"the documents gave no more pairs after {len(last.pairs)}")
        return
    run = finish_round(materials, exam, place, number, systems, steps)
    series.tested.append(Tested(run, systems[0], loop.metric, exam))
    series.gains.append(gained(series.tested[-1], last))
    made = made_by_area(series.tested[-1].pairs, number)
    series.dry |= {area for area, n in recipe.allotted.items() if made.get(area, 0) < n}
    _judge(series, number, loop)


def _divided(materials: Materials, series: Series, number: int, sizes: dict[str, float]) -> dict[str, int]:
    """Return a round's new pairs by area: what is missing to its share of the whole budget."""
    loop, last = materials.settings.loop, series.tested[-1]
    n = spent_after(loop.budget, loop.rounds, number) - len(last.pairs)
    offset = offset_of(series.place.seed, number)
    if series.place.arm == "even":
        return even(n, sizes, offset, series.dry)
    gaps = last.gaps(materials.corpus, list(sizes), loop.axis)
    return by_weakness(n, sizes, gaps, offset, explore=loop.explore, focus=loop.focus, dry=series.dry)


def _judge(series: Series, number: int, loop: LoopConfig) -> None:
    """End a series whose reasons to go on are spent."""
    now, before = series.tested[-1], series.tested[-2]
    rise = unlearned(now, before).rise
    if loop.max_forgetting is not None and rise is not None and rise > loop.max_forgetting:
        words = f"the loss on the general text rose by {rise:.3f}, more than the {loop.max_forgetting:g} allowed"
        series.stop("forgetting", words)
    elif number == loop.rounds:
        series.stop("budget spent", f"{len(now.pairs)} pairs of the budget of {loop.budget}")
    elif loop.no_gain and len(series.gains) >= loop.no_gain and not any(series.gains[-loop.no_gain :]):
        words = f"rounds {number - loop.no_gain + 1} to {number} gained nothing that chance does not explain"
        series.stop("no gain", words)


def _recorded(run: Run) -> object:
    return read_json(run.path / LOOP) if (run.path / LOOP).is_file() else None


def _finished(run: Run) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in run.path.rglob("manifest.json")}
