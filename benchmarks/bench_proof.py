"""The closed loop against known truth: is budget that goes where the model is weak worth more than an even one?

Run: python benchmarks/bench_proof.py [--seeds N] [--budget N] [--rounds K] [--processes N] [--out DIR] [--publish]

For every seed a town is invented (benchmarks/town), a small Llama is pretrained on seven of its ten districts, and the
closed loop (`doceo loop`) runs over the documents of all ten with real LoRA: once with its budget spent by the gaps it
finds, once evenly. A seed that is finished is not done again. `--publish` writes benchmarks/results/proof.json,
docs/images/proof.svg and the figures of docs/proof.md; without it the same picture lies in DIR.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from record import ROOT, save

sys.path.insert(0, str(ROOT))
# A process for every core with one thread each: threads of several processes wait for one another.
os.environ["OMP_NUM_THREADS"] = "1"
from benchmarks.town.arms import Plan, Result, recipe_of, run_town
from benchmarks.town.figures import figures
from benchmarks.town.people import make_town
from benchmarks.town.plot import draw
from benchmarks.town.table import line, summary, write_page
from data.jsonl import read_json, write_json

PACKAGES = ("torch", "transformers", "peft", "trl")
DONE = "result.json"


def one(seed: int, plan: Plan, out: Path) -> Result:
    """Return the result of a seed, made now or earlier."""
    town, folder = make_town(seed), out / str(seed)
    done = folder / plan.name / DONE
    if done.exists():
        result = Result.model_validate(read_json(done))
        if result.recipe == recipe_of(town, plan):
            return result
    result = run_town(town, folder, plan)
    write_json(done, result.model_dump(mode="json"))
    return result


def all_of(seeds: range, plan: Plan, out: Path, processes: int) -> Iterator[Result]:
    """Yield the results of seeds as they come."""
    # Each seed has a process of its own, which gives its memory back.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for made in as_completed([pool.submit(one, seed, plan, out) for seed in seeds]):
            yield made.result()


def main() -> None:
    """Run the seeds, print what they show, and draw it."""
    told = _arguments()
    plan, results = Plan(told.rounds, told.budget), []
    print(f"{told.seeds} towns, {told.processes} at once, some 3 to 6 minutes each.", flush=True)
    for result in all_of(range(told.seeds), plan, told.out, told.processes):
        results.append(result)
        print(line(result), flush=True)
    results.sort(key=lambda result: result.seed)
    found = figures(results)
    print(summary(found, plan))
    picture = ROOT / "docs" / "images" / "proof.svg" if told.publish else told.out / "proof.svg"
    draw(found, plan, results, picture)
    print(f"Drawn in {picture}.")
    if told.publish:
        rows = {
            "figures": found.model_dump(mode="json"),
            "towns": [result.model_dump(mode="json") for result in results],
            "plan": plan._asdict(),
            "core_minutes": round(sum(result.pretraining_s + result.loop_s for result in results) / 60, 1),
        }
        # The command that is noted makes the same anywhere: where the work lay is nobody's concern.
        sys.argv[1:] = [f"--seeds {told.seeds}", f"--rounds {plan.rounds}", f"--budget {plan.budget}", "--publish"]
        save("proof", {"loop": rows}, PACKAGES)
        write_page(ROOT / "docs" / "proof.md", found, plan)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The closed loop against known truth.")
    parser.add_argument("--seeds", type=int, default=3, help="towns")
    parser.add_argument("--rounds", type=int, default=Plan().rounds)
    parser.add_argument("--budget", type=int, default=Plan().budget, help="training pairs over all rounds")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="towns at once")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "proof", help="folder of the work")
    parser.add_argument("--publish", action="store_true", help="keep figures and picture in the repository")
    return parser.parse_args()


if __name__ == "__main__":
    main()
