"""What the metrics are worth and cost. Writes benchmarks/results/metrics.json: all rows, or those that are named.

- `truth`: our figures beside published ones (`metric_truth.py`).
- `random`: the same beside sacrebleu, rouge_score and trec_eval (`metric_random.py`); needs pytrec_eval-terrier.
- `grounded`: how often the rule behind `grounded` is right, on sentences of SQuAD and XQuAD.
- `resampling`: CPU seconds of 1,000 resamples of ten metrics, five systems, 5,000 answers, four compared with one.
- `rouge`: seconds of ROUGE for 10,000 pairs of texts beside one process of rouge_score, and whether the values agree.
- `identical`: whether scores and report of the same stored answers are the same bytes twice.

Times are of processes of their own with one thread; data from ../shared/data.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import record
from metric_random import random_rankings, random_texts
from metric_truth import DATA, published, read

from data.jsonl import write_jsonl
from data.store import ANSWERS, Run
from doceo.core.config import EvaluateConfig
from doceo.core.progress import Silent
from doceo.core.records import Answer, Answered, Question, Usage
from doceo.text.sentences import sentence_spans
from doceo.text.support import Statement, backed
from evaluation.case import Case
from evaluation.metrics import load, load_all
from evaluation.significance import Sample, estimates

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("sacrebleu", "rouge-score", "rapidfuzz", "numpy", "scipy")
NEEDED = {"random": ("pytrec-eval-terrier",)}
REPETITIONS = 3
TEN = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "em", "f1", "decided", "auroc", "seconds")
SYSTEMS, ANSWERED, RESAMPLES = 5, 5000, 1000
ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")
SQUAD = {"en": "squad/squad-v1.1-dev.first24.json.gz", "de": "squad/xquad.de.json.gz", "zh": "squad/xquad.zh.json.gz"}


def texts(n: int, seed: int) -> list[tuple[str, str]]:
    """Return n pairs (reference, answer): answers of people, and the same with words left out and runs moved."""
    chance = random.Random(seed)
    with gzip.open(DATA / "sft" / "dolly15k_part.jsonl.gz", "rt", encoding="utf-8") as file:
        written = [json.loads(line)["response"].encode("ascii", "ignore").decode() for line in file]
    written = [" ".join(text.split()) for text in written if len(text.split()) > 2]
    pairs = []
    for at in range(n):
        words = written[at % len(written)].split()
        cut = chance.randrange(len(words))
        kept = [word for word in words[cut:] + words[:cut] if chance.random() > 0.3]
        pairs.append((_by_line(" ".join(words)), _by_line(" ".join(kept))))
    return pairs


def _by_line(text: str) -> str:
    return "".join(f"{text[start:end]}\n" for start, end in sentence_spans(text))


def grounded() -> dict[str, dict[str, Any]]:
    """Return, by language, how many sentences of each kind are found supported: shares of 0 to 100, and n."""
    result = {}
    for language, name in SQUAD.items():
        kinds: dict[str, list[bool]] = {}
        for kind, said, quoted, known in _sentences(read(name)["data"], random.Random(0)):
            kinds.setdefault(kind, []).append(backed(Statement.of(said), quoted, known))
        result[language] = {k: {"supported": 100 * float(np.mean(v)), "n": len(v)} for k, v in sorted(kinds.items())}
    return result


def _sentences(articles: Sequence[Any], chance: random.Random) -> Iterator[tuple[str, str, str, str]]:
    """Yield (kind, sentence, text that is to support it, question)."""
    for paragraph in (paragraph for article in articles for paragraph in article["paragraphs"]):
        text = paragraph["context"]
        cut = [(start, end, text[start:end]) for start, end in sentence_spans(text)]
        for asked in paragraph["qas"]:
            answer, question = asked["answers"][0], asked["question"]
            home = [said for start, end, said in cut if start <= answer["answer_start"] < end]
            if not home:
                continue
            plain = re.sub(r"^(what|who|when|where|which|how many|how|why)\b", "", question.rstrip("?？"), flags=re.I)
            said = f"{plain.strip()} {answer['text']}"
            yield "its sentence", said, home[0], question
            if others := [other for _, _, other in cut if other != home[0] and answer["text"] not in other]:
                yield "another sentence", said, chance.choice(others), question
            if numbers := re.findall(r"\d+", home[0]):
                number = chance.choice(numbers)
                yield "another number", home[0].replace(number, f"{int(number) + 1}", 1), home[0], ""
            if names := re.findall(r"(?<=\s)[A-Z][a-z]{3,}\b", home[0]):
                yield "another name", home[0].replace(chance.choice(names), "Orsund"), home[0], ""


def resampling() -> dict[str, float]:
    """Return CPU and wall seconds of one working of intervals and paired differences, in this process."""
    metrics, chance = load_all(TEN), np.random.default_rng(0)
    samples = []
    systems = [[_case(pair, chance) for pair in texts(ANSWERED, seed)] for seed in range(SYSTEMS)]
    for metric in metrics:
        rows = [np.stack([row for row in metric.statistics(cases) if row is not None]) for cases in systems]
        samples += [Sample(metric, one) for one in rows] + [Sample(metric, one, rows[0]) for one in rows[1:]]
    cpu, wall = time.process_time(), time.perf_counter()
    estimates(samples, resamples=RESAMPLES, seed=0)
    return {"cpu_s": round(time.process_time() - cpu, 3), "wall_s": round(time.perf_counter() - wall, 3)}


def _case(pair: tuple[str, str], chance: np.random.Generator) -> Case:
    question = Question(pair_id="p", set="taught", question="?", references=(pair[0],))
    usage = Usage(seconds=float(chance.lognormal()))
    return Case(question, Answer(text=pair[1], chance=float(chance.random()), usage=usage))


def rouge(way: str, names: Sequence[str], values: Path) -> dict[str, float]:
    """Return CPU and wall seconds of ROUGE for 10,000 pairs in this process; its values go to a file."""
    pairs = texts(10_000, 0)
    cpu, wall = time.process_time(), time.perf_counter()
    if way == "rouge_score":
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer(list(names))
        scores = [scorer.score(wanted, said) for wanted, said in pairs]
        found = [[100 * score[name].fmeasure for score in scores] for name in names]
    else:
        cases = [Case.of_texts(said, [wanted]) for wanted, said in pairs]
        found = [[float(row[0]) for row in load(n).statistics(cases) if row is not None] for n in names]
    taken = {"cpu_s": round(time.process_time() - cpu, 3), "wall_s": round(time.perf_counter() - wall, 3)}
    np.save(values, np.array(found))
    return taken


def measured_rouge() -> dict[str, Any]:
    """Return the seconds of both ways with their ratio, for the default types and all."""
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for names in (ROUGE[:3], ROUGE):
            runs: dict[str, list[Any]] = {"rouge_score": [], "ours": []}
            for _ in range(REPETITIONS):
                for way, taken in runs.items():
                    taken.append(child("rouge", way, ",".join(names), f"{folder}/{way}.npy"))
            theirs, ours = (np.load(f"{folder}/{way}.npy") for way in runs)
            wall = {way: float(np.median([run["wall_s"] for run in taken])) for way, taken in runs.items()}
            result["+".join(names)] = runs | {
                "times_as_fast": round(wall["rouge_score"] / wall["ours"], 2),
                "largest_difference": float(np.abs(theirs - ours).max()),
            }
    return result


def identical(folder: Path) -> dict[str, str]:
    """Write scores and report of stored answers in a folder, and return the hash of every file but manifests.

    The times of the stages, which the report shows, are left out of it.
    """
    from doceo.app.stages.report import make_report
    from doceo.app.stages.scores import make_scores
    from doceo.core.fingerprint import sha256

    run = Run(folder)
    with run.stage(ANSWERS, config=[EvaluateConfig()]).making() as work:
        for seed, system in enumerate(("base", "tuned", "quote+rag")):
            chance = np.random.default_rng(seed)
            cases = [_case(pair, chance) for pair in texts(300, seed)]
            lines = [
                Answered(pair_id=f"p{n}", set="taught", question="?", references=c.question.references, answer=c.answer)
                for n, c in enumerate(cases)
            ]
            write_jsonl(work / f"{system}.jsonl", lines)
    make_scores(run, EvaluateConfig(), Silent())
    make_report(run)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    content = {path: re.sub(rb'<details class="stage">.*', b"", path.read_bytes()) for path in files}
    return {path.relative_to(folder).as_posix(): sha256(content[path]) for path in files}


def measured_identical() -> dict[str, Any]:
    """Return which files were made twice, in processes with other hash seeds, and which of them differ."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = (child("identical", f"{folder}/{n}/run", hash_seed=str(n)) for n in (1, 2))
    return {"files": len(first), "differing": sorted(name for name in first if first[name] != second.get(name))}


def child(*arguments: str, hash_seed: str = "0") -> Any:  # noqa: ANN401 - JSON
    """Run this file in a process of its own with one thread, and return what it says."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, __file__, "one", *arguments]
    environment = {**os.environ, **threads, "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed}
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout)


def measured_resampling() -> dict[str, Any]:
    """Return the seconds of every repetition."""
    size = {"resamples": RESAMPLES, "metrics": list(TEN), "systems": SYSTEMS, "answers": ANSWERED}
    return size | {"runs": [child("resampling") for _ in range(REPETITIONS)]}


ROWS: dict[str, Callable[[], object]] = {
    "truth": published,
    "random": lambda: [*random_texts(0, 300), *random_rankings(0, 2000)],
    "grounded": grounded,
    "resampling": measured_resampling,
    "rouge": measured_rouge,
    "identical": measured_identical,
}


def one(what: str, *given: str) -> object:
    """Measure one thing in this process."""
    ways: dict[str, Callable[[], object]] = {"resampling": resampling}
    if what == "rouge":
        ways[what] = partial(rouge, given[0], given[1].split(","), Path(given[2]))
    if what == "identical":
        ways[what] = partial(identical, Path(given[0]))
    return ways[what]()


def main(names: Sequence[str]) -> None:
    """Measure the rows named, or all, and write them."""
    for name in names or ROWS:
        result = ROWS[name]()
        record.save("metrics", {name: result}, (*PACKAGES, *NEEDED.get(name, ())))
        print(name, json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(one(*sys.argv[2:])))
    else:
        main(sys.argv[1:])
