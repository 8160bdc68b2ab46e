"""From settings to those who make and check pairs: teacher, stand-in, student, judge, search, embedder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from data.manifest import file_sha256
from data.search import PassageSearch
from data.store import Run
from data.wordings import read_examples
from doceo.app.engine import LOCAL, open_engine
from doceo.app.models import EXTRACTIVE, open_async
from doceo.app.settings import Settings
from doceo.core.config import Gate
from doceo.core.errors import InputError, UsageError
from doceo.core.protocols import AsyncProvider, Embedder, Progress, Teacher
from doceo.providers.journal import known_cost, spent_in
from doceo.providers.remote import AsyncRemote, is_loopback
from generator import judge, roundtrip
from generator.corpus import Corpus, Crew, DeepCheck, Embed
from generator.difficulty import difficulty_of
from generator.planning import LLM_KINDS
from generator.teachers import llm
from prompts.catalog import Catalog

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from doceo.providers.blocking import Threaded
    from doceo.providers.capped import Budget

GATES: tuple[Gate, ...] = get_args(Gate)
ASKING: frozenset[Gate] = frozenset({"roundtrip", "judge"})
"""Checks that need a chat model."""
OWN_PROMPTS = Path("prompts")
"""A folder beside doceo.toml whose files replace prompts of the same name."""


@dataclass
class Models:
    """The chat models of a generation, each opened once.

    Attributes:
        teacher: Writes the pairs; None where the built-in teacher does.
        reader: Answers from passages, for the roundtrip check.
        student: Is asked without any passage.
        judge: Marks the pairs.
        remote: Whether one of them stands on another machine.
    """

    teacher: AsyncProvider | None = None
    reader: AsyncProvider | None = None
    student: AsyncProvider | None = None
    judge: AsyncProvider | None = None
    remote: bool = False
    opened: list[AsyncRemote | Threaded] = field(default_factory=list)

    async def aclose(self) -> None:
        """Close connections and journals."""
        for model in self.opened:
            await model.aclose()


def gates_of(settings: Settings) -> tuple[Gate, ...]:
    """Return the checks that run, cheapest first. Raises UsageError where one is named that needs a model."""
    model = settings.teacher != EXTRACTIVE or bool(settings.judge)
    wanted = settings.generate.gates
    if wanted is None:
        return tuple(gate for gate in GATES if model or gate not in ASKING)
    if not model and (asking := ASKING.intersection(wanted)):
        raise UsageError(
            f"The check {min(asking)} asks a chat model, and there is none.",
            hint="Name one with --judge MODEL or --teacher MODEL, or leave the check out of --gates.",
        )
    return tuple(gate for gate in GATES if gate in wanted)


def identity(settings: Settings) -> dict[str, str]:
    """Return names of models, hashes of prompts and of the user's files: what pairs depend on beside the documents.

    Raises UsageError as `gates_of`, InputError where a file is missing.
    """
    gates, catalog = gates_of(settings), own_catalog()
    found = {"teacher": settings.teacher}
    if settings.teacher != EXTRACTIVE:
        found |= llm.prompt_hashes(catalog)
    if "roundtrip" in gates:
        found |= {"student": settings.student or _reader(settings), **roundtrip.prompt_hashes(catalog)}
    if "judge" in gates:
        found |= {"judge": settings.judge or settings.teacher, **judge.prompt_hashes(catalog)}
    if "semantic" in gates or settings.generate.topics != 0:
        found["embedder"] = settings.embedder
    for name in (*settings.generate.against, *([settings.generate.examples] if settings.generate.examples else [])):
        if not Path(name).is_file():
            raise InputError(f"There is no file {name}.", hint="Check the spelling and the current folder.")
        found[f"file {name}"] = file_sha256(Path(name))
    return found


def own_catalog() -> Catalog:
    """Return the prompts, those of the project's own folder in the place of those that ship. Raises InputError."""
    return Catalog.of_project(OWN_PROMPTS)


def open_models(settings: Settings, run: Run, progress: Progress) -> Models:
    """Open the chat models that the settings name. Raises UsageError, ProviderError, StorageError."""
    gates, models = gates_of(settings), Models()
    budget = _budget(settings, run)
    by_spec: dict[str, AsyncRemote | Threaded] = {}

    def opened(spec: str) -> AsyncProvider:
        if spec not in by_spec:
            model = open_async(spec, settings, journal=run.journal, budget=budget, progress=progress)
            by_spec[spec] = model
            models.opened.append(model)
            models.remote = models.remote or not is_loopback(model.host)
        return by_spec[spec]

    if settings.teacher != EXTRACTIVE:
        models.teacher = opened(settings.teacher)
    if "roundtrip" in gates:
        models.reader = opened(_reader(settings))
        models.student = opened(settings.student or _reader(settings))
    if "judge" in gates:
        models.judge = opened(settings.judge or settings.teacher)
    return models


def _reader(settings: Settings) -> str:
    return settings.teacher if settings.teacher != EXTRACTIVE else settings.judge


def _budget(settings: Settings, run: Run) -> Budget | None:
    if settings.engine.max_cost is None:
        return None
    from doceo.providers.capped import Budget

    return Budget(settings.engine.max_cost, known_cost(run.journal))


def hire(settings: Settings, corpus: Corpus, models: Models, embed: Embed) -> Crew:
    """Return those who make and check the pairs of a corpus. Raises InputError where the examples cannot be used."""
    gates, catalog = gates_of(settings), own_catalog()
    kinds = settings.generate.kinds or ({} if models.teacher is None else LLM_KINDS)
    searched = "roundtrip" in gates or any(kinds.get(kind) for kind in ("multi-hop", "unanswerable"))
    search = PassageSearch(corpus.chunks) if searched else None
    checks: list[DeepCheck] = []
    if models.reader is not None:
        student, gate = models.student, settings.gate
        checks.append(
            roundtrip.Roundtrip(
                models.reader,
                corpus,
                student=student,
                catalog=catalog,
                config=gate,
                search=search,
                private=corpus.local,
            )
        )
    if models.judge is not None:
        checks.append(judge.Judge(models.judge, corpus, catalog=catalog, config=settings.gate, private=corpus.local))
    stands_in = models.teacher and (settings.generate.fill_in or corpus.local)
    return Crew(
        teacher=_teacher(settings, corpus, models, catalog),
        difficulty=difficulty_of,
        stand_in=_extractive(corpus, settings) if stands_in else None,
        fill_in=settings.generate.fill_in,
        checks=checks,
        search=search,
        embed=embed if "semantic" in gates else None,
    )


def _teacher(settings: Settings, corpus: Corpus, models: Models, catalog: Catalog) -> Teacher:
    if models.teacher is None:
        return _extractive(corpus, settings)
    named = settings.generate.examples
    examples = read_examples(Path(named)) if named else []
    return llm.LLMTeacher(models.teacher, catalog, reasoning=settings.generate.reasoning, examples=examples)


def _extractive(corpus: Corpus, settings: Settings) -> Teacher:
    from generator.teachers.extractive import ExtractiveTeacher

    read = [(document, corpus.of_document[document.id]) for document in corpus.documents]
    if settings.executor == LOCAL:
        return ExtractiveTeacher(read)
    from doceo.app.parts import propose_in_parts

    return ExtractiveTeacher(read, partial(propose_in_parts, open_engine(settings.executor)))


def embed_with(name: str, progress: Progress) -> Embed:
    """Return a function that embeds texts; the model is opened when it is first used, long work is shown.

    A text beyond what the model reads is embedded by its beginning.
    """
    opened: list[Embedder] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        if not opened:
            from doceo.providers.embedders import open_embedder

            opened.append(open_embedder(name))
        if len(texts) <= _SHOWN:
            return _embedded(opened[0], texts)
        import numpy as np

        parts = []
        with progress.task("embed", total=len(texts), unit="passages") as task:
            for start in range(0, len(texts), _SHOWN):
                parts.append(_embedded(opened[0], texts[start : start + _SHOWN]))
                task.advance(len(parts[-1]))
        return np.concatenate(parts)

    return embed


def _embedded(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    try:
        return embedder.embed(texts)
    except InputError:
        most = embedder.max_tokens
        return embedder.embed(
            [text[: max((end for _, end in embedder.offsets(text)[:most]), default=0)] for text in texts]
        )


_SHOWN = 512
"""Texts beyond which embedding shows its progress."""


def cost_of(settings: Settings, run: Run) -> tuple[str, float | None]:
    """Return what a run's kept replies took, in words and in USD, earlier processes of the same run included."""
    if settings.teacher == EXTRACTIVE and not settings.judge:
        return "It cost nothing.", 0.0
    usage = spent_in(run.journal)
    if not usage.prompt_tokens:
        return "It ran on this machine.", 0.0
    price = "at no price known to Doceo" if usage.cost is None else f"for {usage.cost:.4f} USD"
    return f"The models read {usage.prompt_tokens:,} tokens and wrote {usage.completion_tokens:,}, {price}.", usage.cost
