"""The report as Chromium shows it: its own script runs under its policy, and nothing scrolls sideways."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.review import read_review
from data.store import ADAPTER, ANSWERS, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from doceo.core.records import Document, Pair, Rejected, Verdict
from evaluation.report import render, write_report
from evaluation.view.records import RunRecords, read_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ALL = (DOCUMENTS, CHUNKS, PAIRS, DATASET, ADAPTER, ANSWERS, SCORES)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
FRAME = """<body><iframe id="f" src="{page}" style="border:0;width:{width}px;height:4000px"></iframe><script>
onload = () => {{
  const page = document.getElementById("f").contentDocument.documentElement;
  document.body.insertAdjacentHTML("beforeend", `<p id="found">${{page.scrollWidth}} of ${{page.clientWidth}}</p>`);
}}</script>"""


def dom(page: Path, profile: Path) -> str:
    """Return a page's elements after its scripts have run."""
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
    command += [
        "--disable-sync",
        "--disable-background-networking",
        "--disable-component-update",
        "--allow-file-access-from-files",
    ]
    command += [f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom", page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


ACT = """<body><iframe id="f" src="{page}" style="border:0;width:1200px;height:4000px"></iframe><script>
onload = async () => {{
  const seen = {{}};
  const frame = document.getElementById("f");
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const fresh = async () => {{
    const loaded = new Promise((done) => frame.addEventListener("load", done, {{ once: true }}));
    frame.src += "?again";
    await loaded;
  }};
  const all = (selector) => Array.from(frame.contentDocument.querySelectorAll(selector));
  const text = (selector) => all(selector).map((found) => found.textContent);
  const key = (name) => {{
    const window = frame.contentWindow, page = frame.contentDocument;
    const at = page.activeElement.closest("article") || page.querySelector("article.pair");
    at.dispatchEvent(new window.KeyboardEvent("keydown", {{ key: name, bubbles: true, cancelable: true }}));
  }};
  const set = async (name, value) => {{
    const field = frame.contentDocument.querySelector("form.filter").elements[name];
    field.value = value;
    field.dispatchEvent(new frame.contentWindow.Event("input", {{ bubbles: true }}));
    await pause(250);
  }};
  try {{ {steps} }} catch (error) {{ seen.error = String(error); }}
  const found = document.body.appendChild(document.createElement("p"));
  found.id = "found";
  found.textContent = JSON.stringify(seen);
}}</script>"""


def act(page: Path, steps: str, folder: Path) -> dict[str, Any]:
    """Return what the steps put into `seen`, done to a page in a browser."""
    frame = folder / "frame.html"
    frame.write_text(ACT.format(page=page.as_uri(), steps=steps), encoding="utf-8")
    found = re.search(r'id="found">(.*?)</p>', dom(frame, folder / "profile"), re.DOTALL)
    assert found is not None
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    assert "error" not in seen, seen
    return seen


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
    run = build((DOCUMENTS, CHUNKS, PAIRS), doc=make_document(text, source=nasty, title=nasty), questions=[nasty])
    page = write_report(run, tmp_path / "report.html", title="calm")
    steps = """
      seen.title = frame.contentDocument.title; seen.heading = text("article.pair h3")[0];
      seen.images = all("img").length; seen.place = text(".source .file")[0];
    """
    seen = act(page, steps, tmp_path)
    assert seen == {"title": "calm · Doceo", "heading": nasty, "images": 0, "place": nasty}


@pytest.mark.parametrize("width", [380, 768, 1400])
def test_nothing_scrolls_sideways(
    build: Callable[..., Run], make_document: Callable[..., Document], tmp_path: Path, width: int
) -> None:
    wide = "x" * 200
    text = f"# {wide}\n\nThe heron waits in shallow water for small fish. {wide}\n\n| a | {wide} |"
    page = write_report(build(ALL, doc=make_document(text, source=wide, title=wide)), tmp_path / "report.html")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(page=page.as_uri(), width=width))
    found = re.search(r'id="found">(\d+) of (\d+)<', dom(frame, tmp_path / "profile"))
    assert found is not None
    assert found[1] == found[2] == str(width)
