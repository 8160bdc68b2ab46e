from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.clues import Asking, Scene
from rag.lexical import FOLDER, Lexical, write
from rag.question import understand
from rag.short import Short, field_asked, right, shorten
from rag.spans import runs
from rag.tokens import tokens

LIGHTHOUSE = (
    "The Harrow lighthouse, which was built by Edith Marlow in 1872, stands 41 metres above the cliffs of Penmarrow "
    "and burned whale oil until 1931 because no cable reached the island."
)


@pytest.fixture(scope="module")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> Lexical:
    folder: Path = tmp_path_factory.mktemp("short") / FOLDER
    write(
        folder, [("a", "", LIGHTHOUSE), ("b", "", "A loaf is baked for 45 minutes."), ("c", "", "Permits cost money.")]
    )
    return Lexical(folder)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who built the Harrow lighthouse?", "Edith Marlow"),
        ("When was the Harrow lighthouse built?", "1872"),
        ("In what year did Edith Marlow build the lighthouse?", "1872"),
        ("How many metres above the cliffs does the lighthouse stand?", "41"),
        ("What did the lighthouse burn until 1931?", "whale oil"),
        ("Why did the lighthouse burn whale oil?", "no cable reached the island"),
    ],
)
def test_the_words_that_answer(lexical: Lexical, question: str, answer: str) -> None:
    short = shorten(Asking(question, lexical), LIGHTHOUSE)
    assert short is not None
    assert short.text.removeprefix("because ") == answer
    assert 0 < short.share <= short.around <= 1.0000001


@pytest.mark.parametrize(
    "question", ["Is the lighthouse open?", "Wer hat den Leuchtturm gebaut?", "harrow lighthouse", ""]
)
def test_what_has_no_short_answer(lexical: Lexical, question: str) -> None:
    assert shorten(Asking(question, lexical), LIGHTHOUSE) is None


def test_a_sentence_without_content_has_none(lexical: Lexical) -> None:
    assert shorten(Asking("Who was it?", lexical), "It was not.") is None


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("When did it open?", "date"),
        ("In what year did it open?", "year"),
        ("How many lamps burn?", "number"),
        ("How tall is it?", "quantity"),
        ("What percentage was lost?", "percent"),
        ("Who wrote it?", "person"),
        ("Where is it?", "place"),
        ("Why does it burn?", "reason"),
        ("Why are people who burn oil fined?", "reason"),
        ("How is it cleaned?", "manner"),
        ("What is a levain?", "definition"),
        ("Is it open?", "boolean"),
        ("Are there towns where oil is burned?", "boolean"),
        ("What burns in the lamp of the tower?", "thing"),
        ("When the lamp is out, what burns?", "thing"),
        ("Which articles state that the lamp burns?", "thing"),
        ("The tower was built by who?", "person"),
        ("What is the population of Penmarrow?", "number"),
        ("", "thing"),
    ],
)
def test_what_a_question_asks_for(question: str, asked: str) -> None:
    assert understand(question).asked == asked


@pytest.mark.parametrize(
    ("question", "head", "role", "verb"),
    [
        ("Which river flows through York?", "river", "subject", "flows"),
        ("What type of oil did the lamp burn?", "oil", "object", "burn"),
        ("Which two courts apply the law?", "two courts", "subject", "apply"),
        ("How many lamps are burned?", "lamps", "other", "burned"),
        ("What was the lamp called?", "", "copula", "called"),
    ],
)
def test_the_noun_and_the_verb_of_a_question(question: str, head: str, role: str, verb: str) -> None:
    found = understand(question)
    assert (found.head, found.role, found.verb) == (head, role, verb)


@pytest.mark.parametrize(
    ("sentence", "word", "part"),
    [
        ("The law binds the courts.", "binds", "finite"),
        ("They saw the binds.", "binds", "noun"),
        ("It was built in May.", "may", "name"),
        ("It may rain.", "may", "auxiliary"),
        ("She wants to record it.", "record", "verb"),
        ("She broke the record.", "record", "noun"),
        ("Edith's lamp burns.", "'s", "possessive"),
        ("It cost £1,200.50 then.", "£1,200.50", "number"),
    ],
)
def test_the_part_of_a_word(sentence: str, word: str, part: str) -> None:
    assert next(token.part for token in tokens(sentence) if token.lower == word) == part


@given(st.text(max_size=120))
def test_runs_lie_in_the_sentence(lexical: Lexical, sentence: str) -> None:
    found = tokens(sentence)
    assert all(sentence[token.start : token.end].strip() for token in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    places = runs(found)
    assert len(set(places)) == len(places)
    scene = Scene(Asking("Who built what?", lexical), sentence)
    assert all(scene.text(place) in sentence and scene.clues(place) for place in places)


def test_a_surer_answer_is_likelier_right() -> None:
    sure, unsure = Short("a", 0.9, 0.95, 5.0), Short("a", 0.1, 0.2, 5.0)
    assert right(sure, 0.9, 2.0) > 0.6 > 0.4 > right(unsure, 0.5, 0.1)


REASONS = (("Reason", "`form`"), ("Meaning", "The wording is not acceptable"))
LOAVES = (("Food", "Rye loaf"), ("Calories", "259"), ("Baked at", "230 degrees"))


@pytest.mark.parametrize(
    ("question", "fields", "answer"),
    [
        ("How many calories has a rye loaf?", LOAVES, "259"),
        ("How many calories has a wheat roll?", LOAVES, None),  # another row's
        ("What is a reason?", REASONS, None),  # about the name of the column
        ("What does the reason form mean?", REASONS, "The wording is not acceptable"),
        ("How is the reason form to be understood?", REASONS, "The wording is not acceptable"),
        ("Which food has the most calories?", LOAVES, None),  # about all rows
        ("What is the email?", (("Email", "office@harrow.example"),), "office@harrow.example"),
    ],
)
def test_the_field_that_is_asked_for(
    lexical: Lexical, question: str, fields: tuple[tuple[str, str], ...], answer: str | None
) -> None:
    found = field_asked(Asking(question, lexical), fields)
    assert (found and found.text) == answer
