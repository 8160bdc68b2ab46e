"""How a loop went: its result in a sentence, and how every series of rounds ended."""

from __future__ import annotations

from dataclasses import dataclass

from doceo.core.loop import LoopRecord, Series
from evaluation.amounts import signed
from evaluation.view.rounds import ARMS


@dataclass(frozen=True)
class SeriesRow:
    """How one series went."""

    name: str
    seed: int
    rounds: int
    pairs: int
    lost: str
    general: str
    leaks: str
    stopped: str


def label(record: LoopRecord) -> str:
    """Return the loop's metric as people write it."""
    return next((score.label for score in record.start.scores if score.metric == record.metric), record.metric)


def headline(record: LoopRecord) -> str:
    """Return what the loop came to, in a sentence."""
    if record.compared and record.compared[-1].differences:
        one, number = record.compared[-1].differences[0], record.compared[-1].round
        seeds = f"{one.seeds} seed{'' if one.seeds == 1 else 's'}"
        if one.low is None or one.high is None:
            return "One question tells nothing of how the budget is best spent."
        figures = f"{signed(one.value)} {label(record)} [{signed(one.low)}, {signed(one.high)}] on {one.set} questions"
        said = {
            "better": "Spending where the model is weak was better than spending evenly",
            "worse": "Spending where the model is weak was worse than spending evenly",
            "": "Whether to spend where the model is weak or evenly cannot be told from this",
        }[one.direction]
        return f"{said}: {figures} after round {number}, {seeds}."
    ends = [standing for standing in record.standings if standing.arm == "gap"]
    if len(ends) < 2 or not ends[0].means or not ends[-1].means:
        return "No round is finished yet."
    last = ends[-1].means[0]
    first = next((mean for mean in ends[0].means if mean.set == last.set), ends[0].means[0])
    interval = "" if last.low is None or last.high is None else f" [{last.low:.1f}, {last.high:.1f}]"
    rounds = f"{ends[-1].round} round{'' if ends[-1].round == 1 else 's'} with {ends[-1].pairs:g} pairs"
    return f"From {first.value:.1f} to {last.value:.1f}{interval} {label(record)} on {last.set} questions in {rounds}."


def series_rows(record: LoopRecord) -> list[SeriesRow]:
    """Return how every series went."""
    return [_row(series) for series in record.series]


def _row(series: Series) -> SeriesRow:
    rounds = series.rounds
    lost, gained = (sum(getattr(one.unlearned, name) for one in rounds) for name in ("lost", "gained"))
    last = rounds[-1].unlearned if rounds else None
    removed = sum(sum(one.leaks.removed.values()) for one in rounds)
    left = sum(one.leaks.left for one in rounds)
    general = ""
    if last and last.general_loss is not None and last.general_loss_before is not None:
        general = f"{last.general_loss_before:.2f} → {last.general_loss:.2f}"
    return SeriesRow(
        name=ARMS[series.arm][0],
        seed=series.seed,
        rounds=len(rounds),
        pairs=rounds[-1].pairs if rounds else 0,
        lost=f"{lost} lost, {gained} gained",
        general=general,
        leaks=f"{removed} removed, {left} left",
        stopped=f"{series.stopped}: {series.words}" if series.stopped else "not finished",
    )
