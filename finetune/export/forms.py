"""The forms that a trained model can be exported in: each is written, opened again and compared."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

from doceo.core.config import ExportConfig
from doceo.core.errors import MissingExtra
from doceo.core.protocols import Progress
from doceo.providers.hf_models import open_model, open_tokenizer
from finetune.export.gguf_tokenizer import adds_bos
from finetune.export.gguf_writer import check_writable, write_gguf
from finetune.export.measured import TorchModel, named_ends, turn_end
from finetune.export.merged import Trained, merge, open_trained, save_merged
from finetune.export.ollama import read_modelfile, trims, write_modelfile
from finetune.export.parity import EXACT, MERGED, TOLERANCES, Parity, Tolerance, compare
from finetune.export.reference import Reference
from finetune.export.vllm import write_adapter

Form = Literal["hf", "gguf", "ollama", "vllm"]
FORMS: tuple[Form, ...] = ("hf", "gguf", "ollama", "vllm")


class Job(NamedTuple):
    """One export: the model, what it was measured to do, the folder to write, how, and what it is called."""

    trained: Trained
    reference: Reference
    folder: Path
    config: ExportConfig
    name: str
    progress: Progress


def write_form(form: Form, job: Job) -> Parity:
    """Write a form into the job's folder and return how it compares with the trained model, which is used up.

    Raises ExportFailed where the model has no such form, MissingExtra, StorageError.
    """
    made = {"hf": _hf, "gguf": _gguf, "ollama": _ollama, "vllm": _vllm}[form](job)
    over = "adapter on base" if job.trained.adapter else "the model"
    return made.model_copy(update={"reference": f"{over} in transformers {version('transformers')}, float32"})


def _hf(job: Job) -> Parity:
    import torch

    dtype = job.trained.dtype if job.config.dtype == "base" else getattr(torch, job.config.dtype)
    save_merged(merge(job.trained), job.trained.tokenizer, job.folder, dtype)
    job.trained.forget()
    opened = open_model(str(job.folder), dtype=torch.float32, device="cpu")
    kind = str(dtype).removeprefix("torch.")
    candidate = TorchModel(opened.model, opened.tokenizer, named_ends(opened.model, opened.tokenizer))
    return _in_torch(job, candidate, MERGED[kind], f"merged, {kind}")


def _vllm(job: Job) -> Parity:
    trained = job.trained
    assert trained.adapter is not None
    write_adapter(trained.adapter, trained.base, trained.model.config.model_type, job.folder, trained.tokenizer)
    end = turn_end(trained.tokenizer)
    note = "The files were compared in transformers; vLLM itself was not run."
    if end not in named_ends(trained.model, trained.tokenizer):
        note += f" vLLM ends answers where the base does: ask with stop_token_ids [{end}] too."
    trained.forget()
    again = open_trained(trained.base, job.folder)
    made = _in_torch(job, TorchModel(again.model, open_tokenizer(str(job.folder))), EXACT, "adapter for vLLM")
    return made.model_copy(update={"note": note})


def _gguf(job: Job) -> Parity:
    _write_gguf(job)
    return _in_llama(job, None)


def _ollama(job: Job) -> Parity:
    tokenizer = job.trained.tokenizer
    ends, context = job.reference.ends, job.trained.context
    write_modelfile(job.folder, gguf_file(job).name, tokenizer, ends, context, add_bos=adds_bos(tokenizer))
    _write_gguf(job)
    made = _in_llama(job, read_modelfile(job.folder).template)
    note = "The Modelfile's template was rendered here, and the file run in llama.cpp; Ollama itself was not run."
    if trims(tokenizer):
        note += " The chat template cuts off white space around a message, which Ollama's language cannot."
    return made.model_copy(update={"note": made.note or note})


def gguf_file(job: Job) -> Path:
    """Return the path of a job's GGUF file."""
    return job.folder / f"{job.name}-{job.config.quantize}.gguf"


def _write_gguf(job: Job) -> None:
    trained = job.trained
    check_writable(trained.model, trained.tokenizer)
    write_gguf(
        merge(trained),
        trained.tokenizer,
        gguf_file(job),
        kind=job.config.quantize,
        context=trained.context,
        ends=job.reference.ends,
        name=job.name,
    )
    trained.forget()


def _in_torch(job: Job, candidate: TorchModel, tolerance: Tolerance, form: str) -> Parity:
    made = compare(job.reference, candidate, tolerance, job.progress)
    kept = job.reference.logits
    apart = (candidate.logits(job.reference.cases[0].ids[: len(kept)]) - kept).abs().max()
    with_program = f"transformers {version('transformers')}"
    more = {"form": form, "checked_with": with_program, "logits_max_difference": float(f"{float(apart):.3g}")}
    return made.model_copy(update=more)


def _in_llama(job: Job, template: str | None) -> Parity:
    """Compare a GGUF file in llama.cpp; without llama.cpp nothing is claimed."""
    from finetune.export.llama_measured import LlamaModel

    tolerance = TOLERANCES[job.config.quantize]
    form = f"GGUF, {job.config.quantize.upper()}"
    longest = max(max(len(case.ids), len(case.prompt)) for case in job.reference.cases) + job.config.answer_tokens
    try:
        opened = LlamaModel(gguf_file(job), longest, template)
    except MissingExtra as error:
        note = f"Parity was not run: llama.cpp is not installed ({error.hint})."
        return Parity(passed=None, tolerance=tolerance, form=form, note=note)
    with opened as candidate:
        made = compare(job.reference, candidate, tolerance, job.progress)
    program = f"llama.cpp (xllamacpp {version('xllamacpp')}), keys and values in float32"
    return made.model_copy(update={"form": form, "checked_with": program})
