import asyncio

import pytest

from doceo.core.records import Kind, Pair
from generator.teachers.extractive import ExtractiveTeacher
from generator.teachers.uninverted import uninverted


def reword(question: str, kind: Kind, answer: str) -> str | None:
    pair = Pair(id="p", question=question, answer=answer, kind=kind, teacher="extractive")
    return asyncio.run(ExtractiveTeacher([]).reword(pair))


@pytest.mark.parametrize(
    ("question", "kind", "answer", "expected"),
    [
        ("What is a chunk?", "definition", "A chunk is a passage.", "How would you define a chunk?"),
        ("What is the journal?", "definition", "The journal is a file.", "What is meant by the journal?"),
        ("What is Chroma?", "definition", "Chroma is a store.", "How would you describe Chroma?"),
        ("What does LoRA stand for?", "definition", "Low-Rank Adaptation", "What is the full form of LoRA?"),
        ("What does exit code 3 mean?", "definition", "x", "How is exit code 3 to be understood?"),
        ("What does the option --seed do?", "fact", "x", "What is the function of the option --seed?"),
        ("What does an open row contain?", "fact", "x", "What is contained in an open row?"),
        ("When did IBM develop SABRE?", "date", "1961", "What was the year in which IBM developed SABRE?"),
        ("When was Unix sold?", "date", "November 20, 1985", "What was the date on which Unix was sold?"),
        ("When was BERT published?", "date", "October 2018", "What was the month in which BERT was published?"),
        ("Who founded Debian in 1993?", "entity", "Ian Murdock", "By whom was Debian founded in 1993?"),
        ("Who maintains the list?", "entity", "the team", "By whom is the list maintained?"),
        ("How many fields does the row have?", "quantity", "3", "What is the number of fields that the row has?"),
        ("Why does a refusal have no citations?", "reason", "x", "What is the reason why a refusal has no citations?"),
        ("Why are big models slow?", "reason", "x", "For what reason are big models slow?"),
        ("How do you remove a package?", "procedure", "x", "What is the way to remove a package?"),
        ("What happens if the disk is full?", "fact", "x", "What is the consequence if the disk is full?"),
        ("Where are init scripts placed?", "fact", "x", "In what place are init scripts placed?"),
        ("Which is smaller, a mouse or a cat?", "comparison", "x", "Of a mouse and a cat, which is smaller?"),
        ("How does A differ from B?", "comparison", "x", "What is the difference between A and B?"),
        ("What is the default port?", "fact", "8000", "Which port is used by default?"),
        ("What is the size of a page?", "quantity", "4096 bytes", "How large is a page?"),
        ("What is the licence of GPT-2?", "fact", "MIT", "Under which licence is GPT-2 released?"),
        ("What did ABC buy in 1974?", "fact", "x", "What was it that ABC bought in 1974?"),
        ("What does ETA plan to do?", "fact", "x", "What is it that ETA plans to do?"),
        ("What was the course divided into?", "fact", "x", "What was it that the course was divided into?"),
        ("What can a regex explicitly match?", "fact", "x", "What is it that a regex can explicitly match?"),
        ("Which college ended the plan?", "entity", "x", "What is the name of the college that ended the plan?"),
        ("How tall was the module?", "quantity", "3 m tall", "What was the height of the module?"),
        ("Who was Ada Lovelace?", "definition", "A writer.", "How would you describe Ada Lovelace?"),
        ("Who led Debian through the war?", "entity", "x", "By whom was Debian led through the war?"),
        ("Who located in the centre?", "entity", "x", None),
        ("Why may a person ask for help?", "reason", "x", None),
        ("Who was Ada Lovelace?", "fact", "A writer.", None),
        ("Is Doceo a language model?", "fact", "No.", None),
        ("Something else entirely", "fact", "x", None),
    ],
)  # fmt: skip
def test_rewording(question: str, kind: Kind, answer: str, expected: str | None) -> None:
    assert reword(question, kind, answer) == expected


@pytest.mark.parametrize(
    ("inverted", "expected"),
    [
        ("did Ada write the first program", "Ada wrote the first program"),
        ("does a refusal have an empty list", "a refusal has an empty list"),
        ("can the answerer not invent facts", "the answerer cannot invent facts"),
        ("were relics returned to Mongolia", "relics were returned to Mongolia"),
        ("does the path help search", None),
    ],
)
def test_uninverted(inverted: str, expected: str | None) -> None:
    assert uninverted(inverted) == expected
