"""Evaluated runs made of stored answers, without any model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from data.jsonl import write_json, write_jsonl
from data.store import ADAPTER, ANSWERS, DATASET, JUDGED, SCORES, Run
from doceo.app.stages.dataset import held_out_rows
from doceo.core.config import AnswerConfig, EvaluateConfig, FinetuneConfig
from doceo.core.records import Answer, Answered, Question, Score, SetName, Usage
from evaluation.case import Case
from evaluation.judging.records import Compared, Judge, Marked
from evaluation.judging.shown import answer_id


def questions_of(n: int, set_name: SetName = "taught", references: str = "the answer {}") -> list[Question]:
    """Return n questions of one set, of two topics, with one reference each."""
    return [
        Question(
            pair_id=f"p_{at}",
            set=set_name,
            question=f"What is {at}?",
            references=(references.format(at),),
            kind="fact",
            topic="odd" if at % 2 else "even",
        )
        for at in range(n)
    ]


def make_evaluated(
    path: Path,
    questions: Sequence[Question],
    systems: Mapping[str, Sequence[str]],
    *,
    index: str = "",
    seconds: float = 0.5,
    seed: int | None = None,
    signatures: Mapping[str, str] | None = None,
    judge: str = "",
    baseline: str = "",
    prompts: Mapping[str, str] | None = None,
) -> Run:
    """Write a run with answers to questions.

    Args:
        path: Its folder.
        questions: What was asked.
        systems: System -> the text of its answer to each question.
        index: Hash of the index that it searched.
        seconds: Time of an answer.
        seed: Seed of its adapter, where it has one.
        signatures: Metric -> signature of its stored scores, where it has some.
        judge: Model that gave full marks to every right answer, where one did.
        baseline: System whose answers the judge found worse than every other, where it compared some.
        prompts: What else the answers were made from.
    """
    run = Run(path)
    with run.stage(DATASET, config=[]).making() as work:
        for name in ("taught", "unseen"):
            write_jsonl(work / f"{name}.jsonl", held_out_rows(q for q in questions if q.set.startswith(name)))
    if seed is not None:
        config = FinetuneConfig(seed=seed)
        with run.stage(ADAPTER, config=[config], inputs={"base/model": "b"}, seed=seed).making() as work:
            write_json(work / "finetuning.json", {})
    given = {**({"index": index} if index else {}), **(prompts or {})}
    with run.stage(ANSWERS, config=[AnswerConfig()], prompts=given).making() as work:
        for system, texts in systems.items():
            lines = zip(questions, texts, strict=True)
            write_jsonl(work / f"{system}.jsonl", [_answered(question, text, seconds) for question, text in lines])
    if signatures:
        with run.stage(SCORES, config=[EvaluateConfig()]).making() as work:
            write_json(work / "scores.json", [_score(*made).model_dump() for made in signatures.items()])
    if judge:
        _judge(run, questions, systems, judge, baseline)
    return run


def _judge(
    run: Run, questions: Sequence[Question], systems: Mapping[str, Sequence[str]], model: str, baseline: str
) -> None:
    prompts = {"judge_answer": "p", "judge_two_answers": "t"}
    about = Judge(
        model=model, points=("correct",), rubric="r", prompts=prompts, repeats=1,
        comparisons=1 if baseline else 0, baseline=baseline,
    )  # fmt: skip
    marks: dict[str, Marked] = {}
    compared: list[Compared] = []
    bases = systems.get(baseline, [""] * len(questions))
    for system, texts in systems.items():
        for question, text, base in zip(questions, texts, bases, strict=True):
            key = answer_id(Case(question, Answer(text=text)))
            given = {"correct": 2 if text in question.references else 0}
            about_it = {"set": question.set, "pair_id": question.pair_id, "systems": (system,)}
            marks[key] = Marked(asked="", answer=key, repeat=0, marks=given, **about_it)
            if baseline and system != baseline:
                than = answer_id(Case(question, Answer(text=base)))
                for first in (True, False):
                    compared.append(
                        Compared(
                            asked="r", answer=key, base=than, round=0, base_first=first, better="answer", **about_it
                        )
                    )
    with run.stage(JUDGED, config=[]).making() as work:
        write_json(work / "judge.json", about.model_dump())
        write_jsonl(work / "marks.jsonl", marks.values())
        write_jsonl(work / "comparisons.jsonl", compared)


def _answered(question: Question, text: str, seconds: float) -> Answered:
    answer = Answer(text=text, usage=Usage(seconds=seconds, prompt_tokens=10, cost=0.0))
    return Answered(
        pair_id=question.pair_id,
        set=question.set,
        question=question.question,
        references=question.references,
        answer=answer,
    )


def _score(metric: str, signature: str) -> Score:
    return Score(
        system="base", set="taught", metric=metric, value=1.0, n=1, signature=f"{signature}|bs:2000|ci:95|seed:0"
    )
