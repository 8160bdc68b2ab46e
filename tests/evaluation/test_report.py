from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.held_out import held_out_rows
from data.jsonl import write_json, write_jsonl
from data.store import ADAPTER, ANSWERS, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from doceo.core.errors import InputError
from doceo.core.records import Document, Message, Pair, Question, Rejected, Verdict
from doceo.text.language import count_words
from evaluation.report import render, write_report
from evaluation.view.records import RunRecords, read_run
from tests.evaluation.page import Page

ALL = (DOCUMENTS, CHUNKS, PAIRS, DATASET, ADAPTER, ANSWERS, SCORES)
Build = Callable[..., Run]
MakeDocument = Callable[..., Document]
MakePair = Callable[[Document, str, str], Pair]


def page_of(run: Run) -> Page:
    return Page(render(read_run(run)))


def data_of(html: str) -> dict[str, Any]:
    """Return what the page's script reads, as a browser would find it."""
    (block,) = re.findall(r'<script type="application/json" id="review-data">(.*?)</script>', html, re.DOTALL)
    found: dict[str, Any] = json.loads(block)
    return found


def marks_of(entry: dict[str, Any]) -> list[str]:
    return [text for source in entry["sources"] for kind, text in source["parts"] if kind == "mark"]


def test_the_whole_run_in_order(build: Build, sentences: list[str]) -> None:
    page = page_of(build(ALL))
    figures = ["verdict", "answers", "scores", "examples", "questions"]
    assert page.sections == [*figures, "dataset", "model", "pairs", "making"]
    assert set(page.marked) <= set(sentences)
    assert len(set(page.marked)) >= 6
    assert "The base is the small model that ships" in page.text
    assert "8 of 11 proposed question and answer pairs were accepted (73 %); 9 were wanted." in page.text
    assert "Before anything was rejected, the quote of 100.0 % of the proposals stood in its document." in page.text
    assert "Training on doceo-5m, 3.3 million parameters" in page.text  # without the 0.09 of the adapter
    assert "The set unseen is empty" in page.text
    assert "bs:100" in page.text
    # four questions a set, however clear, can come about by a coin
    assert "These questions cannot tell: nothing is clearly better than base alone." in page.text
    assert "quote+rag against base: perhaps better by " in page.text
    assert "Written questions: A. Writer" in page.text


@pytest.mark.parametrize(
    ("stages", "sections"),
    [
        ((), []),
        ((DOCUMENTS,), ["dataset", "making"]),
        ((DOCUMENTS, CHUNKS), ["dataset", "making"]),
        ((DOCUMENTS, CHUNKS, PAIRS, DATASET), ["pairs", "dataset", "making"]),
        ((PAIRS,), ["pairs", "dataset", "making"]),
        ((DOCUMENTS, CHUNKS, PAIRS, DATASET, ADAPTER), ["pairs", "dataset", "model", "making"]),
        ((DOCUMENTS, ANSWERS), ["answers", "questions", "dataset", "making"]),
        ((ANSWERS, SCORES), ["verdict", "answers", "scores", "examples", "questions", "making"]),
        ((SCORES,), ["verdict", "scores", "making"]),
    ],
)
def test_every_subset_of_stages_gives_a_page(build: Build, stages: tuple[str, ...], sections: list[str]) -> None:
    page = page_of(build(stages))
    assert page.sections == sections
    assert "This small model" not in page.text
    inside = {value for name, value in page.attributes if name == "href" and value.startswith("#")}
    assert {value.removeprefix("#") for value in inside} <= {
        value for name, value in page.attributes if name in ("id", "name")
    }


def test_scores_of_before_there_was_a_verdict_are_shown(build: Build) -> None:
    run = build((ANSWERS, SCORES))
    for name in ("verdict.json", "slices.jsonl"):
        (run.path / SCORES / name).unlink()
    page = page_of(run)
    assert page.sections == ["answers", "scores", "examples", "questions", "making"]
    assert "no language model: finds the passage and quotes it" in page.text


def test_after_generate_every_pair_stands_beside_its_source(build: Build, sentences: list[str]) -> None:
    data = data_of(render(read_run(build((DOCUMENTS, CHUNKS, PAIRS)))))
    assert [mark for pair in data["pairs"] for mark in marks_of(pair)] == sentences
    assert all(source["found"] for pair in data["pairs"] for source in pair["sources"])
    assert data["pairs"][0]["sources"][0]["place"] == "Birds and boats > Notes · page 1"
    assert data["pairs"][0]["sources"][0]["file"] == "notes/birds.md"
    (rejected,) = data["rejected"]
    assert (rejected["reason"], rejected["detail"]) == ("form", "the question points at something outside it")
    assert data["decisions"] == {}


def test_pairs_say_their_set_and_what_was_decided(build: Build) -> None:
    run = build((DOCUMENTS, CHUNKS, PAIRS, DATASET))
    pairs = read_run(run).pairs
    held_out = Question(pair_id=pairs[0].id, set="unseen", question="?", references=("x",))
    write_jsonl(run.path / DATASET / "unseen.jsonl", held_out_rows([held_out]))
    decided = {"pair_id": pairs[1].id, "decision": "drop", "note": "wrong"}
    write_json(run.path / "review.json", {"run": "run", "decisions": [decided]})
    data = data_of(render(read_run(run)))
    assert [pair["set"] for pair in data["pairs"]] == ["unseen", *["taught", "taught-written"] * 3, "taught"]
    assert data["decisions"] == {pairs[1].id: {"decision": "drop", "note": "wrong"}}


def test_several_sources_turns_before_and_searched_passages_are_shown(build: Build, sentences: list[str]) -> None:
    records = read_run(build((DOCUMENTS, CHUNKS, PAIRS)))
    first, second, third, *_ = records.pairs
    turns = (Message(role="user", content="Who waits?"), Message(role="assistant", content="The heron."))
    hops = first.model_copy(update={"evidence": (*first.evidence, *third.evidence), "history": turns})
    unanswerable = second.model_copy(
        update={"answerable": False, "evidence": (), "chunk_ids": (records.chunks[0].id, "c_gone")}
    )
    imported = third.model_copy(update={"evidence": ()})
    data = data_of(render(replace(records, pairs=(hops, unanswerable, imported))))
    assert marks_of(data["pairs"][0]) == [sentences[0], sentences[2]]
    assert data["pairs"][0]["history"] == [["user", "Who waits?"], ["assistant", "The heron."]]
    assert (data["pairs"][1]["answerable"], data["pairs"][1]["searched"]) == (False, 2)
    (searched,) = data["pairs"][1]["sources"]
    assert sentences[7] in searched["parts"][-1][1]
    assert marks_of(data["pairs"][1]) == []
    assert "sources" not in data["pairs"][2]


def test_of_very_many_rejected_pairs_every_reason_is_shown(make_pair: MakePair, make_document: MakeDocument) -> None:
    doc = make_document("The heron waits.")
    pair = make_pair(doc, "What waits?", "heron")
    reasons = ["form"] * 3000 + ["near"] * 5 + ["judge"]
    rejected = tuple(
        Rejected(pair=pair.model_copy(update={"id": f"p_{n}"}), verdict=Verdict(accepted=False, reason=reason))
        for n, reason in enumerate(reasons)
    )
    data = data_of(render(RunRecords(name="large", documents={doc.id: doc}, rejected=rejected)))
    assert Counter(entry["reason"] for entry in data["rejected"]) == {"form": 1994, "near": 5, "judge": 1}
    assert data["rejectedInAll"] == 3006


def test_a_quote_that_is_not_in_the_document_is_not_called_verified(build: Build) -> None:
    run = build((DOCUMENTS, PAIRS))
    path = run.path / DOCUMENTS / "documents.jsonl"
    path.write_text(path.read_text().replace("Copper conducts", "Copper measures"))
    pairs = data_of(render(read_run(run)))["pairs"]
    assert [source["found"] for pair in pairs for source in pair["sources"]] == [True, True, False] + [True] * 5


def test_the_page_loads_nothing(build: Build) -> None:
    html = render(read_run(build(ALL)))
    page = Page(html)
    loading = {"src", "srcset", "action", "data", "poster", "background", "ping", "formaction", "xlink:href"}
    assert not [a for a in page.attributes if a[0] in loading]
    links = {value for name, value in page.attributes if name == "href" and not value.startswith("#")}
    assert {link.partition("/")[0] for link in links} == {SCORES}  # data beside the page
    assert not [a for a in page.attributes if a[0] == "style" or a[0].startswith("on")]
    assert not {"link", "iframe", "object", "embed", "img", "base"} & set(page.tags)
    assert not re.search(r"https?://|url\(|@import", html)


def test_the_policy_allows_exactly_the_pages_own_style_and_script(build: Build) -> None:
    html = render(read_run(build(ALL)))
    policy = next(value for name, value in Page(html).attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy


HOSTILE = (
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "\"'><svg onload=alert(1)>",
    "<!-- ]]> &lt;b&gt; &amp; <!--<script>",
    "\u2028 \u2029 \\u003c \\",
)


def test_hostile_documents_stay_text(build: Build, make_document: Callable[..., Document]) -> None:
    nasty = " ".join(HOSTILE) + "\x00\x1b \u202e"
    text = f"# {nasty}\n\nThe heron waits in shallow water for small fish. {nasty}"
    run = build(ALL, doc=make_document(text, source=nasty, title=nasty), questions=[nasty])
    html = render(read_run(run), title=nasty)
    page = Page(html)
    assert page.tags.count("script") == 3  # pairs and questions as data, and what reads them
    assert page.tags.count("style") == 1
    assert not {"img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    entry = data_of(html)["pairs"][0]
    assert entry["question"].startswith(" ".join(HOSTILE))
    blocks = re.findall(r'<script type="application/json" id="[a-z-]+">(.*?)</script>', html, re.DOTALL)
    assert len(blocks) == 2
    assert not [block for block in blocks if set("<>&\u2028\u2029") & set(block)]
    html.encode()
    assert "\x00" not in html
    assert "\ud800" not in render(read_run(run), title="\ud800")


def test_the_same_run_gives_the_same_page(build: Build, tmp_path: Path) -> None:
    run = build(ALL)
    first = write_report(run, tmp_path / "a.html").read_bytes()
    assert first == write_report(run, tmp_path / "b.html").read_bytes()


def test_a_large_run_gives_a_page_with_every_pair_and_of_bounded_size(
    make_document: MakeDocument, make_pair: MakePair
) -> None:
    quotes = [f"Fact number {n} stands here among many other facts of the same kind." for n in range(2500)]
    doc = make_document("\n\n".join(" ".join(quotes[i : i + 5]) for i in range(0, len(quotes), 5)))
    pairs = tuple(make_pair(doc, f"What is fact {n}?", quote) for n, quote in enumerate(quotes))
    html = render(RunRecords(name="large", documents={doc.id: doc}, pairs=pairs))
    assert len(data_of(html)["pairs"]) == 2500
    assert len(html) < 2300 * 2500


def test_a_damaged_file_is_named(build: Build) -> None:
    run = build((PAIRS,))
    (run.path / PAIRS / "ledger.json").write_text('{"requested": 1, "asked": 5, "accepted": 1}')
    with pytest.raises(InputError, match=r"ledger\.json: .*does not add up"):
        read_run(run)


def test_words_are_counted_as_they_are_while_reading(build: Build, make_document: MakeDocument) -> None:
    doc = make_document("# Birds\n\n| a heron | 3 |\n\n- It waits - for small fish.\n")
    page = page_of(build((DOCUMENTS,), doc=doc))
    assert f"document1words{count_words(doc.text)}" in page.text
    assert count_words(doc.text) < len(doc.text.split())
