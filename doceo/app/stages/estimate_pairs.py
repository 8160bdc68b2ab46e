"""What `generate` would take, said before anything is asked of a model."""

from __future__ import annotations

from pathlib import Path

from data.store import Run
from data.wordings import read_examples
from doceo.app.crew import ASKING, embed_with, gates_of, own_catalog
from doceo.app.event_loop import run_to_end
from doceo.app.models import EXTRACTIVE
from doceo.app.settings import Settings
from doceo.app.stages.corpus import corpus_of
from doceo.app.stages.documents import Ingested
from doceo.app.stages.pairs import held_out
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress
from doceo.providers.chat import is_remote, price_of_spec
from generator.corpus import Crew
from generator.difficulty import difficulty_of
from generator.estimate import Estimate, Measuring, Range, estimate, first_requests
from generator.planning import Planner
from generator.teachers.llm import LLMTeacher

NONE = Range(low=0, high=0)


def estimate_pairs(run: Run, ingested: Ingested, settings: Settings, progress: Progress) -> Estimate:
    """Return the estimate for a run. Nothing is sent; replies that the journal holds already would cost nothing.

    Raises UsageError for models and checks that cannot be had, InputError for examples that cannot be read.
    """
    config, gates = settings.generate, gates_of(settings)
    if settings.teacher == EXTRACTIVE:
        if not settings.judge:
            return Estimate(pairs=config.pairs, calls=NONE, prompt_tokens=NONE, completion_tokens=NONE, usd=NONE)
        raise UsageError("The estimate is of a chat model's work as teacher.", hint="Name one with --teacher.")
    silent = settings.model_copy(update={"generate": config.model_copy(update={"topics": 0})})
    embed = embed_with(settings.embedder, progress)
    corpus = corpus_of(ingested, held_out(ingested, config), silent, embed, progress, remote=False)
    examples = read_examples(Path(config.examples)) if config.examples else []
    measuring = Measuring(settings.teacher)
    teacher = LLMTeacher(measuring, own_catalog(), reasoning=config.reasoning, examples=examples)
    planner = Planner(corpus, Crew(teacher=teacher, difficulty=difficulty_of), config)
    rewordings = round(config.pairs * config.taught_share)
    orders = planner.round(config.pairs - rewordings, (), {})
    requests = run_to_end(first_requests(teacher, measuring, orders, corpus.document))
    checks = [gate for gate in gates if gate in ASKING]
    return estimate(orders, requests, config.pairs, rewordings, checks, _price(settings))


def _price(settings: Settings) -> tuple[float, float] | None:
    """Return USD for a million tokens read and written, of the teacher; a model on this machine costs nothing."""
    if not is_remote(settings.teacher):
        return 0.0, 0.0
    price = price_of_spec(settings.teacher, settings.base_url or None, settings.engine)
    return None if price is None else (price.prompt, price.completion)
