"""What each kind of job has its commands do, and what it makes of what they did."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from doceo.app.assistants import Assistants
from doceo.app.host import Host
from doceo.app.jobs import evaluation, fine_tuning, generation
from doceo.app.jobs.child import Child
from doceo.app.jobs.kind import JobFailed, Outcome, Step, Work, failure, failure_of
from doceo.app.jobs.kinds import to_do
from doceo.app.jobs.own_workers import own_workers
from doceo.app.jobs.variables import section_variables, variables
from doceo.app.settings import Settings, load_settings
from doceo.core.config import FinetuneConfig
from doceo.core.errors import StorageError
from doceo.core.jobs import Job, JobError, JobKind, JobStatus
from doceo.core.progress import Silent


def nowhere(connection: Connection, job: Job) -> None:
    """A queue that keeps nothing."""


def host_of(home: Path, **settings: Any) -> Host:
    chosen = Settings(**{"model": "quote", "database_url": f"sqlite:///{home / 'kept.sqlite'}", **settings})
    return Host(chosen, Assistants(chosen, Silent()), home)


def working(host: Host, kind: JobKind, spec: dict[str, Any], status: JobStatus = "queued") -> Work:
    job = host.store.jobs.create("ann", kind, spec, nowhere, status=status)
    taken = host.store.leases.take(job.id, 1, "w")
    assert taken is not None
    return Work(taken, host, host.jobs / job.id)


def put(host: Host, name: str, text: str = "{}\n") -> str:
    file = host.home.parent / name
    file.write_text(text, encoding="utf-8")
    return host.uploads.put("ann", file, name, "fine-tune").id


def tuning(host: Host, **more: Any) -> Work:
    spec = {"model": "doceo-5m", "base": "doceo-5m", "training_file": put(host, "rows.jsonl"), **more}
    return working(host, "fine_tuning", spec)


def test_a_training_keeps_to_what_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tuning(host_of(tmp_path / "runs", finetune={"batch_size": 2}), hyperparameters={"n_epochs": 3})
    (step,) = fine_tuning.begin(work)
    assert {"--force", "--out"} <= set(step.arguments)
    changed = Work(work.job, host_of(tmp_path / "runs", finetune={"batch_size": 4, "rank": 32}), work.place)
    (again,) = fine_tuning.begin(changed)
    assert again == step
    # a command where the operator has written something else since has the same settings all the same
    Path("doceo.toml").write_text("[finetune]\nbatch_size = 4\nrank = 32\nepochs = 9\n")
    for name, value in (variables(changed.host.settings) | section_variables(again.settings)).items():
        monkeypatch.setenv(name, value)
    trained = load_settings({}).finetune
    assert trained == FinetuneConfig(batch_size=2, epochs=3, keep_passes=3)


def test_a_setting_that_is_gone_from_a_newer_program_is_left_out(tmp_path: Path) -> None:
    work = tuning(host_of(tmp_path / "runs"))
    (step,) = fine_tuning.begin(work)
    path = work.place / fine_tuning.SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text()) | {"abolished": 1}))
    assert fine_tuning.begin(work) == [step]


@pytest.mark.parametrize(("wandb", "tracker"), [({}, "none"), ({"project": "p"}, "wandb")])
def test_a_training_is_reported_only_where_its_owner_asked(tmp_path: Path, wandb: dict[str, str], tracker: str) -> None:
    (step,) = fine_tuning.begin(tuning(host_of(tmp_path / "runs", finetune={"tracker": "wandb"}), wandb=wandb))
    assert step.settings["finetune"]["tracker"] == tracker


def test_rows_are_checked_before_a_job_waits_for_its_turn(tmp_path: Path) -> None:
    host = host_of(tmp_path / "runs")
    spec = {"model": "doceo-5m", "base": "doceo-5m", "training_file": put(host, "rows.jsonl"), "method": "dpo"}
    work = working(host, "fine_tuning", spec, "validating_files")
    kind = to_do(work.job)
    (step,) = kind.begin(work)
    assert "--check" in step.arguments
    assert step.settings["finetune"]["objective"] == "dpo"
    assert kind.finish(work, [{}]).ready
    assert to_do(work.job.model_copy(update={"status": "running"})) is fine_tuning.FINE_TUNING


def test_every_pass_that_is_kept_is_a_model(tmp_path: Path) -> None:
    work = tuning(host_of(tmp_path / "runs"))
    adapter = work.place / fine_tuning.ADAPTER
    for step in (5, 10):
        (adapter / "passes" / f"step-{step}").mkdir(parents=True)
    (adapter / "training.jsonl").write_text("")
    made = fine_tuning.finish(work, [{"finetuning": {"tokens": 1, "steps": 10}}]).result["fine_tuned_model"]
    known = {model.id: model.folder for model in work.host.store.models.all("ann")}
    assert known == {
        made: f"{work.job.id}/adapter",
        f"{made}:ckpt-step-5": f"{work.job.id}/adapter/passes/step-5",
        f"{made}:ckpt-step-10": f"{work.job.id}/adapter/passes/step-10",
    }


@pytest.mark.parametrize(
    ("asked", "allowed", "cap"), [(50.0, 1.0, 1.0), (0.5, 1.0, 0.5), (None, 1.0, 1.0), (2.0, None, 2.0)]
)
def test_a_client_lifts_no_cap_of_the_operator(
    tmp_path: Path, asked: float | None, allowed: float | None, cap: float
) -> None:
    host = host_of(tmp_path / "runs", engine={"max_cost": allowed})
    step = generation.begin(working(host, "generation", {"files": [put(host, "a.txt")], "max_cost": asked}))[1]
    assert step.settings["engine"] == {"max_cost": cap}


def capped(pairs: int) -> list[dict[str, Any]]:
    ledger = {"requested": 20, "failed": {"cost_cap": 20 - pairs}}
    return [{}, {"pairs": pairs, "ledger": ledger, "short": "Give a higher --max-cost."}]


def test_what_was_paid_for_is_kept_where_the_cap_is_reached(tmp_path: Path) -> None:
    work = working(host_of(tmp_path / "runs"), "generation", {"max_cost": 1.0})
    with pytest.raises(JobFailed) as raised:
        generation.finish(work, capped(0))
    assert (raised.value.error.code, raised.value.error.param) == ("cost_cap", "max_cost")
    dataset = work.place / generation.RUN / "4-dataset"
    dataset.mkdir(parents=True)
    for name in (generation.TRAIN, generation.VALIDATION):
        (dataset / name).write_text("{}\n")
    outcome: Outcome = generation.finish(work, capped(12))
    assert outcome.result["short"] == "The cost cap was reached: 12 of 20 pairs are made."
    assert [news.level for news in outcome.news] == ["warn"]
    assert work.host.store.files.get("ann", outcome.result["dataset"]["train"]).bytes == 3


def test_a_full_disk_has_its_own_reason_in_the_worker_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_of(tmp_path / "runs")
    run = host.jobs / "genjob-1" / "run"
    for stage in ("1-documents", "2-chunks", "3-pairs", "4-dataset"):
        (run / stage).mkdir(parents=True)
        (run / stage / "some.jsonl").write_text("{}\n")
    work = working(host, "evaluation", {"generation_job": "genjob-1", "models": ["doceo-5m"]})

    def full(source: str, place: str) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copy2", full)
        with pytest.raises(StorageError) as raised:
            evaluation.begin(work)
    assert failure(raised.value).code == "disk_full"
    assert not (work.place / "run" / "1-documents").exists()
    evaluation.begin(work)
    assert (work.place / "run" / "4-dataset" / "some.jsonl").exists()


def test_the_error_of_a_job_names_no_flag_and_no_file_of_its_own(tmp_path: Path) -> None:
    faulty = failure_of("input", "x has faulty rows.", "Repair them, or leave them out with --skip-faulty; none.")
    assert faulty.message == "x has faulty rows. Repair them; none."
    large = failure_of("memory", "Too large.", "Lower --finetune-max-length (or --rank), take --method qlora.")
    assert large.message == "Too large. Lower max_length (or rank), take method qlora."
    work = working(host_of(tmp_path), "generation", {"vector_store": "vs_1"})
    error = JobError(code="nothing_readable", message=f"Nothing could be read from {generation.LISTED}. a.bin: x.")
    assert generation.failed(work, error, False).message == "Nothing could be read from the vector store. a.bin: x."


FLAGS: dict[str, Any] = {
    "service": {"bases": ["/models/one", "hub/two"], "max_unpacked_mb": 7, "json_logs": True},
    "base_url": "http://gpu:8000/v1",
    "generate": {"kinds": {"fact": 30}},
    "finetune": {"rank": None},
}


def test_a_process_has_the_settings_of_the_one_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("doceo.toml").write_text('teacher = "ollama:m"\n[finetune]\nrank = 8\n')
    given = load_settings({**FLAGS, "database_url": "postgresql://user:secret@db/x"})
    passed = variables(given)
    assert "secret" not in str(passed)
    for name, value in passed.items():
        monkeypatch.setenv(name, value)
    assert load_settings({"database_url": given.database_url}) == given


def test_flags_of_a_service_reach_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Mapping[str, str]] = []

    class Worker:
        def __init__(self, command: list[str], env: Mapping[str, str], **more: object) -> None:
            seen.append(env)

        def wait(self) -> int:
            return 0

        def poll(self) -> int:
            return 0

        def send_signal(self, number: int) -> None:
            """It has ended already."""

    monkeypatch.setattr(subprocess, "Popen", Worker)
    with own_workers(1, Settings(**FLAGS), Silent()):
        while not seen:
            os.sched_yield()
    assert json.loads(seen[0]["DOCEO_SERVICE__BASES"]) == ["/models/one", "hub/two"]
    assert seen[0]["DOCEO_SERVICE__MAX_UNPACKED_MB"] == "7"


@pytest.fixture
def tells(tmp_path: Path) -> str:
    (tmp_path / "tells.py").write_text("import json, os\nprint(json.dumps(dict(os.environ)))\n")
    return str(tmp_path)


def test_flags_of_a_worker_reach_its_commands(tells: str, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": tells, "DOCEO_TEACHER": "extractive"}
    step = Step(("tells",), {"generate": {"pairs": 3, "topics": None}}, environment=environment)
    told = Child(step, tmp_path / "job", 1, Settings(teacher="openai:m", **FLAGS)).ended().output
    assert (told["DOCEO_BASE_URL"], told["DOCEO_TEACHER"]) == ("http://gpu:8000/v1", "extractive")
    assert (told["DOCEO_GENERATE__PAIRS"], told["DOCEO_GENERATE__TOPICS"]) == ("3", "null")
