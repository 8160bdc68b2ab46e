from __future__ import annotations

import pytest

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Draft, Evidence, Message, Span, Verdict
from generator.grounding import verify
from generator.support import unsupported

BEFORE = "A page before. 🙂 "
TEXT = (
    "Watson joined CTR in 1914 as general manager.[23] Its revenues reached $9 million, and 1,200 people worked for "
    "the company. In 1924 the three plants of CTR became International Business Machines (IBM)."
)
WHOLE = BEFORE + TEXT + " After."
DOCUMENT = Document(
    id="d_1", source="ibm.md", media_type="text/markdown", title="A history of Big Blue", text=WHOLE, sha256=""
)
DOCUMENTS = {"d_1": DOCUMENT}
SPAN = Span(document_id="d_1", start=len(BEFORE), end=len(BEFORE) + len(TEXT))
PATH = ("The Endicott years",)
CHUNK = Chunk(id="c_1", document_id="d_1", span=SPAN, text=TEXT, heading_path=PATH, tokens=60, text_sha256=sha256(TEXT))


def check(answer: str, quote: str, **fields: object) -> tuple[Evidence, ...] | Verdict:
    draft = Draft(question="What happened to CTR?", answer=answer, quotes=(quote,))
    return verify(draft.model_copy(update=fields), [CHUNK], DOCUMENTS)


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
        draft = Draft(question="東京の人口は?", answer=answer, quotes=("人口は約1400万人である",))
        return verify(draft, [chunk], {"d_2": document})

    assert not isinstance(judged("約1400万人"), Verdict)
    assert reason(judged("約1500万人")) == "answer_not_supported"
    assert reason(judged("大阪城と名古屋港")) == "answer_not_supported"


def place(text: str, at: int, document_id: str) -> Chunk:
    span = Span(document_id=document_id, start=at, end=at + len(text))
    return Chunk(
        id=f"c_{document_id}_{at}", document_id=document_id, span=span, text=text, tokens=9, text_sha256=sha256(text)
    )


def made(text: str, document_id: str, title: str = "") -> Document:
    return Document(id=document_id, source=document_id, media_type="text/plain", title=title, text=text, sha256="")


HOLT = "Maria Holt built the Aldern lighthouse in 1874."
BORN = "Maria Holt was born in Lyon, where the river Saone meets the Rhone."
TWO = {"d_3": made(f"Intro. {HOLT}", "d_3"), "d_4": made(BORN, "d_4")}
HOPS = [place(HOLT, 7, "d_3"), place(BORN, 0, "d_4")]


def hop(answer: str, *quotes: str, kind: str = "multi-hop") -> tuple[Evidence, ...] | Verdict:
    draft = Draft(question="Where was the builder of the Aldern lighthouse born?", answer=answer, quotes=quotes)
    return verify(draft.model_copy(update={"kind": kind}), HOPS, TWO)


def test_quotes_of_several_chunks_become_spans_of_their_own_documents() -> None:
    found = hop("In Lyon", HOLT, "Maria Holt was born in Lyon")
    assert not isinstance(found, Verdict)
    assert [(part.span.document_id, part.span.start, part.quote) for part in found] == [
        ("d_3", 7, HOLT), ("d_4", 0, "Maria Holt was born in Lyon"),
    ]  # fmt: skip
    for part in found:
        assert TWO[part.span.document_id].text[part.span.start : part.span.end] == part.quote


def test_a_hop_that_is_none_is_refused() -> None:
    assert reason(hop("In Lyon", "Maria Holt was born in Lyon")) == "not_multi_hop"
    assert reason(hop("In Lyon", "was born in Lyon", "the river Saone meets the Rhone")) == "not_multi_hop"
    assert not isinstance(hop("In Lyon", "Maria Holt was born in Lyon", kind="entity"), Verdict)
    assert reason(hop("In Lyon", HOLT, "Maria Holt lived all her life in Paris")) == "quote_not_found"
    assert reason(hop("In Paris", HOLT, "Maria Holt was born in Lyon")) == "answer_not_supported"


def test_one_quote_among_several_that_is_not_there_refuses_the_draft() -> None:
    draft = Draft(
        question="What of CTR?", answer="It became IBM.", quotes=("Watson joined CTR in 1914", "CTR was sold")
    )
    assert reason(verify(draft, [CHUNK], DOCUMENTS)) == "quote_not_found"
    assert reason(verify(draft.model_copy(update={"quotes": ()}), [CHUNK], DOCUMENTS)) == "no_quote"


def test_support_can_be_set_or_left_out() -> None:
    quote = "Watson joined CTR in 1914 as general manager."
    draft = Draft(question="What of CTR?", answer="Watson happily managed CTR with verve", quotes=(quote,))
    assert not isinstance(verify(draft, [CHUNK], DOCUMENTS, 0.2), Verdict)
    assert reason(verify(draft, [CHUNK], DOCUMENTS, 0.9)) == "answer_not_supported"
    wrong = draft.model_copy(update={"answer": "In 1999, by Patterson"})
    assert not isinstance(verify(wrong, [CHUNK], DOCUMENTS, None), Verdict)
    assert reason(verify(wrong.model_copy(update={"quotes": ("no such words",)}), [CHUNK], DOCUMENTS, None))


def test_the_turns_before_are_checked_too() -> None:
    def turn(before: str) -> tuple[Evidence, ...] | Verdict:
        history = (Message(role="user", content="Who joined CTR?"), Message(role="assistant", content=before))
        draft = Draft(question="When?", answer="In 1914", quotes=("Watson joined CTR in 1914",), history=history)
        return verify(draft, [CHUNK], DOCUMENTS)

    assert not isinstance(turn("Watson"), Verdict)
    assert reason(turn("It was Patterson.")) == "history_not_supported"


GERMAN = (
    "Der Leuchtturm von Aldern ist ein Turm aus Stein, der die Einfahrt zum Hafen bewacht. Er wurde 1874 von der "
    "Ingenieurin Maria Holt gebaut und ist 41 Meter hoch. Die Lampe wurde im Jahr 1931 auf Strom umgestellt."
)


@pytest.mark.parametrize(
    ("answer", "held"),
    [
        ("Die Ingenieurin Maria Holt", True),
        ("Er bewacht die Zufahrt zum Hafen von Aldern.", True),  # a noun of its own among nouns of the text
        ("Die Ingenieurin Maria Lindqvist", False),
        ("Im Jahr 1932", False),
        ("Wegen des teuren Petroleums und der langen Wege", False),
        ("Einundvierzig oder 41 Meter", True),
    ],
)
def test_german(answer: str, held: bool) -> None:
    assert (unsupported(answer, GERMAN) == "") is held


@pytest.mark.parametrize(
    ("answer", "held"),
    [("玛丽亚·霍尔特", True), ("三座灯塔", True), ("3座灯塔", True), ("4座灯塔", False), ("由 Patterson 建造", False)],
)
def test_chinese(answer: str, held: bool) -> None:
    assert (unsupported(answer, "玛丽亚·霍尔特（Maria Holt）在港口建造了三座灯塔。") == "") is held
