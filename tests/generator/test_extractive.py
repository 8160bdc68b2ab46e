import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.core.fingerprint import sha256
from doceo.core.protocols import Teacher
from doceo.core.records import Chunk, Document, Draft, Order, Span
from generator.teachers import extractive
from generator.teachers.extractive import ExtractiveTeacher, supports


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


def propose(teacher: ExtractiveTeacher, chunk: Chunk, of: Document, n: int = 5) -> list[Draft]:
    return asyncio.run(teacher.propose(Order(chunks=(chunk,), n=n), {of.id: of}))


def drafts(text: str) -> list[Draft]:
    made = document(text)
    return propose(ExtractiveTeacher([(made, [whole(made)])]), whole(made), made)


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
    (
        "In 1974, Capital Cities bought the stations of the city of Cleveland from Westinghouse.",
        "What did Capital Cities buy in 1974?",
        "the stations of the city of Cleveland from Westinghouse",
    ),
    (
        "In 2011, the economists Galor and Zeira showed that inequality slows the growth of poor countries.",
        "What did the economists Galor and Zeira show in 2011?",
        "Inequality slows the growth of poor countries.",
    ),
    (
        "Tension with Paris led to a siege by the royal army in 1622.",
        "What did tension with Paris lead to in 1622?",
        "a siege by the royal army",
    ),
    (
        "Daniel Burke left the board of Capital Cities in February 1994 after a dispute.",
        "Who left the board of Capital Cities in February 1994 after a dispute?",
        "Daniel Burke",
    ),
    (
        "Harvard College ended the Early Action program for students in 2007.",
        "Which college ended the Early Action program for students in 2007?",
        "Harvard College",
    ),
    (
        "Nikola Tesla, a Serbian inventor who lived in New York, died there without a penny to his name.",
        "Who was Nikola Tesla?",
        "A Serbian inventor who lived in New York.",
    ),
    (
        "Sean Whitton was the maintainer of the Debian policy manual in 2017.",
        "Who was the maintainer of the Debian policy manual in 2017?",
        "Sean Whitton",
    ),
    (
        "The course of a reaction is divided into two stages that follow each other.",
        "What is the course of a reaction divided into?",
        "two stages that follow each other",
    ),
    (
        "Every exception reporter is responsible for the compilation of the data that it reports.",
        "What is every exception reporter responsible for?",
        "the compilation of the data that it reports",
    ),
    (
        "The Lunar Module was designed to land two astronauts on the Moon.",
        "What was the Lunar Module designed for?",
        "To land two astronauts on the Moon.",
    ),
    (
        "To finance the purchase, Capital Cities borrowed two billion dollars from a group of banks.",
        "Why did Capital Cities borrow two billion dollars from a group of banks?",
        "To finance the purchase.",
    ),
    (
        "The Ohio Country was vulnerable to settlers due to the military roads of Braddock.",
        "Why was the Ohio Country vulnerable to settlers?",
        "Due to the military roads of Braddock.",
    ),
    ("The Lunar Module was 3.48 m tall.", "How tall was the Lunar Module?", "3.48 m tall"),
    (
        "In July 1996, shareholders of Walt Disney approved the merger in Chicago.",
        "When did shareholders of Walt Disney approve the merger in Chicago?",
        "July 1996",
    ),
    (
        "Options:\n\n  -f, --file FILE    Read the names from FILE\n                     and skip blank lines.\n"
        "  --quiet            Print nothing but errors to the terminal.",
        "What does the option --file do?",
        "Read the names from FILE and skip blank lines.",
    ),
    (
        "The server has these switches that you can set:\n\n--port=<port>\n    Listen on this port of the host. "
        "Default: 8000",
        "What is the default of the option --port?",
        "8000",
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
    "object cut short": "Sir Charles Lyell first published his famous book, Principles of Geology, for the students.",
    "fragment of a command": "The --package smailwrapper ensures that the copy of sendmail can bypass the diversion.",
    "concession": "Despite holding many patents, it joined the Open Invention Network community of the owners.",
    "speech": "“My dear Mr. Bennet,” said his lady to him one day, “have you heard of Netherfield Park?”",
    "verb that takes no object": "Raster queries work the same way by replacing the field of the point.",
    "generic subject": "The encryption tool must meet industry standards of the most current kind.",
    "first of a list": "Capital Cities Group promotes fair pay, worker rights and equal opportunity of the workers.",
    "open relation": "The economist Thomas Piketty argues that the growth of wages is slower than that of rents.",
    "adjective before a comma": "On May 7, 2003, Capital Cities announced a new multi-year, multi-billion dollar deal.",
    "instance": "A primary source of criminal referrals is a debtor's testimony at the meeting of creditors.",
    "image": "Colonialism is the builder and preserver of the possessions in an area by a population.",
    "example person": "Alice is the upstream maintainer of the package that is in the archive of the project.",
    "quoted word": '"config" is an additional maintainer script that is used for package configuration.',
    "effect as meaning": "The agency's model means that many projects of the government are funded and sustained.",
    "lettered parts": "In order to pass, a candidate must obtain 7 marks for (a) and (b) together in the test.",
    "participle alone": "Bill Gates's original business cards located in the Microsoft Visitor Center of Redmond.",
    "body without a name": "The Commission authorized the transaction on October 12, 1943 in the capital city.",
    "begins to": "ABC began to phase in a campaign of images on June 16, 2007.",
    "many facts": "\n\n".join(
        ["Microsoft grew with the market of the users."] * 20 + ["Microsoft bought a small house."]
    ),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_a_stranger_could_not_answer_is_not_asked(text: str) -> None:
    assert asked(text) == {}


def test_hard_line_breaks_and_marks_stay_in_the_quote_only() -> None:
    text = 'A **source package** is a\nset of [files](http://x.y/z "t") that is used to\nbuild `binary` packages.[1]'
    found = drafts(text)
    assert found[0].question == "What is a source package?"
    assert found[0].answer == "A source package is a set of files that is used to build binary packages."
    assert found[0].quotes[0] == text


def test_soft_hyphens_and_parted_words_are_joined_when_the_corpus_knows_them() -> None:
    text = "A library is a col\ufffelection of func-\ntions that programs share. Many functions are small."
    assert asked(text)["What is a library?"] == "A library is a collection of functions that programs share."


def test_evidence_is_the_sentence() -> None:
    text = "# Head\n\nNothing here. A chunk is a passage of a document that fits the embedder. Nothing there."
    [found] = drafts(text)
    assert found.span is not None
    assert found.quotes[0] == "A chunk is a passage of a document that fits the embedder."
    assert text[found.span.start : found.span.end] == found.quotes[0]


def test_a_question_with_several_answers_in_the_corpus_is_not_asked() -> None:
    one = document("Microsoft released Windows on November 20, 1985. That was the plan of the people.")
    two = document("Microsoft released Windows on May 3, 1990. That was the plan of the people too.")
    teacher = ExtractiveTeacher([(one, [whole(one)]), (two, [whole(two)])])
    assert propose(teacher, whole(one), one) == []
    assert propose(teacher, whole(two), two) == []


def test_a_chunk_that_is_not_of_the_corpus_is_read_all_the_same() -> None:
    made = document("A chunk is a passage of a document that fits the embedder.")
    assert [d.question for d in propose(ExtractiveTeacher([]), whole(made), made)] == ["What is a chunk?"]


def test_spans_count_from_the_document_not_from_the_chunk() -> None:
    text = "Some words before it all. A chunk is a passage of a document that fits the embedder."
    made = document(text)
    chunk = whole(made, start=text.index("A chunk"))
    [found] = propose(ExtractiveTeacher([(made, [chunk])]), chunk, made)
    assert found.span is not None and text[found.span.start : found.span.end] == found.quotes[0]


def test_a_pronoun_takes_up_the_subject_before_it_and_the_evidence_holds_both() -> None:
    text = "Nothing of note. Daphne is a small server for UNIX systems. It was released under an open licence in 2016."
    found = {draft.question: draft for draft in drafts(text)}
    made = found["When was Daphne released under an open licence?"]
    assert made.answer == "2016"
    assert made.quotes == ("Daphne is a small server for UNIX systems. It was released under an open licence in 2016.",)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (
            "Allen Shaw came from Chicago.\n\nIn 1971, Shaw bought the stations of the city of Cleveland.",
            "Allen Shaw",
        ),
        (
            "Allen Shaw met John Shaw in Chicago.\n\nIn 1971, Shaw bought the stations of the city of Cleveland.",
            None,
        ),
        (
            "The Office of Chief Counsel (OCC) is in Chicago.\n\nIn 1971, OCC bought the stations of Cleveland city.",
            "the Office of Chief Counsel",
        ),
    ],
)
def test_a_surname_or_an_acronym_as_subject_is_written_in_full(text: str, subject: str | None) -> None:
    question = next((q for q, answer in asked(text).items() if answer == "1971"), None)
    assert (question is None) == (subject is None)
    assert subject is None or f"did {subject} " in str(question)


def test_a_list_is_asked_whole_or_not_at_all() -> None:
    text, bought = "In 2011, Capital Cities bought {}{}.", "the stations of the city of Cleveland"
    assert bought in asked(text.format(bought, "")).values()
    assert bought in asked(text.format(bought, " and sold them to the state")).values()
    for more in (", papers of the state, and a league", " and papers of the state"):
        assert bought not in asked(text.format(bought, more)).values()


def test_a_pronoun_that_may_mean_something_else_is_left_alone() -> None:
    for text in (
        "The agency sent a letter to the committee. It was published by the team in 2016.",
        "Daphne is a small server. It is possible that the team released it in 2016.",
        "Daphne and Hypercorn are small servers. It was released by the team in 2016.",
    ):
        assert not any("2016" in draft.answer for draft in drafts(text))


def test_the_program_is_the_one_of_the_title() -> None:
    text = "Kennedy began the Apollo program. The program was cancelled by Congress in 1972."
    made = document(text, title="Apollo program")
    found = propose(ExtractiveTeacher([(made, [whole(made)])]), whole(made), made)
    assert "When was the Apollo program cancelled by Congress?" in [draft.question for draft in found]
    assert "cancelled" not in " ".join(draft.question for draft in drafts(text))


def test_one_activity_of_a_body_does_not_say_what_it_does() -> None:
    assert "What does WHD do?" not in asked("WHD utilizes a data-driven strategy for the companies of the country.")


def test_known_questions_and_unwanted_kinds_are_left_out() -> None:
    text = (
        "A chunk is a passage of a document that fits the embedder. In 1961, IBM developed SABRE for American Airlines."
    )
    made = document(text)
    teacher = ExtractiveTeacher([(made, [whole(made)])])

    def questions(**wanted: object) -> list[str]:
        order = Order(chunks=(whole(made),), n=1, **wanted)
        return [draft.question for draft in asyncio.run(teacher.propose(order, {made.id: made}))]

    assert "What is a chunk?" in questions()
    assert "What is a chunk?" not in questions(known=("what is a CHUNK",))
    assert questions(kinds=("date",)) == ["When did IBM develop SABRE for American Airlines?"]
    assert questions(form="unanswerable") == questions(language="de") == []


@pytest.mark.parametrize(
    ("language", "read"), [("en", True), ("en-GB", True), ("", True), ("de", False), ("zh", False)]
)
def test_languages(language: str, read: bool) -> None:
    assert supports(language) is read


def test_what_is_known_of_a_large_corpus_comes_from_an_even_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [document(f"The parser number {i} is a tool of the project that reads the file {i}.") for i in range(40)]
    corpus = [(one, [whole(one)]) for one in many]
    size = sum(len(one.text) for one in many)
    monkeypatch.setattr(extractive, "ASKED_READ", size // 4)
    monkeypatch.setattr(extractive, "TERMS_READ", size // 4)
    read = [chunk.document_id for _, chunk in extractive._sample(corpus)]
    assert read == [one.id for one in many[::5]]
    assert sum(map(len, extractive._stretches(corpus))) < size // 3
    teacher = ExtractiveTeacher(corpus)
    assert [draft.question for draft in propose(teacher, whole(many[1]), many[1])] == [
        draft.question for draft in propose(ExtractiveTeacher(corpus[:2]), whole(many[1]), many[1])
    ]


def test_heading_of_the_chunk_is_asked() -> None:
    text = "Doceo runs on a laptop. The demonstration needs less than 2 GB of memory."
    made = document(text)
    chunk = whole(made, heading_path=("FAQ", "Does Doceo need a graphics card?"))
    found = propose(ExtractiveTeacher([(made, [chunk])]), chunk, made)
    assert "Does Doceo need a graphics card?" in [draft.question for draft in found]


def test_best_comes_first_and_scores_are_shares() -> None:
    text = "\n\n".join(text for text, _, _ in GOOD)
    scores = [draft.score for draft in drafts(text)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_is_a_teacher_and_deterministic() -> None:
    text = "\n\n".join(text for text, _, _ in GOOD)
    made = document(text)
    teacher, again = ExtractiveTeacher([(made, [whole(made)])]), ExtractiveTeacher([(made, [whole(made)])])
    kept: Teacher = teacher
    assert kept.exhaustive and kept.name == "extractive" and kept.prompts == {}
    assert propose(teacher, whole(made), made, 1) == propose(again, whole(made), made, 99)


PIECES = [text for text, _, _ in GOOD] + list(BAD.values()) + [
    "\n", "\n\n", "# ", "- ", "* ", "| ", " (", ")", "`", "**", "“", "”", "…", "\u200b", "\x00", "é", "漢字",
    " is a ", " because ", ", which ",
    "The ", " of ", " to ", ".", "?", " 1911 ", "\r\n", "\ufffe", "😀", "[1]", "](x)", "\\", "|---|", "'s", " not ",
]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=14).map("".join))
def test_every_quote_stands_at_its_span(text: str) -> None:
    made = document(text)
    for draft in propose(ExtractiveTeacher([(made, [whole(made)])]), whole(made), made):
        assert draft.span is not None and draft.span.document_id == made.id
        assert text[draft.span.start : draft.span.end] == draft.quotes[0] != ""
        assert draft.question.endswith("?") and draft.answer.strip()
        assert "\n" not in draft.question + draft.answer


def test_shuffled_words_do_not_crash() -> None:
    rng = random.Random(0)
    pool = " ".join(text for text, _, _ in GOOD).split()
    for _ in range(150):
        drafts(" ".join(rng.choices(pool, k=rng.randrange(3, 40))) + ".")
