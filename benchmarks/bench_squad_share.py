"""How many answers of people the built-in teacher's pairs hold, at five pairs a paragraph of SQuAD v1.1.

An article is a document, a paragraph a chunk. Of the pairs that pass the form gate the five with the best scores are
kept. A person's answer counts as held where one of its occurrences in the paragraph lies inside the evidence of a kept
pair, and as asked where a kept pair's answer contains it. The limit that this is measured against: the share where the
first five sentences of every paragraph are the evidence.

Writes benchmarks/results/squad_share.json.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Draft, Order, Pair, Span
from doceo.text.sentences import sentence_spans
from generator.quality import form_verdict
from generator.teachers.extractive import ExtractiveTeacher

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "squad_share.json"
SQUAD = ROOT.parent / "shared" / "data" / "squad" / "squad-v1.1-dev.first24.json.gz"
MOST = 5

Paragraph = tuple[Chunk, list[list[str]]]


def articles(path: Path) -> list[tuple[Document, list[Paragraph]]]:
    """Return every article as a document with its paragraphs as chunks and the answers people gave to each question."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        data = json.load(file)["data"]
    return [_article(entry["title"].replace("_", " "), entry["paragraphs"]) for entry in data]


def _article(title: str, paragraphs: Sequence[dict]) -> tuple[Document, list[Paragraph]]:  # type: ignore[type-arg]
    text = "\n\n".join(paragraph["context"] for paragraph in paragraphs)
    document = Document(
        id=Document.identify(text), source=title, media_type="text/plain", title=title, text=text, sha256=sha256(text)
    )
    found, at = [], 0
    for paragraph in paragraphs:
        body = paragraph["context"]
        span = Span(document_id=document.id, start=at, end=at + len(body))
        at += len(body) + 2
        chunk = Chunk(
            id=Chunk.identify(span), document_id=document.id, span=span, text=body, tokens=len(body.split()),
            text_sha256=sha256(body),
        )  # fmt: skip
        found.append((chunk, [[answer["text"] for answer in question["answers"]] for question in paragraph["qas"]]))
    return document, found


def stands(draft: Draft) -> bool:
    """Tell whether a draft passes the form gate."""
    pair = Pair(id="p", question=draft.question, answer=draft.answer, kind=draft.kind, teacher="extractive")
    return form_verdict(pair) is None


def holds(answers: Sequence[str], chunk: Chunk, spans: Sequence[tuple[int, int]]) -> bool:
    """Tell whether one of the answers stands inside one of the spans, offsets of the document."""
    return any(
        answer in chunk.text[max(0, s - chunk.span.start) : e - chunk.span.start]
        for answer in answers
        for s, e in spans
    )


def measure(data: Sequence[tuple[Document, list[Paragraph]]]) -> dict[str, float]:
    """Return pairs, shares and CPU seconds over all articles."""
    start = time.process_time()
    teacher = ExtractiveTeacher([(document, [chunk for chunk, _ in found]) for document, found in data])
    questions = pairs = evidence = asked = first = 0
    for document, found in data:
        for chunk, people in found:
            drafts = asyncio.run(teacher.propose(Order(chunks=(chunk,), n=MOST), {document.id: document}))
            kept = sorted(filter(stands, drafts), key=lambda draft: -draft.score)[:MOST]
            spans = [(d.span.start, d.span.end) for d in kept if d.span is not None]
            opening = [(chunk.span.start + s, chunk.span.start + e) for s, e in sentence_spans(chunk.text)[:MOST]]
            pairs += len(kept)
            for answers in people:
                questions += 1
                evidence += holds(answers, chunk, spans)
                asked += any(answer in draft.answer for answer in answers for draft in kept)
                first += holds(answers, chunk, opening)
    return {
        "paragraphs": sum(len(found) for _, found in data),
        "questions": questions,
        "pairs": pairs,
        "inside_evidence": round(evidence / questions, 4),
        "inside_answer": round(asked / questions, 4),
        "limit_first_five_sentences": round(first / questions, 4),
        "cpu_s": round(time.process_time() - start, 2),
    }


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--squad", type=Path, default=SQUAD)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "pairs_a_paragraph": MOST,
        "set": options.squad.name,
        **measure(articles(options.squad)),
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
