from __future__ import annotations

from doceo.core.records import Chunk, Evidence, Pair, Span
from generator.difficulty import difficulty_of, difficulty_score

TEXT = (
    "The Aldern lighthouse was built in 1874. It was repaired in 1902, 1931 and 1978. "
    "The stone came from the Dorn quarry, and the tower took four years because the winters were hard."
)
SPAN = Span(document_id="d", start=0, end=len(TEXT))
CHUNK = Chunk(id="c", document_id="d", span=SPAN, text=TEXT, tokens=40, text_sha256="")


def pair(question: str, answer: str, quote: str, **fields: object) -> Pair:
    start = TEXT.index(quote)
    evidence = (Evidence(span=Span(document_id="d", start=start, end=start + len(quote)), quote=quote),)
    made = Pair(id="p", question=question, answer=answer, evidence=evidence, teacher="t")
    return made.model_copy(update=fields)


def test_known_values() -> None:
    # Every word of the question is in the evidence: distance 0; 7 of 60 words; 4 years in the chunk.
    near = pair("When was the Aldern lighthouse built?", "1874", "The Aldern lighthouse was built in 1874.")
    assert difficulty_score(near, [CHUNK]) == 0.25 * 7 / 60 + 0.25 * (1 - 1 / 4)
    assert difficulty_of(near, [CHUNK]) == "easy"


def test_far_words_are_harder_and_hops_are_hard() -> None:
    near = pair("When was the Aldern lighthouse built?", "1874", "The Aldern lighthouse was built in 1874.")
    far = pair("In which year did the beacon receive its masonry?", "1874", "The Aldern lighthouse was built in 1874.")
    assert difficulty_score(far, [CHUNK]) > difficulty_score(near, [CHUNK])
    assert difficulty_of(far, [CHUNK]) == "hard"
    assert difficulty_of(near.model_copy(update={"kind": "multi-hop"}), [CHUNK]) == "hard"


def test_more_evidence_is_harder() -> None:
    short = pair("Why did the Aldern tower take years?", "hard winters", "because the winters were hard")
    long = pair("Why did the Aldern tower take years?", "hard winters", TEXT)
    assert difficulty_score(long, [CHUNK]) != difficulty_score(short, [CHUNK])


def test_an_unanswerable_pair_has_a_difficulty() -> None:
    none = Pair(id="p", question="Who painted the Aldern lighthouse?", answer="x", answerable=False, teacher="t")
    assert difficulty_of(none, [CHUNK]) in ("medium", "hard")


def test_the_claim_of_the_teacher_counts_for_nothing() -> None:
    near = pair("When was the Aldern lighthouse built?", "1874", "The Aldern lighthouse was built in 1874.")
    assert difficulty_of(near.model_copy(update={"difficulty": "hard"}), [CHUNK]) == "easy"
