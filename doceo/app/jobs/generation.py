"""Generation jobs: documents to question-answer pairs with exact evidence, and a dataset to tune on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from data.jsonl import write_jsonl
from data.store import DATASET
from doceo.app.jobs.kind import JobFailed, Kind, Outcome, Output, Step, Work, failure
from doceo.app.jobs.result_files import kept_files
from doceo.app.store.files import StoredFile
from doceo.app.store.job_events import News
from doceo.core.errors import CostCapReached, DoceoError
from doceo.core.jobs import Job, JobError

RUN = "run"
LISTED = "files.jsonl"
"""The documents of a job, in its folder."""
ENDINGS = {
    "openai": "jsonl",
    "sharegpt": "jsonl",
    "alpaca": "jsonl",
    "completion": "jsonl",
    "csv": "csv",
    "parquet": "parquet",
    "quiz": "html",
    "anki": "txt",
}
"""Formats that are one file, and the ending of it."""
TRAIN, VALIDATION = "train.jsonl", "validation.jsonl"


class GenerationSpec(BaseModel):
    """What a generation job was asked for.

    `generate` holds values of `GenerateConfig` by name; `max_cost` is in USD and lifts no cap of the operator's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...] = ()
    vector_store: str = ""
    teacher: str = ""
    generate: dict[str, Any] = {}
    max_cost: float | None = None
    formats: tuple[str, ...] = ()


def begin(work: Work) -> Sequence[Step]:
    """Return the commands: read, generate, export in each format."""
    spec, run = spec_of(work.job), work.place / RUN
    listed = work.place / LISTED
    write_jsonl(listed, [{"source": name, "path": str(path)} for name, path in _documents(work, spec)])
    settings: dict[str, dict[str, Any]] = {"generate": spec.generate}
    caps = [cap for cap in (spec.max_cost, work.host.settings.engine.max_cost) if cap is not None]
    if caps:
        settings["engine"] = {"max_cost": min(caps)}
    teacher = {"DOCEO_TEACHER": spec.teacher} if spec.teacher else {}
    return [
        Step(("doceo", "ingest", "--list", str(listed), "--out", str(run), "--json")),
        Step(("doceo", "generate", "--out", str(run), "--json"), settings, environment=teacher),
        *(
            Step(("doceo", "export", str(run), "--format", form, "--out", str(_export(work, form)), "--json"))
            for form in spec.formats
        ),
    ]


def finish(work: Work, outputs: Sequence[Output]) -> Outcome:
    """Keep the dataset and the exports as files of the owner."""
    spec, made = spec_of(work.job), outputs[1]
    ledger, short = made["ledger"], str(made.get("short") or "")
    if short and CostCapReached.code in ledger["failed"]:
        short = f"The cost cap was reached: {made['pairs']} of {ledger['requested']} pairs are made."
        if not made["pairs"]:
            raise JobFailed(JobError(code=CostCapReached.code, message=short, param="max_cost"))
    rows = [(work.place / RUN / DATASET / name, name) for name in (TRAIN, VALIDATION)]
    rows = [(path, name) for path, name in rows if path.stat().st_size]
    tuned = kept_files(work, rows, purpose="fine-tune")
    exported = kept_files(
        work, [(_export(work, form), _export(work, form).name) for form in spec.formats], purpose="user_data"
    )
    result = {
        "result_files": [*tuned, *exported],
        "dataset": dict(zip([name.partition(".")[0] for _, name in rows], tuned, strict=True)),
        "exports": dict(zip(spec.formats, exported, strict=True)),
        "pairs": made["pairs"],
        "ledger": ledger,
        "short": short,
    }
    return Outcome(result, (News(message=short, level="warn"),) if short else ())


def failed(work: Work, error: JobError, early: bool) -> JobError:
    """Say of the list of documents, which is the job's own, what it stands for."""
    named = "the vector store" if spec_of(work.job).vector_store else "the files"
    return error.model_copy(update={"message": error.message.replace(f"from {LISTED}.", f"from {named}.")})


def spec_of(job: Job) -> GenerationSpec:
    """Return what a job was asked for."""
    return GenerationSpec.model_validate(job.spec)


def _export(work: Work, form: str) -> Path:
    return work.place / "exports" / f"pairs-{form}.{ENDINGS[form]}"


def _documents(work: Work, spec: GenerationSpec) -> list[tuple[str, Path]]:
    """Return the documents by what they are called. Raises JobFailed where one is not there any more."""
    store, owner, uploads = work.host.store, work.job.owner, work.host.uploads
    try:
        if spec.vector_store:
            rows = [row for row in store.attachments.all(spec.vector_store) if not row.removed]
            return [(row.source, uploads.path(store.files.get(owner, row.file))) for row in rows]
        files = [store.files.get(owner, file) for file in spec.files]
        return [(_named(file, files), uploads.path(file)) for file in files]
    except DoceoError as error:
        raise JobFailed(failure(error).model_copy(update={"param": "files"})) from error


def _named(file: StoredFile, files: Sequence[StoredFile]) -> str:
    """Return what a document is called: the name of its file, with the id where two are called alike."""
    alike = sum(other.filename == file.filename for other in files) > 1
    return f"{file.id}/{file.filename}" if alike else file.filename


GENERATION = Kind(begin, finish, failed, began="Generation job started")
