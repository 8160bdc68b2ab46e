import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.fingerprint import sha256
from doceo.core.protocols import Teacher
from doceo.core.records import Chunk, Document, Draft, Span
from generator.teachers.extractive import ExtractiveTeacher


def document(text: str, title: str = "Test") -> Document:
    return Document(
        id=Document.identify(text),
        source="test.md",
        media_type="text/markdown",
        title=title,
        text=text,
        sha256=sha256(text),
    )


def whole(of: Document, start: int = 0, end: int | None = None, heading_path: tuple[str, ...] = ()) -> Chunk:
    span = Span(document_id=of.id, start=start, end=len(of.text) if end is None else end)
    text = of.text[span.start : span.end]
    return Chunk(
        id=Chunk.identify(span), document_id=of.id, span=span, text=text, heading_path=heading_path,
        tokens=len(text.split()), text_sha256=sha256(text),
    )  # fmt: skip


def drafts(text: str) -> list[Draft]:
    made = document(text)
    return ExtractiveTeacher([(made, [whole(made)])]).propose(whole(made), made, 5)


def asked(text: str) -> dict[str, str]:
    return {draft.question: draft.answer for draft in drafts(text)}


GOOD = [
    (
        "A chunk is a passage of a document that fits the embedder.",
        "What is a chunk?",
        "A chunk is a passage of a document that fits the embedder.",
    ),
    (
        "LoRA, short for low-rank adaptation, is a method that trains a small addition to frozen weights.",
        "What is LoRA?",
        "LoRA, short for low-rank adaptation, is a method that trains a small addition to frozen weights.",
    ),
    (
        "In 1961, IBM developed the SABRE system for American Airlines.",
        "When did IBM develop the SABRE system for American Airlines?",
        "1961",
    ),
    (
        "The Debian Project was founded by Ian Murdock on August 16, 1993.",
        "Who founded the Debian Project on August 16, 1993?",
        "Ian Murdock",
    ),
    (
        "Microsoft released Windows 1.0 on November 20, 1985. It was the first of them.",
        "When did Microsoft release Windows 1.0?",
        "November 20, 1985",
    ),
    ("The Alpaca format has three fields.", "How many fields does the Alpaca format have?", "three fields"),
    (
        "Reasoning models are slow on a CPU, because their thoughts are long.",
        "Why are reasoning models slow on a CPU?",
        "Because their thoughts are long.",
    ),
    (
        "The option `--resume` continues an interrupted training.",
        "What does the option --resume do?",
        "The option --resume continues an interrupted training.",
    ),
    ("The maximum size of a cache entry is 30 MB.", "What is the maximum size of a cache entry?", "30 MB"),
    (
        "The work uses Low-Rank Adaptation (LoRA) for the training of a model.",
        "What does LoRA stand for?",
        "Low-Rank Adaptation",
    ),
    (
        "To remove a package, run `apt remove` with the name of the package.",
        "How do you remove a package?",
        "Run apt remove with the name of the package.",
    ),
    (
        "If a circular dependency is found, the installation will be aborted at once.",
        "What happens if a circular dependency is found?",
        "The installation will be aborted at once.",
    ),
    ("Log files are placed in `/var/log`.", "Where are log files placed?", "In /var/log"),
    ("Doceo has three gates: form, exact and near.", "Which three gates does Doceo have?", "form, exact and near"),
    (
        "The gradient is large. Gradient checkpointing saves memory by computing activations a second time.",
        "How does gradient checkpointing save memory?",
        "By computing activations a second time.",
    ),
    (
        "A quantised model is smaller than a full model.",
        "Which is smaller, a quantised model or a full model?",
        "A quantised model is smaller than a full model.",
    ),
    (
        "A quote answerer cannot invent facts, because every word of its answers stands in a source.",
        "Can a quote answerer invent facts?",
        "No, a quote answerer cannot invent facts, because every word of its answers stands in a source.",
    ),
    (
        "Exit code 3 means that the command is short of pairs.",
        "What does exit code 3 mean?",
        "Exit code 3 means that the command is short of pairs.",
    ),
    (
        "## What is a ledger?\n\nThe account of every pair that was asked for is called a ledger.",
        "What is a ledger?",
        "The account of every pair that was asked for is called a ledger.",
    ),
    (
        "The table of the models is as follows.\n\n"
        "| Model | Licence |\n|---|---|\n| GPT-2 | MIT |\n| TinyLlama-1B | Apache-2.0 |",
        "What is the licence of GPT-2?",
        "MIT",
    ),
    (
        "This is a list of the words.\n\n"
        "| Term | Meaning |\n|---|---|\n| span | A piece of a document |\n| gate | A check of a pair |",
        "What does the term span mean?",
        "A piece of a document.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "question", "answer"), GOOD, ids=[question for _, question, _ in GOOD])
def test_known_questions(text: str, question: str, answer: str) -> None:
    assert asked(text).get(question) == answer


BAD = {
    "pronoun subject": "It is a small tool that turns the documents of a user into questions and answers.",
    "plural pronoun": "They were founded in 1911 by the owners of the old company in New York.",
    "demonstrative": "This section is a description of the tool that is used for the release.",
    "these": "These files are a part of the package that must not be changed by the user.",
    "dangling definite": "The company was founded in 1911 and sold to the owners in 1924.",
    "the following": "The following fields are the parts of the record that a person must fill in.",
    "the above": "The above example is a program that shows how to write to the log of the system.",
    "figure reference": "The pipeline is the chain of stages that is shown in Figure 3 on the next page.",
    "section reference": "A wildcard is a pattern that is described in more detail in section 4.2 of the manual.",
    "first person": "We introduce a method that is based on the search of passages, and I think that it works.",
    "navigation": "[Home](/home) | [About](/about) | [Contact](/contact) | [Imprint](/imprint)",
    "bibliography": "Smith, J., and Miller, K. et al. The use of the index. In Proc. of the ACL, pp. 12-19, 2004.",
    "index": "adapter, 12, 45\nbackup, 7\ncache, 33, 35-37\nchunk, 8, 9, 21\nthe default, 14",
    "code": "```python\nThe_size = 3  # The size of a page is 3 and the name of the file is x.\n```",
    "code in prose": "for (i = 0; i < n; i++) { the_sum += a[i]; } is the loop that is used in the function.",
    "fragment": "and is used by the maintainers of the package for the upload of the files to the archive.",
    "cut sentence": "The Debian Project was founded by Ian Murdock, who was then an undergraduate at the",
    "time without year": "On October 7, Microsoft acquired the company of the two friends from the north.",
    "inverted": "Frequently criticized are the ease of use, the robustness and the security of the products.",
    "ellipsis": "The list of the names is the following one: Ada, Bob ... and the rest of the group of friends.",
    "German": "Die Stadt Berlin wurde 1237 gegründet und ist eine große Stadt in der Mitte von Europa.",
    "French": "La ville est une commune française qui a été fondée en 1921 par les habitants de la région.",
    "dots": "8.3 Static libraries . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . 69",
    "someone's example": "Another approach is a method that is based on the same idea as the first one.",
    "anaphoric that": "The minimal version is the version that changed the behavior of that symbol in the library.",
    "trivial": "The quote is the quote of the quote.",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_a_stranger_could_not_answer_is_not_asked(text: str) -> None:
    assert asked(text) == {}


def test_hard_line_breaks_and_marks_stay_in_the_quote_only() -> None:
    text = 'A **source package** is a\nset of [files](http://x.y/z "t") that is used to\nbuild `binary` packages.[1]'
    found = drafts(text)
    assert found[0].question == "What is a source package?"
    assert found[0].answer == "A source package is a set of files that is used to build binary packages."
    assert found[0].quote == text


def test_soft_hyphens_and_parted_words_are_joined_when_the_corpus_knows_them() -> None:
    text = "A library is a col\ufffelection of func-\ntions that programs share. Many functions are small."
    assert asked(text)["What is a library?"] == "A library is a collection of functions that programs share."


def test_evidence_is_the_sentence() -> None:
    text = "# Head\n\nNothing here. A chunk is a passage of a document that fits the embedder. Nothing there."
    [found] = drafts(text)
    assert found.span is not None
    assert found.quote == "A chunk is a passage of a document that fits the embedder."
    assert text[found.span.start : found.span.end] == found.quote


def test_a_question_with_several_answers_in_the_corpus_is_not_asked() -> None:
    one = document("Microsoft released Windows on November 20, 1985. That was the plan of the people.")
    two = document("Microsoft released Windows on May 3, 1990. That was the plan of the people too.")
    teacher = ExtractiveTeacher([(one, [whole(one)]), (two, [whole(two)])])
    assert teacher.propose(whole(one), one, 5) == []
    assert teacher.propose(whole(two), two, 5) == []


def test_a_chunk_that_is_not_of_the_corpus_is_read_all_the_same() -> None:
    made = document("A chunk is a passage of a document that fits the embedder.")
    assert [d.question for d in ExtractiveTeacher([]).propose(whole(made), made, 1)] == ["What is a chunk?"]


def test_spans_count_from_the_document_not_from_the_chunk() -> None:
    text = "Some words before it all. A chunk is a passage of a document that fits the embedder."
    made = document(text)
    chunk = whole(made, start=text.index("A chunk"))
    [found] = ExtractiveTeacher([(made, [chunk])]).propose(chunk, made, 1)
    assert found.span is not None and text[found.span.start : found.span.end] == found.quote


def test_heading_of_the_chunk_is_asked() -> None:
    text = "Doceo runs on a laptop. The demonstration needs less than 2 GB of memory."
    made = document(text)
    chunk = whole(made, heading_path=("FAQ", "Does Doceo need a graphics card?"))
    found = ExtractiveTeacher([(made, [chunk])]).propose(chunk, made, 1)
    assert "Does Doceo need a graphics card?" in [draft.question for draft in found]


def test_best_comes_first_and_scores_are_shares() -> None:
    text = "\n\n".join(text for text, _, _ in GOOD)
    scores = [draft.score for draft in drafts(text)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_is_a_teacher_and_deterministic() -> None:
    text = "\n\n".join(text for text, _, _ in GOOD)
    made = document(text)
    teacher: Teacher = ExtractiveTeacher([(made, [whole(made)])])
    again: Teacher = ExtractiveTeacher([(made, [whole(made)])])
    assert teacher.exhaustive and teacher.name == "extractive" and teacher.prompts == {}
    assert teacher.propose(whole(made), made, 1) == again.propose(whole(made), made, 99)


PIECES = [text for text, _, _ in GOOD] + list(BAD.values()) + [
    "\n", "\n\n", "# ", "- ", "* ", "| ", " (", ")", "`", "**", "“", "”", "…", "\u200b", "\x00", "é", "漢字",
    " is a ", " because ", ", which ",
    "The ", " of ", " to ", ".", "?", " 1911 ", "\r\n", "\ufffe", "😀", "[1]", "](x)", "\\", "|---|", "'s", " not ",
]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=14).map("".join))
def test_every_quote_stands_at_its_span(text: str) -> None:
    made = document(text)
    for draft in ExtractiveTeacher([(made, [whole(made)])]).propose(whole(made), made, 3):
        assert draft.span is not None and draft.span.document_id == made.id
        assert text[draft.span.start : draft.span.end] == draft.quote != ""
        assert draft.question.endswith("?") and draft.answer.strip()
        assert "\n" not in draft.question + draft.answer


def test_shuffled_words_do_not_crash() -> None:
    rng = random.Random(0)
    pool = " ".join(text for text, _, _ in GOOD).split()
    for _ in range(150):
        drafts(" ".join(rng.choices(pool, k=rng.randrange(3, 40))) + ".")
