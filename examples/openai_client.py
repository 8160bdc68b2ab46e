"""Documents to a tuned, citing assistant, with nothing but the `openai` package.

    doceo serve                                    # in one terminal
    python examples/openai_client.py documents/    # in another; --help tells what else

The same script with OpenAI's own address would upload, tune and chat there; what only Doceo has is marked.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from openai import OpenAI

ENDED = ("succeeded", "failed", "cancelled")


def main() -> None:
    """Read the command line, do everything, and delete what was made, however it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of documents")
    parser.add_argument("--question", default="", help="what to ask them; left out, a question that was generated")
    parser.add_argument("--pairs", type=int, default=40, help="question-answer pairs to generate")
    parser.add_argument("--epochs", type=int, default=1, help="passes over them")
    parser.add_argument("--base", default="doceo-5m", help="model to tune; for prose name one larger than doceo-5m")
    asked = parser.parse_args()
    client = OpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "none"),
    )
    print("Models:", ", ".join(model.id for model in client.models.list()))
    made: list[str] = []
    try:
        walk(client, asked, made)
    finally:
        clean_up(client, made)


def walk(client: OpenAI, asked: argparse.Namespace, made: list[str]) -> None:
    """Upload, index, ask, generate, tune, ask again, cancel. `made` is told the address of all that is made."""
    files = upload(client, asked.folder, made)
    store = client.vector_stores.create(name=asked.folder.name)
    made.append(f"/vector_stores/{store.id}")
    index(client, store.id, files)

    generated = generate(client, store.id, asked.pairs, made)
    question = asked.question or first_question(client, generated["dataset"]["train"])
    ask(client, "quote", store.id, question)

    job = client.fine_tuning.jobs.create(
        model=asked.base,
        training_file=generated["dataset"]["train"],
        suffix=asked.folder.name[:40],
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": asked.epochs}}},
    )
    made.append(f"/fine_tuning/jobs/{job.id}")
    tuned = wait(client, job.id, made)
    ask(client, tuned, store.id, question)

    other = client.fine_tuning.jobs.create(model=asked.base, training_file=generated["dataset"]["train"])
    made.append(f"/fine_tuning/jobs/{other.id}")
    print("Cancelled:", client.fine_tuning.jobs.cancel(other.id).id)


def upload(client: OpenAI, folder: Path, made: list[str]) -> list[str]:
    """Upload the files of a folder and return their ids."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise SystemExit(f"There are no files in {folder}.")
    files: list[str] = []
    for path in paths:
        files.append(client.files.create(file=path, purpose="assistants").id)
        made.append(f"/files/{files[-1]}")
    print(f"Uploaded {len(files)} files.")
    return files


def index(client: OpenAI, store: str, files: list[str]) -> None:
    """Put files into a vector store, and say of those that cannot be read why."""
    batch = client.vector_stores.file_batches.create_and_poll(store, file_ids=files, poll_interval_ms=500)
    print(f"Indexed {batch.file_counts.completed} of {batch.file_counts.total} documents in {store}.")
    failed = client.vector_stores.files.list(store, filter="failed") if batch.file_counts.failed else ()
    for file in failed:
        why = file.last_error.message if file.last_error else ""
        print(f"  {client.files.retrieve(file.id).filename}: {why}")
    if not batch.file_counts.completed:
        raise SystemExit("None of the documents could be read.")


def generate(client: OpenAI, store: str, pairs: int, made: list[str]) -> dict[str, Any]:
    """Generate pairs of the documents of a vector store, which OpenAI has not, and return the finished job."""
    body = {"vector_store": store, "pairs": pairs}
    job: dict[str, Any] = client.post("/generation/jobs", body=body, cast_to=object)  # type: ignore[assignment]
    made.append(f"/generation/jobs/{job['id']}")
    while job["status"] not in ENDED:
        time.sleep(1)
        job = client.get(f"/generation/jobs/{job['id']}", cast_to=object)  # type: ignore[assignment]
    if job["status"] != "succeeded":
        raise SystemExit(f"No pairs: {job['error']['message'] if job['error'] else job['status']}")
    made += [f"/files/{file}" for file in job["result_files"]]
    if not job["made_pairs"]:
        raise SystemExit(f"No pairs: {job['short']}")
    print(f"Generated {job['made_pairs']} pairs: {job['ledger']}")
    return job


def first_question(client: OpenAI, file: str) -> str:
    """Return the first question of a training file that stands without passages."""
    for line in client.files.content(file).text.splitlines():
        turns = json.loads(line)["messages"]
        if turns[0]["role"] == "user":
            return str(turns[0]["content"])
    return "What is this about?"


def ask(client: OpenAI, model: str, store: str, question: str) -> None:
    """Ask a model over the documents of a vector store, and print the answer with its sources."""
    print(f"\n{model}: {question}")
    extra = {"collection": store}  # Doceo's: which documents to answer from
    messages: list[Any] = [{"role": "user", "content": question}]
    citations: list[Any] = []
    stream = client.chat.completions.create(model=model, messages=messages, stream=True, extra_body=extra)
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            print(chunk.choices[0].delta.content, end="", flush=True)
        citations = (chunk.model_extra or {}).get("citations") or citations
    print()
    for citation in citations:
        print(f"  [{citation['n']}] {citation['source']}: {citation['quote']}")


def wait(client: OpenAI, job: str, made: list[str]) -> str:
    """Print what happens to a job until it ends, and return the id of the model."""
    seen: set[str] = set()
    while True:
        found = client.fine_tuning.jobs.retrieve(job)
        for event in reversed(client.fine_tuning.jobs.list_events(job, limit=100).data):
            if event.id not in seen and event.type == "message":
                print(f"  {event.message}")
            seen.add(event.id)
        if found.status in ENDED:
            break
        time.sleep(1)
    made += [f"/files/{file}" for file in found.result_files]
    if found.fine_tuned_model is None:
        raise SystemExit(f"The job {found.status}: {found.error.message if found.error else ''}")
    made.append(f"/models/{found.fine_tuned_model}")
    print(f"Tuned {found.fine_tuned_model} on {found.trained_tokens} tokens.")
    return found.fine_tuned_model


def clean_up(client: OpenAI, made: list[str]) -> None:
    """Delete all that was made, the last first, so that a model goes before its job; jobs end before they go.

    That jobs can be deleted is Doceo's.
    """
    for address in reversed(made):
        if "/jobs/" in address:
            end(client, address)
        client.delete(address, cast_to=object)
    print(f"\nDeleted all {len(made)} things that were made.")


def end(client: OpenAI, address: str) -> None:
    """Cancel a job, unless it has ended, and wait until it has."""
    job: Any = client.get(address, cast_to=object)
    if job["status"] not in ENDED:
        client.post(f"{address}/cancel", cast_to=object)
    while job["status"] not in ENDED:
        time.sleep(1)
        job = client.get(address, cast_to=object)


if __name__ == "__main__":
    main()
