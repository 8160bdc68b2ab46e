"""A judge measured against labels, and what was measured before."""

from __future__ import annotations

import asyncio
from pathlib import Path

from doceo.app.crew import own_catalog
from doceo.app.models import EXTRACTIVE, open_async
from doceo.app.runs import HOME
from doceo.app.settings import Settings
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress
from generator.judge import PROMPTS, Judge
from generator.judge_check import Labelled, Measure, measure, measured, read_labels, shipped, store, stored

JUDGES = ".judges"
"""Where measures lie, under `runs/`."""


def check_judge(settings: Settings, labels: Path | None, progress: Progress) -> tuple[Measure, Path]:
    """Measure the judge of the settings and return the measure with the file that it was written to.

    Args:
        settings: `judge` names the model; left out, `teacher`.
        labels: A file of labelled pairs; left out, those that ship.
        progress: Where the work is shown.

    Raises:
        UsageError: No chat model is named.
        InputError: The labels cannot be read.
        ProviderError: The judge failed.
        StorageError: The measure cannot be written.
    """
    spec = settings.judge or settings.teacher
    if spec == EXTRACTIVE:
        raise UsageError("There is no judge to measure.", hint="Name one with --judge MODEL, such as openai:MODEL.")
    items = shipped() if labels is None else read_labels(labels)
    found = asyncio.run(_measure(spec, settings, items, progress))
    return found, store(found, folder())


async def _measure(spec: str, settings: Settings, items: list[Labelled], progress: Progress) -> Measure:
    provider = open_async(spec, settings, journal=folder() / "journal.sqlite", budget=None, progress=progress)
    try:
        judge = Judge(provider, catalog=own_catalog())
        at_once = settings.engine.concurrency
        return await measure(judge, items, progress, least=settings.gate.judge, at_once=at_once)
    finally:
        await provider.aclose()


def measured_judges() -> list[Measure]:
    """Return what was measured in this project."""
    return stored(folder())


def judge_in_words(model: str) -> str:
    """Return how well a judge agrees with labels, with the prompt at hand, for the card; or "not measured"."""
    return measured(model, own_catalog().template(PROMPTS[0]).hash, folder())


def folder() -> Path:
    """Return the folder of the measures and of the journal of their replies."""
    return HOME / JUDGES
