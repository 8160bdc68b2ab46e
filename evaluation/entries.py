"""What scores are worked out of: statistics of systems' answers, and how they become records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from doceo.core.config import EvaluateConfig
from doceo.core.records import Score, SetName
from evaluation.metric import Metric, Rows
from evaluation.repetitions import Repeated, estimates
from evaluation.significance import Estimate, holm


@dataclass
class Measured:
    """One metric's statistics of every system's answers, by question: system -> pair id -> shape (seeds, k)."""

    metric: Metric
    rows: dict[str, dict[str, Rows]] = field(default_factory=dict)

    def joined(self, members: Mapping[str, Sequence[str]]) -> Measured:
        """Return the statistics of systems that were trained several times, on the questions that all can be measured.

        Args:
            members: Name of every system -> the names of its trainings; one that was trained once stands for itself.
        """
        found = Measured(self.metric)
        for name, systems in members.items():
            each = [self.rows[system] for system in systems]
            common = [i for i in each[0] if all(i in rows for rows in each)]
            found.rows[name] = {i: np.concatenate([rows[i] for rows in each]) for i in common}
        return found


@dataclass(frozen=True)
class Entry:
    """What one score is worked out of: a system's statistics, with the baseline's where it is a difference.

    Statistics are of shape (n, seeds, k). `asked` counts all questions of the place, `where` is the axis and the key
    of a slice.
    """

    system: str
    metric: Metric
    own: Rows | None
    base: Rows | None = None
    versus: str = ""
    asked: int = 0
    note: str = ""
    where: tuple[str, str] = ("", "")


def entries(
    measured: Measured, asked: Mapping[str, Sequence[str]], baseline: str, where: tuple[str, str] = ("", "")
) -> Iterator[Entry]:
    """Yield what is to be worked out of one metric: every system, and its difference to the baseline.

    Args:
        measured: The metric's statistics.
        asked: System -> the ids of its questions.
        baseline: The system that others are compared with.
        where: Axis and key of a slice.
    """
    metric = measured.metric
    have = {system: [i for i in ids if i in measured.rows[system]] for system, ids in asked.items()}
    whole = {system: _stacked(measured.rows[system], ids) for system, ids in have.items()}
    for system, ids in asked.items():
        own = have[system]
        left_out = f"{len(ids) - len(own)} of {len(ids)} questions left out: the metric is undefined for them"
        note = left_out if 0 < len(own) < len(ids) else ""
        yield Entry(system, metric, whole[system], asked=len(ids), note=note, where=where)
        if system == baseline or baseline not in asked:
            continue
        theirs = set(have[baseline])
        common = [i for i in own if i in theirs]
        note = f"on the {len(common)} questions that both answered" if len(common) < max(len(own), len(theirs)) else ""
        # The very same statistics where nothing is left out: the engine takes them once.
        sides = ((name, have[name] == common) for name in (system, baseline))
        now, base = (whole[name] if same else _stacked(measured.rows[name], common) for name, same in sides)
        yield Entry(system, metric, now, base, baseline, len(ids), note, where)


def _stacked(rows: Mapping[str, Rows], ids: Sequence[str]) -> Rows | None:
    return np.stack([rows[i] for i in ids]) if ids else None


def scores(made_of: Sequence[Entry], set_name: SetName, config: EvaluateConfig) -> list[Score]:
    """Return the score of every entry, in order, all their differences corrected together (Holm 1979)."""
    samples = [Repeated(entry.metric, entry.own, entry.base) for entry in made_of if entry.own is not None]
    made = iter(estimates(samples, resamples=config.resamples, seed=config.seed))
    worked_out = [next(made) if entry.own is not None else Estimate(None) for entry in made_of]
    tested = [estimate.p for estimate in worked_out if estimate.p is not None]
    corrected = iter(holm(tested))
    return [
        _record(entry, estimate, None if estimate.p is None else next(corrected), set_name, config)
        for entry, estimate in zip(made_of, worked_out, strict=True)
    ]


def _record(entry: Entry, estimate: Estimate, p_holm: float | None, set_name: SetName, config: EvaluateConfig) -> Score:
    metric = entry.metric
    return Score(
        system=entry.system,
        set=set_name,
        metric=metric.name,
        value=_rounded(estimate.value),
        low=_rounded(estimate.low),
        high=_rounded(estimate.high),
        n=0 if entry.own is None else len(entry.own),
        signature=f"{metric.signature}|bs:{config.resamples}|ci:95|seed:{config.seed}",
        note=_note(entry, estimate),
        versus=entry.versus,
        label=metric.label,
        group=metric.group,
        unit=metric.unit,
        better=metric.better,
        p=_short(estimate.p),
        p_holm=_short(p_holm),
        effect=_rounded(estimate.effect),
        detectable=_rounded(estimate.detectable),
    )


def _note(entry: Entry, estimate: Estimate) -> str:
    if entry.own is None and entry.versus:
        return f"no question that both {entry.system} and {entry.versus} answered and {entry.metric.name} can measure"
    if entry.own is None:
        return f"{entry.metric.name} can measure none of the {entry.asked} answers"
    seeds = max(rows.shape[1] for rows in (entry.own, entry.base) if rows is not None)
    notes = [entry.note, f"over {seeds} seeds" if seeds > 1 else ""]
    if estimate.value is None:
        notes.append(f"{entry.metric.name} is undefined for these answers together")
    elif len(entry.own) == 1:
        notes.append("one question: no interval")
    return "; ".join(note for note in notes if note)


def _rounded(value: float | None) -> float | None:
    """Return a value with eight digits that count: a price is small, and what is left of two equal sums is nothing."""
    return None if value is None else float(f"{round(value, 10):.8g}") + 0.0


def _short(p: float | None) -> float | None:
    """Return a p-value with four digits that count: a small one is not zero."""
    return None if p is None else float(f"{p:.4g}")
