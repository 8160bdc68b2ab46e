"""The report as Chromium shows it: its own script runs under its policy, and nothing scrolls sideways."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from data.review import read_review
from data.store import ADAPTER, ANSWERS, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from doceo.core.records import Document, Pair, Rejected, Score, SetName, Verdict
from evaluation.costs import Cost
from evaluation.report import render, write_report
from evaluation.verdict import verdict
from evaluation.view.records import RunRecords, read_run
from tests.evaluation.chromium import CHROMIUM, act, dom

ALL = (DOCUMENTS, CHUNKS, PAIRS, DATASET, ADAPTER, ANSWERS, SCORES)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
FRAME = """<body><iframe id="f" src="{page}" style="border:0;width:{width}px;height:4000px"></iframe><script>
onload = () => {{
  const page = document.getElementById("f").contentDocument.documentElement;
  const table = page.querySelector("#verdict .panel");
  const sizes = [page, table].map((one) => `${{one.scrollWidth}} of ${{one.clientWidth}}`).join(", ");
  document.body.insertAdjacentHTML("beforeend", `<p id="found">${{sizes}}</p>`);
}}</script>"""


def test_pairs_are_kept_and_dropped_by_mouse_and_keys(build: Callable[..., Run], tmp_path: Path) -> None:
    run = build((DOCUMENTS, CHUNKS, PAIRS))
    pairs = read_run(run).pairs
    page = write_report(run, tmp_path / "report.html")
    steps = """
      seen.titles = text("article.pair h3"); seen.marks = text("article.pair mark");
      seen.proof = text(".proof .yes").length;
      key("k"); key("d"); key("ArrowDown"); key("d"); key("ArrowUp"); key("u");
      seen.focus = frame.contentDocument.activeElement.querySelector("h3").textContent;
      all("article.pair")[7].querySelector(".drop").click();
      const note = all("article.pair")[7].querySelector(".note-of");
      note.value = "wrong <b>"; note.dispatchEvent(new frame.contentWindow.Event("input", { bubbles: true }));
      note.dispatchEvent(new frame.contentWindow.KeyboardEvent("keydown", { key: "k", bubbles: true }));
      seen.tally = text(".tally")[0];
      await fresh();
      seen.again = text(".tally")[0];
      const on = (card) => Array.from(card.querySelectorAll('[aria-pressed="true"]'), (button) => button.textContent);
      seen.pressed = all("article.pair").map((card) => on(card).join());
      let saved; frame.contentWindow.URL.createObjectURL = (blob) => { saved = blob; return "blob:none"; };
      frame.contentWindow.HTMLAnchorElement.prototype.click = function () { seen.name = this.download; };
      all(".save")[0].click(); seen.saved = await new Response(saved).text();
    """
    seen = act(page, steps, tmp_path)
    assert seen["titles"] == [pair.question for pair in pairs]
    assert seen["marks"] == [pair.answer for pair in pairs]
    assert seen["proof"] == 8
    assert seen["focus"] == pairs[3].question
    assert seen["tally"] == seen["again"] == "1 kept, 2 dropped, 5 not decided"
    assert seen["pressed"] == ["Keep", "Drop", "", "", "", "", "", "Drop"]
    assert seen["name"] == "review.json"
    (tmp_path / "review.json").write_text(seen["saved"], encoding="utf-8")
    review = read_review(tmp_path / "review.json")
    assert review.run == "run"
    decided = {decision.pair_id: (decision.decision, decision.note) for decision in review.decisions}
    expected = {pairs[0].id: ("keep", ""), pairs[1].id: ("drop", ""), pairs[7].id: ("drop", "wrong <b>")}
    assert decided == expected


def test_the_list_is_filtered_and_paged(
    make_document: Callable[..., Document], make_pair: Callable[[Document, str, str], Pair], tmp_path: Path
) -> None:
    quotes = [f"Fact number {n} stands here." for n in range(45)]
    doc = make_document(" ".join(quotes))
    pairs = [make_pair(doc, f"What is fact {n}?", quote) for n, quote in enumerate(quotes)]
    pairs = [p.model_copy(update={"scores": {"judge": float(n % 3)}}) for n, p in enumerate(pairs)]
    pairs[3] = pairs[3].model_copy(update={"kind": "reason", "topic": "birds"})
    rejected = Rejected(pair=pairs[0], verdict=Verdict(accepted=False, reason="near", detail="the same as another"))
    records = RunRecords(name="r", documents={doc.id: doc}, pairs=tuple(pairs), rejected=(rejected,))
    page = tmp_path / "report.html"
    page.write_text(render(records), encoding="utf-8")
    steps = """
      const count = () => text(".count")[0]; const first = () => text("article.pair h3")[0];
      seen.start = count(); key("ArrowRight"); seen.second = [count(), first()];
      all('button[name="on"]')[1].click(); seen.third = count(); key("ArrowUp"); seen.back = count();
      await set("kind", "reason"); seen.kind = text("article.pair h3"); await set("kind", "");
      await set("text", "FACT 44?"); seen.text = text("article.pair h3");
      await set("text", "no such words"); seen.none = count();
      await set("text", ""); await set("score", "judge"); await set("most", "0"); seen.score = count();
      await set("score", ""); await set("order", "judge"); seen.order = text("article.pair h3").slice(0, 3);
      key("d"); await set("show", "drop"); seen.dropped = text("article.pair h3");
      await set("show", "rejected"); seen.rejected = [text("article.pair h3"), text(".why"), all(".decide").length];
    """
    seen = act(page, steps, tmp_path)
    assert seen["start"] == "1–20 of 45"
    assert seen["second"] == ["21–40 of 45", "What is fact 20?"]
    assert (seen["third"], seen["back"]) == ("41–45 of 45", "21–40 of 45")
    assert (seen["kind"], seen["text"], seen["none"]) == (["What is fact 3?"], ["What is fact 44?"], "No pair fits.")
    assert seen["score"] == "1–15 of 15"
    assert seen["order"] == ["What is fact 0?", "What is fact 3?", "What is fact 6?"]
    assert seen["dropped"] == ["What is fact 0?"]
    assert seen["rejected"] == [["What is fact 0?"], ["rejected: near, the same as another"], 0]


def test_hostile_texts_run_nothing(
    build: Callable[..., Run], make_document: Callable[..., Document], tmp_path: Path
) -> None:
    nasty = "</script><img src=x onerror=document.title='run'> <!--<script> \u2028 \" ' &amp;"
    text = f"# {nasty}\n\nThe heron waits in shallow water for small fish. {nasty}"
    run = build(ALL, doc=make_document(text, source=nasty, title=nasty), questions=[nasty])
    page = write_report(run, tmp_path / "report.html", title="calm")
    steps = """
      seen.title = frame.contentDocument.title; seen.heading = text("article.pair h3")[0];
      seen.images = all("img").length; seen.place = text("#review .source .file")[0];
      all("#browser .asked")[0].click(); seen.asked = text("#browser .q")[0]; seen.file = text("#browser .file")[0];
    """
    seen = act(page, steps, tmp_path)
    assert seen.pop("asked").startswith(nasty)
    assert seen == {"title": "calm · Doceo", "heading": nasty, "images": 0, "place": nasty, "file": nasty}


def _full(records: RunRecords) -> RunRecords:
    """Return records with a verdict on five systems and all sets, with everything that systems can take."""
    systems, sets = ("base", "tuned", "base+rag", "openai:a-model-of-a-long-name+rag", "quote+rag"), get_args(SetName)
    scores = [
        Score(system=system, set=name, metric="f1", label="F1", value=50.0 + n, low=40, high=60, n=1234)
        for n, system in enumerate(systems)
        for name in sets
    ]
    takes = [
        Cost(system=s, p50=0.083, p95=12.5, tokens=12345, usd=0.00123, memory=12_300_000_000, disk=123_000_000)
        for s in systems
    ]
    return replace(records, verdict=verdict(scores, takes))


@pytest.mark.parametrize("width", [360, 768, 1130, 1250, 1400])
def test_nothing_scrolls_sideways(
    build: Callable[..., Run], make_document: Callable[..., Document], tmp_path: Path, width: int
) -> None:
    wide = "x" * 200
    text = f"# {wide}\n\nThe heron waits in shallow water for small fish. {wide}\n\n| a | {wide} |"
    page = tmp_path / "report.html"
    page.write_text(render(_full(read_run(build(ALL, doc=make_document(text, source=wide, title=wide))))))
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(page=page.as_uri(), width=width))
    found = re.search(r'id="found">(\d+) of (\d+), (\d+) of (\d+)<', dom(frame, tmp_path / "profile"))
    assert found is not None
    assert found[1] == found[2] == str(width)
    assert found[3] == found[4]  # nor does the table of the verdict inside its frame
