from __future__ import annotations

import pytest

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Draft, Evidence, Span, Verdict
from generator.grounding import verify

BEFORE = "A page before. 🙂 "
TEXT = (
    "Watson joined CTR in 1914 as general manager.[23] Its revenues reached $9 million, and 1,200 people worked for "
    "the company. In 1924 the three plants of CTR became International Business Machines (IBM)."
)
WHOLE = BEFORE + TEXT + " After."
DOCUMENT = Document(
    id="d_1", source="ibm.md", media_type="text/markdown", title="A history of Big Blue", text=WHOLE, sha256=""
)
SPAN = Span(document_id="d_1", start=len(BEFORE), end=len(BEFORE) + len(TEXT))
PATH = ("The Endicott years",)
CHUNK = Chunk(id="c_1", document_id="d_1", span=SPAN, text=TEXT, heading_path=PATH, tokens=60, text_sha256=sha256(TEXT))


def check(answer: str, quote: str, **fields: object) -> tuple[Evidence, ...] | Verdict:
    draft = Draft(question="What happened to CTR?", answer=answer, quote=quote)
    return verify(draft.model_copy(update=fields), CHUNK, DOCUMENT)


def quotes(result: tuple[Evidence, ...] | Verdict) -> list[str]:
    assert not isinstance(result, Verdict), result
    for evidence in result:
        assert DOCUMENT.text[evidence.span.start : evidence.span.end] == evidence.quote
    return [evidence.quote for evidence in result]


def reason(result: tuple[Evidence, ...] | Verdict) -> str:
    assert isinstance(result, Verdict)
    assert not result.accepted
    assert result.detail
    return result.reason


def test_quotes_become_spans_of_the_document() -> None:
    quote = "Watson joined CTR in 1914 as general manager."
    assert quotes(check("In 1914, as general manager.", quote)) == [quote]
    assert quotes(check("Nine million dollars: $9 million.", "its revenues reached $9 million")) == [
        "Its revenues reached $9 million"
    ]


def test_parts_joined_by_dots_are_several_pieces_of_evidence() -> None:
    quote = "Watson joined CTR in 1914 ... the three plants of CTR became International Business Machines"
    assert quotes(check("CTR became IBM.", quote)) == [
        "Watson joined CTR in 1914", "the three plants of CTR became International Business Machines",
    ]  # fmt: skip
    assert reason(check("CTR became IBM.", quote + " [...] and nothing of the sort")) == "quote_not_found"


@pytest.mark.parametrize(
    ("answer", "quote", "expected"),
    [
        ("In 1914.", "", "no_quote"),
        ("In 1914.", "Watson left CTR before the war and never came back", "quote_not_found"),
        ("In 1915.", "Watson joined CTR in 1914", "answer_not_supported"),
        ("Boeing B747 of 1914", "Watson joined CTR in 1914", "answer_not_supported"),
        ("$19 million", "Its revenues reached $9 million", "answer_not_supported"),
        ("It was led by Patterson.", "Watson joined CTR in 1914", "answer_not_supported"),
        ("They celebrated wildly throughout the summer.", "Watson joined CTR in 1914", "answer_not_supported"),
    ],
)
def test_reasons(answer: str, quote: str, expected: str) -> None:
    assert reason(check(answer, quote)) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "1200 people",  # the separator is missing
        "3 plants",  # in words in the passage
        "Yes, the plants became IBM.",
        "Big Blue, in its Endicott years, was CTR.",  # names from title and heading
        "It is called International Business Machines.",
        "joining as a general manager",  # another ending
    ],
)
def test_answers_in_other_forms_are_supported(answer: str) -> None:
    assert quotes(check(answer, "Watson joined CTR in 1914 as general manager."))


def test_spans_that_a_teacher_knows_are_checked_letter_for_letter() -> None:
    start = DOCUMENT.text.index("Watson")
    span = Span(document_id="d_1", start=start, end=start + 6)
    assert quotes(check("Watson", "Watson", span=span)) == ["Watson"]
    assert reason(check("Watson", "watson", span=span)) == "span_mismatch"
    assert reason(check("Watson", "Watson", span=span.model_copy(update={"document_id": "d_2"}))) == "span_mismatch"
    assert reason(check("Watson", "Watson", span=span.model_copy(update={"end": 9999}))) == "span_mismatch"


def test_an_unanswerable_draft_has_no_evidence() -> None:
    assert check("", "", answerable=False) == ()


def test_a_script_without_spaces() -> None:
    text = "東京の人口は約1400万人である。"
    document = Document(id="d_2", source="t", media_type="text/plain", title="東京", text=text, sha256="")
    span = Span(document_id="d_2", start=0, end=len(text))
    chunk = Chunk(id="c_2", document_id="d_2", span=span, text=text, tokens=20, text_sha256="")

    def judged(answer: str) -> tuple[Evidence, ...] | Verdict:
        return verify(Draft(question="東京の人口は?", answer=answer, quote="人口は約1400万人である"), chunk, document)

    assert not isinstance(judged("約1400万人"), Verdict)
    assert reason(judged("約1500万人")) == "answer_not_supported"
    assert reason(judged("大阪城と名古屋港")) == "answer_not_supported"
