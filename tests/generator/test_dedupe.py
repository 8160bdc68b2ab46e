"""Repeats by words, by vectors, of a test set, and contradictions."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.config import GateConfig
from doceo.core.records import Evidence, Kind, Message, Pair, Span
from doceo.text.terms import shingles, terms
from generator.contradiction import agreeing, disagreement, substance, told_apart
from generator.dedupe import Repeats, asked
from generator.shingles import ShingleIndex


def pair(
    question: str,
    answer: str = "",
    place: int | None = None,
    kind: Kind = "fact",
    history: tuple[str, ...] = (),
) -> Pair:
    """A pair; an empty answer makes it unanswerable, `place` is where its evidence starts."""
    at = abs(hash_of(question + answer)) % 10**6 if place is None else place
    span = Span(document_id="d_1", start=at, end=at + 5)
    evidence = (Evidence(span=span, quote="quote"),) if answer else ()
    turns = tuple(Message(role="assistant" if i % 2 else "user", content=content) for i, content in enumerate(history))
    return Pair(
        id=Pair.identify(question, answer or "none", evidence), question=question, answer=answer or "none",
        answerable=bool(answer), evidence=evidence, chunk_ids=("c_1",), kind=kind, history=turns, teacher="t",
    )  # fmt: skip


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode("utf-8")[-8:], "big")


def reason(first: Pair, second: Pair, **options: frozenset[str]) -> str:
    """Why the second pair is refused after the first, or nothing."""
    known = Repeats(**options)
    assert known.verdict(first) is None
    known.add(first)
    verdict = known.verdict(second)
    return verdict.reason if verdict else ""


BRIDGE = "When was the old Farrow bridge over the river opened to traffic?"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("When was the bridge opened?", "1911"), ("when was the bridge  OPENED", "in 1911"), "exact"),
        (("When was the bridge opened?", "1911"), ("When was the bridge opened?", "1912"), "contradiction"),
        (("When was the bridge opened?", "1911"), ("When was the bridge closed?", "1950"), ""),
        (("When was the bridge opened?", "1911"), ("What year was the bridge opened?", "It opened in 1911"), "near"),
        (("When was the bridge opened?", "1911"), ("In what year was the bridge opened?", "1912"), "contradiction"),
        (("When was the bridge opened?", "1911"), ("When was the bridge opened?", ""), "contradiction"),
        (("When was the bridge opened?", ""), ("When was the bridge opened?", ""), "exact"),
        (("When was the bridge opened?", "July 5"), ("When was the bridge opened?", "in 1911"), "exact"),
        (("How long is the bridge?", "41 metres"), ("How long is the bridge?", "1200 metres"), "contradiction"),
        (("When was the bridge opened?", "July 5, 1911"), ("When was a bridge opened?", "1911"), "near"),
        (("What is the tower's height?", "41 m"), ("What is the height of the tower?", "41 metres"), "near"),
        (("What is the tower's height?", "41 m"), ("What is the height of the tower?", "43 metres"), "contradiction"),
        (("Who did Rome defeat?", "Carthage"), ("Who defeated Rome?", "Brennus"), ""),
        (("Who built the tower?", "Maria Holt"), ("Who built the tower?", "Sofia Lindqvist"), "contradiction"),
        (("Who built the tower?", "Maria Holt"), ("Who built a tower?", "the engineer Maria Holt"), "near"),
        (("Who signed it first, the UN?", "the UN"), ("Who signed it first, the UN?", "United Nations"), "exact"),
        (("Is the tower open?", "Yes, it is."), ("Is the tower open?", "No, not in winter."), "contradiction"),
        (("What can be deleted?", "files"), ("What cannot be deleted?", "files"), ""),
        (("What does the option -r do?", "It recurses."), ("What does the option -R do?", "It recurses."), ""),
        (("What is C++ used for in it?", "speed"), ("What is C# used for in it?", "windows"), ""),
        (("What is one of the uses of tin?", "solder"), ("What is one of the uses of tin?", "plating"), "exact"),
        ((BRIDGE, "1911"), (BRIDGE.replace("opened", "closed"), "1950"), ""),
        ((BRIDGE, "1911"), (BRIDGE.replace("opened", "closed"), "1911"), ""),
        ((BRIDGE, "1911"), (BRIDGE.replace("Farrow", "Bryne"), "1911"), ""),
        ((BRIDGE, "1911"), (BRIDGE.replace("?", " there?"), "in 1911"), "near"),
        (("桥是什么时候开放的？", "1911年"), ("桥是什么时候开放的", "1912年"), "contradiction"),
        (("哪个部门支持它？", "马歇尔太空飞行中心"), ("哪个部门支持它", "载人太空船中心"), "contradiction"),
        (("哪个部门支持它？", "马歇尔太空飞行中心"), ("哪个部门支持它", "太空飞行中心"), "exact"),
        (("Wann wurde die Brücke eröffnet?", "1911"), ("Wann wurde die Brücke eröffnet?", "im Jahr 1911"), "exact"),
    ],
)  # fmt: skip
def test_what_repeats_and_what_contradicts(first: tuple[str, str], second: tuple[str, str], expected: str) -> None:
    assert reason(pair(*first, place=1), pair(*second, place=50)) == expected


def test_explanations_in_other_words_repeat_and_do_not_contradict() -> None:
    one = pair("What is a Fresnel lens?", "A lens that bends light into a beam.", kind="definition")
    other = pair("What is a Fresnel lens?", "Thin glass made of concentric rings.", kind="definition")
    assert disagreement(one, other) == ""
    assert reason(one, other) == "exact"


def test_both_sides_of_a_contradiction_fall_and_no_third_comes() -> None:
    known = Repeats()
    good, first = pair("Who built the mill?", "Ann Roe"), pair("When was the bridge opened?", "1911")
    for one in (good, first):
        known.add(one)
    second = pair("What year was the bridge opened?", "1912")
    verdict = known.verdict(second)
    assert verdict is not None
    assert (verdict.reason, known.retracted()) == ("contradiction", [first.id])
    assert first.id in verdict.detail and "1912 and 1911" in verdict.detail
    known.forget(first.id)
    third = known.verdict(pair("When was the bridge opened?", "1911", place=7))
    assert third is not None
    assert (third.reason, known.retracted()) == ("contradiction", [])
    assert known.verdict(pair("When was the mill built?", "1790")) is None


def test_an_answer_without_evidence_takes_no_other_with_it() -> None:
    known = Repeats()
    first = pair("When was the bridge opened?", "1911")
    known.add(first)
    verdict = known.verdict(pair("What year was the bridge opened?", "1912"), grounded=False)
    assert verdict is not None and (verdict.reason, known.retracted()) == ("near", [])


def test_gates_that_do_not_run_refuse_nothing() -> None:
    one, other = pair("When was the bridge opened?", "1911"), pair("When was the bridge opened?", "1912")
    assert reason(one, other, gates=frozenset({"exact"})) == "exact"
    assert reason(one, other, gates=frozenset({"near"})) == "near"
    assert reason(one, other, gates=frozenset({"contradiction"})) == "contradiction"
    assert reason(one, other, gates=frozenset({"form", "grounding"})) == ""


def test_a_rewording_repeats_the_fact_but_not_the_words() -> None:
    known = Repeats()
    first = pair("When was the old stone tower built?", "1874", 0)
    known.add(first)
    again = pair("In what year was the old stone tower built?", "1874", 0)
    refused = known.verdict(again)
    assert refused is not None and refused.reason == "near"
    assert known.verdict(again, rewording_of=first) is None
    known.add(again)
    same = known.verdict(pair("When was the old stone tower built", "1874", 0), rewording_of=first)
    assert same is not None and same.reason == "exact"
    clash = pair("When was the mill built?", "1790")
    known.add(clash)
    worded_like_it = pair("When was a mill built?", "1874", 0)
    verdict = known.verdict(worded_like_it, rewording_of=first)
    assert verdict is not None and verdict.reason == "contradiction"
    assert known.retracted() == []


def test_the_same_fact_is_not_asked_twice_but_yes_is_no_fact() -> None:
    assert reason(pair("Who built the tower?", "Maria Holt", 3), pair("Name its engineer.", "maria holt.", 3)) == "near"
    one, other = pair("Is it stone?", "Yes", 3, "boolean"), pair("Does it guard a harbour?", "Yes", 3, "boolean")
    assert reason(one, other) == ""


def test_conversations_are_compared_with_what_was_said_before() -> None:
    bridge = pair("And when?", "1911", history=("Who built the bridge?", "Ann Roe."))
    mill = pair("And when?", "1790", history=("Who built the mill?", "Tom Orr."))
    assert reason(bridge, mill) == ""
    assert reason(bridge, pair("And when?", "In 1911", history=("Who built the bridge?", "Ann Roe."))) == "exact"
    assert asked(mill) == "Who built the mill?\nTom Orr.\nAnd when?"


def unit(*numbers: float) -> np.ndarray:
    found = np.array(numbers, dtype=np.float32)
    return found / np.linalg.norm(found)


def test_vectors_find_other_words_where_the_answer_agrees() -> None:
    known = Repeats()
    first = pair("Who invented the telephone?", "Bell")
    known.add(first, unit(1, 0, 0))
    verdict = known.verdict(pair("The telephone was whose invention?", "Alexander Bell"), unit(1, 0.3, 0))
    assert verdict is not None and verdict.reason == "semantic" and first.id in verdict.detail
    assert known.verdict(pair("Who sold the telephone?", "Gray"), unit(1, 0.3, 0)) is None
    assert known.verdict(pair("The telephone was whose invention?", "Alexander Bell"), unit(1, 1, 0)) is None
    close = pair("Who has invented the telephone?", "Reis")
    assert known.verdict(close, unit(1, 0.3, 0)) is None, "vectors this far apart prove no contradiction"
    against = known.verdict(close, unit(1, 0.1, 0))
    assert against is not None and against.reason == "contradiction" and known.retracted() == [first.id]


def test_questions_of_a_test_set_are_not_asked() -> None:
    known = Repeats(
        GateConfig(), against=["When was the Farrow bridge opened?", "Who runs the mill?"],
        against_vectors=np.stack([unit(1, 0, 0), unit(0, 1, 0)]),
    )  # fmt: skip
    exact = known.verdict(pair("when was the Farrow bridge opened", "1911"))
    assert exact is not None and exact.reason == "against" and "Farrow bridge" in exact.detail
    meant = known.verdict(pair("The mill belongs to whom?", "Ann"), unit(0.1, 1, 0))
    assert meant is not None and meant.reason == "against" and "Who runs the mill?" in meant.detail
    assert known.verdict(pair("Where is the mill?", "Corvin"), unit(0, 0, 1)) is None


def test_a_pair_refused_elsewhere_stands_in_nobodys_way() -> None:
    known = Repeats()
    first = pair("When was the bridge opened?", "1911")
    known.add(first)
    known.forget(first.id)
    assert known.verdict(pair("When was the bridge opened?", "1912")) is None


def test_terms_keep_what_tells_technical_questions_apart() -> None:
    assert terms("What do C++, C# and .NET 4.5 share?") == ("what", "do", "c++", "c#", "and", ".net", "4.5", "share")
    assert terms("rsync -r, -R, --no-backup") == ("rsync", "-r", "-R", "--no-backup")
    assert terms("桥1911年") == ("桥", "1911", "年")
    assert shingles(("a", "b", "c")) == {"a b", "b c"}


def test_substance_and_what_tells_apart() -> None:
    assert substance("In which year were the bridges opened?") == substance("When were a bridge opened")
    assert substance("Is it open?") != substance("Was it open?")
    assert substance("Was it open?", loose=True) == substance("Is it open?", loose=True)
    assert told_apart("How many lived there in 1990?", "How many lived there in 1991?")
    assert told_apart("Is it typical?", "Is it untypical?")
    assert not told_apart("Who led the party?", "Who was the leader of a party?")
    assert agreeing(pair("q?", "12 cars"), pair("q?", "It carries 12 cars and 60 people"))
    assert not agreeing(pair("q?", "increased wages"), pair("q?", "reduced wages"))


questions = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=9), min_size=1, max_size=150)


@settings(max_examples=60, deadline=None)
@given(texts=questions, threshold=st.sampled_from([0.5, 0.7, 0.8, 1.0]))
def test_the_shingle_index_finds_exactly_what_comparing_all_finds(texts: list[list[str]], threshold: float) -> None:
    index, earlier = ShingleIndex(threshold), []
    for number, text in enumerate(texts):
        found = shingles(text)
        similar = [(i, len(found & other) / len(found | other)) for i, other in enumerate(earlier)]
        assert index.query(found) == [(i, similarity) for i, similarity in similar if similarity >= threshold]
        assert index.add(found) == number
        earlier.append(found)


def test_questions_made_to_mislead_are_kept_apart(shared_data: Path) -> None:
    """SQuAD 2.0 has questions that differ from answered ones in a word, so that they have no answer."""
    file = shared_data / "squad" / "squad-v2.0-dev.first24.json.gz"
    known, reasons, refused = Repeats(), Counter[str](), []
    rows = {
        row["question"].strip(): row["answers"][0]["text"] if row["answers"] else ""
        for article in json.loads(gzip.decompress(file.read_bytes()))["data"]
        for paragraph in article["paragraphs"]
        for row in paragraph["qas"]
    }
    for number, (question, answer) in enumerate(rows.items()):
        new = pair(question, answer, number)
        if verdict := known.verdict(new):
            reasons[verdict.reason] += 1
            refused.append(re.sub(r"\W+", " ", question.casefold()))
        else:
            known.add(new)
    # the same question up to a capital letter, once answered and once marked as unanswerable by other people
    assert reasons.total() <= 8, refused
    assert reasons["contradiction"] >= 2
