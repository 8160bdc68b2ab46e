from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from doceo.core.errors import Unreachable
from doceo.core.fingerprint import sha256
from doceo.core.records import ChatRequest, Chunk, Document, Message, Pair, Span
from doceo.providers.scripted import Scripted
from generator.corpus import Checked, Corpus
from generator.roundtrip import Roundtrip, prompt_hashes

TEXTS = {
    "lighthouse.md": "The Aldern lighthouse was built in 1874 by the engineer Maria Holt. It is 41 metres high.",
    "church.md": "The Aldern lighthouse chapel was built in 1911 by Jan Holt. The chapel seats 90.",
    "ferry.md": "The Bryne ferry carries 12 cars and 60 passengers.",
}
DOCUMENTS = [
    Document(id=f"d_{name}", source=name, media_type="text/plain", title=name[:-3], text=text, sha256="")
    for name, text in TEXTS.items()
]
CHUNKS = [
    Chunk(
        id=f"c_{document.source}", document_id=document.id, text=document.text, tokens=20,
        span=Span(document_id=document.id, start=0, end=len(document.text)), text_sha256=sha256(document.text),
    )
    for document in DOCUMENTS
]  # fmt: skip
CORPUS = Corpus(documents=DOCUMENTS, chunks=CHUNKS, unseen=frozenset())
LIGHTHOUSE, CHURCH, FERRY = CHUNKS
BUILT = Pair(
    id="p", question="When was the Aldern lighthouse built?", answer="1874", chunk_ids=(LIGHTHOUSE.id,), teacher="t"
)


class Nearest:
    """A search that finds the chapel, then the ferry."""

    def like(self, question: str, n: int, without: Collection[Chunk] = ()) -> list[Chunk]:
        return [chunk for chunk in (CHURCH, FERRY) if chunk not in without][:n]


def purposes(script: Scripted) -> list[str]:
    """What every request was for."""
    marks = {"You compare two": "compare", "from the passages": "passages", "from what you know": "memory"}
    return [
        next((name for mark, name in marks.items() if mark in request.messages[0].content), "?")
        for request in script.requests
    ]


def check(pair: Pair, replies: list[str], search: bool = False, **options: object) -> tuple[Checked, list[str]]:
    script = Scripted([*replies])
    nearest = Nearest() if search else None
    roundtrip = Roundtrip(script.asynchronous(), CORPUS, search=nearest, **options)  # type: ignore[arg-type]
    found = asyncio.run(roundtrip.check(pair))
    return found, purposes(script)


def reason(found: Checked) -> str:
    return found.verdict.reason if found.verdict else ""


def test_a_pair_that_is_answered_alike_and_not_known_is_medium() -> None:
    found, asked = check(BUILT, ["In 1874.", "NO ANSWER"])
    assert (reason(found), found.scores, found.difficulty) == ("", {"open_book": 1.0, "closed_book": 0.0}, "medium")
    assert asked == ["passages", "memory"]


def test_what_the_student_knows_is_easy() -> None:
    found, asked = check(BUILT, ["In 1874.", "It was built in 1874."])
    assert (found.scores["closed_book"], found.difficulty) == (1.0, "easy")
    assert asked == ["passages", "memory"]


def test_the_student_may_be_another_model() -> None:
    student = Scripted(["1874"])
    found, asked = check(BUILT, ["1874"], student=student.asynchronous())
    assert found.difficulty == "easy"
    assert (asked, purposes(student)) == (["passages"], ["memory"])


def test_agreement_in_a_models_eyes_alone_is_hard() -> None:
    pair = BUILT.model_copy(update={"question": "Who had the Aldern lighthouse built?", "answer": "an engineer"})
    found, asked = check(pair, ["Maria Holt", "SAME", "NO ANSWER"])
    assert (reason(found), found.difficulty) == ("", "hard")
    assert asked == ["passages", "compare", "memory"]


def test_several_passages_are_hard_unless_known() -> None:
    hop = BUILT.model_copy(update={"kind": "multi-hop", "chunk_ids": (LIGHTHOUSE.id, FERRY.id)})
    assert check(hop, ["1874", "NO ANSWER"])[0].difficulty == "hard"
    assert check(hop, ["1874", "1874"])[0].difficulty == "easy"


@pytest.mark.parametrize("replies", [["NO ANSWER"], ["In 1875.", "DIFFERENT"]])
def test_another_answer_from_the_passage_rejects(replies: list[str]) -> None:
    found, asked = check(BUILT, replies)
    assert reason(found) == "roundtrip_open_book"
    assert found.verdict is not None
    assert "'1874'" in found.verdict.detail
    assert repr(replies[0]) in found.verdict.detail
    assert found.scores == {"open_book": 0.0}
    assert len(asked) == len(replies)


def test_the_reader_sees_the_passages_of_the_pair_alone() -> None:
    script = Scripted(["1874", "NO ANSWER"])
    asyncio.run(Roundtrip(script.asynchronous(), CORPUS).check(BUILT))
    opened, closed = (request.messages[-1].content for request in script.requests)
    assert f"Document: lighthouse\nSection: (none)\n<passage>\n{LIGHTHOUSE.text}\n</passage>" in opened
    assert FERRY.text not in opened
    assert closed == "Question: When was the Aldern lighthouse built?"


@pytest.mark.parametrize(
    ("replies", "expected", "score"),
    [
        (["1874", "NO ANSWER", "NO ANSWER"], "", 0.0),  # the other passage is silent
        (["1874", "It was 1874", "NO ANSWER"], "", 1.0),  # the same fact stands there too
        (["1874", "In 1911", "DIFFERENT"], "ambiguous", 0.0),  # it has another answer to the question
        (["1874", "In 1950", "NO ANSWER"], "", 0.0),  # an answer that the other passage does not hold
    ],
)
def test_another_passage_that_answers_otherwise_makes_the_question_ambiguous(
    replies: list[str], expected: str, score: float
) -> None:
    found, _ = check(BUILT, replies, search=True)
    assert (reason(found), found.scores["wrong_chunk"]) == (expected, score)
    if expected:
        assert found.verdict is not None
        assert "church.md" in found.verdict.detail


def test_a_passage_on_something_else_is_not_asked() -> None:
    pair = BUILT.model_copy(
        update={"question": "How many cars does the Bryne ferry carry?", "answer": "12", "chunk_ids": (FERRY.id,)}
    )
    found, asked = check(pair, ["12", "NO ANSWER"], search=True)
    assert (found.scores["wrong_chunk"], asked) == (0.0, ["passages", "memory"])


def test_a_turn_is_asked_with_the_turns_before_it() -> None:
    history = (Message(role="user", content="Who built it?"), Message(role="assistant", content="Maria Holt"))
    script = Scripted(["1874", "NO ANSWER"])
    turn = BUILT.model_copy(update={"question": "And when?", "history": history})
    found = asyncio.run(Roundtrip(script.asynchronous(), CORPUS, search=Nearest()).check(turn))
    assert found.scores == {"open_book": 1.0, "closed_book": 0.0}
    for request in script.requests:
        assert "Reader: Who built it?\nAssistant: Maria Holt\n\nQuestion: And when?" in request.messages[-1].content


def test_an_unanswerable_pair_is_looked_for_in_what_was_searched() -> None:
    none = BUILT.model_copy(
        update={
            "question": "Who paints it?",
            "answer": "-",
            "answerable": False,
            "chunk_ids": (LIGHTHOUSE.id, FERRY.id),
        }
    )
    found, asked = check(none, ["NO ANSWER"])
    assert (reason(found), found.scores, asked) == ("", {"open_book": 1.0}, ["passages"])
    found, _ = check(none, ["Maria Holt"])
    assert (reason(found), found.scores) == ("answerable_after_all", {"open_book": 0.0})


def test_an_empty_reply_is_asked_for_again_and_then_rejects() -> None:
    assert reason(check(BUILT, ["", "1874", "NO ANSWER"])[0]) == ""
    assert reason(check(BUILT, ["", ""])[0]) == "roundtrip_unreadable"
    assert reason(check(BUILT, ["In 1875.", "Perhaps.", "DIFFERENT"])[0]) == "roundtrip_open_book"
    assert check(BUILT, ["1874", "", ""])[0].difficulty == "medium"
    assert check(BUILT, ["1874", "In 1911", "?", "?", "NO ANSWER"], search=True)[0].verdict is None
    assert check(BUILT, ["1874", "1875", "?", "?"])[0].difficulty == "medium"


def test_private_documents_are_not_sent() -> None:
    assert check(BUILT, [], private=[LIGHTHOUSE.document_id]) == (Checked(), [])
    found, asked = check(BUILT, ["1874", "NO ANSWER"], search=True, private=[CHURCH.document_id])
    assert (reason(found), asked) == ("", ["passages", "memory"])


def test_errors_of_the_model_go_up() -> None:
    def say(_request: ChatRequest) -> str:
        raise Unreachable("gone", hint="")

    with pytest.raises(Unreachable):
        asyncio.run(Roundtrip(Scripted(say).asynchronous(), CORPUS).check(BUILT))


def test_prompts_are_named() -> None:
    roundtrip = Roundtrip(Scripted([]).asynchronous(), CORPUS)
    assert roundtrip.prompts == prompt_hashes()
    assert "answer_from_passages" in roundtrip.prompts
