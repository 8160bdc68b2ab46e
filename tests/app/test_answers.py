"""Held-out questions asked of any number of systems: what is asked again, with which prompt, and what each takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from data.answers import answer_files, read_facts
from data.growing import grow
from data.jsonl import read_jsonl
from data.manifest import read as read_manifest
from data.store import ADAPTER, ANSWERS, Run
from doceo.app import answering
from doceo.app.answering import answer_all
from doceo.app.loop.rounds import Place, Steps
from doceo.app.own_prompt import read_prompt, read_prompts
from doceo.app.pipeline import default_systems, evaluate_run
from doceo.app.settings import load_settings
from doceo.app.stages.answers import answer_held_out, put_recorded
from doceo.app.stages.dataset import load_held_out
from doceo.app.stages.scores import make_scores
from doceo.app.system_names import SystemName, parse, with_prompts
from doceo.app.systems import Systems
from doceo.core.errors import InputError, RequestRejected, RunError, UsageError
from doceo.core.progress import Silent
from doceo.core.records import Answer, Answered, ChatReply, ChatRequest, Question, Usage
from doceo.providers.model_folder import base_of
from doceo.text.passages import SYSTEM
from rag.answerer import ModelAnswerer
from rag.calibration import FILE as CALIBRATION

FORMAL = "---\npurpose: p\nvariables: rules\n---\n[system]\nYou are a clerk. {{ rules }}\n"
QUESTIONS = [Question(pair_id=f"p{n}", set="taught", question=f"Number {n}?", references=("x",)) for n in range(7)]


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Run:
    return Run(shutil.copytree(tiny_run, tmp_path / "tiny"))


def ask(run: Run, *systems: str, prompts: Sequence[Path] = (), **settings: object) -> dict[str, list[Answered]]:
    answer_held_out(run, systems, load_settings(settings), Silent(), prompts)
    return {name: read_jsonl(file, Answered) for name, file in answer_files(run.path / ANSWERS).items()}


def test_a_system_more_and_a_metric_more_ask_nobody_again(run: Run) -> None:
    before = ask(run)
    assert len(before) == 5
    adapter = f"adapter:{run.path / ADAPTER}"
    after = ask(run, adapter)
    assert {name: after[name] for name in before} == before, "seconds and all"
    assert [line.answer.text for line in after[adapter]] == [line.answer.text for line in after["tuned"]]
    made = (run.path / ANSWERS / "manifest.json").stat().st_mtime_ns
    assert ask(run, "base", adapter) == after
    make_scores(run, load_settings({"evaluate": {"metrics": ("em", "f1"), "resamples": 100}}).evaluate, Silent())
    assert (run.path / ANSWERS / "manifest.json").stat().st_mtime_ns == made


def test_only_what_depends_on_a_change_is_asked_again(run: Run) -> None:
    before = ask(run)
    after = ask(run, "base", "quote+rag", retrieve={"k": 2})
    assert after["base"] == before["base"]
    assert {len(line.answer.hits) for line in after["quote+rag"]} == {2}
    assert set(after) == {"base", "tuned", "quote+rag"}, "what was searched otherwise is left out, not mixed in"
    weights = run.path / ADAPTER / "adapter_config.json"
    weights.write_text(json.dumps({**json.loads(weights.read_text()), "lora_alpha": 1}))
    assert set(ask(run, "quote+rag", retrieve={"k": 2})) == {"base", "quote+rag"}


def test_answers_to_other_questions_are_not_kept_but_other_references_are_taken(run: Run) -> None:
    before = ask(run)["quote+rag"]
    file = run.path / "4-dataset" / "taught.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[0]["metadata"]["references"] = ["another"]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    after = ask(run, "quote+rag")["quote+rag"]
    assert after[0].references == ("another",)
    assert [line.answer for line in after] == [line.answer for line in before]
    rows[0]["messages"][-2]["content"] = "When was the Bryne ferry opened?"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    again = ask(run, "quote+rag")
    assert set(again) == {"quote+rag"}
    assert "1902" in again["quote+rag"][0].answer.text


def test_a_loop_asks_its_base_before_there_is_an_adapter_as_any_system(run: Run) -> None:
    before = ask(run)["base"]
    base, asked = base_of(run.path / ADAPTER), ["base", "quote+rag"]
    for folder in (ADAPTER, ANSWERS):
        shutil.rmtree(run.path / folder)
    Steps().answer(run, base, asked, load_settings({}), Silent())
    file = run.path / ANSWERS / "base.jsonl"
    assert [line.answer.text for line in read_jsonl(file, Answered)] == [line.answer.text for line in before]
    assert read_facts(run.path / ANSWERS)["base"].parameters
    made = file.read_bytes(), (run.path / ANSWERS / "manifest.json").stat().st_mtime_ns
    Steps().answer(run, base, asked, load_settings({}), Silent())
    assert (file.read_bytes(), (run.path / ANSWERS / "manifest.json").stat().st_mtime_ns) == made
    (run.index / CALIBRATION).write_text('{"another": 1}')
    Steps().answer(run, base, ["base"], load_settings({}), Silent())
    assert list(answer_files(run.path / ANSWERS)) == ["base"], "what depends on the index is not kept"
    assert file.read_bytes() == made[0], "seconds and all"


def test_rounds_of_a_loop_keep_their_replies_together(tmp_path: Path) -> None:
    loop = Run(tmp_path)
    rounds = [Place("gap", seed).run(loop, number) for seed in (0, 1) for number in (1, 2)]
    assert {one.journal for one in rounds} == {loop.journal}
    assert len({Systems(load_settings({}), Silent(), one)._secret() for one in rounds}) == 1, "marks are in requests"


def test_each_prompt_is_one_more_way_to_ask_a_model(run: Run, tmp_path: Path) -> None:
    prompt = tmp_path / "formal.md"
    prompt.write_text(FORMAL)
    made = ask(run, "tuned", "quote+rag", prompts=[prompt])
    assert {"tuned", "tuned@formal", "quote+rag"} <= set(made)
    assert not any(name.startswith("quote+rag@") for name in made)
    assert [line.answer for line in made["tuned@formal"]] != [line.answer for line in made["tuned"]]
    assert (run.path / ANSWERS / "prompts" / "formal.md").read_text() == FORMAL
    assert ask(run, "base", "tuned@formal") == made, "its prompt lies in the run"
    prompt.write_text(FORMAL.replace("clerk", "poet"))
    assert "tuned@formal" not in ask(run, "base", prompts=[prompt])
    ask(run, "base", answer={"system_prompt": str(prompt)})
    made_from = read_manifest(run.path / ANSWERS)
    assert made_from is not None
    assert made_from.prompts["system_prompt"] == read_prompt(prompt).hash


def test_a_prompt_stands_around_the_rules_that_code_relies_on(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "formal.md"
    path.write_text(FORMAL)
    named = Systems(load_settings({}), Silent(), run, run.index, prompts=read_prompts([path]))
    set_once = Systems(load_settings({"answer": {"system_prompt": str(path)}}), Silent(), run, run.index)
    for systems, name in ((named, "base@formal"), (set_once, "base")):
        alone = systems.open(name)
        over = systems.open(name.replace("base", "base+rag"))
        assert isinstance(alone, ModelAnswerer)
        assert isinstance(over, ModelAnswerer)
        asked, told = (one.prepare("When was the Bryne ferry opened?").request for one in (alone, over))
        assert asked is not None
        assert told is not None
        assert asked.messages[0].content == "You are a clerk."
        assert told.messages[0].content == f"You are a clerk. {SYSTEM}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Be brief.", "has no proper form"),
        (FORMAL.replace("rules", "question"), "has no {{ rules }}"),
        (FORMAL.replace("variables: rules", "variables: rules, name") + "{{ name }}", "other variables"),
        (FORMAL + "[user]\nHello\n", "other turns"),
    ],
)
def test_a_prompt_that_lacks_what_is_needed_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.md"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_prompt(path)
    assert said in caught.value.message
    assert "variables: rules" in caught.value.hint
    with pytest.raises(InputError, match="cannot be read"):
        read_prompt(tmp_path / "none.md")


def test_names_say_model_documents_and_prompt() -> None:
    assert parse("tuned+rag@formal", ["formal"]) == SystemName("tuned", documents=True, prompt="formal")
    assert parse("openai:m@http://h/v1+rag") == SystemName("openai:m@http://h/v1", documents=True)
    assert parse("gpt2").model == "gpt2"
    for wrong, near in (("tuned+ragg", "tuned+rag"), ("tunned", "tuned"), ("qoute+rag", "quote")):
        with pytest.raises(UsageError, match="There is no system") as caught:
            parse(wrong)
        assert f"Did you mean {near}?" in caught.value.hint
    assert with_prompts(["base", "quote+rag", "base"], ["a", "b"]) == ["base", "quote+rag", "base@a", "base@b"]
    with pytest.raises(UsageError, match="no prompt formal"):
        parse("tuned@formal")
    with pytest.raises(UsageError, match="reads a prompt"):
        with_prompts(["quote+rag"], ["a"])
    Path("x.md").write_text(FORMAL)
    with pytest.raises(UsageError, match="Two prompts"):
        read_prompts([Path("x.md"), Path("./x.md")])


def test_one_base_is_in_memory_for_all_its_adapters_and_sizes_are_told(run: Run) -> None:
    systems = Systems(load_settings({}), Silent(), run, run.index)
    opened = [systems.open(name) for name in ("base", "tuned", f"adapter:{run.path / ADAPTER}")]
    weights = {id(one.provider._weights) for one in opened if isinstance(one, ModelAnswerer)}  # type: ignore[attr-defined]
    assert len(weights) == 1
    facts = read_facts(run.path / ANSWERS)
    assert facts["tuned"].parameters == 5_310_720
    assert facts["tuned"].model_bytes == 4 * 5_310_720
    assert facts["tuned"].adapter_bytes
    assert facts["tuned"].batched
    assert (facts["quote+rag"].parameters, facts["quote+rag"].batched) == (0, False)
    assert facts["quote+rag"].index_bytes
    with pytest.raises(UsageError, match="read, not asked for"):
        systems.open("recorded")


def test_recorded_answers_stay_and_are_not_asked_for(run: Run) -> None:
    with pytest.raises(RunError, match="no recorded answers"):
        ask(run, "recorded")
    questions = load_held_out(run)
    said = [Answer(text=f"It is {n}.") for n in range(len(questions))]
    assert not put_recorded(run, questions, said)
    assert put_recorded(run, questions, said)
    assert default_systems(run)[0] == "recorded"
    fresh = Run(run.path, frozenset({ANSWERS}))
    assert [line.answer for line in ask(fresh, "recorded", "quote+rag")["recorded"]] == said
    assert read_manifest(run.path / ANSWERS)
    assert put_recorded(run, questions, said), "beside other systems too"


def test_a_recorded_answer_that_changed_leaves_those_of_other_systems(run: Run) -> None:
    questions, before, facts = load_held_out(run), ask(run), read_facts(run.path / ANSWERS)
    for text in ("It is so.", "It is not."):
        assert not put_recorded(run, questions, [Answer(text=text)] * len(questions))
    after = ask(run, "recorded", "base")
    assert {line.answer.text for line in after.pop("recorded")} == {"It is not."}
    assert after == before, "seconds and all"
    assert {name: one for name, one in read_facts(run.path / ANSWERS).items() if name != "recorded"} == facts
    other = [question.model_copy(update={"question": "Else?"}) for question in questions]
    assert not put_recorded(run, other, [Answer(text="It is not.")] * len(questions))
    assert list(answer_files(run.path / ANSWERS)) == ["recorded"], "those are to other questions"


class Slow:
    """A model in batches that takes what it says: a tenth of a second a request."""

    name = "slow"
    context = 4096

    def __init__(self, *, fail_at: int | None = None, reject: str = "") -> None:
        self.asked: list[str] = []
        self._fail_at, self._reject = fail_at, reject

    def complete(self, request: ChatRequest) -> ChatReply:
        return self.complete_many([request])[0]

    def complete_many(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        said = [request.messages[-1].content for request in requests]
        if self._reject in said:
            raise RequestRejected("too long", hint="")
        if self._fail_at is not None and len(self.asked) >= self._fail_at:
            raise KeyboardInterrupt
        self.asked += said
        return [ChatReply(text=f"To {text}", usage=Usage(seconds=0.1, completion_tokens=2)) for text in said]

    def stream(self, request: ChatRequest) -> object:
        raise NotImplementedError


def test_what_was_kept_is_not_asked_again_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "BATCH", 3)
    kept, cut, later = tmp_path / "part", Slow(fail_at=3), Slow()
    with pytest.raises(KeyboardInterrupt):
        answer_all(ModelAnswerer("slow", cut), QUESTIONS, 1, Silent(), kept=kept)
    grow(kept, [Answered(pair_id="p3", set="taught", question="Number 3?", references=(), answer=Answer(text="no"))])
    made = answer_all(ModelAnswerer("slow", later), QUESTIONS, 1, Silent(), kept=kept)
    assert len(cut.asked) == 3
    assert later.asked == [f"Number {n}?" for n in (3, 4, 5, 6)], "a batch that is not whole is made again"
    assert [line.answer.text for line in made] == [f"To Number {n}?" for n in range(7)]
    assert read_jsonl(kept, Answered) == made
    others = [question.model_copy(update={"question": "Else?"}) for question in QUESTIONS]
    assert answer_all(ModelAnswerer("slow", Slow()), others, 1, Silent(), kept=kept)[0].answer.text == "To Else?"


def test_seconds_are_those_of_all_steps_and_one_bad_question_ends_nothing() -> None:
    made = answer_all(ModelAnswerer("slow", Slow(reject="Number 2?")), QUESTIONS, 4, Silent())
    assert [line.answer.refused for line in made] == [n == 2 for n in range(7)]
    assert made[2].answer.reason == "too long"
    assert [line.answer.failed for line in made] == [n == 2 for n in range(7)]
    taken = [line.answer.usage for line in made if not line.answer.refused]
    assert all(0.1 < usage.seconds < 0.2 and usage.completion_tokens == 2 for usage in taken)


def test_a_baseline_that_is_named_has_to_be_there(run: Run) -> None:
    before = (run.path / "7-scores" / "scores.json").read_bytes()
    with pytest.raises(UsageError, match="the baseline nobody"):
        evaluate_run(run, ["quote+rag"], load_settings({"evaluate": {"baseline": "nobody"}}), Silent())
    assert (run.path / "7-scores" / "scores.json").read_bytes() == before
