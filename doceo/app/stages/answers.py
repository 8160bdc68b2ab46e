"""Stage 6: held-out questions to the answers of every system.

A system is asked again only where something that its answers depend on has changed: adding one leaves the others, and
what another metric needs is read from the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from data import manifest as manifests
from data.answers import answer_files, file_of, read_facts, write_facts
from data.held_out import FILES
from data.jsonl import read_jsonl, write_jsonl, write_text
from data.store import ADAPTER, ANSWERS, DATASET, Run, Stage
from doceo.app.answering import answer_all, answered
from doceo.app.footprint import facts_of
from doceo.app.own_prompt import OwnPrompt, read_prompts
from doceo.app.settings import Settings
from doceo.app.stages.dataset import load_held_out
from doceo.app.system_identity import Identities
from doceo.app.system_names import RECORDED, parse, with_prompts
from doceo.app.systems import Systems
from doceo.core.errors import DoceoError, RunError
from doceo.core.fingerprint import canonical, sha256
from doceo.core.protocols import Progress
from doceo.core.records import Answer, Answered, Question, SystemFacts

PACKAGES = ("doceo", "torch", "transformers", "peft", "chromadb", "tantivy", "onnxruntime", "openai")
PROMPTS = "prompts"
"""Folder of the stage with the prompts that systems were asked with."""
_SYSTEM, _ASKED = "system ", "questions"
"""Before a system's name, and the questions' place, among the manifest's prompts."""


def answering_stage(
    run: Run,
    stage: str,
    systems: Mapping[str, str],
    identities: Identities,
    config: Sequence[BaseModel],
    given: Mapping[str, str] | None = None,
) -> Stage:
    """Return a stage that is made by asking systems the held-out questions.

    Args:
        run: The run.
        stage: The stage's folder.
        systems: The systems, each with its hash.
        identities: Where the hashes are from.
        config: What the answers depend on, of the settings.
        given: What else they depend on, name to hash.

    Raises StageMissing where there are no held-out questions.
    """
    named = {name: parse(name, identities.prompts) for name in systems}
    inputs = _questions(run)
    if run.has(ADAPTER):
        inputs += [run.file(ADAPTER, "adapter_config.json"), run.file(ADAPTER, "adapter_model.safetensors")]
    asked = {**_made_from(load_held_out(run), systems), **(given or {})}
    if any(system.documents for system in named.values()):
        asked |= identities.documents
    for system in named.values():
        if system.prompt:
            asked[f"prompt {system.prompt}"] = identities.prompts[system.prompt].hash
    if own := identities.own_prompt:
        asked["system_prompt"] = own
    return run.stage(stage, config=config, inputs=inputs, prompts=asked, packages=PACKAGES)


def answer_held_out(
    run: Run,
    names: Sequence[str],
    settings: Settings,
    progress: Progress,
    prompts: Sequence[Path] = (),
    *,
    base: str = "",
) -> None:
    """Write the answers of systems; what was answered before, and what another process left, is not asked again.

    Args:
        run: The run.
        names: Systems to ask. Answers of others stay while they would be the same.
        settings: How they answer.
        progress: Where it is shown.
        prompts: Files of prompts that each model is asked with too.
        base: The base, where the run has no adapter that names it.

    Raises UsageError, InputError, ProviderError, StorageError, StageMissing.
    """
    given = read_prompts(prompts)
    known = {**_kept_prompts(run), **given}
    identities = Identities(run, settings, known, base)
    before = _Before(run, identities)
    wanted = {name: identities.of(name) for name in with_prompts(names, given, known)}
    before.check(wanted)
    systems = wanted | before.others(wanted, progress)
    stage = answering_stage(run, ANSWERS, systems, identities, [settings.answer, settings.retrieve])
    if stage.finished:
        return
    with stage.making(resumable=True) as work:
        for prompt in {parse(name, known).prompt for name in systems} - {""}:
            write_text(work / PROMPTS / f"{prompt}.md", known[prompt].text)
        _write(run, work, systems, before, Systems(settings, progress, run, run.index, base=base, prompts=known))


def _write(run: Run, work: Path, systems: Mapping[str, str], before: _Before, opened: Systems) -> None:
    """Write the files of systems that a work folder lacks, and what each takes."""
    questions, facts = load_held_out(run), read_facts(work)
    for name, hashed in systems.items():
        file = work / file_of(name)
        kept = work / f".{file.name}.part"
        if not (file.exists() and name in facts):
            if old := before.file(name, hashed):
                write_jsonl(file, _again(read_jsonl(old, Answered), questions))
                found = before.facts.get(name, SystemFacts(file=""))
            else:
                answerer, at_once = opened.open(name), opened.settings.engine.concurrency
                write_jsonl(file, answer_all(answerer, questions, at_once, opened.progress, kept=kept))
                found = facts_of(answerer, opened.index if parse(name, opened.prompts).documents else None)
            facts[name] = found.model_copy(update={"file": file.name})
            write_facts(work, facts)
        kept.unlink(missing_ok=True)


class _Before:
    """The answers that a run has, as far as they are to the questions of now."""

    def __init__(self, run: Run, identities: Identities) -> None:
        folder = run.path / ANSWERS
        made = manifests.read(folder)
        self.facts: dict[str, SystemFacts] = {}
        self._files: dict[str, Path] = {}
        self._hashes: dict[str, str] = {}
        self._identities = identities
        if made is None:
            return
        systems = {key.removeprefix(_SYSTEM): h for key, h in made.prompts.items() if key.startswith(_SYSTEM)}
        same = _made_from(load_held_out(run), {}).items() <= made.prompts.items()
        # What was recorded cannot be made anew.
        anew = ANSWERS in run.redo
        self._hashes = {name: h if same and (not anew or name == RECORDED) else "" for name, h in systems.items()}
        self._files, self.facts = answer_files(folder), read_facts(folder)

    def check(self, wanted: Iterable[str]) -> None:
        """Raise RunError where recorded answers are wanted and there are none."""
        if RECORDED in wanted and not self._hashes.get(RECORDED):
            raise RunError(
                "There are no recorded answers to this run's questions.",
                hint="Make a run of some with: doceo import --traces FILE --out RUN",
            )

    def file(self, name: str, hashed: str) -> Path | None:
        """Return the file of a system's answers where they are what it would answer now."""
        file = self._files.get(name)
        return file if file is not None and file.is_file() and self._hashes.get(name) == hashed else None

    def others(self, wanted: Mapping[str, str], progress: Progress) -> dict[str, str]:
        """Return the systems beside those wanted whose answers stay, each with its hash, and say which do not."""
        stay, gone = {}, []
        for name in self._hashes:
            if name in wanted:
                continue
            if self._hashes[name] and self.file(name, found := self._now(name)):
                stay[name] = found
            else:
                gone.append(name)
        if gone:
            progress.say(
                f"The answers of {', '.join(gone)} are to other questions, or from another model, other documents or "
                "other settings: they are left out. Name a system with --systems to ask it again."
            )
        return stay

    def _now(self, name: str) -> str:
        try:
            return self._identities.of(name)
        except DoceoError:  # its model is gone, or not what it was
            return ""


def has_recorded(run: Run) -> bool:
    """Return whether a run has answers that were recorded, not asked for."""
    made = manifests.read(run.path / ANSWERS)
    return made is not None and f"{_SYSTEM}{RECORDED}" in made.prompts


def put_recorded(run: Run, questions: Sequence[Question], answers: Sequence[Answer]) -> bool:
    """Make answers that were given to a run's questions those of the system `recorded`; return whether they are so.

    Answers of other systems stay where the questions are what they were. Raises StorageError, InputError.
    """
    made, folder = manifests.read(run.path / ANSWERS), run.path / ANSWERS
    asked, file = _made_from(questions, {RECORDED: RECORDED}), folder / file_of(RECORDED)
    before = made.prompts if made is not None and made.prompts.get(_ASKED) == asked[_ASKED] else {}
    there = asked.items() <= before.items() and file.is_file()
    if there and [line.answer for line in read_jsonl(file, Answered)] == list(answers):
        return True
    stage = run.stage(ANSWERS, config=[], inputs=_questions(run), prompts={**before, **asked}, packages=PACKAGES)
    with stage.making() as work:
        write_jsonl(work / file.name, map(answered, questions, answers))
        others = _carry(run, work, questions) if before else {}
        write_facts(work, {**others, RECORDED: SystemFacts(file=file.name)})
    return False


def _carry(run: Run, work: Path, questions: Sequence[Question]) -> dict[str, SystemFacts]:
    """Copy what other systems answered to the same questions, and return what each takes."""
    facts, kept = read_facts(run.path / ANSWERS), {}
    for name, old in answer_files(run.path / ANSWERS).items():
        if name != RECORDED and old.is_file():
            write_jsonl(work / old.name, _again(read_jsonl(old, Answered), questions))
            kept[name] = facts.get(name, SystemFacts(file=old.name))
    for name, prompt in _kept_prompts(run).items():
        write_text(work / PROMPTS / f"{name}.md", prompt.text)
    return kept


def _made_from(questions: Sequence[Question], systems: Mapping[str, str]) -> dict[str, str]:
    asked = [[q.pair_id, q.set, q.question, [turn.model_dump() for turn in q.history]] for q in questions]
    return {**{f"{_SYSTEM}{name}": hashed for name, hashed in systems.items()}, _ASKED: sha256(canonical(asked))[:16]}


def _again(lines: Sequence[Answered], questions: Sequence[Question]) -> Iterable[Answered]:
    """Return answers to the same questions, whose references may be others now."""
    return (answered(question, line.answer) for question, line in zip(questions, lines, strict=True))


def _questions(run: Run) -> list[Path]:
    return [run.file(DATASET, name) for name in FILES]


def _kept_prompts(run: Run) -> dict[str, OwnPrompt]:
    """Return the prompts that a run's systems were asked with before."""
    return read_prompts(sorted((run.path / ANSWERS / PROMPTS).glob("*.md")))
