"""Makes `generator/labels/judge.jsonl`, the pairs that a judge is measured on, from SQuAD and XQuAD.

    python scripts/make_judge_labels.py FOLDER

FOLDER holds the four files named below. Good pairs are people's own; each other one has one fault, planted here.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import NamedTuple

OUT = Path(__file__).resolve().parent.parent / "generator" / "labels" / "judge.jsonl"
FILES = {
    "en": "xquad.en.first24.json",
    "de": "xquad.de.json.gz",
    "zh": "xquad.zh.json.gz",
    "v2": "squad-v2.0-dev.first24.json.gz",
}
NAMES = {"en": "XQuAD en", "de": "XQuAD de", "zh": "XQuAD zh", "v2": "SQuAD 2.0 dev"}
POINT = {
    "": "",
    "wrong_number": "correctness",
    "wrong_name": "correctness",
    "other_answer": "correctness",
    "no_answer": "correctness",
    "answered_after_all": "correctness",
    "cut_short": "completeness",
    "bare_question": "clarity",
    "about_form": "worth",
}
"""The point of the rubric that each fault spoils."""


class Row(NamedTuple):
    """A question of a file, by id; what is wrong with the pair; the answer it gets, where that is not the person's.

    `@ID` is the answer to another question; `question` replaces the person's.
    """

    file: str
    id: str
    fault: str = ""
    answer: str = ""
    question: str = ""


GOOD = {
    "en": "57107d73b654c5140001f920 57111b95a58dae1900cd6c51 57111b95a58dae1900cd6c53 57264d9edd62a815002e80fe "
    "572648e8dd62a815002e8076 57268527708984140094c8bf 57268527708984140094c8c0 5726a8d4dd62a815002e8c35 "
    "57273dccdd62a815002e99fc 572a07fc6aef0514001551dd 57273e50dd62a815002e9a02 57273f27dd62a815002e9a0a "
    "5727cc15ff5b5019007d9576 5725fcbe271a42140099d3ae",
    "de": "57107d73b654c5140001f91d 572648e8dd62a815002e8079 57273dccdd62a815002e99fb 57268527708984140094c8c1 "
    "5726a8d4dd62a815002e8c37",
    "zh": "57111b95a58dae1900cd6c52 57273a465951b619008f8701 5727cc15ff5b5019007d9576 5726a8d4dd62a815002e8c34 "
    "572648e8dd62a815002e8076",
    "v2": "5a2eba17a83784001a7d2434 5a3e2f07378766001a0024cf 5ad243abd7d075001a428a14 5ad23fded7d075001a4288ff",
}
"""Pairs as people wrote them; those of v2 have no answer in their passage."""
FAULTY = (
    Row("en", "5727d0f73acd2414000ded15", "wrong_number", "$320 million"),
    Row("en", "5727d1c93acd2414000ded40", "wrong_number", "2001"),
    Row("en", "57268527708984140094c8c1", "wrong_number", "1785"),
    Row("en", "572a020f6aef05140015519b", "wrong_number", "20%"),
    Row("de", "5726a8d4dd62a815002e8c38", "wrong_number", "1226"),
    Row("zh", "572a0bebaf94a219006aa773", "wrong_number", "50亿吨"),
    Row("en", "57111713a58dae1900cd6c02", "wrong_name", "Lavoisier"),
    Row("en", "57273dccdd62a815002e99fa", "wrong_name", "Caspian Sea"),
    Row("de", "57111b95a58dae1900cd6c53", "wrong_name", "Thomas de Maizière"),
    Row("en", "57111713a58dae1900cd6c03", "other_answer", "@57111713a58dae1900cd6c04"),
    Row("en", "572648e8dd62a815002e8079", "other_answer", "@572648e8dd62a815002e8077"),
    Row("en", "57273f27dd62a815002e9a0d", "other_answer", "@57273f27dd62a815002e9a0c"),
    Row("de", "57268527708984140094c8bf", "other_answer", "@57268527708984140094c8c0"),
    Row("zh", "57111b95a58dae1900cd6c53", "other_answer", "@57111b95a58dae1900cd6c54"),
    Row("en", "57273a465951b619008f8702", "cut_short", "planning"),
    Row("en", "5725db4aec44d21400f3d6be", "cut_short", "Grissom"),
    Row("de", "572a07fc6aef0514001551dd", "cut_short", "|und"),
    Row("zh", "57273f27dd62a815002e9a0a", "cut_short", "|、"),
    Row("en", "57264d9edd62a815002e80ff", "bare_question"),
    Row("en", "5725f8f5ec44d21400f3d7b4", "bare_question"),
    Row("en", "5727aec03acd2414000de993", "bare_question"),
    Row("de", "57107d73b654c5140001f91e", "bare_question"),
    Row("zh", "57107d73b654c5140001f91e", "bare_question"),
    Row("v2", "5a2eba17a83784001a7d2436", "no_answer", "Kaffa"),
    Row("v2", "5ad23fded7d075001a428900", "no_answer", "two million"),
    Row("v2", "5a3e2ba4378766001a0024bc", "no_answer", "2015"),
    Row("v2", "5a25a709ef59cd001a623c0f", "no_answer", "six to nine percent"),
    Row("v2", "5a38a8d2a4b263001a8c1878", "no_answer", "nearly $12"),
    Row("v2", "5a81f84e31013a001a33500b", "no_answer", "University of Cambridge"),
    Row("en", "5727d0f73acd2414000ded14", "answered_after_all", "-"),
    Row("de", "57273dccdd62a815002e99fc", "answered_after_all", "-"),
    Row(
        "en", "57268527708984140094c8c2", "about_form", "geologist",
        "What is the last word of the first sentence about James Hutton?",
    ),
    Row(
        "en", "57107d73b654c5140001f91d", "about_form", "[citation needed]",
        "Which words stand in brackets after the number of Huguenots who had fled France?",
    ),
)  # fmt: skip


def questions(folder: Path, file: str) -> dict[str, dict[str, str]]:
    """Return title, passage, question and answer ("" where there is none) of every question of a file, by id."""
    path = folder / FILES[file]
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as text:
        articles = json.load(text)["data"]
    return {
        item["id"]: {
            "title": article["title"].replace("_", " "),
            "passage": paragraph["context"],
            "question": item["question"].strip(),
            "answer": item["answers"][0]["text"] if item["answers"] else "",
        }
        for article in articles
        for paragraph in article["paragraphs"]
        for item in paragraph["qas"]
    }


def label(row: Row, known: dict[str, dict[str, str]]) -> dict[str, object]:
    """Return one labelled pair."""
    found = known[row.id]
    answer = row.answer or found["answer"]
    if answer.startswith("@"):
        answer = known[answer[1:]]["answer"]
    elif answer.startswith("|"):
        answer = found["answer"].split(answer[1:])[0].strip(" ,，")
    answerable = bool(answer) and row.fault != "answered_after_all"
    return {
        "id": f"{row.file}-{row.id}-{row.fault or 'good'}",
        "language": "en" if row.file == "v2" else row.file,
        "title": found["title"],
        "passage": found["passage"],
        "question": row.question or found["question"],
        "answer": answer if answerable else "",
        "answerable": answerable,
        "good": not row.fault,
        "fault": row.fault,
        "point": POINT[row.fault],
        "origin": NAMES[row.file],
    }


def main() -> None:
    """Write the file and say how many rows it has."""
    folder = Path(sys.argv[1])
    known = {file: questions(folder, file) for file in FILES}
    good = [Row(file, one) for file, ids in GOOD.items() for one in ids.split()]
    rows = [label(row, known[row.file]) for row in (*good, *FAULTY)]
    OUT.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} rows, {len(good)} of them good, in {OUT}")


if __name__ == "__main__":
    main()
