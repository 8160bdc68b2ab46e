"""A trained model in the form that another program opens, with the report that compares both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from shlex import quote

from pydantic import BaseModel, ConfigDict

from data.jsonl import read_jsonl
from data.store import ADAPTER, DATASET, Run
from data.whole_folder import whole_folder
from doceo.app import bases
from doceo.app.runs import existing_run, run_at
from doceo.core.config import ExportConfig
from doceo.core.errors import ExportFailed, RunError, UsageError
from doceo.core.protocols import Progress
from doceo.core.records import Message
from doceo.providers import model_folder
from finetune.export.card import write_card
from finetune.export.forms import FORMS, Form, Job, gguf_file, write_form
from finetune.export.gguf_writer import check_writable, conversion
from finetune.export.measured import TorchModel
from finetune.export.merged import open_trained
from finetune.export.ollama import MODELFILE, create
from finetune.export.parity import REPORT, Parity, write_report
from finetune.export.probes import PROBES
from finetune.export.reference import measure
from finetune.export.vllm import serve_command

HELD_OUT = 12
"""Most held-out questions of a run that an export is compared on, beside those that ship."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Source:
    """What is exported: a base with or without an adapter, and the run that it belongs to, if any."""

    base: str
    adapter: Path | None
    run: Run | None = None


@dataclass(frozen=True)
class ModelExport:
    """What was made: the folder, how it compares, and the commands that use it."""

    folder: Path
    parity: Parity
    commands: list[str]


def export_model(given: str, form: str, out: Path, config: ExportConfig, progress: Progress) -> ModelExport:
    """Export an adapter, a run's adapter or a whole model.

    Args:
        given: Folder of an adapter or a model, or a run.
        form: One of `finetune.export.forms.FORMS`.
        out: The folder to make; an earlier export there is replaced.
        config: Number formats, and how much is compared.
        progress: Where it is shown.

    Raises:
        UsageError: There is no such form, or not of a whole model, or the folder is the current one or holds
            something else than an export.
        ExportFailed: The model has no such form, or what was written is not the trained model; it is then marked so.
        RunError, StageMissing: There is no such run, or it has no adapter.
        ProviderError: The model cannot be opened.
        MissingExtra: A package is not installed.
        StorageError: The folder cannot be written.
    """
    chosen = _form(form)
    source = source_of(given)
    if chosen == "vllm" and source.adapter is None:
        raise UsageError(
            f"{given} is a whole model, not an adapter.", hint=f"Serve it as it is: vllm serve {quote(given)}"
        )
    out = out.expanduser()
    _check_out(out)
    trained = open_trained(source.base, source.adapter)
    if chosen in ("gguf", "ollama"):
        check_writable(trained.model, trained.tokenizer, conversion(given, out, config.quantize))
    model = TorchModel(trained.model, trained.tokenizer)
    talks = conversations(source.run)
    reference = measure(model, talks, trained.context, config.positions, config.answer_tokens, progress)
    with whole_folder(out) as work:
        job = Job(trained, reference, work, config, _name(out), progress)
        parity = write_form(chosen, job)
        commands = _commands(chosen, job, out)
        write_report(work, parity)
        write_card(work, _name(out), source.base, parity, commands)
    _judge(parity, out, progress)
    if chosen == "ollama":
        progress.say(create(out, _name(out)))
    return ModelExport(out, parity, commands)


def source_of(given: str) -> Source:
    """Return what a name stands for. Raises RunError, StageMissing, ModelNotFound."""
    path = Path(given).expanduser()
    if (path / "config.json").exists():
        return Source(str(path), None)
    if (path / model_folder.ADAPTER).exists():
        run = Run(path.resolve().parent)
        if path.resolve().name == ADAPTER and run.has(ADAPTER):
            return Source(bases.base_of(run), path, run)
        return Source(model_folder.base_of(path), path)
    if not run_at(given).path.is_dir():
        raise RunError(
            f"There is no adapter, model or run {given}.", hint="doceo models FOLDER lists those that there are."
        )
    run = existing_run(given)
    return Source(bases.base_of(run), run.file(ADAPTER, model_folder.ADAPTER).parent, run)


def conversations(run: Run | None) -> list[tuple[Message, ...]]:
    """Return what an export is compared on: the conversations that ship, in turn with a run's held-out questions."""
    held: list[tuple[Message, ...]] = []
    if run is not None and run.has(DATASET):
        for name in ("unseen.jsonl", "taught.jsonl"):
            rows = read_jsonl(run.file(DATASET, name), _Row)
            held += [_stripped(row) for row in rows if row.messages and row.messages[-1].role == "assistant"]
    mixed = chain.from_iterable(zip_longest(PROBES, held[:HELD_OUT]))
    return [talk for talk in mixed if talk is not None]


def _stripped(row: _Row) -> tuple[Message, ...]:
    """Return a row's messages without white space around them: some templates cut it off, Ollama's cannot."""
    return tuple(message.model_copy(update={"content": message.content.strip()}) for message in row.messages)


def _form(name: str) -> Form:
    for form in FORMS:
        if form == name:
            return form
    raise UsageError(f"There is no form {name!r} to export a model in.", hint=f"Forms: {', '.join(FORMS)}.")


def _check_out(out: Path) -> None:
    """Raise UsageError where a folder holds anything but an earlier export."""
    if out.exists() and not (out.is_dir() and ((out / REPORT).exists() or not any(out.iterdir()))):
        raise UsageError(f"{out} holds other files.", hint="Name a new or empty folder with --out.")


def _name(out: Path) -> str:
    """Return what an export is called: its folder's name, in letters that Ollama and vLLM take."""
    return re.sub(r"[^a-z0-9._-]+", "-", out.resolve().name.lower()).strip("-.") or "model"


def _commands(form: Form, job: Job, out: Path) -> list[str]:
    place = quote(str(out))
    if form == "hf":
        return [f"doceo chat --no-documents --model hf:{place}", f"vllm serve {place}"]
    if form == "vllm":
        return [serve_command(job.folder, job.name, out)]
    gguf = quote(str(out / gguf_file(job).name))
    talk = f"doceo chat --no-documents --model gguf:{gguf}"
    if form == "ollama":
        return [f"ollama create {job.name} -f {quote(str(out / MODELFILE))}", f"ollama run {job.name}", talk]
    return [talk, f"llama-server -m {gguf} --jinja"]


def _judge(parity: Parity, out: Path, progress: Progress) -> None:
    """Say how an export compares. Raises ExportFailed where it is not the trained model."""
    if parity.failed:
        raise ExportFailed(
            f"{out} is not the model that was trained: {'; '.join(parity.problems)}.",
            hint=f"It is marked as failed; {out / REPORT} has the figures. Do not use it.",
        )
    if parity.passed is None:
        progress.say(f"NOT COMPARED: {parity.note}")
    elif parity.warns:
        progress.say(f"WARNING: {'; '.join(parity.problems)}. A finer format keeps more: --quantize f16, or f32.")
