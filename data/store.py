"""The run folder: its stages, its lock, and how a stage becomes finished.

A stage is made in a work folder beside its place (`.3-pairs.work`) and swapped in when it is complete, manifest
last. A process that dies leaves the old stage as it was; a stage that can continue finds its work folder again.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from data import manifest as manifests
from data.jsonl import storage_error, write_text
from data.lock import writing
from data.manifest import Manifest, hash_inputs, installed
from doceo.core import lease
from doceo.core.errors import StageMissing
from doceo.core.fingerprint import config_hash, same_configs, written_configs

DOCUMENTS, CHUNKS, PAIRS, DATASET, ADAPTER, ANSWERS, SCORES = STAGES = (
    "1-documents",
    "2-chunks",
    "3-pairs",
    "4-dataset",
    "5-adapter",
    "6-answers",
    "7-scores",
)
INDEX = "index"
JUDGED = "6-judged"
"""What a judge model said of the answers; most runs have none."""
EXAM = "0-exam"
"""The questions of all rounds of a loop."""
_RECIPE = ".recipe"
"""What a work folder is being made from."""
_MAKERS = {
    DOCUMENTS: "doceo ingest SRC --out {run}",
    CHUNKS: "doceo ingest SRC --out {run}",
    PAIRS: "doceo generate --out {run}",
    DATASET: "doceo generate --out {run}",
    ADAPTER: "doceo finetune {run} --base MODEL",
    ANSWERS: "doceo evaluate {run}",
    SCORES: "doceo evaluate {run}",
    INDEX: "doceo run SRC --out {run}",
    JUDGED: "doceo evaluate {run} --judge MODEL",
    EXAM: "doceo loop SRC --out {run}",
}


@dataclass(frozen=True)
class Stage:
    """One stage of a run and what it would be made from now; `redo` makes it anew in any case."""

    folder: Path
    config: tuple[BaseModel, ...]
    inputs: dict[str, str]
    prompts: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    seed: int = 0
    redo: bool = False

    @property
    def finished(self) -> bool:
        """True where the stage on disk was made from this config, these inputs and these prompts."""
        made = None if self.redo else manifests.read(self.folder)
        return made is not None and self._made_of(made.config, made.inputs, made.prompts)

    @property
    def work(self) -> Path:
        """The folder in which it is made."""
        return self.folder.with_name(f".{self.folder.name}.work")

    @property
    def begun(self) -> dict[str, Any] | None:
        """What the work folder is being made from, `config` by class, `inputs` and `prompts`; None where there is none.

        It is empty where an older program wrote it down in another way.
        """
        try:
            found = json.loads((self.work / _RECIPE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def left_by_another(self) -> bool:
        """True where the work folder holds what was being made from another config or other inputs."""
        begun = self.begun
        return begun is not None and not self._made_of(*(begun.get(of, {}) for of in ("config", "inputs", "prompts")))

    def _made_of(self, config: Mapping[str, Any], inputs: dict[str, str], prompts: dict[str, str]) -> bool:
        return (inputs, prompts) == (self.inputs, self.prompts) and same_configs(config, self.config)

    @contextmanager
    def making(self, *, resumable: bool = False) -> Iterator[Path]:
        """Open a work folder; when the block ends without an error it becomes the stage, manifest last.

        With `resumable`, a work folder left by a process that died is opened again if it was made from the same
        config and inputs. Raises StorageError.
        """
        work = self.work
        recipe = work / _RECIPE
        if not resumable or self.redo or self.begun is None or self.left_by_another:
            shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir(parents=True, exist_ok=True)
            for half in work.rglob(".*.tmp"):
                if half.is_file():
                    half.unlink()  # a process died while it wrote a file (`whole_file`)
        except OSError as error:
            raise storage_error(error, work) from error
        config = written_configs(self.config)
        write_text(recipe, json.dumps({"config": config, "inputs": self.inputs, "prompts": self.prompts}))
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield work
        except BaseException:
            if not resumable:
                shutil.rmtree(work, ignore_errors=True)
            raise
        manifests.write(
            work,
            Manifest(
                stage=self.folder.name,
                config=config,
                config_hash=config_hash(self.config),
                inputs=self.inputs,
                prompts=self.prompts,
                packages=dict(installed(self.packages)),
                seed=self.seed,
                wall_s=round(time.perf_counter() - wall, 3),
                cpu_s=round(time.process_time() - cpu, 3),
            ),
        )
        # Only now: a process that dies before goes on from what is finished.
        recipe.unlink()
        swap(work, self.folder)


def swap(new: Path, place: Path) -> None:
    """Put a complete folder at its place; what stood there goes. Raises StorageError."""
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    lease.check()
    try:
        if place.exists():
            place.replace(old)
        new.replace(place)
    except OSError as error:
        raise storage_error(error, place) from error
    shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class Run:
    """A run folder. Stages named in `redo` are made anew; what stands there stays until they are complete.

    `keeper` is the run in whose journal replies are kept, where that is another one, as with the rounds of a loop.
    """

    path: Path
    redo: frozenset[str] = frozenset()
    keeper: Run | None = None

    @property
    def name(self) -> str:
        """The run's name: the last part of its path."""
        return self.path.resolve().name

    @property
    def journal(self) -> Path:
        """The file that keeps every reply of every remote model."""
        return self.keeper.journal if self.keeper else self.path / "journal.sqlite"

    @property
    def index(self) -> Path:
        """The folder of the run's own index."""
        return self.path / INDEX

    def file(self, stage: str, name: str) -> Path:
        """Return the path of a file of a finished stage. Raises StageMissing with the command that makes it."""
        if manifests.read(self.path / stage) is None:
            raise StageMissing(f"The run {self.path} has no {stage} yet.", hint=self._made_by(stage))
        return self.path / stage / name

    def _made_by(self, stage: str) -> str:
        if stage != EXAM and manifests.read(self.path / EXAM) is not None:
            rounds = sorted(self.path.glob("rounds/gap-*/[0-9]*"))
            example = f", such as {rounds[-1]}" if rounds else ""
            return f"This is a loop; its rounds are runs{example}."
        return f"Make it with: {_MAKERS[stage].format(run=self.path)}"

    def has(self, stage: str) -> bool:
        """True where a stage is finished, whatever it was made from."""
        return manifests.read(self.path / stage) is not None

    def stage(
        self,
        name: str,
        *,
        config: Sequence[BaseModel],
        inputs: Sequence[Path] | dict[str, str] = (),
        prompts: dict[str, str] | None = None,
        packages: Sequence[str] = (),
        seed: int = 0,
    ) -> Stage:
        """Return a stage with what it is to be made from.

        Args:
            name: Its folder.
            config: The config models that its content depends on.
            inputs: Files or folders, hashed now, or {name: sha256} of what stands outside the run.
            prompts: Name and hash of the prompts used.
            packages: Packages whose versions the manifest records.
            seed: Recorded in the manifest.
        """
        folder = self.path / name
        if not folder.exists() and (old := folder.with_name(f".{name}.old")).exists():
            old.replace(folder)  # a process died between the two renames of `swap`
        return Stage(
            folder=folder,
            config=tuple(config),
            inputs=inputs if isinstance(inputs, dict) else hash_inputs(inputs, self.path),
            prompts=prompts or {},
            packages=tuple(packages),
            seed=seed,
            redo=name in self.redo,
        )

    def locked(self) -> AbstractContextManager[None]:
        """Hold the run for writing; the lock goes with the process. Raises RunLocked naming the holder."""
        return writing(self.path, "run", instead="choose another --out")
