"""Exports and imports: nothing lost on the way out and back, every row checked, damaged files named."""

from __future__ import annotations

import csv
import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.formats import FORMATS, writer_of
from data.formats.provenance import imported
from data.jsonl import write_jsonl
from doceo.app.stages.pairs_file import read_pairs
from doceo.core.errors import InputError, UsageError
from doceo.core.records import Chunk, Evidence, Message, Pair, Span
from finetune.contents import content_fault

LOSSLESS = ("openai", "sharegpt", "alpaca", "completion", "csv", "parquet")
SUFFIX = {"alpaca": ".json", "csv": ".csv", "parquet": ".parquet", "quiz": ".html", "anki": ".txt", "beir": ""}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
said = texts.filter(lambda text: content_fault(text) is None)
formulas = st.builds(str.__add__, st.sampled_from(["=", "'=", "''+", "-1", "@", "\t", "\r", "'", "＝"]), said)
spans = st.builds(
    lambda document, start, length: Span(document_id=document, start=start, end=start + length),
    st.sampled_from(["d_1", "d_2"]), st.integers(0, 10**6), st.integers(0, 999),
)  # fmt: skip
histories = st.builds(
    lambda system, turns: tuple(Message(role=role, content=text) for role, text in (*system, *turns)),
    st.lists(st.tuples(st.just("system"), said), max_size=1),
    st.lists(st.tuples(said, said), max_size=2).map(
        lambda turns: [turn for asked, told in turns for turn in (("user", asked), ("assistant", told))]
    ),
)
pairs_strategy = st.builds(
    Pair,
    id=st.uuids().map(lambda uuid: f"p_{uuid.hex[:16]}"),
    question=said | formulas,
    answer=said | formulas,
    answerable=st.booleans(),
    history=histories,
    rationale=texts | formulas,
    evidence=st.lists(st.builds(Evidence, span=spans, quote=texts | formulas), max_size=3).map(tuple),
    chunk_ids=st.lists(texts, max_size=3).map(tuple),
    kind=st.sampled_from(["fact", "multi-hop", "multi-turn", "unanswerable"]),
    difficulty=st.sampled_from(["easy", "medium", "hard"]),
    topic=texts | formulas,
    language=st.sampled_from(["en", "de", ""]),
    scores=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    teacher=said | formulas,
    prompt_hash=texts,
    round=st.integers(0, 9),
)


@pytest.mark.parametrize("name", LOSSLESS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(pairs_strategy, max_size=4, unique_by=lambda pair: pair.id))
def test_what_an_export_wrote_is_read_back_whole(name: str, pairs: list[Pair], tmp_path: Path) -> None:
    path = tmp_path / f"out{SUFFIX.get(name, '.jsonl')}"
    assert writer_of(name)(pairs, {}, path) == len(pairs)
    if pairs:
        assert read_pairs(path).pairs == pairs
    else:
        with pytest.raises(InputError, match="holds no rows"):
            read_pairs(path)


@pytest.mark.parametrize("name", LOSSLESS[:5])
def test_a_gzipped_export_keeps_its_evidence(name: str, pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / f"out{SUFFIX.get(name, '.jsonl')}"
    writer_of(name)([pair], {}, path)
    for file in list(tmp_path.iterdir()):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    packed = path.with_name(f"{path.name}.gz")
    assert read_pairs(packed).pairs == [pair]
    for file in (path, tmp_path / "out.evidence.jsonl"):
        file.unlink(missing_ok=True)
    assert read_pairs(packed).pairs == [pair]


def test_every_format_is_read_back_or_says_why_not(tmp_path: Path) -> None:
    for name in set(FORMATS) - set(LOSSLESS):
        with pytest.raises(UsageError, match="holds too little to be read back"):
            read_pairs(tmp_path / "any", name)


def test_openai_rows_hold_nothing_but_messages(pair: Pair, tmp_path: Path) -> None:
    """OpenAI answers a row with another field by `Example 1 contains an extra "metadata"`."""
    writer_of("openai")([pair], {}, tmp_path / "train.jsonl")
    row = json.loads((tmp_path / "train.jsonl").read_text(encoding="utf-8"))
    assert list(row) == ["messages"]
    assert all(set(message) == {"role", "content"} for message in row["messages"])
    beside = json.loads((tmp_path / "train.evidence.jsonl").read_text(encoding="utf-8"))
    assert [evidence["quote"] for evidence in beside["evidence"]] == [e.quote for e in pair.evidence]


def test_an_evidence_file_that_belongs_elsewhere_is_refused(pair: Pair, tmp_path: Path) -> None:
    other = pair.model_copy(update={"id": "p_2", "question": "And the other one?"})
    path = tmp_path / "train.jsonl"
    writer_of("openai")([pair, other], {}, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(reversed(lines)) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1: the evidence file beside it has another question"):
        read_pairs(path)
    path.write_text(lines[0] + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="2 rows"):
        read_pairs(path)
    (tmp_path / "train.evidence.jsonl").write_text('{"pair_id": "p_1"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1: it is not as the export wrote it"):
        read_pairs(path)


def test_a_follow_up_keeps_the_turns_before_it(pair: Pair, tmp_path: Path) -> None:
    history = (Message(role="user", content="Who built it?"), Message(role="assistant", content="Holt."))
    asked = pair.model_copy(update={"history": history, "question": "When?"})
    for name in ("alpaca", "completion", "anki", "quiz"):
        writer_of(name)([asked], {}, tmp_path / name)
    assert json.loads((tmp_path / "alpaca").read_text())[0]["history"] == [["Who built it?", "Holt."]]
    prompt = json.loads((tmp_path / "completion").read_text())["prompt"]
    assert prompt == "User: Who built it?\nAssistant: Holt.\nUser: When?\nAssistant:"
    assert "Who built it?" in (tmp_path / "anki").read_text()
    assert "Asked before: Who built it?" in (tmp_path / "quiz").read_text()


def test_a_spreadsheet_runs_nothing(pair: Pair, tmp_path: Path) -> None:
    asked = pair.model_copy(update={"question": "=1+1", "answer": "'=1", "topic": "'Twas", "rationale": "＠x"})
    writer_of("csv")([asked], {}, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["question"], row["answer"], row["topic"], row["rationale"]) == ("'=1+1", "''=1", "'Twas", "'＠x")
    assert (row["quote"], row["start"]) == (pair.evidence[0].quote, str(pair.evidence[0].span.start))
    assert read_pairs(tmp_path / "out.csv").pairs == [asked]


FOREIGN: list[tuple[str, str, str]] = [
    ("messages", "x.jsonl", '{"messages": [{"role": "user", "content": "Q"}, '
     '{"role": "assistant", "content": "A", "weight": 1}], "tools": []}\n'),
    ("messages", "x.jsonl", '{"messages": [{"role": "user", "content": [{"type": "text", "text": "Q"}]}, '
     '{"role": "assistant", "content": "A"}]}\n'),
    ("messages", "x.json",
     '[{"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}]'),
    ("sharegpt", "x.json", '[{"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}]'),
    ("alpaca", "x.json", '[{"instruction": "Q", "input": "", "output": "A"}]'),
    ("alpaca", "x.jsonl", '{"instruction": "Q", "output": "A"}\n'),
    ("completion", "x.jsonl", '{"prompt": "Q", "completion": "A"}\n'),
    ("question and answer", "x.csv", "Question,Answer,Notes\nQ,A,n\n"),
    ("question and answer", "x.csv", "\ufeffquestion;answer\r\nQ;A\r\n"),
    ("question and answer", "x.tsv", "answer\tquestion\nA\tQ\n"),
    ("question and answer", "x.jsonl", '{"question": "Q", "answer": "A", "source": "b"}\n'),
]  # fmt: skip


@pytest.mark.parametrize(("form", "file", "text"), FOREIGN)
def test_files_of_others_become_pairs_without_evidence(form: str, file: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    assert read_pairs(path) == ([imported("Q", "A")], (form,))
    assert imported("Q", "A").evidence == ()
    assert imported("Q", "A").teacher == "imported"


def test_a_named_format_is_that_of_every_row(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"question": "Q", "answer": "A", "prompt": "P", "completion": "C"}\n', encoding="utf-8")
    assert read_pairs(path).pairs == [imported("P", "C")]
    assert read_pairs(path, "csv").pairs == [imported("Q", "A")]
    with pytest.raises(InputError, match="line 1, instruction: is missing"):
        read_pairs(path, "alpaca")


def test_rows_of_several_forms_and_of_ours_in_one_file(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    for name in ("sharegpt", "completion"):
        writer_of(name)([pair.model_copy(update={"id": f"p_{name}"})], {}, tmp_path / name)
    rows = [(tmp_path / name).read_text(encoding="utf-8") for name in ("sharegpt", "completion")]
    rows += ['{"question": "Q", "answer": "A"}\n', pair.model_dump_json() + "\n"]
    path.write_text("".join(rows), encoding="utf-8")
    found = read_pairs(path)
    assert sorted(pair.id for pair in found.pairs) == sorted(
        ["p_1", "p_completion", "p_sharegpt", imported("Q", "A").id]
    )
    assert sorted(found.forms) == ["completion", "pairs", "question and answer", "sharegpt"]
    assert [found.evidence for found in found.pairs if found.teacher == "extractive"] == [pair.evidence] * 3


def test_the_last_answer_that_is_learned_is_the_pairs(tmp_path: Path) -> None:
    turns = [{"role": role, "content": text} for role, text in zip(["user", "assistant"] * 2, "QABC", strict=True)]
    write_jsonl(tmp_path / "x.jsonl", [{"messages": [*turns[:3], {**turns[3], "weight": 0}]}])
    assert read_pairs(tmp_path / "x.jsonl").pairs == [imported("Q", "A")]


def test_turns_before_the_last_question_become_history(tmp_path: Path) -> None:
    turns = [("system", "S"), ("user", "Q1"), ("assistant", "A1"), ("user", "Q2"), ("assistant", "A2")]
    rows: list[dict[str, Any]] = [{"messages": [{"role": role, "content": text} for role, text in turns]}]
    write_jsonl(tmp_path / "x.jsonl", rows)
    (pair,) = read_pairs(tmp_path / "x.jsonl").pairs
    assert (pair.question, pair.answer) == ("Q2", "A2")
    assert [message.content for message in pair.history] == ["S", "Q1", "A1"]


GOOD = '{"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}\n'
RECORD = '{"id": "p", "question": "Q", "answer": "A", "teacher": "t"}\n'
BAD: list[tuple[str, str, str]] = [
    ("x.jsonl", GOOD + '{"messages": []}\n', "line 2, messages: is empty"),
    ("x.jsonl", GOOD + GOOD.replace('"A"', "null"), r"line 2, messages\[1\].content: is null"),
    ("x.jsonl", GOOD + GOOD.replace('"A"', '" "'), r"line 2, messages\[1\].content: is empty"),
    ("x.jsonl", GOOD.replace("assistant", "user"), r"line 1, messages\[1\].role: is user; end with the assistant's"),
    ("x.jsonl", GOOD.replace("]}", ', {"role": "assistant", "content": "B"}]}'), "turns alternate"),
    ("x.jsonl", GOOD.replace('"A"', '"\\ud800"'), "half of a surrogate pair"),
    ("x.jsonl", '{"\\ud800": 1}\n', r"line 1, .*found \\ud800"),
    ("x.jsonl", GOOD + '{"messages": ' + "[" * 200_000 + "\n", "line 2, line: is not JSON: nested too deeply"),
    ("x.json", "[" * 200_000, "nested too deeply"),
    ("x.jsonl", GOOD + "{not json\n[]\n3\n", "(?s)line 2, line: is not JSON.*line 3.*line 4"),
    ("x.jsonl", '{"conversations": [{"from": "bot", "value": "A"}, {"from": "gpt", "value": "A"}]}\n', "'bot'"),
    ("x.jsonl", '{"text": "x"}\n', "line 1, text: is plain text"),
    ("x.jsonl", '{"id": 7}\n', "line 1, messages: is missing"),
    ("x.jsonl", "\n", "holds no rows"),
    ("x.json", '[{"instruction": "Q", "output": "A"}, {"instruction": "Q"}]', "row 2, output: is missing"),
    ("x.json", "[1,", "not JSON"),
    ("x.csv", "question,answer\nQ,A\nQ,\n", "line 3, answer: is empty"),
    ("x.csv", "question,answer\nQ\n", "line 2, row: has not as many cells"),
    ("x.csv", 'question,answer\n"Q"x,A\n', "line 2, row: is not CSV"),
    ("x.csv", "question,answer,answer\nQ,A,B\n", "line 1, answer: is the name of two columns"),
    ("x.csv", "id,question,answer,teacher,quote,evidence,history,chunk_ids,scores\np,Q,A,t,,[],[],[,{}\n",
     "line 2, row: chunk_ids is not JSON"),
    ("x.parquet", "question", "not a Parquet file"),
    ("x.jsonl", RECORD.replace("}", ', "kind": "odd"}'), "line 1, kind"),
    ("x.jsonl", RECORD.replace('"t"', '"t\\ud800"'), "line 1, row: teacher holds half of"),
    ("x.jsonl", RECORD.replace("}", ', "scores": {"x": NaN}}'), "scores holds what is no number"),
    ("x.jsonl", RECORD.replace('"A"', '" "'), "line 1, answer: is empty"),
    ("x.jsonl", '{"prompt": "Q", "completion": "A", "metadata": {"pair_id": "p", "teacher": 1}}\n', "line 1, teacher"),
    ("x.jsonl", "%PDF-1.7\n\x01\x02\n", "is a PDF, not a file of rows"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "words"), BAD)
def test_a_bad_row_is_named(file: str, text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_pairs(path)
    assert caught.value.message.encode()


def test_all_faults_are_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(GOOD + "{\n" + RECORD.replace('"A"', '""') + '{"id": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)cannot be imported:\n  line 2,.*\n  line 3,.*\n  line 4,") as caught:
        read_pairs(path)
    assert "nothing was imported. 1 rows are good" in caught.value.hint


def test_two_columns_of_one_name_in_parquet(tmp_path: Path) -> None:
    columns = [pa.array(["Q"]), pa.array(["A"]), pa.array(["B"])]
    pq.write_table(pa.Table.from_arrays(columns, names=["question", "answer", "answer"]), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="answer: is the name of two columns"):
        read_pairs(tmp_path / "x.parquet")


class Shown(HTMLParser):
    """The tags of a page and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \"' & \u2028 {{ 7 * 7 }}"


def test_a_quiz_is_one_page_that_shows_text_as_text(pair: Pair, chunk: Chunk, tmp_path: Path) -> None:
    nasty = pair.model_copy(update={"question": HOSTILE, "answer": HOSTILE, "chunk_ids": (chunk.id,)})
    others = [pair.model_copy(update={"id": f"p_n{n}", "question": f"Number {n}?"}) for n in range(9)]
    write = writer_of("quiz")
    write([nasty, *others], {chunk.id: chunk}, tmp_path / "a.html", sources={"d_1": "<b>birds</b>.md"}, title=HOSTILE)
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    page = Shown(html)
    assert not {"script", "img", "b"} & set(page.tags)
    assert page.text.count("<script>alert(1)</script>") == 4  # both headings, question, answer
    assert "<b>birds</b>.md > Birds" in page.text
    assert page.text.count(pair.evidence[0].quote) == 10
    assert not re.search(r"https?://|src=\"|url\(|@import", html)
    write([nasty, *others], {}, tmp_path / "b.html")
    write(list(reversed([nasty, *others])), {}, tmp_path / "c.html")
    write([nasty, *others], {}, tmp_path / "d.html", seed=1)
    b, c, d = ((tmp_path / f"{name}.html").read_bytes() for name in "bcd")
    assert b == c != d


def test_anki_reads_one_line_a_card(pair: Pair, chunk: Chunk, tmp_path: Path) -> None:
    update = {"question": 'a\tb:\nc d\ne <i> "q"', "topic": "solar power::a", "chunk_ids": (chunk.id,)}
    path = tmp_path / "cards.txt"
    writer_of("anki")([pair.model_copy(update=update)], {chunk.id: chunk}, path, sources={"d_1": "birds.md"})
    header, card = path.read_text(encoding="utf-8").splitlines()[:-1], path.read_text(encoding="utf-8").splitlines()[-1]
    assert header == [
        "#separator:tab", "#html:true", "#guid column:1", "#columns:guid\tFront\tBack\tSource\tTags", "#tags column:5"
    ]  # fmt: skip
    guid, front, back, source, tags = card.split("\t")
    assert (guid, front, back) == (pair.id, "a b:<br>c d e &lt;i&gt; &quot;q&quot;", pair.answer)
    assert source.startswith("birds.md &gt; Birds<br>“The heron waits")
    assert tags == "kind::fact topic::solar_power:a difficulty::medium"


def test_beir_keeps_what_can_be_searched_for(pair: Pair, chunk: Chunk, tmp_path: Path) -> None:
    found = pair.model_copy(update={"chunk_ids": (chunk.id,)})
    follow_up = found.model_copy(update={"id": "p_3", "history": (Message(role="user", content="x"),)})
    unanswerable = found.model_copy(update={"id": "p_4", "answerable": False})
    pairs = [found, pair.model_copy(update={"id": "p_2"}), follow_up, unanswerable]
    assert writer_of("beir")(pairs, {chunk.id: chunk}, tmp_path) == 1
    assert (tmp_path / "qrels" / "test.tsv").read_text().splitlines()[1:] == [f"{pair.id}\t{chunk.id}\t1"]
    assert json.loads((tmp_path / "corpus.jsonl").read_text())["_id"] == chunk.id
    with pytest.raises(InputError, match="needs passages"):
        writer_of("beir")([pair], {}, tmp_path)


@pytest.mark.parametrize("name", ["csv", "parquet", "openai", "sharegpt", "alpaca", "completion"])
def test_datasets_opens_every_export(name: str, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    path = tmp_path / f"out{SUFFIX.get(name, '.jsonl')}"
    bare = imported("Q", "A")
    writer_of(name)([bare, pair, pair.model_copy(update={"id": "p_2", "scores": {"x": 1.0}})], {}, path)
    builder = name if name in ("csv", "parquet") else "json"
    rows = datasets.load_dataset(builder, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == 3
    if name == "parquet":
        assert rows[1]["evidence"][0]["quote"] == pair.evidence[0].quote
    if name in ("sharegpt", "alpaca", "completion"):
        assert rows[1]["metadata"]["evidence"][0]["span"]["start"] == pair.evidence[0].span.start


QUOTES = ("The heron waits in shallow water.", "It eats small fish.")


@pytest.fixture
def chunk() -> Chunk:
    """A passage that holds both quotes."""
    text = " ".join(QUOTES)
    span = Span(document_id="d_1", start=4, end=4 + len(text))
    return Chunk(
        id=Chunk.identify(span),
        document_id="d_1",
        span=span,
        text=text,
        heading_path=("Birds",),
        tokens=9,
        text_sha256="",
    )


@pytest.fixture
def pair() -> Pair:
    """A pair with two pieces of evidence."""
    spans = [Span(document_id="d_1", start=4, end=37), Span(document_id="d_1", start=38, end=57)]
    evidence = tuple(Evidence(span=span, quote=quote) for span, quote in zip(spans, QUOTES, strict=True))
    return Pair(
        id="p_1", question="What does it do?", answer="It waits and eats.", evidence=evidence,
        teacher="extractive", scores={"rank": 0.5},
    )  # fmt: skip


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        writer_of("sharegtp")
    assert "sharegpt" in caught.value.hint
    with pytest.raises(UsageError, match="no format 'parquett' to import"):
        read_pairs(Path("any"), "parquett")
