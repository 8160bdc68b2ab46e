"""Nothing held out stands in the rows: known leaks are found, and no corpus and no pairs make one."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.alike import AlikeQuestions
from data.dataset import Dataset, build_dataset
from data.leaks import leaks
from data.splits import is_unseen, taught_facts, unseen_chunks
from doceo.core.config import DatasetConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Evidence, Example, Message, Pair, Question, Span
from doceo.text.passages import REFUSAL, ask_with_passages


@dataclass
class Corpus:
    documents: list[Document]
    chunks: list[Chunk]
    pairs: list[Pair]


def chunked(texts: Sequence[Sequence[str]]) -> tuple[list[Document], list[Chunk]]:
    documents, chunks = {}, []
    for number, parts in enumerate(texts):
        text = "\n\n".join(parts)
        if Document.identify(text) in documents:
            continue
        document = Document(
            id=Document.identify(text), source=f"s/{number}", media_type="text/plain", title=f"T{number}", text=text,
            sha256=sha256(text),
        )  # fmt: skip
        documents[document.id] = document
        start = 0
        for part in parts:
            span = Span(document_id=document.id, start=start, end=start + len(part))
            fields = {"id": Chunk.identify(span), "document_id": document.id, "span": span, "text": part, "tokens": 9}
            chunks.append(Chunk.model_validate({**fields, "text_sha256": sha256(part)}))
            start += len(part) + 2
    return list(documents.values()), chunks


WORDS = [f"{a}{b}{c}" for a in ("mil", "tow", "fer", "gar") for b in "aeiou" for c in ("", "n", "rs")]
sentence = st.lists(st.sampled_from(WORDS), min_size=2, max_size=14).map(" ".join)


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    """Documents that repeat each other's sentences, and pairs that repeat each other's questions."""
    shared = draw(st.lists(sentence, min_size=1, max_size=6))
    part = st.lists(st.one_of(sentence, st.sampled_from(shared)), min_size=1, max_size=4).map(". ".join)
    documents, chunks = chunked(draw(st.lists(st.lists(part, min_size=1, max_size=4), min_size=1, max_size=9)))
    rng = random.Random(draw(st.integers(0, 99)))
    questions = draw(st.lists(sentence, min_size=1, max_size=5))
    pairs = {}
    for _ in range(draw(st.integers(0, 30))):
        chunk = rng.choice(chunks)
        words = list(re.finditer(r"\w+", chunk.text))
        first = rng.randrange(len(words))
        last = min(len(words), first + rng.randint(1, 10)) - 1
        start, end = words[first].start(), words[last].end()
        span = Span(document_id=chunk.document_id, start=chunk.span.start + start, end=chunk.span.start + end)
        evidence = (Evidence(span=span, quote=chunk.text[start:end]),)
        question, answerable = rng.choice(questions), rng.random() > 0.1
        history: tuple[Message, ...] = ()
        if rng.random() < 0.2:
            history = (Message(role="user", content=rng.choice(questions)), Message(role="assistant", content="so"))
        other = rng.choice(chunks)
        ids = (chunk.id, other.id) if rng.random() < 0.2 else (chunk.id,)
        proofs = evidence if answerable else ()
        answer = evidence[0].quote if rng.random() < 0.5 else "so"
        pair = Pair(
            id=Pair.identify(question, answer, proofs), question=question, answer=answer, answerable=answerable,
            evidence=proofs, chunk_ids=ids, history=history, teacher="t",
        )  # fmt: skip
        pairs[pair.id] = pair
    return Corpus(documents, chunks, list(pairs.values()))


def plain(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z]+', text.lower()))} "


def spoken(question: Question) -> list[str]:
    return [*(turn.content for turn in question.history if turn.role == "user"), question.question]


@settings(max_examples=80, deadline=None)
@given(corpora(), st.floats(0.05, 0.45), st.integers(0, 9))
def test_sets_leak_nothing(corpus: Corpus, share: float, seed: int) -> None:
    unseen = unseen_chunks(corpus.documents, corpus.chunks, share, seed)
    config = DatasetConfig(seed=seed, validation_share=0.2, distractors=2)
    made = build_dataset(corpus.documents, corpus.chunks, corpus.pairs, unseen, [], config)
    rows = [*made.train, *made.validation]
    by_id = {chunk.id: chunk for chunk in corpus.chunks}
    held = [*made.taught, *made.unseen]
    for row in rows:
        assert not unseen.intersection(row.chunk_ids)
        turns = [plain(m.content.rpartition("Question: ")[2]) for m in row.messages if m.role == "user"]
        said = [plain(m.content) for m in row.messages if m.role == "assistant"]
        read = [plain(by_id[name].text) for name in row.chunk_ids]
        for question in held:
            own = [plain(text) for text in spoken(question)]
            assert turns != own
            assert len(own) > 1 or own[0] not in turns
            if question.set == "unseen" and (quotes := [plain(e.quote) for e in question.evidence]):
                assert not any(q in text for q in quotes if len(q.split()) >= 6 for text in (*read, *said))
        for name in unseen:
            if len(by_id[name].text.split()) >= 6:
                assert not any(plain(by_id[name].text) in text for text in (*read, *said))
    trained = {row.pair_id for row in made.train}
    facts = {(p.evidence, p.answer) for p in corpus.pairs if p.id in trained}
    answers = {pair.id: pair.answer for pair in corpus.pairs}
    assert all((question.evidence, answers[question.pair_id]) in facts for question in made.taught)
    assert made.check.questions == len(held)
    assert made.check.rows == len(rows)
    assert not trained & {row.pair_id for row in made.validation if row.style != "conversation"}


def test_each_leak_is_found_by_its_name() -> None:
    documents, chunks = chunked(
        [
            ["The mill was restored in 1996 by the Corvin Society after a long quarrel about the money."],
            ["The ferry carries 12 cars and 60 passengers over the river between Bryne and Osterby."],
            ["Why is the ferry closed in storms? The cable could break. Ask the captain at the landing."],
            ["As we said, the ferry carries 12 cars and 60 passengers, whatever some people in the town may tell."],
            ["Unrelated words of a passage that nobody needs, but that stands here to be a wrong one."],
        ]
    )

    def row(number: int, question: str, answer: str, *passages: Chunk) -> Example:
        asked = [Message(role="user", content=question)]
        if passages:
            asked = list(ask_with_passages(question, [("", chunk.text) for chunk in passages]))
        messages = (*asked, Message(role="assistant", content=answer))
        style = "open" if passages else "closed"
        return Example(id=f"e_{number}", style=style, messages=messages, chunk_ids=tuple(c.id for c in passages))

    quote = "The ferry carries 12 cars and 60 passengers"
    span = Span(document_id=documents[1].id, start=0, end=len(quote))
    held_out = [
        Question(pair_id="p_1", set="unseen", question="What can the Bryne ferry carry on one crossing of the river?",
                 references=("12 cars",), evidence=(Evidence(span=span, quote=quote),)),
        Question(pair_id="p_2", set="taught", question="Why is the ferry closed in storms?", references=("x",)),
    ]  # fmt: skip
    rows = [
        row(0, "Who restored the mill?", "The Corvin Society", chunks[0], chunks[4]),
        row(1, "what can the bryne ferry carry on one crossing of the RIVER", "Much."),
        row(2, "So what can the Bryne ferry carry on one crossing of the river?", "Much."),
        row(3, "What can the Bryne ferry carry on one crossing of Loch Ness?", "Nothing."),
        row(4, "How big is it?", "It is big: the ferry carries 12 cars and 60 passengers."),
        row(5, "Who restored the mill?", "The Corvin Society", chunks[0], chunks[3]),
        row(6, "Who restored the mill?", "The Corvin Society", chunks[0], chunks[1]),
        row(7, "Who restored the mill?", "The Corvin Society", chunks[2], chunks[0]),
        row(8, "Who restored it?", chunks[1].text),
    ]
    assert leaks(rows, held_out, [chunks[1]], chunks) == {
        "e_1": "question",
        "e_2": "near question",
        "e_4": "kept-out evidence",
        "e_5": "kept-out evidence",
        "e_6": "kept-out text",
        "e_7": "question",
        "e_8": "kept-out text",
    }


@pytest.mark.parametrize(
    ("question", "alike"),
    [
        ("How many cars does the Bryne ferry carry on a Sunday in May?", "same"),
        ("how many cars does the bryne ferry carry, on a sunday in may", "same"),
        ("And how many cars does the Bryne ferry carry on a Sunday in May?", "near"),
        ("How many cars does the Bryne ferry carry on a Sunday in June?", ""),
        ("How many cars does the Osterby ferry carry on a Sunday in May?", ""),
        ("What does the ferry carry?", ""),
        ("???", ""),
        ("", ""),
    ],
)
def test_alike_questions(question: str, alike: str) -> None:
    known = AlikeQuestions(["How many cars does the Bryne ferry carry on a Sunday in May?", "Why?", "东京塔有多高？"])
    assert known.among([question]) == [alike]
    assert known.among(["东京塔有多高", "why"]) == ["same", "same"]


@given(st.lists(sentence, min_size=1, max_size=20), st.lists(sentence, max_size=10))
def test_no_near_question_is_missed(known: list[str], asked: list[str]) -> None:
    def pairs(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return set(itertools.pairwise(words))

    changed = [*asked, *(" ".join(["so", *text.split()]) for text in known)]
    for text, found in zip(changed, AlikeQuestions(known).among(changed), strict=True):
        near = any(len(pairs(text) & pairs(k)) >= 0.8 * len(pairs(text) | pairs(k)) for k in known)
        assert bool(found) == near


def small(unseen_text: bool = False) -> tuple[list[Document], list[Chunk]]:
    return chunked(
        [[f"Tower{i} of town{i} was built by builder{i} in stone{i} and iron{i}, long{i} ago."] for i in range(6)]
    )


def pair_of(chunk: Chunk, question: str, answer: str, **fields: object) -> Pair:
    evidence = (Evidence(span=chunk.span, quote=chunk.text),)
    made = {"id": Pair.identify(question, answer, evidence), "question": question, "answer": answer, "teacher": "t"}
    return Pair.model_validate({**made, "evidence": evidence, "chunk_ids": (chunk.id,), **fields})


def build(pairs: list[Pair], unseen: frozenset[str], written: Sequence[Question] = ()) -> Dataset:
    return build_dataset(*small(), pairs, unseen, written, DatasetConfig(validation_share=0))


def test_a_pair_that_touches_kept_out_text_is_never_trained() -> None:
    _, chunks = small()
    unseen = frozenset([chunks[0].id])
    straddling = pair_of(chunks[1], "Who built both?", "builder0 and builder1", chunk_ids=(chunks[1].id, chunks[0].id))
    own = pair_of(chunks[2], "Who built tower2?", "builder2")
    nothing = {"answerable": False, "evidence": (), "kind": "unanswerable"}
    searched = pair_of(chunks[3], "Who painted tower3?", "None.", chunk_ids=(chunks[3].id, chunks[0].id), **nothing)
    hidden = pair_of(chunks[0], "Who painted tower0?", "None.", chunk_ids=(chunks[0].id, chunks[3].id), **nothing)
    assert [is_unseen(pair, unseen) for pair in (straddling, own, searched, hidden)] == [True, False, False, True]
    made = build([straddling, own, searched, hidden], unseen)
    assert [question.pair_id for question in made.unseen] == [straddling.id, hidden.id]
    assert made.unseen[1].references == (REFUSAL, "None.")
    assert {row.pair_id for row in made.train} == {own.id, searched.id}
    assert taught_facts([own, searched], 5, 0) == [own]


def test_a_rewording_that_hardly_differs_is_not_asked() -> None:
    _, chunks = small()
    first = pair_of(chunks[0], "Who was it that built the old tower0 of the town by the sea?", "builder0")
    same = pair_of(chunks[0], "So who was it that built the old tower0 of the town by the sea?", "builder0")
    other = pair_of(chunks[0], "By whom was tower0 put up?", "builder0")
    made = build([first, same, other], frozenset())
    assert [question.pair_id for question in made.taught] == [other.id]
    assert made.check.same_words == 1
    assert first.id in {row.pair_id for row in made.train}
    assert str(made.check).startswith(
        "leak check: 0 of 1 held-out questions, and no kept-out text, in 2 rows; 1 rewording"
    )


def test_a_written_question_takes_its_fact_out_of_training_and_of_taught() -> None:
    _, chunks = small()
    first, later = (pair_of(chunks[0], question, "builder0") for question in ("Who built it?", "By whom was it built?"))
    other = pair_of(chunks[1], "What is tower1 made of?", "stone1 and iron1")
    written = Question(pair_id="w_1", set="taught-written", question="who built it", references=("builder0",))
    made = build([first, later, other], frozenset(), [written])
    assert {row.pair_id for row in made.train} == {other.id}
    assert [question.pair_id for question in made.taught] == ["w_1"]
    assert made.check.removed == {"question": 2}
    assert made.check.untrained == 1


def test_text_that_is_repeated_everywhere_leaves_nothing_to_keep_out() -> None:
    words = " ".join(f"word{i}" for i in range(60))
    documents, chunks = chunked([[f"{words} end{i}"] for i in range(3)])
    assert unseen_chunks(documents, chunks, 0.3, 0) == frozenset()
    assert unseen_chunks(documents, chunks, 0.3, 0, ("s/1",))
