"""Stored chats in every form that is read, and what the user says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import traces
from data.remarks import by_trace, read_remarks
from data.replay import checked, replayed, standing
from data.traces import Trace, read_traces, record
from doceo.core.errors import InputError
from doceo.core.records import Answer, Citation, Document, Message, Span
from doceo.text.passages import REFUSAL

TEXT = "The ferry was opened in 1902. The ferry carries 12 cars."
DOCUMENT = Document(id="d_1", source="a/ferry.md", media_type="text/plain", title="F", text=TEXT, sha256="")
OPENED = Span(document_id="d_1", start=0, end=29)
CITED = Citation(n=1, document_id="d_1", source="a/ferry.md", title="F", span=OPENED, quote=TEXT[:29], verified=True)
ANSWER = Answer(text="The ferry was opened in 1902 [1].", citations=(CITED,))


def written(tmp_path: Path, *rows: object, name: str = "traces.jsonl") -> Path:
    file = tmp_path / name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


@given(st.lists(st.tuples(st.text(min_size=1).filter(str.strip), st.text()), min_size=1, max_size=5))
def test_what_is_recorded_is_read_again(tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str]]) -> None:
    file = tmp_path_factory.mktemp("t") / "t.jsonl"
    history = (Message(role="user", content="before"), Message(role="assistant", content="so"))
    traces = [Trace(question=q, history=history, answer=Answer(text=a), rating="up") for q, a in said]
    record(file, traces)
    assert file.stat().st_mode & 0o077 == 0
    distinct = list({trace.key: trace for trace in traces}.values())
    assert read_traces(file) == [trace.model_copy(update={"id": trace.key}) for trace in distinct]


def test_a_record_is_private_from_the_start_and_a_line_cut_off_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, first, second = tmp_path / "t.jsonl", Trace(question="A?", answer=ANSWER), Trace(question="B?", answer=ANSWER)
    made: list[int] = []
    grown = traces.grow
    monkeypatch.setattr(traces, "grow", lambda *given: (made.append(file.stat().st_mode & 0o777), grown(*given)))
    record(file, [first])
    assert made == [0o600], "before anything is in it"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    record(file, [second])
    assert [trace.question for trace in read_traces(file)] == ["A?", "B?"]
    file.write_bytes(whole.rstrip())
    record(file, [second])
    assert [trace.question for trace in read_traces(file)] == ["A?", "B?"], "a line without its end is whole"
    file.write_bytes(b"Some notes")
    record(file, [second])
    assert file.read_bytes().startswith(b"Some notes\n{"), "what is no line of ours is not taken away"


def test_a_null_is_no_id_and_no_count(tmp_path: Path) -> None:
    asked = {"messages": [{"role": "user", "content": "Q?"}]}
    reply = {"id": None, "choices": [{"message": {"content": "A"}}], "usage": {"prompt_tokens": None}}
    for row in ({"request": asked, "response": reply}, {"id": None, "question": "Q?", "answer": "A"}):
        assert read_traces(written(tmp_path, row)) == [Trace(question="Q?", answer=Answer(text="A"))]
    named = {"id": None, "request": asked, "response": {**reply, "id": "r"}}
    assert read_traces(written(tmp_path, named))[0].id == "r"
    with pytest.raises(InputError, match=r"line 1: answer\.usage"):
        read_traces(written(tmp_path, {"request": asked, "response": {**reply, "usage": ["prompt_tokens"]}}))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"chance": 1.5}, "answer.chance is 1.5"),
        ({"chance": -0.1}, "answer.chance is -0.1"),
        ({"chance": float("nan")}, "answer.chance is nan"),
        ({"usage": {"prompt_tokens": -1}}, "answer.usage.prompt_tokens is -1"),
        ({"usage": {"seconds": float("nan")}}, "answer.usage.seconds is nan"),
        ({"usage": {"cost": float("inf")}}, "answer.usage.cost is inf"),
    ],
)
def test_numbers_that_cannot_be_are_named(tmp_path: Path, given: dict[str, object], said: str) -> None:
    fine = {"question": "Q?", "answer": {"text": "A", "chance": 1.0, "usage": {"seconds": 0, "cost": None}}}
    with pytest.raises(InputError, match=f"line 2: {said}"):
        read_traces(written(tmp_path, fine, {"question": "R?", "answer": {"text": "A", **given}}))


def test_logs_of_services_and_plain_messages_are_read(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": [{"type": "text", "text": "When was "}, {"type": "text", "text": "it opened?"}]},
    ]
    response = {
        "id": "chatcmpl-1",
        "choices": [{"message": {"role": "assistant", "content": ANSWER.text}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
        "citations": [CITED.model_dump(mode="json")],
        "refused": False,
    }
    plain = {"messages": [*turns, {"role": "assistant", "content": "In 1902."}], "rating": 4}
    ours, other = read_traces(written(tmp_path, {"request": {"messages": turns}, "response": response}, plain))
    assert (ours.id, ours.question, len(ours.history)) == ("chatcmpl-1", "When was it opened?", 2)
    assert ours.answer.citations == (CITED,)
    assert (ours.answer.usage.prompt_tokens, ours.answer.usage.completion_tokens) == (9, 4)
    assert (other.question, other.answer.text, other.rating) == ("When was it opened?", "In 1902.", 4)
    assert other.key.startswith("t_")
    text = {"question": "Q?", "answer": "A", "more": 1}
    assert read_traces(written(tmp_path, text, text))[0].answer == Answer(text="A")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "no traces"),
        ([{"question": " ", "answer": "A"}], "line 1: the question is empty"),
        ([{"answer": "A"}], "line 1: question"),
        ([{"question": "Q?"}], "line 1: answer"),
        ([{"question": "Q?", "answer": "A", "rating": 6}], "line 1: rating"),
        ([{"id": "1", "question": "Q?", "answer": "A"}, {"id": "1", "question": "Q?", "answer": "B"}], "the id 1 too"),
        ([{"request": {"messages": []}, "response": {}}], "line 1: question"),
        ([{"messages": [{"role": "user", "content": "Q?"}]}], "line 1: question"),
    ],
)
def test_what_is_no_trace_is_named(tmp_path: Path, rows: list[object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_traces(written(tmp_path, *rows))


def test_remarks_come_from_tables_and_lines_by_id_or_question(tmp_path: Path) -> None:
    traces = [
        Trace(id="1", question="When was it  opened?", answer=ANSWER),
        Trace(id="2", question="Q?", answer=ANSWER),
    ]
    table = tmp_path / "said.csv"
    table.write_text(
        "\ufeffid,question,reference,rating,answerable\n2,,'=1+1,down,false\n,WHEN was it opened?,1902,5,\n"
    )
    found = by_trace(read_remarks(table), traces)
    assert [(one.right, one.rating, one.answerable) for one in found["1"]] == [(("1902",), 5, None)]
    assert [(one.right, one.rating, one.answerable) for one in found["2"]] == [(("=1+1",), "down", False)]
    lines = written(tmp_path, {"id": "1", "references": ["a", "b"]}, name="said.jsonl")
    assert by_trace(read_remarks(lines), traces)["1"][0].right == ("a", "b")
    with pytest.raises(InputError, match="names an id or a question of the traces"):
        by_trace(read_remarks(written(tmp_path, {"id": "9", "reference": "x"}, name="no.jsonl")), traces)
    with pytest.raises(InputError, match="line 1: rating"):
        read_remarks(written(tmp_path, {"id": "1", "rating": "fine"}, name="bad.jsonl"))
    with pytest.raises(InputError, match="neither an id nor a question"):
        read_remarks(written(tmp_path, {"reference": "x"}, name="bad.jsonl"))


def test_a_trace_becomes_a_question_of_the_set_that_its_proof_stands_in(tmp_path: Path) -> None:
    trace, named = Trace(id="1", question="Q?", answer=ANSWER, rating=2), {"a/ferry.md": DOCUMENT}
    bare = replayed(trace, (), named, [OPENED])
    assert (bare.question.set, bare.question.references, bare.rating) == ("taught-written", (), 2)
    elsewhere = [Span(document_id="d_1", start=30, end=50)]
    assert replayed(trace, (), named, elsewhere).question.set == "unseen-written"
    assert replayed(Trace(id="2", question="Q?", answer=Answer(text="A")), (), named, [OPENED]).question.set == (
        "unseen-written"
    )
    said = written(
        tmp_path,
        {"id": "1", "reference": "12", "quote": "The ferry carries 12 cars.", "source": "a/ferry.md", "rating": "up"},
        {"id": "1", "reference": "twelve", "author": "Ann"},
    )
    whole = replayed(trace, read_remarks(said), named, elsewhere)
    assert whole.question.references == ("12", "twelve")
    assert whole.question.evidence[0].quote == "The ferry carries 12 cars."
    assert (whole.question.set, whole.question.author, whole.rating) == ("taught-written", "Ann", "up")
    unanswerable = read_remarks(written(tmp_path, {"id": "1", "answerable": False}))
    assert replayed(trace, unanswerable, {}, []).question.references == (REFUSAL,)
    with pytest.raises(InputError, match="does not stand in a/mill"):
        replayed(trace, read_remarks(written(tmp_path, {"id": "1", "quote": "x", "source": "a/mill"})), named, [])


def test_a_citation_is_verified_only_where_its_words_stand_whatever_a_log_says() -> None:
    elsewhere = Span(document_id="d_1", start=3, end=32)
    others = [
        CITED.model_copy(update=change)
        for change in (
            {"quote": "The ferry was opened in 1903."},
            {"span": elsewhere},
            {"document_id": "d_2"},
            {"quote": "", "span": Span(document_id="d_1", start=4, end=4)},
            {"verified": False},
        )
    ]
    answer = ANSWER.model_copy(update={"citations": (CITED, *others)})
    assert [one.verified for one in checked(answer, {"d_1": DOCUMENT}).citations] == [True, *[False] * 5]
    assert not any(one.verified for one in checked(answer, {}).citations)


def test_citations_that_documents_no_longer_hold_are_counted() -> None:
    moved = DOCUMENT.model_copy(update={"text": f"New. {TEXT}"})
    assert standing([ANSWER, ANSWER], {"d_1": DOCUMENT}) == (2, 2)
    assert standing([ANSWER], {"d_1": moved}) == (1, 0)
    assert standing([ANSWER], {}) == (1, 0)
