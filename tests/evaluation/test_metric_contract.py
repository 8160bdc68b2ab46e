"""What every metric keeps to, and metrics of one's own: the kit, files, entry points, and the tutorial of the docs."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from data.store import ANSWERS, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from doceo.app.stages.scores import make_scores
from doceo.core.config import EvaluateConfig
from doceo.core.errors import InputError, UsageError
from doceo.core.progress import Silent
from evaluation.case import Case
from evaluation.metric import Better, Mean, PerCase, Rows, mean_row
from evaluation.metrics import METRICS, load, load_all
from evaluation.metrics.contract import check

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(?:# (\S+\.py)\n)?(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", [*METRICS, "hit@3", "ndcg@10", "risk@90"])
def test_every_metric_keeps_the_contract(name: str) -> None:
    check(load(name))


class Holds(Mean, PerCase):
    """Whether an answer holds its first reference."""

    name = label = "holds"
    signature = "holds|v:1"

    def of(self, case: Case) -> Rows | None:
        return mean_row(100.0 * (case.references[0] in case.text)) if case.references else None


class Unnamed(Holds):
    name = "two words"


class Unsigned(Holds):
    signature = "holds v1"


class Ungrouped(Holds):
    group = "other"  # type: ignore[assignment]


class Reversed(Holds):
    better: Better = "lower"


class Nan(Holds):
    def of(self, case: Case) -> Rows | None:
        return mean_row(float("nan"))


class Ragged(Holds):
    def of(self, case: Case) -> Rows | None:
        return np.ones(2 + len(case.references))


class Nothing(Holds):
    def of(self, case: Case) -> Rows | None:
        return None


class Forgetful(Holds):
    def statistics(self, cases: Sequence[Case]) -> list[Rows | None]:
        return super().statistics(cases)[1:]


class Fickle(Holds):
    def __init__(self) -> None:
        self._count = itertools.count()

    def of(self, case: Case) -> Rows | None:
        return mean_row(float(next(self._count)))


class Placed(Holds):
    def statistics(self, cases: Sequence[Case]) -> list[Rows | None]:
        return [mean_row(float(at)) for at in range(len(cases))]


class Crowded(Holds):
    def statistics(self, cases: Sequence[Case]) -> list[Rows | None]:
        return [mean_row(float(len(cases))) for _ in cases]


class Flat(Holds):
    def corpus(self, sums: Rows) -> Rows:
        return super().corpus(sums)[:1]


class Empty(Holds):
    def corpus(self, sums: Rows) -> Rows:
        return np.full(len(sums), np.nan)


class Odd(Holds):
    def item(self, row: Rows) -> float:
        return 2 * float(row[0]) + 1


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Unnamed, "needs a name"),
        (Unsigned, "a signature without blanks"),
        (Ungrouped, "needs a group of 'answer'"),
        (Reversed, "gives 100 to right answers and 14.29 to wrong ones"),
        (Nan, "not finite"),
        (Ragged, "returns statistics of shapes"),
        (Nothing, "is undefined for every answer"),
        (Forgetful, "statistics for"),
        (Fickle, "the second time"),
        (Placed, "come in another order"),
        (Crowded, "when other answers stand beside it"),
        (Flat, r"has to be \(3,\)"),
        (Empty, "has no corpus value"),
        (Odd, "another value than the corpus value"),
    ],
)
def test_what_breaks_the_contract_is_named(broken: Callable[[], Holds], said: str) -> None:
    check(Holds())
    with pytest.raises(InputError, match=said):
        check(broken())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty working folder; modules that are loaded from there are forgotten afterwards."""
    known = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


OWN = """
from __future__ import annotations
from dataclasses import dataclass
from evaluation.metric import Mean, PerCase, mean_row

@dataclass
class Brief(Mean, PerCase):
    name: str = "brief"
    label: str = "brief"
    signature: str = "brief|words<=20|scale:100|v:1"
    better: str = ""

    def of(self, case):
        return mean_row(100.0 * (len(case.text.split()) <= 20))
"""


def test_a_file_is_a_metric(folder: Path) -> None:
    Path("own.py").write_text(OWN, encoding="utf-8")
    metric = load("own.py:Brief")
    check(metric)
    assert metric.name == "brief"
    assert load(f"{folder / 'own.py'}:Brief").signature == metric.signature
    with pytest.raises(UsageError, match="Two metrics are called 'brief'"):
        load_all(["own.py:Brief", f"{folder / 'own.py'}:Brief"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.py:Brief", "cannot be loaded"),
        ("own.py:Long", "cannot be loaded"),
        ("own.py:mean_row", "cannot be loaded"),
        ("broken.py:Brief", "cannot be loaded"),
        ("no_such_module:Brief", "No module named 'no_such_module'"),
        ("collections:Counter", "is no metric: it has no name, label"),
    ],
)
def test_what_is_no_metric_is_said(folder: Path, name: str, said: str) -> None:
    Path("own.py").write_text(OWN, encoding="utf-8")
    Path("broken.py").write_text("class (", encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        load(name)


def test_an_entry_point_adds_a_metric(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = folder / "doceo_brief-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: doceo-brief\nVersion: 1.0\n", encoding="utf-8")
    (installed / "entry_points.txt").write_text(
        "[doceo.metrics]\nbrief = doceo_brief:Brief\nlost = doceo_brief:Lost\n", encoding="utf-8"
    )
    (folder / "doceo_brief.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    assert load("brief").signature == "brief|words<=20|scale:100|v:1"
    with pytest.raises(UsageError, match="metric lost cannot be loaded"):
        load("lost")
    with pytest.raises(UsageError) as caught:
        load("breif")
    assert "Did you mean brief?" in caught.value.hint


def test_the_tutorial_works_as_it_stands(folder: Path, build: Callable[..., Run]) -> None:
    for file, code in BLOCK.findall(PAGE):
        if file:
            Path(file).write_text(code, encoding="utf-8")
        else:
            exec(compile(code, "docs/metrics.md", "exec"), {})
    (named,) = re.findall(r"--metrics f1,(\S+\.py:\S+)$", PAGE, re.MULTILINE)
    run = build((DOCUMENTS, CHUNKS, PAIRS, DATASET, ANSWERS))
    config = EvaluateConfig(metrics=("f1", named), resamples=100)
    scores = make_scores(run, config, Silent())
    assert {score.metric for score in scores} == {"f1", "numbers_kept"}
    before = (run.path / SCORES / "manifest.json").read_bytes()
    assert make_scores(run, config, Silent()) == scores
    assert (run.path / SCORES / "manifest.json").read_bytes() == before
    source = Path(named.partition(":")[0])
    source.write_text(source.read_text(encoding="utf-8").replace("|v:1", "|v:2"), encoding="utf-8")
    changed = make_scores(run, config, Silent())
    assert any("|v:2" in score.signature for score in changed), "an edited metric was not measured again"


def test_every_metric_stands_on_the_page() -> None:
    lacking = [name for name in METRICS if f"`{name}`" not in PAGE]
    assert lacking == []
