from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doceo.core.config import GateConfig
from doceo.core.errors import InputError, ReplyInvalid
from doceo.core.fingerprint import sha256
from doceo.core.progress import Silent
from doceo.core.records import ChatReply, ChatRequest, Chunk, Document, Pair, Span
from doceo.providers.scripted import Scripted
from generator.corpus import Checked, Corpus
from generator.judge import POINTS, Judge, prompt_hashes, read_marks
from generator.judge_check import Labelled, Measure, in_words, measure, measured, read_labels, shipped, store, stored

TEXT = "The Aldern lighthouse was built in 1874 by the engineer Maria Holt."
DOCUMENT = Document(id="d", source="a.md", media_type="text/plain", title="Aldern", text=TEXT, sha256="")
SPAN = Span(document_id="d", start=0, end=len(TEXT))
CHUNK = Chunk(id="c", document_id="d", span=SPAN, text=TEXT, tokens=20, text_sha256=sha256(TEXT))
CORPUS = Corpus(documents=[DOCUMENT], chunks=[CHUNK], unseen=frozenset())
PAIR = Pair(id="p", question="When was the Aldern lighthouse built?", answer="In 1874", chunk_ids=("c",), teacher="t")


def reply(*marks: int) -> str:
    said: dict[str, dict[str, object]] = {
        point: {"reason": f"because of {point}", "mark": mark} for point, mark in zip(POINTS, marks, strict=True)
    }
    said["correctness"]["quotes"] = ["built in 1874"]
    return json.dumps(said)


def check(replies: list[str], least: int = 1, pair: Pair = PAIR, **options: object) -> tuple[Checked, Scripted]:
    script = Scripted([*replies])
    judge = Judge(script.asynchronous(), CORPUS, config=GateConfig(judge=least), **options)  # type: ignore[arg-type]
    return asyncio.run(judge.check(pair)), script


def test_marks_become_scores() -> None:
    found, script = check([reply(2, 2, 1, 2)])
    assert found.verdict is None
    assert found.scores == {
        "judge_clarity": 2.0, "judge_correctness": 2.0, "judge_completeness": 1.0, "judge_worth": 2.0,
    }  # fmt: skip
    user = script.requests[0].messages[-1].content
    assert f"<passage>\n{TEXT}\n</passage>" in user
    assert "Question: When was the Aldern lighthouse built?\nAnswer: In 1874" in user
    assert script.requests[0].form is not None


@pytest.mark.parametrize(("marks", "point"), [((0, 0, 2, 2), "clarity"), ((2, 2, 2, 0), "worth")])
def test_a_mark_below_the_line_rejects_with_its_reason(marks: tuple[int, ...], point: str) -> None:
    found, _ = check([reply(*marks)])
    assert found.verdict is not None
    assert (found.verdict.reason, found.verdict.detail) == (f"judge_{point}", f"because of {point}")
    assert len(found.scores) == 4


def test_the_line_is_a_dial() -> None:
    assert check([reply(2, 1, 2, 2)], least=1)[0].verdict is None
    assert check([reply(0, 0, 0, 0)], least=0)[0].verdict is None
    strict = check([reply(2, 1, 2, 2)], least=2)[0].verdict
    assert strict is not None
    assert strict.reason == "judge_correctness"


def test_an_unanswerable_pair_is_shown_as_one() -> None:
    _, script = check([reply(2, 2, 2, 2)], pair=PAIR.model_copy(update={"answerable": False}))
    assert "Answer: (The documents do not say.)" in script.requests[0].messages[-1].content


def test_marks_that_cannot_be_read_are_asked_for_again_and_then_reject() -> None:
    found, script = check(["Looks good!", reply(2, 2, 2, 2)])
    assert found.verdict is None
    assert "no mark of 0, 1 or 2 for clarity" in script.requests[1].messages[-1].content
    verdict = check(["Looks good!", ""])[0].verdict
    assert verdict is not None
    assert verdict.reason == "judge_unreadable"


def test_private_documents_are_not_sent() -> None:
    found, script = check([], private=["d"])
    assert (found, script.requests) == (Checked(), [])


@pytest.mark.parametrize(
    "text",
    [
        reply(2, 0, 1, 2),
        f"Here you are:\n```json\n{reply(2, 0, 1, 2)}\n```",
        json.dumps({"marks": json.loads(reply(2, 0, 1, 2))}),
        '{"clarity": 2, "correctness": "0", "completeness": 1, "worth": 2}',
        "**Clarity**: 2\nCorrectness: 0 (wrong year)\ncompleteness - 1\nWorth: mark 2",
        reply(2, 0, 1, 2)[:-1],
    ],
)
def test_marks_in_any_wrapping(text: str) -> None:
    assert dict(read_marks(ChatReply(text=text)).marks) == {
        "clarity": 2, "correctness": 0, "completeness": 1, "worth": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"quotes": ["built in 1874", "by Maria Holt"]}, ("built in 1874", "by Maria Holt")),
        ({"quotes": "built in 1874"}, ("built in 1874",)),
        ({"quote": "built in 1874"}, ("built in 1874",)),
        ({"quotes": []}, ()),
        ({}, ()),
    ],
)
def test_quotes_that_decide(said: dict[str, object], expected: tuple[str, ...]) -> None:
    text = json.dumps({**json.loads(reply(2, 2, 2, 2)), "correctness": {**said, "reason": "r", "mark": 2}})
    assert read_marks(ChatReply(text=text)).quotes == expected


@given(st.text())
def test_any_reply_is_read_or_refused(text: str) -> None:
    for said in (text, '{"clarity": ' + text):
        try:
            read_marks(ChatReply(text=said))
        except ReplyInvalid:
            continue


def test_the_labels_that_ship() -> None:
    labels = shipped()
    assert len(labels) == len({item.id for item in labels}) == 61
    assert sum(item.good for item in labels) == 28
    assert {item.language for item in labels} == {"en", "de", "zh"}
    for item in labels:
        assert item.good == (not item.fault) == (not item.point)
        assert item.point in ("", *POINTS)
        assert bool(item.answer) == item.answerable
    numbers = [item for item in labels if item.fault == "wrong_number" and item.answer not in item.passage]
    assert len(numbers) >= 3


def label(name: str, fault: str = "", point: str = "") -> Labelled:
    return Labelled(
        id=name, title="Aldern", passage=TEXT, question=f"Question {name}?", answer="x", good=not fault,
        fault=fault, point=point,
    )  # fmt: skip


LABELS = [
    label("good-1"), label("good-2"), label("good-3"), label("bad-1", "wrong_number", "correctness"),
    label("bad-2", "wrong_number", "correctness"), label("bad-3", "bare_question", "clarity"),
]  # fmt: skip
SAYS = {
    "good-1": reply(2, 2, 2, 2), "good-2": reply(2, 2, 2, 2), "good-3": reply(0, 2, 2, 2),
    "bad-1": reply(2, 0, 2, 2), "bad-2": reply(2, 2, 2, 2), "bad-3": reply(2, 2, 2, 0),
}  # fmt: skip


def run_measure(says: dict[str, str]) -> Measure:
    def say(request: ChatRequest) -> str:
        content = request.messages[1].content
        return next(text for name, text in says.items() if f"Question {name}?" in content)

    judge = Judge(Scripted(say, name="openai:judge").asynchronous())
    return asyncio.run(measure(judge, LABELS, Silent(), at_once=3))


def test_a_measure_has_known_values() -> None:
    found = run_measure(SAYS)
    # Refused: good-3, bad-1, bad-3. Right: good-1, good-2, bad-1, bad-3.
    assert (found.n, found.accuracy, found.precision, found.recall) == (6, 4 / 6, 2 / 3, 2 / 3)
    assert found.kappa == pytest.approx(1 / 3)  # chance is 1/2
    assert found.faults["wrong_number"].model_dump() == {"n": 2, "recall": 0.5, "precision": 0.5, "named": 0.5}
    assert found.faults["bare_question"].model_dump() == {"n": 1, "recall": 1.0, "precision": 0.5, "named": 0.0}
    assert "agrees with 66.7% of 6 labels (Cohen's kappa 0.33)" in in_words(found)


def test_unreadable_marks_count_as_refused() -> None:
    found = run_measure({**SAYS, "good-1": "?"})
    assert (found.unreadable, found.accuracy) == (1, 0.5)


def test_measures_are_kept_by_judge_and_prompt(tmp_path: Path) -> None:
    found = run_measure(SAYS)
    prompt = prompt_hashes()["judge_pair"]
    assert measured("openai:judge", prompt, tmp_path / "none") == "not measured"
    path = store(found, tmp_path)
    store(found, tmp_path)
    (tmp_path / "other.json").write_text("{}")
    assert stored(tmp_path) == [found]
    assert path.name.startswith("openai-judge-")
    assert measured("openai:judge", prompt, tmp_path) == in_words(found)
    assert measured("openai:judge", "other", tmp_path) == "not measured"
    assert measured("openai:else", prompt, tmp_path) == "not measured"


def test_labels_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(LABELS[0].model_dump_json() + "\n\n" + LABELS[3].model_dump_json() + "\n")
    assert read_labels(path) == [LABELS[0], LABELS[3]]
    path.write_text('{"id": "x"}\n')
    with pytest.raises(InputError, match=r"labels\.jsonl, line 1: title"):
        read_labels(path)
    path.write_text("\n")
    with pytest.raises(InputError, match="no labels"):
        read_labels(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_labels(tmp_path / "none.jsonl")
