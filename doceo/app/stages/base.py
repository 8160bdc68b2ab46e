"""The run's own small base model, where no other is named."""

from __future__ import annotations

from pathlib import Path

from data.jsonl import write_json
from data.store import BASE, CHUNKS, DOCUMENTS, Run
from doceo.app.stages.documents import Ingested
from doceo.app.stages.pairs import held_out
from doceo.core.config import GenerateConfig, PretrainConfig
from doceo.core.protocols import Progress

PACKAGES = ("doceo", "torch", "transformers", "tokenizers")


def train_base(
    run: Run, ingested: Ingested, generate: GenerateConfig, config: PretrainConfig, progress: Progress
) -> Path:
    """Train a tokenizer and a small model on the text that is not kept out; return their folder."""
    inputs = [run.file(DOCUMENTS, "documents.jsonl"), run.file(CHUNKS, "chunks.jsonl")]
    split = GenerateConfig(seed=generate.seed, unseen_share=generate.unseen_share, held_out=generate.held_out)
    stage = run.stage(BASE, config=[config, split], inputs=inputs, packages=PACKAGES, seed=config.seed)
    if not stage.finished:
        from doceo.pretrain.train import pretrain

        with stage.making() as work:
            result = pretrain(_texts(ingested, held_out(ingested, generate)), config, work, progress)
            write_json(work / "pretraining.json", result.model_dump())
    return stage.folder


def _texts(ingested: Ingested, unseen: frozenset[str]) -> list[str]:
    """Return every document's text without its kept-out chunks."""
    texts: dict[str, list[str]] = {}
    for chunk in ingested.chunks:
        if chunk.id not in unseen:
            texts.setdefault(chunk.document_id, []).append(chunk.text)
    return ["\n\n".join(parts) for parts in texts.values()]
