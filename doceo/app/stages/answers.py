"""Stage 6: held-out questions to the answers of every system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from data import manifest
from data.jsonl import write_jsonl
from data.store import ADAPTER, ANSWERS, DATASET, Run, Stage
from doceo.app.answering import answer_all
from doceo.app.settings import Settings
from doceo.app.stages.adapter import check_fresh
from doceo.app.stages.dataset import load_held_out
from doceo.app.systems import RAG, Systems
from doceo.core.protocols import Progress
from rag import versions
from rag.calibration import FILE as CALIBRATION

PACKAGES = ("doceo", "torch", "transformers", "peft", "chromadb", "tantivy", "onnxruntime", "openai")


def answering_stage(
    run: Run, stage: str, names: Sequence[str], config: Sequence[BaseModel], given: Mapping[str, str] | None = None
) -> Stage:
    """Return a stage that is made by asking systems the held-out questions.

    Args:
        run: The run.
        stage: The stage's folder.
        names: The systems.
        config: What the answers depend on, of the settings.
        given: What else they depend on, name to hash.

    Raises:
        StageMissing: there are no held-out questions, or no adapter for a system that needs one.
        RunError: the adapter was not made from the run's dataset.
    """
    if any(name.removesuffix(RAG) in ("base", "tuned") for name in names):
        check_fresh(run)
    inputs = [run.file(DATASET, "taught.jsonl"), run.file(DATASET, "unseen.jsonl")]
    if run.has(ADAPTER):
        inputs += [run.file(ADAPTER, "adapter_config.json"), run.file(ADAPTER, "adapter_model.safetensors")]
    current = versions.current(run.index)
    asked = {**{f"system {name}": "" for name in names}, **(given or {})}
    if current is not None and any(name.endswith(RAG) for name in names):
        asked["index"] = manifest.file_sha256(current / "texts.sqlite")
        if (run.index / CALIBRATION).is_file():
            asked["calibration"] = manifest.file_sha256(run.index / CALIBRATION)
    return run.stage(stage, config=config, inputs=inputs, prompts=asked, packages=PACKAGES)


def answer_held_out(run: Run, names: Sequence[str], settings: Settings, progress: Progress) -> None:
    """Write the answers of every system; a system that was answered before a process died is not asked again."""
    stage = answering_stage(run, ANSWERS, names, [settings.answer, settings.retrieve])
    if stage.finished:
        return
    questions = load_held_out(run)
    with stage.making(resumable=True) as work:
        systems = Systems(settings, progress, run, run.index)
        for name in names:
            file = work / f"{name.replace('/', '_')}.jsonl"
            if not file.exists():
                write_jsonl(file, answer_all(systems.open(name), questions, settings.engine.concurrency, progress))
