"""The form gate, coverage and the ledger."""

from __future__ import annotations

import pytest

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Evidence, Ledger, Message, Pair, Span
from generator.coverage import coverage, hardly_asked
from generator.languages import language_of, other_language
from generator.quality import form_verdict

TEXT = "The tower was built in 1874. The lamp was lit in 1876. Nobody asks about this third sentence."


def pair(question: str, answer: str = "1874", start: int = 0, end: int = 28) -> Pair:
    evidence = (Evidence(span=Span(document_id="d_1", start=start, end=end), quote=TEXT[start:end]),)
    return Pair(
        id=Pair.identify(question, answer, evidence), question=question, answer=answer, evidence=evidence,
        chunk_ids=("c_1",), teacher="extractive",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When was the Aldern lighthouse built?", "1874"),
        ("Which table of the database holds the keys?", "1874"),
        ("What does the author of a will need?", "1874"),
        ("How is a document chunked?", "1874"),
        ("How long does it take to cross the Bryne by ferry?", "seven minutes"),
        ("Is it true that the Bryne ferry stops in winter storms?", "Yes."),
        ("Which is longer, the Dorn railway or the Farrow bridge?", "the Dorn railway"),
        ("Did the Nobel committee know of the lamp?", "No"),
        ("How many doors has house number 150?", "50"),
        ("Was wurde 1874 in Aldern gebaut?", "der Leuchtturm"),
        ("Wie ist es möglich, in Aldern zu landen?", "mit der Fähre"),
        ("In welchem Artikel des Gesetzes steht die Frist?", "in Artikel 5"),
        ("Quand la tour d'Aldern a-t-elle été construite ?", "en 1874"),
        ("¿Cuándo se construyó la torre de Aldern?", "en 1874"),
        ("阿尔登灯塔建于哪一年？", "1874年"),
        ("栉水母在希腊文中是什么意思？", "带梳子的"),
        ("其他国家的灯塔由谁管理？", "海岸警卫队"),
        ("アルデン灯台はいつ建てられましたか。", "1874年"),
    ],
)
def test_good_form(question: str, answer: str) -> None:
    assert form_verdict(pair(question, answer)) is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What does this section describe?", "chunks"),
        ("According to the passage, when was it built?", "1874"),
        ("What is shown in the table above?", "x"),
        ("What are the following steps?", "x"),
        ("When was it built?", "1874"),
        ("When was its lamp lit?", "1876"),
        ("Is it open in winter?", "Yes."),
        ("Why?", "because"),
        ("When was the tower built?", ""),
        ("When was the tower built?", "not specified"),
        ("When was the tower built?", "Unbekannt."),
        ("灯塔是哪一年建成的？", "未提及"),
        ("What was built in 1874?", "1874"),
        ("x" * 400 + " a b?", "1874"),
        ("Laut dem Text: Wann wurde der Turm gebaut?", "1874"),
        ("Was beschreibt dieser Abschnitt über Aldern?", "den Turm"),
        ("Wann wurde er gebaut?", "1874"),
        ("Selon le texte, quand la tour fut-elle construite ?", "1874"),
        ("Quand est-il né ?", "1874"),
        ("Según el texto, ¿cuándo se construyó la torre?", "1874"),
        ("根据文章，灯塔建于哪一年？", "1874年"),
        ("它是哪一年建成的？", "1874年"),
        ("When was the tower built?", "I'm sorry, I cannot answer that."),
        ("When was the tower built?", "As an AI model I have no access to it."),
        ("When was the tower built?", "The passage does not say when."),
        ("When was the tower built?", "According to the passage, in 1874."),
        ("Wann wurde der Turm gebaut?", "Das wird im Text nicht gesagt."),
        ("灯塔是哪一年建成的？", "抱歉，我无法回答。"),
    ],
)
def test_bad_form(question: str, answer: str) -> None:
    verdict = form_verdict(pair(question, answer))
    assert verdict is not None
    assert verdict.reason == "form"
    assert verdict.detail


def test_a_question_in_a_conversation_may_point_back() -> None:
    history = (Message(role="user", content="Who built the tower?"), Message(role="assistant", content="Maria Holt"))
    assert form_verdict(pair("When was it built?")) is not None
    assert form_verdict(pair("When was it built?").model_copy(update={"history": history})) is None
    assert form_verdict(pair("And when?").model_copy(update={"history": history})) is None


def test_an_unanswerable_pair_needs_no_answer() -> None:
    assert form_verdict(pair("Who painted the Aldern lighthouse?", "").model_copy(update={"answerable": False})) is None


ENGLISH = (
    "The tower that stands at the harbour was built by Maria Holt, and it is the oldest of the towers on the coast."
)
GERMAN = (
    "Der Turm, der am Hafen steht, wurde von Maria Holt gebaut und ist der älteste der Türme an der Küste. "
    "Er ist nicht hoch, und die Lampe wird von einem Motor gedreht."
)
CHINESE = "港口的灯塔由玛丽亚·霍尔特建造，是沿海最古老的灯塔。"


@pytest.mark.parametrize(
    ("question", "passage", "same"),
    [
        ("Who built the tower at the harbour?", ENGLISH, True),
        ("Wer hat den Turm am Hafen gebaut?", GERMAN, True),
        ("谁建造了港口的灯塔？", CHINESE, True),
        ("Who built the tower at the harbour?", GERMAN, False),
        ("Wer hat den Turm gebaut und wann wurde er fertig?", ENGLISH, False),
        ("谁建造了港口的灯塔？", ENGLISH, False),
        ("Who built the tower at the harbour?", CHINESE, False),
        ("Кто построил башню в гавани?", ENGLISH, False),
        ("Was ist Maria Holt?", ENGLISH, True),  # too little to tell
        ("東京タワーはいつできましたか", "東京タワーは1958年に完成した。東京都港区芝公園にある電波塔である。", True),
    ],
)
def test_the_question_is_in_the_language_of_its_passage(question: str, passage: str, same: bool) -> None:
    assert (other_language(question, passage) == "") is same
    assert (form_verdict(pair(question), passage) is None) is same


def test_languages_by_their_small_words() -> None:
    assert language_of(ENGLISH * 3) == "en"
    assert language_of(GERMAN * 2) == "de"
    assert language_of("Maria Holt 1874") == ""


def test_coverage_counts_sentences_sections_characters_and_terms() -> None:
    document = Document(id="d_1", source="a.md", media_type="text/plain", title="A", text=TEXT, sha256=sha256(TEXT))
    span = Span(document_id="d_1", start=0, end=len(TEXT))
    chunk = Chunk(id="c_1", document_id="d_1", span=span, text=TEXT, tokens=20, text_sha256="")
    found = coverage(
        [document], [chunk], [pair("When was the tower built?"), pair("When was the lamp lit?", "1876", 29, 54)]
    )
    assert found["sentences"] == round(2 / 3, 4)
    assert found["sections"] == 1.0
    assert found["characters"] == round((28 + 25) / len(TEXT), 4)
    assert found["documents"][0]["pairs"] == 2  # type: ignore[index]
    assert hardly_asked(found) == ""
    nothing = coverage([document], [chunk], [])
    assert hardly_asked(nothing) == ""
    assert nothing["sentences"] == nothing["sections"] == 0.0


def test_documents_that_are_hardly_asked_about_are_named() -> None:
    shares = (0, 0.0005, 0.3, 0.001, 0)
    rows = [{"source": f"{n}.md", "pairs": n, "characters": share} for n, share in enumerate(shares)]
    assert hardly_asked({"characters": 0.012, "documents": rows}) == (
        "Hardly asked about: 0.md (pairs: 0, 0.00% of its text), 4.md (pairs: 4, 0.00% of its text), "
        "1.md (pairs: 1, 0.05% of its text) and 1 more; of all text 1.20%."
    )


def test_a_ledger_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="does not add up"):
        Ledger(requested=1, asked=2, accepted=1)
