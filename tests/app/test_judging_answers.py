"""A judge asked about the answers of a run: the recorded exchange, what is kept, what is asked again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.jsonl import read_jsonl, write_jsonl
from data.store import ANSWERS, DATASET, JUDGED, SCORES, Run
from doceo.app.settings import Settings
from doceo.app.stages import judged
from doceo.app.stages.judged import judge_answers
from doceo.app.stages.judgements import load_judgements
from doceo.app.stages.scores import load_judge_summary, load_scores, make_scores
from doceo.core.config import EvaluateConfig, JudgeConfig
from doceo.core.errors import RequestRejected, ServerFailed, UsageError
from doceo.core.progress import Silent
from doceo.core.records import Answered, ChatReply, ChatRequest, Score
from doceo.providers.scripted import Scripted
from evaluation.judging.records import Marked
from tests.evaluation.judged_cases import CASES, DOCUMENTS_BY_SOURCE, FOLDER, labels, make_run

MODEL = "openai:reader"
SETTINGS = Settings(judging=JudgeConfig(repeats=2), evaluate=EvaluateConfig(resamples=200))
Say = Callable[[ChatRequest], "str | ChatReply"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path / "run")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scripted], Scripted]:
    """Return a function that puts a scripted judge in the place of a served one."""

    def put(judge: Scripted) -> Scripted:
        def opened(*_args: object, **_options: object) -> Any:
            return judge.asynchronous()

        monkeypatch.setattr(judged, "open_async", opened)
        return judge

    return put


def recorded() -> Scripted:
    return Scripted.recorded(FOLDER / "answers_judged.jsonl", name=MODEL)


def marks(request: ChatRequest, mark: int = 2) -> str:
    assert request.form is not None
    points: dict[str, object] = request.form["properties"]  # type: ignore[assignment]
    if "better" in points:
        return json.dumps({"reason": "r", "better": "first"})
    return json.dumps({point: {"reason": "r", "mark": mark} for point in points})


def judge(run: Run, settings: Settings = SETTINGS) -> None:
    judge_answers(run, MODEL, settings, Silent())


def scored(run: Run, settings: Settings = SETTINGS) -> dict[tuple[str, str, str], Score]:
    found = make_scores(run, settings.evaluate, Silent(), settings.judging)
    return {(s.set, s.system, s.metric): s for s in found if not s.versus}


def test_a_careful_reader_of_the_prompts_marks_as_the_person_did(run: Run, serve: Any, tmp_path: Path) -> None:
    serve(recorded())
    judge(run)
    given = load_judgements(run)
    assert given is not None
    assert not [one for one in (*given.marked, *given.compared) if one.problem]
    by_answer = {(one.pair_id, system): one.marks for one in given.marked for system in one.systems}
    for row in CASES["questions"]:
        for system, answer in row["answers"].items():
            assert by_answer.get((row["id"], system), {}) == answer["marks"], answer["trap"]
    path = tmp_path / "labels.jsonl"
    write_jsonl(path, labels())
    settings = SETTINGS.model_copy(update={"judging": JudgeConfig(repeats=2, labels=str(path))})
    found = scored(run, settings)
    assert found["unseen", "tuned+rag", "judge_supported"].value == pytest.approx(62.5)
    assert found["unseen", "tuned+rag", "judge_correct"].group == "judged"
    assert found["unseen", "base", "judge_correct"].value == 50
    assert found["unseen", "tuned+rag", "judge_preferred"].value == 75
    assert found["unseen", "base", "judge_supported"].value is None
    told = load_judge_summary(run)
    assert told is not None
    assert {one.of: one.n for one in told.agreement} == {"correct": 24, "complete": 24, "restrained": 25}
    assert all(one.equal is not None and one.equal.value == 1 for one in told.agreement)
    assert told.flipped == 0
    assert told.unused == 0


def test_scores_by_a_judge_come_only_with_one_and_are_the_same_twice(run: Run, serve: Any) -> None:
    assert not [name for _, _, name in scored(run) if name.startswith("judge")]
    assert load_judge_summary(run) is None
    script = serve(recorded())
    judge(run)
    scored(run)
    folders = [run.path / stage for stage in (JUDGED, SCORES)]
    before = {p.name: p.read_bytes() for f in folders for p in f.iterdir() if p.name != "manifest.json"}
    asked = len(script.requests)
    judge(run)  # finished: nothing is asked
    assert len(script.requests) == asked == 84
    judge(Run(run.path, frozenset({JUDGED})))
    scored(Run(run.path, frozenset({SCORES})))
    assert {p.name: p.read_bytes() for f in folders for p in f.iterdir() if p.name != "manifest.json"} == before
    assert {s.note for s in load_scores(run) if s.group == "judged" and s.value is not None and not s.versus} <= {
        "not compared with people", "one question: no interval; not compared with people",
    }  # fmt: skip


def test_ratings_of_the_run_are_compared_and_ask_nothing_again(run: Run, serve: Any) -> None:
    script = serve(recorded())
    judge(run)
    asked = len(script.requests)
    rows = [
        {"pair_id": row["pair_id"], "system": row["system"], "rating": 1 + sum(row["marks"].values())}  # type: ignore[attr-defined]
        for row in labels()
    ]
    write_jsonl(run.path / DATASET / "ratings.jsonl", rows)
    scored(run)
    told = load_judge_summary(run)
    assert told is not None
    assert [(one.of, one.n) for one in told.agreement] == [("rating", 25)]
    assert len(script.requests) == asked


def test_what_cannot_be_read_twice_or_is_refused_is_undefined(run: Run, serve: Any) -> None:
    def odd(request: ChatRequest) -> str:
        said = "".join(message.content for message in request.messages)
        if "Twenty to one" in said:
            raise RequestRejected("too rude", hint="")
        return "Looks good to me!" if "\n1685\n</answer" in said else marks(request)

    script = serve(Scripted(odd, name=MODEL))
    judge(run)
    given = load_judgements(run)
    assert given is not None
    unread = "it has no mark of 0, 1 or 2 for "
    problems = {(one.pair_id, one.systems, one.problem.split("correct")[0]) for one in given.marked if one.problem}
    assert problems <= {
        ("ratio", ("base",), "too rude"),
        ("edict", ("tuned",), unread),
        ("edict", ("tuned",), f"{unread}complete, restrained, "),
    }
    # asked once more, telling what was wrong
    again = [r for r in script.requests if len(r.messages) == 4 and "no mark of 0, 1 or 2" in r.messages[-1].content]
    assert len(again) == 2
    found = scored(run)["unseen", "tuned", "judge_correct"]
    assert (found.value, found.n) == (100, 7)
    assert "1 of 8 questions left out" in found.note
    told = load_judge_summary(run)
    assert told is not None
    assert told.unreadable == 2 + 2 + 4  # two repeats of two answers; both orders of its two comparisons
    assert told.first_preferred == 1
    assert "8 times without a reply that could be read (too rude)" in told.lines[0]


def test_a_judge_of_which_nothing_can_be_read_has_judged_nothing(run: Run, serve: Any) -> None:
    def narrow(request: ChatRequest) -> str:
        raise RequestRejected("The prompt has 1078 tokens; reader can read 1024.", hint="")

    serve(Scripted(narrow, name=MODEL))
    with pytest.raises(UsageError, match=r"no reply that could be read to any of \d+ requests: The prompt has 1078"):
        judge(run)
    assert load_judgements(run) is None
    serve(recorded())
    judge(run)
    assert load_judgements(run) is not None


def test_a_verdict_for_whoever_stands_first_is_a_tie(run: Run, serve: Any) -> None:
    serve(Scripted(marks, name=MODEL))
    judge(run)
    found = scored(run)
    assert found["unseen", "tuned", "judge_preferred"].value == 50
    told = load_judge_summary(run)
    assert told is not None
    assert (told.flipped, told.first_preferred) == (1, 1)


def test_a_judge_that_fails_goes_on_where_it_stopped_and_a_new_system_is_asked_about_alone(
    run: Run, serve: Any
) -> None:
    done: list[ChatRequest] = []

    def failing(request: ChatRequest) -> str:
        if len(done) == 30:
            raise ServerFailed("broken", hint="")
        done.append(request)
        return marks(request)

    settings = SETTINGS.model_copy(update={"engine": SETTINGS.engine.model_copy(update={"concurrency": 1})})
    serve(Scripted(failing, name=MODEL))
    with pytest.raises(ServerFailed):
        judge(run, settings)
    assert load_judgements(run) is None
    script = serve(Scripted(marks, name=MODEL))
    judge(run, settings)
    assert len(script.requests) == 84 - 30
    assert {r.model_dump_json() for r in script.requests}.isdisjoint(r.model_dump_json() for r in done)
    answers = read_jsonl(run.file(ANSWERS, "tuned.jsonl"), Answered)
    more = [
        a.model_copy(update={"answer": a.answer.model_copy(update={"text": f"{a.answer.text} Yes."})}) for a in answers
    ]
    write_jsonl(run.path / ANSWERS / "alpha.jsonl", [*more[:2], *answers[2:]])
    script = serve(Scripted(marks, name=MODEL))
    judge(run, settings)
    assert len(script.requests) == 2 * 2 + 2 * 2  # two answers are new, each marked twice and compared in both orders
    systems = {one.systems for one in read_jsonl(run.file(JUDGED, "marks.jsonl"), Marked)}
    assert ("tuned", "alpha") in systems or ("alpha", "tuned") in systems


def test_what_follows_a_torn_line_is_kept(tmp_path: Path) -> None:
    mark = Marked(asked="r1", answer="a", set="taught", pair_id="p", systems=("base",), repeat=0, marks={"correct": 2})
    judged._Kept(tmp_path, []).keep(mark)
    (part,) = (path for path in tmp_path.iterdir() if path.stat().st_size)
    part.write_bytes(part.read_bytes() + mark.model_dump_json().encode()[:40])  # killed while it was written
    judged._Kept(tmp_path, []).keep(mark.model_copy(update={"asked": "r2"}))
    assert judged._Kept(tmp_path, []).known.keys() == {"r1", "r2"}


def test_another_rubric_prompt_or_judge_is_asked_anew(run: Run, serve: Any, tmp_path: Path) -> None:
    serve(Scripted(marks, name=MODEL))
    judge(run)
    before = scored(run)["unseen", "tuned", "judge_correct"].signature
    path = tmp_path / "own.toml"
    path.write_text('[polite]\nasks = "is it polite?"\n2 = "yes"\n1 = "so so"\n0 = "no"\n')
    own = SETTINGS.model_copy(update={"judging": JudgeConfig(repeats=1, rubric=str(path), comparisons=0)})
    script = serve(Scripted(marks, name=MODEL))
    judge(run, own)
    assert len(script.requests) == 26
    names = {name for _, _, name in scored(run, own) if name.startswith("judge")}
    assert names == {"judge_polite"}
    assert "polite: is it polite?" in script.requests[0].messages[0].content
    prompts = Path("prompts")
    prompts.mkdir()
    variables = "rubric, question, known, answer, form"
    slots = " ".join(f"{{{{ {name} }}}}" for name in variables.split(", "))
    (prompts / "judge_answer.md").write_text(f"---\npurpose: Mine.\nvariables: {variables}\n---\n[user]\n{slots}\n")
    judge(run, SETTINGS)
    assert scored(run)["unseen", "tuned", "judge_correct"].signature != before


def test_local_documents_are_not_shown_to_a_judge_elsewhere(run: Run, serve: Any, monkeypatch: Any) -> None:
    script = serve(Scripted(marks, name=MODEL))
    monkeypatch.setattr(judged, "_local", lambda _run: frozenset({DOCUMENTS_BY_SOURCE["oil.md"].id}))
    judge(run)  # the script is on this machine
    assert len(script.requests) == 84
    monkeypatch.setattr(judged, "is_loopback", lambda _host: False)
    again = Run(run.path, frozenset({JUDGED}))
    judge(again)
    given = load_judgements(run)
    assert given is not None
    assert given.judge.local == 6
    assert not [one for one in given.marked if one.pair_id in ("fields", "exporter")]
