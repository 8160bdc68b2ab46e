"""The generator's engine against a stand-in for a chat server: speed, faults, kill -9, limits, coverage.

    python benchmarks/bench_engine.py [speed slow_speed faults limited killed coverage]

Each row names the limit or the peer that it is measured against in the same run. Writes benchmarks/results/engine.json.
The corpus is made here: passages of six facts each, one passage a chunk. `doceo generate` runs as a user runs it, in a
process of its own, over a run whose documents are read already; its start-up, the dataset and all files are included.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from record import save

ROOT = Path(__file__).resolve().parent.parent
FAKE = ROOT / "benchmarks" / "fake_openai.py"
GATES = ("--gates", "form,exact,near,grounding", "--topics", "0")
PLAIN = ("--kinds", "multi-hop=0,multi-turn=0,unanswerable=0,summary=0")
FAULTS = (
    "none", "429", "500", "reset", "slow", "truncated", "fenced", "prose", "empty", "null", "badjson", "duplicates",
)  # fmt: skip
PACKAGES = ("doceo", "openai", "aiohttp", "pydantic")
WORDS = (
    "amber,birch,cedar,delta,ember,fjord,grove,heath,islet,jetty,knoll,ledge,marsh,north,ocean,quarry,ridge,water,grain,"
    "timber,copper,wool,slate,salt,cider,linen,tallow,barley,honey,resin,chalk,flax,peat,clay,harbour,valley,station,"
    "terrace,orchard,foundry,chapel,granary,workshop,lighthouse,reservoir,brewery,stores,receives,exports,measures,"
    "inspects,distils,auctions,weighs,delivers,collects,winter,summer,captain,miller,keeper,weaver,mason,potter"
)
LINKS = "the,of,in,for,with,near,under,behind,every,from,its,on,at,and"


def passage(number: int) -> str:
    """Return the text of one chunk: six sentences of words drawn by its number, no eight of them in a row elsewhere."""
    luck, words, links = random.Random(number), WORDS.split(","), LINKS.split(",")
    parts = []
    for fact in range(6):
        drawn = [luck.choice(links if i % 3 == 1 else words) for i in range(19)]
        drawn[9] = str(number * 6 + fact + 1000)
        parts.append(f"{drawn[0].capitalize()} {' '.join(drawn[1:])}.")
    return " ".join(parts)


def ingested(folder: Path, chunks: int) -> Path:
    """Return a run that has read a document of so many chunks, without anything made of it."""
    run = folder / f"run{chunks}"
    if not run.exists():
        source = folder / f"corpus{chunks}.md"
        source.write_text("\n\n".join(f"## Part {n}\n\n{passage(n)}" for n in range(chunks)), encoding="utf-8")
        subprocess.run([*doceo(), "ingest", source, "--out", run], check=True, capture_output=True, cwd=folder)
        found = sum(1 for _ in (run / "2-chunks" / "chunks.jsonl").open())
        assert found == chunks, f"{found} chunks instead of {chunks}"
    return run


def doceo() -> list[str]:
    """Return the command line of the program."""
    return [sys.executable, "-m", "doceo"]


@contextmanager
def server(*options: str) -> Iterator[str]:
    """Run the stand-in; give its address."""
    child = subprocess.Popen([sys.executable, str(FAKE), *options], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.kill()
        child.wait()


def counts(address: str, route: str = "seen") -> dict[str, int]:
    """Return the server's counts."""
    request = urllib.request.Request(f"{address}/{route}", data=b"" if route == "reset" else None)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return dict(json.load(reply))


@dataclass
class Ran:
    """What a command took: seconds, CPU seconds of it and its children, most resident MB, its exit code.

    `start` is when it began, in seconds since 1970.
    """

    start: float
    wall: float
    cpu: float
    memory: float
    code: int
    output: str


def ran(command: list[str], cwd: Path) -> Ran:
    """Run a command and measure it."""
    before, began, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time(), time.perf_counter()
    child = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    most = [0.0]
    watch = threading.Thread(target=_watch, args=(child.pid, most), daemon=True)
    watch.start()
    output, _ = child.communicate(timeout=1800)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(began, wall, cpu, most[0], child.returncode, output)


def _watch(pid: int, most: list[float]) -> None:
    try:
        process = psutil.Process(pid)
        while True:
            family = [process, *process.children(recursive=True)]
            most[0] = max(most[0], sum(member.memory_info().rss for member in family) / 2**20)
            time.sleep(0.05)
    except psutil.Error:
        return


def generate(run: Path, address: str, pairs: int, concurrency: int, *more: str) -> Ran:
    """Run `doceo generate` over a fresh copy of an ingested run; what it made lies in `made` beside it."""
    made = run.with_name("made")
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(run, made)
    options = ["--pairs", str(pairs), "--concurrency", str(concurrency), *GATES, *PLAIN, *more]
    return ran([*doceo(), "generate", "--out", str(made), *teacher(address), *options], run.parent)


def teacher(address: str) -> list[str]:
    """Return the flags that name the stand-in as teacher."""
    return ["--teacher", "openai:fake", "--base-url", f"{address}/v1"]


LOOP = """
import asyncio, json, sys
import openai
async def main(address, calls, concurrency, prompts):
    client = openai.AsyncOpenAI(base_url=address + "/v1", api_key="none", max_retries=0)
    gate = asyncio.Semaphore(concurrency)
    async def ask(prompt):
        async with gate:
            reply = await client.chat.completions.create(model="fake", messages=[{"role": "user", "content": prompt}])
            return json.loads(reply.choices[0].message.content)
    await asyncio.gather(*(ask(prompt) for prompt in prompts))
prompts = json.load(open(sys.argv[4]))
asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), prompts))
"""


def plain_loop(address: str, calls: int, concurrency: int, folder: Path) -> Ran:
    """Ask the same number of prompts of the same size with a plain `openai` AsyncClient."""
    prompts = folder / "prompts.json"
    asked = "Write 1 pairs.\n" + "Rules that a teacher is given. " * 130
    prompts.write_text(json.dumps([f"<passage>\n{passage(n)}\n</passage>\n{asked}" for n in range(calls)]))
    return ran([sys.executable, "-c", LOOP, address, str(calls), str(concurrency), str(prompts)], folder)


def pairs_stage(made: Path) -> dict[str, float]:
    """Return when the pairs of a run were finished (seconds since 1970) and the CPU seconds that their stage took.

    The stage opens the client, asks, parses, checks, keeps, measures coverage and writes; the dataset comes after it.
    """
    manifest = made / "3-pairs" / "manifest.json"
    return {"written": manifest.stat().st_mtime, "cpu_s": json.loads(manifest.read_text())["cpu_s"]}


def speed(folder: Path, latency: float, concurrency: int, repetitions: int = 3) -> dict[str, object]:
    """2,000 calls: wall time by the physical limit, CPU by a plain client's, memory."""
    run = ingested(folder, 2000)
    rows = []
    with server("--latency", str(latency)) as address:
        for _ in range(repetitions):
            counts(address, "reset")
            ours = generate(run, address, 2000, concurrency)
            assert ours.code == 0, ours.output
            calls, stage = counts(address)["seen"], pairs_stage(run.with_name("made"))
            peer = plain_loop(address, calls, concurrency, folder)
            limit = calls * latency / concurrency
            rows.append(
                {
                    "calls": calls,
                    "limit_s": round(limit, 2),
                    "wall_s": round(ours.wall, 2),
                    "wall_by_limit": round(ours.wall / limit, 3),
                    "pairs_written_by_limit": round((stage["written"] - ours.start) / limit, 3),
                    "cpu_ms_per_call": round(1000 * ours.cpu / calls, 2),
                    "pairs_cpu_ms_per_call": round(1000 * stage["cpu_s"] / calls, 2),
                    "plain_wall_by_limit": round(peer.wall / limit, 3),
                    "plain_cpu_ms_per_call": round(1000 * peer.cpu / calls, 2),
                    "cpu_by_plain": round(ours.cpu / peer.cpu, 3),
                    "pairs_cpu_by_plain": round(stage["cpu_s"] / peer.cpu, 3),
                    "peak_mb": round(ours.memory),
                    "plain_peak_mb": round(peer.memory),
                }
            )
            print(rows[-1], flush=True)
    shown = ("wall_by_limit", "pairs_written_by_limit", "plain_wall_by_limit", "cpu_by_plain", "pairs_cpu_by_plain",
             "peak_mb")  # fmt: skip
    middle = {k: statistics.median(float(row[k]) for row in rows) for k in shown}
    return {"latency_s": latency, "concurrency": concurrency, "median": middle, "repetitions": rows}


def faults(folder: Path) -> dict[str, object]:
    """Every third call faulty: pairs that were kept of those wanted, calls, exit code."""
    run = ingested(folder, 60)
    found: dict[str, object] = {}
    for fault in FAULTS:
        with server("--latency", "0.05", "--fault", fault) as address:
            ours = generate(run, address, 60, 8)
            ledger = (
                json.loads((folder / "made" / "3-pairs" / "ledger.json").read_text()) if ours.code in (0, 3) else {}
            )
            found[fault] = {
                "wanted": 60,
                "kept": ledger.get("accepted", 0),
                "calls": counts(address)["seen"],
                "exit_code": ours.code,
                "wall_s": round(ours.wall, 1),
                "rejected": ledger.get("rejected"),
                "failed": ledger.get("failed"),
            }
            print(fault, found[fault], flush=True)
    return found


def limited(folder: Path, repetitions: int = 3) -> dict[str, object]:
    """A server that allows 4 at once while 32 are wanted, 400 calls: calls spent by calls needed."""
    run = ingested(folder, 400)
    rows = []
    for _ in range(repetitions):
        with server("--latency", "0.2", "--allowed", "4") as address:
            ours = generate(run, address, 400, 32)
            seen = counts(address)
            limit = seen["answered"] * 0.2 / 4
            rows.append(
                {
                    "spent": seen["seen"],
                    "needed": seen["answered"],
                    "spent_by_needed": round(seen["seen"] / seen["answered"], 3),
                    "wall_by_limit": round(ours.wall / limit, 3),
                    "exit_code": ours.code,
                }
            )
            print(rows[-1], flush=True)
    return {"median": statistics.median(float(row["spent_by_needed"]) for row in rows), "repetitions": rows}


def contents(run: Path) -> dict[str, str]:
    """Return the hash of every file that has to come out the same (CONTRACT: not manifests, not costs on cards)."""
    left_out = {"manifest.json", "card.md", "README.md"}
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for stage in ("3-pairs", "4-dataset")
        for path in sorted((run / stage).rglob("*"))
        if path.is_file() and path.name not in left_out
    }


def killed(folder: Path, tries: int = 20, concurrency: int = 16) -> dict[str, object]:
    """Kill -9 at a random point, then the same command: calls repeated, and whether the result is the same."""
    run = ingested(folder, 200)
    luck = random.Random(7)
    with server("--latency", "0.1") as address:
        ours = generate(run, address, 200, concurrency)
        assert ours.code == 0, ours.output
        needed, whole = counts(address)["seen"], contents(folder / "made")
    rows = []
    for number in range(tries):
        with server("--latency", "0.1") as address:
            cut = folder / "cut"
            shutil.rmtree(cut, ignore_errors=True)
            shutil.copytree(run, cut)
            options = ["--pairs", "200", "--concurrency", str(concurrency), *GATES, *PLAIN]
            command = [*doceo(), "generate", "--out", str(cut), *teacher(address), *options]
            point = luck.randint(1, needed - 1)
            child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while counts(address)["seen"] < point and child.poll() is None:
                time.sleep(0.005)
            child.send_signal(signal.SIGKILL)
            child.wait()
            time.sleep(0.2)
            again = ran(command, folder)
            total = counts(address)["seen"]
            same = contents(cut) == whole
            rows.append({"killed_after": point, "calls_repeated": total - needed, "same": same, "code": again.code})
            print(number, rows[-1], flush=True)
    fine = sum(row["same"] and row["calls_repeated"] <= concurrency for row in rows)
    return {"concurrency": concurrency, "calls": needed, "fine": f"{fine} of {tries}", "tries": rows}


def coverage(folder: Path) -> dict[str, object]:
    """A document of 200 chunks: chunks reached and the largest gap for N=25, chunks reached for N=200."""
    run = ingested(folder, 200)
    order = [json.loads(line)["id"] for line in (run / "2-chunks" / "chunks.jsonl").open()]
    found: dict[str, object] = {}
    with server("--latency", "0.02") as address:
        for n in (25, 200):
            ours = generate(run, address, n, 16, "--taught-share", "0")
            pairs = [json.loads(line) for line in (folder / "made" / "3-pairs" / "pairs.jsonl").open()]
            at = sorted({order.index(pair["chunk_ids"][0]) for pair in pairs})
            edges = [-1, *at, 200]
            gap = max(b - a for a, b in itertools.pairwise(edges))
            found[f"N={n}"] = {"pairs": len(pairs), "chunks": len(at), "largest_gap": gap, "exit_code": ours.code}
            print(n, found[f"N={n}"], flush=True)
    return found


ROWS = {
    "speed": lambda folder: speed(folder, 0.2, 32),
    "slow_speed": lambda folder: speed(folder, 2.0, 256),
    "faults": faults,
    "limited": limited,
    "killed": killed,
    "coverage": coverage,
}


def main() -> None:
    """Measure the rows that are named, or all."""
    wanted = sys.argv[1:] or list(ROWS)
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as temporary:
        for row in wanted:
            print(f"== {row}", flush=True)
            save("engine", {row: ROWS[row](Path(temporary))}, PACKAGES)


if __name__ == "__main__":
    main()
