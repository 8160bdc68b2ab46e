"""Questions with the passages that answer them, of the shared data: five sets to report on, five to choose settings on.

A document is what is looked for, and is found where its best chunk is; in long ones, COVID-QA's articles and QMSum's
meetings, it is a chunk that holds the answer. Documents are cut into chunks as `doceo index` cuts them.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import record

from data.chunking import chunk_document
from doceo.core.config import ChunkConfig
from doceo.core.fingerprint import sha256
from doceo.core.protocols import Embedder
from doceo.core.records import Chunk, Document

DATA = record.ROOT.parent / "shared" / "data"
Grades = dict[str, int]


@dataclass
class RetrievalSet:
    """Documents in chunks, questions, and for each question what answers it.

    Attributes:
        name: The set's name.
        documents: All documents, each text once.
        questions: (question, {unit: grade above 0}); those without anything to find are left out.
        graded: Whether grades differ.
        cluster: For each question what it shares with others, such as its article; drawn together for intervals.
        chunks: The documents' chunks, once `cut` was called.
        unit: Chunk id to the unit that it stands for.
    """

    name: str
    documents: list[Document]
    questions: list[tuple[str, Grades]]
    graded: bool = False
    cluster: list[str] = field(default_factory=list)
    answers: list[tuple[str, str, int, int]] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    unit: dict[str, str] = field(default_factory=dict)

    def cut(self, embedder: Embedder) -> RetrievalSet:
        """Cut the documents into chunks; where answers are places in long documents, find the chunks that hold them."""
        self.chunks = [
            chunk for document in self.documents for chunk in chunk_document(document, embedder, ChunkConfig())
        ]
        self.unit = {chunk.id: chunk.document_id for chunk in self.chunks}
        if self.answers:
            self.unit = {chunk.id: chunk.id for chunk in self.chunks}
            self._place_answers()
        return self

    def _place_answers(self) -> None:
        by_document: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in self.chunks:
            by_document[chunk.document_id].append(chunk)
        gold: dict[str, Grades] = defaultdict(dict)
        about: dict[str, str] = {}
        for question, document, start, end in self.answers:
            for chunk in by_document[document]:
                inside = min(end, chunk.span.end) - max(start, chunk.span.start)
                if inside * 2 >= min(end - start, chunk.span.end - chunk.span.start):
                    gold[question][chunk.id] = 1
                    about[question] = document
        self.questions, self.cluster = list(gold.items()), [about[question] for question in gold]


def squad() -> RetrievalSet:
    """SQuAD v1.1, the shared half: the paragraph among all paragraphs."""
    with _opened("squad/squad-v1.1-dev.first24.json.gz") as file:
        articles = json.load(file)["data"]
    made = _Made("SQuAD")
    for article in articles:
        for paragraph in article["paragraphs"]:
            key = made.document(paragraph["context"], article["title"].replace("_", " "))
            for asked in paragraph["qas"]:
                made.question(asked["question"], {key: 1}, article["title"])
    return made.set()


def cranfield() -> RetrievalSet:
    """Cranfield's abstracts, odd half of its questions, graded."""
    return _beir("Cranfield", "retrieval/cranfield", least=1)


def liveqa() -> RetrievalSet:
    """LiveQA-Med: questions of consumers, answers graded by judges; related but wrong ones count as not relevant."""
    return _beir("LiveQA-Med", "retrieval/liveqa-med", least=2)


def covidqa() -> RetrievalSet:
    """COVID-QA: the chunk that holds the answer, among the chunks of all articles."""
    with _opened("docqa/covidqa.json.gz") as file:
        articles = json.load(file)["data"]
    made = _Made("COVID-QA")
    for article in articles:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            key = made.document(text, text.strip().split("\n", 1)[0])
            for asked in paragraph["qas"]:
                for answer in asked["answers"]:
                    start = answer["answer_start"]
                    made.answers.append((asked["question"], key, start, start + len(answer["text"])))
    return made.set()


def natural_questions() -> RetrievalSet:
    """Questions typed into a search engine, with the paragraph of Wikipedia that answers."""
    made = _Made("NQ (QED)")
    with _opened("docqa/nq_qed_dev.jsonl.gz") as file:
        for row in map(json.loads, file):
            key = made.document(row["paragraph"], row["title"])
            made.question(row["question"], {key: 1}, key)
    return made.set()


def pubmedqa() -> RetrievalSet:
    """Questions that are titles of medical papers, with the abstract."""
    with _opened("docqa/pubmedqa_pqal.train500.json.gz") as file:
        rows = json.load(file)
    made = _Made("PubMedQA")
    for row in rows.values():
        key = made.document("\n\n".join(row["CONTEXTS"]))
        made.question(row["QUESTION"], {key: 1}, key)
    return made.set()


def medquad() -> RetrievalSet:
    """Made questions on diseases, with the page's section that answers; the disease is the page's title."""
    return _medquad("MedQuAD (NIDDK)", "faq/medquad.5_NIDDK_QA.jsonl.gz")


def cancer() -> RetrievalSet:
    """The same on cancers, of another institute: looked at once, after all settings were fixed."""
    return _medquad("MedQuAD (CancerGov)", "faq/medquad.1_CancerGov_QA.jsonl.gz")


def _medquad(name: str, path: str) -> RetrievalSet:
    made = _Made(name)
    with _opened(path) as file:
        for row in map(json.loads, file):
            if row["answer"].strip():
                key = made.document(row["answer"], row["focus"])
                made.question(row["question"], {key: 1}, row["focus"])
    return made.set()


def covid_faq() -> RetrievalSet:
    """Questions of health authorities' pages, with their answers."""
    made = _Made("COVID FAQ")
    with _opened("faq/covid_faq_2020.csv") as file:
        for row in csv.DictReader(file):
            if row["answer"].strip():
                key = made.document(row["answer"])
                made.question(row["question"], {key: 1}, key)
    return made.set()


def meetings() -> RetrievalSet:
    """QMSum: questions on meetings, with the chunks of the transcripts that people marked, among those of all."""
    made = _Made("QMSum")
    with _opened("docqa/qmsum_val.jsonl.gz") as file:
        for row in map(json.loads, file):
            starts, text = [], ""
            for turn in row["meeting_transcripts"]:
                starts.append(len(text))
                text += f"{turn['speaker']}: {' '.join(turn['content'].split())}\n\n"
            starts.append(len(text))
            key = made.document(text)
            for asked in row["specific_query_list"]:
                for first, last in asked["relevant_text_span"]:
                    made.answers.append((asked["query"], key, starts[int(first)], starts[int(last) + 1]))
    return made.set()


REPORTED: dict[str, Callable[[], RetrievalSet]] = {
    "squad": squad, "cranfield": cranfield, "liveqa": liveqa, "covidqa": covidqa, "cancer": cancer,
}  # fmt: skip
CHOSEN_ON: dict[str, Callable[[], RetrievalSet]] = {
    "nq": natural_questions, "pubmedqa": pubmedqa, "medquad": medquad, "covid-faq": covid_faq, "meetings": meetings,
}  # fmt: skip


class _Made:
    """A set in the making; texts and questions that recur are one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._documents: dict[str, Document] = {}
        self._gold: dict[str, Grades] = {}
        self._cluster: dict[str, str] = {}
        self.answers: list[tuple[str, str, int, int]] = []

    def document(self, text: str, title: str = "") -> str:
        key = Document.identify(text)
        if key not in self._documents:
            self._documents[key] = Document(
                id=key,
                source=f"{self._name}/{len(self._documents)}",
                media_type="text/plain",
                title=title,
                text=text,
                sha256=sha256(text),
            )
        return key

    def question(self, text: str, grades: Grades, cluster: str) -> None:
        self._gold.setdefault(text, {}).update(grades)
        self._cluster.setdefault(text, cluster)

    def set(self, *, graded: bool = False) -> RetrievalSet:
        asked = {text: grades for text, grades in self._gold.items() if grades}
        return RetrievalSet(
            self._name,
            list(self._documents.values()),
            list(asked.items()),
            graded,
            [self._cluster[text] for text in asked],
            self.answers,
        )


def _beir(name: str, folder: str, *, least: int) -> RetrievalSet:
    """Read a set in BEIR's layout; judgments below `least` are not relevant, the others count 1 and up."""
    made, keys = _Made(name), {}
    for row in _rows(f"{folder}/corpus.jsonl.gz"):
        if row["text"].strip():
            keys[row["_id"]] = made.document(row["text"], row.get("title", ""))
    gold: dict[str, Grades] = defaultdict(dict)
    with _opened(f"{folder}/qrels.tsv") as file:
        for judged in csv.DictReader(file, delimiter="\t"):
            grade, key = int(judged["score"]) - least + 1, keys.get(judged["corpus-id"])
            if grade > 0 and key is not None:
                gold[judged["query-id"]][key] = max(grade, gold[judged["query-id"]].get(key, 0))
    for row in _rows(f"{folder}/queries.jsonl"):
        made.question(row["text"], gold[row["_id"]], row["_id"])
    return made.set(graded=True)


def _rows(path: str) -> Iterator[dict[str, str]]:
    with _opened(path) as file:
        yield from map(json.loads, file)


def _opened(path: str) -> Iterable[str]:  # type: ignore[type-arg]
    place = DATA / path
    opener = gzip.open if place.suffix == ".gz" else Path.open
    return opener(place, "rt", encoding="utf-8")  # type: ignore[operator]
