"""What a worker's child tells, how it ends, and how long it may live."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doceo.app.jobs.child import Child, End
from doceo.app.jobs.children import Children
from doceo.app.jobs.ends import reason
from doceo.app.jobs.identity import Identity
from doceo.app.jobs.kind import Step
from doceo.app.jobs.telling import Teller
from doceo.app.settings import Settings
from doceo.core import lease
from doceo.core.jobs import JobEvent

ROOT = Path(__file__).resolve().parents[2]
WAITS = """
import sys, time
from doceo.core import lease
lease.SECONDS = float(sys.argv[1])
lease.watch()
print("ready", flush=True)
time.sleep(30)
"""


def tell(path: Path, *lines: object) -> None:
    with path.open("a") as out:
        out.writelines(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)


def trained(step: int, loss: float | None, seconds: float, **more: object) -> dict[str, object]:
    return {"step": step, "loss": loss, "eval_loss": None, "tokens": step * 100, "seconds": seconds, **more}


def test_steps_are_told_once_and_in_order_after_a_takeover(tmp_path: Path) -> None:
    log, work, done = tmp_path / "log", tmp_path / "work.jsonl", tmp_path / "done.jsonl"
    first = Teller(log, [done, work], [], [])
    tell(log, {"task": "finetune", "total": 4, "done": 0}, {"say": "Hello"}, "no json\n", {"say": "Hello"})
    tell(work, trained(1, 2.0, 1.0), trained(2, 1.5, 2.0), '{"step": 3, "lo')
    told = first.news()
    assert [news.message for news in told] == [
        "Hello",
        "Step 1/4: training loss=2.0000",
        "Step 2/4: training loss=1.5000",
    ]
    assert told[2].data is not None
    assert (told[2].data["tokens_per_second"], told[2].data["eta_seconds"]) == (100.0, 2.0)
    assert first.left == 2.0
    known = [
        JobEvent(job="j", place=n, created=0, kind="metrics", message=news.message, data=news.data)
        for n, news in enumerate(told[1:], 1)
    ]
    log.unlink()
    work.unlink()
    again = Teller(log, [done, work], ["Hello"], known)
    tell(log, {"say": "Hello"}, {"task": "finetune", "total": 4, "done": 1})
    tell(work, trained(1, 2.0, 1.0), trained(2, 1.5, 2.0), trained(2, None, 2.5, eval_loss=1.0), trained(3, 1.2, 3.0))
    work.rename(done)
    assert [news.message for news in again.news()] == [
        "Step 2/4: validation loss=1.0000",
        "Step 3/4: training loss=1.2000",
    ]
    assert again.got_further
    assert again.news() == []


def test_no_step_is_lost_where_a_training_writes_its_log_anew(tmp_path: Path) -> None:
    """It keeps the lines up to its checkpoint, and may be as far as before when it is looked at next."""
    work = tmp_path / "work.jsonl"
    teller = Teller(tmp_path / "log", [work], [], [])
    tell(work, *(trained(step, 1.0, float(step)) for step in range(1, 7)))
    assert len(teller.news()) == 6
    work.unlink()
    tell(work, *(trained(step, 1.0, float(step)) for step in range(1, 3)))
    tell(work, *(trained(step, 1.0, step + 0.12345) for step in range(3, 10)))
    assert [news.data["step"] for news in teller.news() if news.data] == [7, 8, 9]


def test_what_is_left_of_a_task_is_told(tmp_path: Path) -> None:
    now = iter([0.0, 2.0, 3.0, 10.0, 12.0])
    teller = Teller(tmp_path / "log", [], [], [], lambda: next(now))
    for done, total in ((2, 9), (3, 9), (6, 9), (0, 20), (8, 20)):  # at last it begins anew, with more to do
        tell(tmp_path / "log", {"task": "generate", "done": done, "total": total, "unit": "requests", "note": ""})
    told = [news.data for news in teller.news() if news.data]
    assert [(data["done"], data.get("eta_seconds")) for data in told] == [(2, None), (3, 12.0), (6, 2.2), (8, 3.0)]
    assert teller.left is None


def test_progress_of_other_commands_never_goes_back(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "log", [], [], [])
    for done in (0, 3, 2, 5):
        tell(tmp_path / "log", {"task": "generate", "done": done, "total": 9, "unit": "requests", "note": ""})
    assert [news.message for news in teller.news()] == ["generate: 3 of 9 requests", "generate: 5 of 9 requests"]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (
            End(1, {"error": {"code": "storage", "message": "The disk is full while x.", "hint": "Free."}}, ""),
            "disk_full",
        ),
        (
            End(1, {"error": {"code": "training", "message": "The memory is not enough to.", "hint": ""}}, ""),
            "out_of_memory",
        ),
        (End(3, {"error": {"code": "cost_cap", "message": "Spent.", "hint": "More."}}, ""), "cost_cap"),
        (End(-11, {}, '{"say": "x"}\nSegmentation fault\n'), "error"),
    ],
)
def test_why_a_command_failed(end: End, code: str) -> None:
    found = reason(end)
    assert found.code == code
    assert code != "error" or found.message == "The job's process ended by signal 11: Segmentation fault."


def started(seconds: float) -> tuple[subprocess.Popen[bytes], int]:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS, str(seconds)],
        pass_fds=(reading,),
        start_new_session=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), lease.VARIABLE: str(reading)},
    )
    os.close(reading)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    return process, writing


def test_a_child_dies_of_silence_and_of_its_holders_end() -> None:
    silent, pipe = started(0.4)
    for _ in range(4):
        os.write(pipe, lease.line(lease.now()))
        time.sleep(0.25)
        assert silent.poll() is None
    # ticks of long ago, such as those that lay in the pipe while the machine slept, prolong nothing
    for _ in range(12):
        if silent.poll() is None:
            os.write(pipe, lease.line(lease.now() - 10))
            time.sleep(0.25)
    assert silent.wait(5) == -signal.SIGKILL
    os.close(pipe)
    orphan, pipe = started(30)
    os.close(pipe)
    assert orphan.wait(5) == -signal.SIGKILL


def test_a_child_takes_what_it_has_started_with_it(tmp_path: Path) -> None:
    (tmp_path / "starts.py").write_text(
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)'])\n"
        "print('{\"pid\": %d}' % p.pid, flush=True)\ntime.sleep(30)\n"
    )
    step = Step(("starts",), environment={"PYTHONPATH": str(tmp_path)})
    children = Children()
    child = Child(step, tmp_path / "job", 1, Settings())
    with children.keeping(child):
        output = tmp_path / "job" / "1-output.json"
        while not output.read_text().endswith("\n"):
            time.sleep(0.02)
        children.kill()
        end = child.ended()
    assert end.killed
    grandchild = Path("/proc") / str(end.output["pid"])
    for _ in range(100):
        if not grandchild.exists() or "Z" in (grandchild / "stat").read_text().split()[2]:
            break
        time.sleep(0.02)
    else:
        pytest.fail("what the child had started lives on")


def test_a_heartbeat_after_the_end_goes_into_no_other_file(tmp_path: Path) -> None:
    """The pipe to a child that has ended is closed, and its number is soon another file's: a database's, say."""
    (tmp_path / "ends.py").write_text("")
    children = Children()
    child = Child(Step(("ends",), environment={"PYTHONPATH": str(tmp_path)}), tmp_path / "job", 1, Settings())
    with children.keeping(child):
        child.ended()
        opened = [(tmp_path / f"{number}").open("wb") for number in range(8)]
        assert child._writing in [file.fileno() for file in opened]
        children.tick(lease.now())
        for file in opened:
            file.close()
    assert [(tmp_path / f"{number}").read_bytes() for number in range(8)] == [b""] * 8


def test_a_worker_keeps_its_id_and_two_never_share_one(tmp_path: Path) -> None:
    first, second = Identity(tmp_path, "host a"), Identity(tmp_path, "host a")
    assert first.worker.startswith("host-a-")
    assert first.worker != second.worker
    known = first.worker
    first.release()
    back = Identity(tmp_path, "host a")
    assert back.worker == known
    assert back.renew() != known
    back.release()
    again = Identity(tmp_path, "host a")
    assert again.worker == back.worker
    other = Identity(tmp_path, "host b")
    assert other.worker not in {again.worker, second.worker}
    for one in (again, second, other):
        one.release()
