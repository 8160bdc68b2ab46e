"""Trainings that are killed (SIGKILL) at seeded moments and gone on with, against one that nothing happened to.

    python benchmarks/bench_training_kill.py [finetune pretrain] [--kills N] [--seed S]

Every kill is of a real command in a process of its own: `doceo finetune` on a base of 1M parameters, and
`doceo pretrain --max-steps`. Both save a checkpoint at every step, so that many kills fall into the writing of one. The
moment is drawn: a step, from before the first to behind the last, where the result is measured, and a part of a second
after it. The same command is then run again to its end. Its weights have to have the bytes of the training that nothing
happened to, and its log the same losses. Writes benchmarks/results/training_kill.json. The text is that which ships in
finetune/; the rows are made here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from record import ROOT, save

PACKAGES = ("doceo", "torch", "transformers", "peft", "trl")
STEPS = 24
ROWS = 40
LONGEST_WAIT = 900.0
CHECKPOINT = re.compile(r"\.?(?:checkpoint|step)-(?P<step>\d+)")
"""Names of their folders; one that begins with a dot is being written."""


class Case(NamedTuple):
    """A command without its --out, the file that it makes, and how often it is killed."""

    words: list[str]
    weights: str
    kills: int


def doceo(*words: object) -> subprocess.Popen[bytes]:
    """Start the program."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "doceo", *map(str, words)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(*words: object) -> float:
    """Run the program to its end and return the seconds it took."""
    start = time.perf_counter()
    process = doceo(*words)
    _, said = process.communicate(timeout=LONGEST_WAIT)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, words))} ended with {process.returncode}:\n{said.decode()}")
    return round(time.perf_counter() - start, 2)


def prepare(folder: Path) -> None:
    """Make text, base and rows."""
    text = folder / "text"
    text.mkdir()
    shutil.copy(ROOT / "finetune" / "general.txt", text / "general.txt")
    finished("pretrain", text, "--preset", "1m", "--max-steps", 8, "--evaluations", 1, "--out", folder / "base")
    words = (text / "general.txt").read_text(encoding="utf-8").split()
    luck = random.Random(0)
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as out:
        for number in range(ROWS):
            at = luck.randrange(len(words) - 60)
            question, answer = words[at : at + 12], words[at + 12 : at + luck.randrange(20, 60)]
            talk = [("user", f"{number}: {' '.join(question)}?"), ("assistant", " ".join(answer))]
            row = {"messages": [{"role": role, "content": content} for role, content in talk]}
            out.write(json.dumps(row) + "\n")


def cases(folder: Path, kills: int | None) -> dict[str, Case]:
    """Return the commands. Fine-tuning ends within a pass, and a validation loss decides what is kept."""
    tune = ["finetune", folder / "rows.jsonl", "--base", folder / "base", "--save-steps", 1, "--batch-size", 2]
    tune += [
        "--holdout-share",
        0.1,
        "--patience",
        50,
        "--sample-answers",
        0,
        "--epochs",
        (STEPS - 0.5) / (ROWS * 0.9 / 2),
    ]
    train = ["pretrain", folder / "text", "--preset", "1m", "--max-steps", STEPS, "--save-seconds", 0.001]
    return {
        "finetune": Case([*map(str, tune)], "adapter_model.safetensors", kills or 10),
        "pretrain": Case([*map(str, train)], "model.safetensors", kills or 5),
    }


def steps_saved(work: Path) -> tuple[int, int]:
    """Return the newest step that was begun to be saved, and the newest that is whole."""
    begun, whole = 0, 0
    for path in work.glob("checkpoints/*"):
        name = CHECKPOINT.match(path.name)
        if name is None:
            continue
        begun = max(begun, int(name["step"]))
        if (path / "finished").exists() or path.name.startswith("step-"):
            whole = max(whole, int(name["step"]))
    return begun, whole


def killed(case: Case, out: Path, luck: random.Random) -> dict[str, object]:
    """Start a training, kill it at a moment that is drawn, go on with it, and return what came of it."""
    step, wait = luck.randrange(STEPS + 1), luck.uniform(0, 1.5)
    work = out.with_name(f".{out.name}.work")
    process = doceo(*case.words, "--out", out)
    until = time.monotonic() + LONGEST_WAIT
    while process.poll() is None and steps_saved(work)[0] < step and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    begun, whole = steps_saved(work)
    in_place = out.exists()
    seconds = finished(*case.words, "--out", out)
    left = sorted(path.name for path in out.parent.glob(f".{out.name}*"))
    return {
        "drawn": {"step": step, "seconds_after": round(wait, 3)},
        "was_killed": process.returncode == -signal.SIGKILL,
        "was_in_its_place": in_place,
        "checkpoints_at_the_kill": {"newest_begun": begun, "newest_whole": whole},
        "seconds_to_the_end": seconds,
        "left_behind": left,
        **outcome(out, case.weights),
    }


def outcome(out: Path, weights: str) -> dict[str, object]:
    """Return the hashes of weights and of the log without its times."""
    lines = [json.loads(line) | {"seconds": 0} for line in (out / "training.jsonl").read_text().splitlines()]
    return {
        "weights_sha256": hashlib.sha256((out / weights).read_bytes()).hexdigest(),
        "log_sha256": hashlib.sha256(json.dumps(lines).encode()).hexdigest(),
    }


def measure(case: Case, folder: Path, name: str, seed: int) -> dict[str, object]:
    """Return how many of the killed trainings ended as the one that nothing happened to."""
    seconds = finished(*case.words, "--out", folder / name)
    whole = outcome(folder / name, case.weights)
    luck = random.Random(f"{seed} {name}")
    kills = []
    for number in range(case.kills):
        found = killed(case, folder / f"{name}-{number}", luck)
        found["equal"] = all(found[key] == value for key, value in whole.items())
        print(name, number, found, flush=True)
        kills.append(found)
    return {
        "steps": STEPS,
        "seed": seed,
        "seconds_without_a_kill": seconds,
        **whole,
        "equal": f"{sum(bool(kill['equal']) for kill in kills)} of {len(kills)}",
        "kills_in_time": sum(bool(kill["was_killed"]) for kill in kills),
        "bar": "all equal",
        "kills": kills,
    }


def main() -> None:
    """Measure the commands that are named, or both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help="of finetune, pretrain")
    parser.add_argument("--kills", type=int, help="left out, 10 of finetune and 5 of pretrain")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="print only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder)
        for name, case in cases(folder, asked.kills).items():
            if asked.commands and name not in asked.commands:
                continue
            found = measure(case, folder, name, asked.seed)
            print(name, found["equal"], flush=True)
            if not asked.dry:
                save("training_kill", {name: found}, PACKAGES)


if __name__ == "__main__":
    main()
