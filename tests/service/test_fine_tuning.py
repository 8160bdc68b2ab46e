"""Fine-tuning jobs, driven by the stock `openai` client in strict mode against a service with a worker."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from doceo.app.host import Host
from doceo.providers.shipped_model import shipped_folder
from doceo.service.http import create_app
from tests.service.serving import client_of, host_in, serving
from tests.service.working import until, working

ENDED = ("succeeded", "failed", "cancelled")


def rows(count: int = 40) -> bytes:
    chats = (
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]}
        for n in range(count)
    )
    return "".join(json.dumps(chat) + "\n" for chat in chats).encode()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return host_in(tmp_path_factory.mktemp("service") / "runs")


@pytest.fixture(scope="module")
def client(host: Host) -> Iterator[openai.OpenAI]:
    with serving(create_app(host)) as address:
        yield client_of(address)


@pytest.fixture(scope="module")
def file(client: openai.OpenAI) -> str:
    return client.files.create(file=("rows.jsonl", io.BytesIO(rows())), purpose="fine-tune").id


@pytest.fixture(scope="module")
def worker(host: Host) -> Iterator[Path]:
    folder = host.home.parent
    with working(folder, host.settings.database_url):
        yield folder / "worker.log"


def ended(client: openai.OpenAI, job: str) -> Any:
    return until(lambda: (found := client.fine_tuning.jobs.retrieve(job)).status in ENDED and found, 120)


@pytest.mark.slow
def test_a_job_from_file_to_model(client: openai.OpenAI, host: Host, file: str, worker: Path) -> None:
    made = client.fine_tuning.jobs.create(
        model="doceo-5m",
        training_file=file,
        validation_file=file,
        suffix="Numbers!",
        seed=7,
        metadata={"team": "a"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 8}}},
        extra_body={"x_lora": {"rank": 8, "save_steps": 3}},
    )
    assert (made.status, made.object, made.seed) == ("validating_files", "fine_tuning.job", 7)
    bad = client.files.create(file=("bad.jsonl", io.BytesIO(rows(3) + b'{"messages": []}\n')), purpose="fine-tune")
    failing = client.fine_tuning.jobs.create(model="doceo-5m", training_file=bad.id)
    done = ended(client, made.id)
    assert done.status == "succeeded", done.error
    assert done.fine_tuned_model is not None
    assert done.fine_tuned_model.startswith("ft:doceo-5m:local:Numbers-:")
    assert (done.trained_tokens or 0) > 500
    assert done.hyperparameters.n_epochs == 2
    assert done.method is not None and done.method.supervised is not None
    (result,) = done.result_files
    assert client.files.retrieve(result).purpose == "fine-tune-results"
    table = client.files.content(result).text.splitlines()
    assert table[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert len(table) == 11

    events = list(client.fine_tuning.jobs.list_events(made.id, limit=7))
    assert events[0].message == "The job has been successfully completed"
    assert events[-1].message == "Created fine-tuning job"
    assert len({event.id for event in events}) == len(events)
    steps = [event.data for event in events if event.type == "metrics" and "train_loss" in (event.data or {})]
    assert [one["step"] for one in steps] == list(range(10, 0, -1))  # type: ignore[index]
    assert all(one["total_steps"] == 10 and math.isfinite(one["train_loss"]) for one in steps)  # type: ignore[index]
    assert all(one["tokens_per_second"] > 0 for one in steps)  # type: ignore[index]
    said = [event.message for event in events if event.type == "message"][::-1]
    assert said[:3] == [
        "Created fine-tuning job",
        "Validating files",
        "Files validated, moving job to queued state",
    ]
    assert str(host.home) not in str([event.message for event in events])
    assert str(shipped_folder()) not in str([event.message for event in events])

    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(made.id))
    assert [one.step_number for one in checkpoints] == [10, 5]
    assert checkpoints[0].metrics.valid_loss == pytest.approx(float(table[-1].split(",")[3]), abs=1e-4)
    assert checkpoints[1].fine_tuned_model_checkpoint == f"{done.fine_tuned_model}:ckpt-step-5"
    models = {model.id: model for model in host.store.models.all("local")}
    for name in (done.fine_tuned_model, *(one.fine_tuned_model_checkpoint for one in checkpoints)):
        assert (host.jobs / models[name].folder / "adapter_model.safetensors").is_file()
    reply = client.chat.completions.create(
        model=checkpoints[0].fine_tuned_model_checkpoint,
        messages=[{"role": "user", "content": "What is 3?"}],
        max_completion_tokens=4,
    )
    assert reply.choices[0].message.content

    refused = ended(client, failing.id)
    assert refused.status == "failed"
    assert refused.error is not None
    assert (refused.error.code, refused.error.param) == ("invalid_training_file", "training_file")
    assert "line 4" in refused.error.message
    assert refused.started_at is None  # type: ignore[attr-defined]  # it never came to its turn


def test_wrong_requests_name_the_field(client: openai.OpenAI, file: str) -> None:
    asked: list[tuple[dict[str, Any], str]] = [
        ({"model": "../../etc"}, "model"),
        ({"training_file": "file-none"}, "training_file"),
        ({"method": {"type": "reinforcement"}}, "method.type"),
        ({"extra_body": {"x_lora": {"rank": 0}}}, "x_lora.rank"),
        ({"extra_body": {"x_lora": {"tracker": "wandb"}}}, "x_lora.tracker"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}, "integrations"),
        ({"suffix": "x" * 65}, "suffix"),
    ]
    for changes, param in asked:
        with pytest.raises(openai.BadRequestError) as raised:
            client.fine_tuning.jobs.create(**{"model": "doceo-5m", "training_file": file, **changes})
        assert raised.value.param == param, raised.value
    with pytest.raises(openai.NotFoundError):
        client.fine_tuning.jobs.retrieve("ftjob-none")
    with pytest.raises(openai.NotFoundError):
        list(client.fine_tuning.jobs.list_events("ftjob-none"))


def test_waiting_jobs_pause_resume_and_are_cancelled(client: openai.OpenAI, file: str) -> None:
    job = client.fine_tuning.jobs.create(model="doceo-5m", training_file=file)
    with pytest.raises(openai.BadRequestError, match="only a paused"):
        client.fine_tuning.jobs.resume(job.id)
    paused = client.fine_tuning.jobs.pause(job.id)
    assert (paused.status, paused.paused) == ("queued", True)  # type: ignore[attr-defined]
    assert client.fine_tuning.jobs.resume(job.id).paused is False  # type: ignore[attr-defined]
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="cancelled already"):
        client.fine_tuning.jobs.pause(job.id)
    said = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
    assert said[0] == "The fine-tuning job has been cancelled"
    assert len(said) == 4


def test_one_idempotency_key_makes_one_job(client: openai.OpenAI, file: str) -> None:
    asked: dict[str, Any] = {"model": "doceo-5m", "training_file": file, "extra_headers": {"Idempotency-Key": "k1"}}
    first = client.fine_tuning.jobs.create(**asked)
    assert client.fine_tuning.jobs.create(**asked).id == first.id
    with pytest.raises(openai.BadRequestError, match="other parameters"):
        client.fine_tuning.jobs.create(**asked, seed=5)
    client.fine_tuning.jobs.cancel(first.id)


def test_lists_have_pages_and_filters(client: openai.OpenAI, file: str) -> None:
    made = [
        client.fine_tuning.jobs.create(model="doceo-5m", training_file=file, metadata={"n": str(n)}).id
        for n in range(3)
    ]
    for job in made:
        client.fine_tuning.jobs.cancel(job)
    page = client.fine_tuning.jobs.list(limit=2)
    assert [job.id for job in page.data] == made[:0:-1]
    assert page.has_more
    assert next(iter(page.get_next_page().data)).id == made[0]
    assert [job.id for job in client.fine_tuning.jobs.list(metadata={"n": "1"})] == [made[1]]
    assert not {job.id for job in client.fine_tuning.jobs.list(extra_query={"metadata": "null"})} & set(made)


def test_the_asynchronous_client_does_the_same(client: openai.OpenAI, file: str) -> None:
    asyncio.run(_asynchronously(client, file))


async def _asynchronously(client: openai.OpenAI, file: str) -> None:
    url = str(client.base_url)
    async with openai.AsyncOpenAI(
        base_url=url, api_key="none", _strict_response_validation=True, max_retries=0
    ) as other:
        jobs = other.fine_tuning.jobs
        job = await jobs.create(model="doceo-5m", training_file=file, method={"type": "dpo"})
        assert (await jobs.pause(job.id)).status == "queued"
        assert (await jobs.resume(job.id)).id == job.id
        assert [event.message async for event in jobs.list_events(job.id, limit=1)][-1] == "Created fine-tuning job"
        assert [one async for one in jobs.checkpoints.list(job.id)] == []
        assert (await jobs.cancel(job.id)).status == "cancelled"
        assert job.id in [one.id async for one in jobs.list(limit=3)]
        with pytest.raises(openai.NotFoundError):
            await jobs.retrieve("ftjob-none")
        with pytest.raises(openai.InternalServerError, match="shared"):
            await other.fine_tuning.checkpoints.permissions.create("ckpt", project_ids=["p"]).__aiter__().__anext__()


def steps(client: openai.OpenAI, job: str) -> list[int]:
    events = client.fine_tuning.jobs.list_events(job, limit=100)
    return [event.data["step"] for event in events if "train_loss" in (event.data or {})][::-1]  # type: ignore[index]


@pytest.mark.slow
def test_a_running_job_is_paused_goes_on_and_is_cancelled(
    client: openai.OpenAI, host: Host, file: str, worker: Path
) -> None:
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 50}}}
    job = client.fine_tuning.jobs.create(model="doceo-5m", training_file=file, method=method).id
    until(lambda: steps(client, job))
    client.fine_tuning.jobs.pause(job)
    until(lambda: client.fine_tuning.jobs.retrieve(job).paused)  # type: ignore[attr-defined]
    paused = len(steps(client, job))
    assert list((host.jobs / job / ".adapter.work" / "checkpoints").glob("checkpoint-*/finished"))
    client.fine_tuning.jobs.resume(job)
    until(lambda: len(steps(client, job)) > paused)
    path = f"/fine_tuning/jobs/{job}/events?stream=true"
    with client.get(path, cast_to=object, stream=True, stream_cls=openai.Stream[object]) as stream:
        told: Iterator[Any] = iter(stream)
        assert next(told)["message"] == "Created fine-tuning job"
        client.fine_tuning.jobs.cancel(job)
        last = list(told)[-1]
    assert last["message"] == "Job cancelled"
    assert client.fine_tuning.jobs.retrieve(job).status == "cancelled"
    done = steps(client, job)
    assert done == list(range(1, len(done) + 1))


@pytest.mark.slow
def test_a_full_disk_ends_a_job_with_its_reason(tmp_path: Path) -> None:
    host = host_in(tmp_path / "runs")
    with serving(create_app(host)) as address:
        client = client_of(address)
        file = client.files.create(file=("rows.jsonl", io.BytesIO(rows())), purpose="fine-tune").id
        with working(tmp_path, host.settings.database_url, largest_file=3_000_000):
            job = client.fine_tuning.jobs.create(model="doceo-5m", training_file=file)
            failed = ended(client, job.id)
        assert failed.status == "failed"
        assert failed.error is not None
        assert failed.error.code == "disk_full", failed.error
        assert str(tmp_path) not in failed.error.message
        assert client.models.retrieve("doceo-5m").id == "doceo-5m"
        assert not host.store.models.all("local")
