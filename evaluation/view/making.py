"""How a run was made: its stages, their config, times and packages, and how each number was computed."""

from __future__ import annotations

from dataclasses import dataclass

from doceo.core.records import Score
from evaluation.table import labels
from evaluation.view.records import RunRecords, as_text


@dataclass(frozen=True)
class StageRow:
    """A finished stage."""

    name: str
    seconds: str
    cpu_seconds: str
    seed: int
    settings: tuple[tuple[str, str], ...]


def stage_rows(records: RunRecords) -> list[StageRow]:
    """Return the finished stages in order."""
    return [
        StageRow(
            name=name,
            seconds=f"{made.wall_s:,.1f}",
            cpu_seconds=f"{made.cpu_s:,.1f}",
            seed=made.seed,
            settings=tuple(_settings(made.config)),
        )
        for name, made in sorted(records.manifests.items())
    ]


def _settings(config: dict[str, object]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for group, values in config.items():
        if isinstance(values, dict):
            rows += [(f"{group}.{key}", as_text(value)) for key, value in values.items()]
        else:
            rows.append((group, as_text(values)))
    return rows


def packages(records: RunRecords) -> list[tuple[str, str]]:
    """Return every package that a stage named, with its version."""
    found: dict[str, str] = {}
    for made in records.manifests.values():
        found |= made.packages
    return sorted(found.items())


def signatures(scores: tuple[Score, ...]) -> list[tuple[str, str]]:
    """Return metric -> signature, each once."""
    found = {score.metric: score.signature for score in scores if score.signature}
    names = labels(scores)
    return [(names[metric], signature) for metric, signature in found.items()]
